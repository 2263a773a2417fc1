//! The command line: arguments, composition of the parts, the headless printer, exit codes.
//!
//! Results go to standard output, diagnostics to standard error. The only room that reads the process's environment.

pub mod args;
mod commands;
mod compose;
mod headless;
mod print;

use std::io::IsTerminal;
use std::process::ExitCode as ProcessExit;

use color_eyre::config::HookBuilder;

use crate::domain::ExitCode;
use args::{Cli, Command};

/// An error on its way to the terminal: what happened and the exit code it means.
#[derive(Debug)]
pub struct Failure {
    exit: ExitCode,
    message: String,
}

impl Failure {
    fn new(exit: ExitCode, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }
}

impl From<crate::engine::EngineError> for Failure {
    fn from(error: crate::engine::EngineError) -> Self {
        Self::new(error.exit(), error.to_string())
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        crate::engine::EngineError::from(error).into()
    }
}

impl From<crate::config::ConfigErrors> for Failure {
    fn from(errors: crate::config::ConfigErrors) -> Self {
        Self::usage(errors.to_string())
    }
}

/// What commands give: the exit code of a command that ran, or why it could not.
pub type Outcome = Result<ExitCode, Failure>;

/// Reads the command line, does what it says and gives the process's exit code.
pub fn main() -> ProcessExit {
    compose::harden();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => {
            // Clap prints help to standard output and errors to standard error; a closed pipe is no fault.
            error.print().ok();
            return ProcessExit::from(if error.use_stderr() {
                ExitCode::Usage.code()
            } else {
                0
            });
        }
    };
    // Reports of broken invariants name the place and hide the environment, which may hold keys.
    let hooks = HookBuilder::default()
        .display_env_section(false)
        .panic_section(
            "this is a fault of evaltui; all recorded state is safe, `evaltui resume` continues",
        );
    if let Err(error) = hooks.install() {
        print::note(&format!("no error reporter: {error}"));
    }
    let outcome = match run(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            print::error(&failure.message);
            failure.exit
        }
    };
    ProcessExit::from(outcome.code())
}

fn run(cli: Cli) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        Failure::new(
            ExitCode::Failed,
            format!("cannot start the runtime: {error}"),
        )
    })?;
    let world = compose::World::of_process();
    let outcome = runtime.block_on(async {
        match cli.command {
            None => front(&world, &cli.console).await,
            Some(Command::Run(args)) => commands::run(&world, args).await,
            Some(Command::Resume(args)) => commands::resume(&world, args).await,
            Some(Command::Stop(args)) => commands::stop(&world, &args),
            Some(Command::Plan(args)) => commands::plan(&world, &args),
            Some(Command::List(args)) => commands::list(&world, &args),
            Some(Command::Show(args)) => commands::show(&world, &args),
            Some(Command::Migrate(args)) => commands::migrate(&world, &args),
            Some(Command::Archive(args)) => commands::archive(&world, args).await,
            Some(Command::Sim(args)) => commands::sim(&world, &args).await,
            Some(Command::Config(command)) => commands::config(&world, &command),
            Some(Command::Completions { shell }) => {
                commands::completions(shell);
                Ok(ExitCode::Done)
            }
            Some(Command::Shots { dir }) => commands::shots(&dir),
        }
    });
    // Blocking work that an urgent stop left behind must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    outcome
}

/// The console on a terminal; the plan anywhere else.
async fn front(world: &compose::World, args: &args::ConsoleArgs) -> Outcome {
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if args.plan_only || !terminal {
        return commands::front_plan(world, args);
    }
    commands::console(world, args).await
}
