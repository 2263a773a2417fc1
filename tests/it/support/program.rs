//! A started program: its exit is waited for with a deadline, and it never outlives the test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::wait_for;

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Finished {
    /// Checks the exit code and that nothing panicked; fails with everything the program said.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "exit {:?} instead of {code}\n{self}",
            self.code
        );
        assert!(
            !self.stderr.contains("panicked") && !self.stdout.contains("panicked"),
            "{self}"
        );
        self
    }

    /// Checks that standard error holds all of these.
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not said\n{self}");
        }
        self
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{self}"))
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        )
    }
}

/// A program that runs; killed where the test ends before it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts a command with its output in two files of `folder`.
    pub(crate) fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        let stdout = folder.join(format!("{name}.out"));
        let stderr = folder.join(format!("{name}.err"));
        command.stdin(Stdio::null());
        command.stdout(File::create(&stdout).expect("a file for the output"));
        command.stderr(File::create(&stderr).expect("a file for the diagnostics"));
        let child = command.spawn().expect("the program starts");
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("signalled");
    }

    /// What it has said on standard error so far.
    pub(crate) fn diagnostics(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        let what = format!("the end of pid {}", self.child.id());
        let status = wait_for(&what, || self.child.try_wait().expect("its state"));
        Finished {
            code: status.code(),
            stdout: std::fs::read_to_string(&self.stdout).expect("UTF-8"),
            stderr: self.diagnostics(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone where the test went well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
