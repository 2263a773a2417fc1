//! Installs the error reporter and hands over to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    evaltui::cli::main()
}
