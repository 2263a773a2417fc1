//! A temporary working folder with the project's prompts and facts, in which the program is run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use super::{Finished, Recipe, Running, wait_until};

/// The folder of the default recipe's only trial.
pub(crate) const SLUG: &str = "gpt-oss-120b-concise-tp1-tknone-mx64-64";

/// A line of the provider's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The job's name.
    pub(crate) job: String,
    /// Digest of its input, with the model: what is paid for.
    pub(crate) paid: String,
    /// Its requests.
    pub(crate) rows: u64,
}

/// A working folder.
#[derive(Debug)]
pub(crate) struct World {
    dir: TempDir,
    runs: AtomicU32,
}

impl World {
    /// A world with links to the project's `config` and `assets`.
    pub(crate) fn bare() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("evaltui-it-")
            .tempdir()
            .expect("a temporary folder");
        let world = Self {
            dir,
            runs: AtomicU32::new(0),
        };
        fs::create_dir_all(world.path("work/.io")).expect("a folder");
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["config", "assets"] {
            symlink(project.join(name), world.path("work").join(name)).expect("a link");
        }
        world
    }

    /// A world with a recipe as `c.yaml`.
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let world = Self::bare();
        world.write("c.yaml", recipe.yaml().as_bytes());
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder that the program is started in.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// A file of the working folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Writes a file of the working folder.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.file(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("written");
        path
    }

    /// Links the real data as `../shared`; `false` where it is not on this machine.
    pub(crate) fn link_shared(&self) -> bool {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = ["../shared", "../../shared"]
            .iter()
            .map(|p| project.join(p))
            .find(|p| p.join("data").is_dir());
        if let Some(shared) = &found {
            symlink(shared.canonicalize().expect("a path"), self.path("shared")).expect("a link");
        }
        found.is_some()
    }

    /// The program with these arguments, in this world and with nothing of the caller's environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evaltui"));
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.dir.path())
            .current_dir(self.work());
        command
    }

    /// Starts the program.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_command(self.command(args))
    }

    /// Starts a command made by [`Self::command`].
    pub(crate) fn start_command(&self, command: Command) -> Running {
        let name = format!(".io/{}", self.runs.fetch_add(1, Ordering::SeqCst));
        Running::start(command, &self.work(), &name)
    }

    /// Runs the program to its end.
    pub(crate) fn evaltui(&self, args: &[&str]) -> Finished {
        self.start(args).finish()
    }

    /// Makes run `id` from `c.yaml` and drives it to its end.
    pub(crate) fn whole_run(&self, id: &str) -> Finished {
        self.evaltui(&["run", "--config", "c.yaml", "--run-id", id])
            .expect(0)
    }

    /// The folder of a run.
    pub(crate) fn run(&self, id: &str) -> PathBuf {
        self.file(&format!("experiments/run_{id}"))
    }

    /// A file in the results of the default recipe's trial.
    pub(crate) fn result(&self, id: &str, name: &str) -> PathBuf {
        self.run(id).join(SLUG).join("results").join(name)
    }

    /// `run_state.json`.
    pub(crate) fn state(&self, id: &str) -> Value {
        json(&self.run(id).join("run_state.json"))
    }

    /// The status of a phase in `run_state.json`.
    pub(crate) fn status(&self, id: &str, phase: &str) -> String {
        self.state(id)["phases"][phase]["status"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The file in which the provider of a run records the jobs it accepted.
    pub(crate) fn accepted_file(&self, id: &str) -> PathBuf {
        self.file(&format!("experiments/.sim/run_{id}/accepted.jsonl"))
    }

    /// The whole lines of the provider's record.
    pub(crate) fn accepted(&self, id: &str) -> Vec<Accepted> {
        let text = fs::read_to_string(self.accepted_file(id)).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let field = |line: &Value, name: &str| line[name].as_str().expect("a text").to_owned();
        whole
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a whole line"))
            .map(|line| Accepted {
                job: field(&line, "job"),
                paid: format!("{} {}", field(&line, "model"), field(&line, "input_sha256")),
                rows: line["rows"].as_u64().expect("a number"),
            })
            .collect()
    }

    /// Fails where a job or an input was accepted twice, or not `jobs` of them were.
    pub(crate) fn paid_once(&self, id: &str, jobs: usize) {
        let accepted = self.accepted(id);
        for key in [|a: &Accepted| a.job.clone(), |a: &Accepted| a.paid.clone()] {
            let mut seen: Vec<String> = accepted.iter().map(key).collect();
            seen.sort();
            seen.dedup();
            assert_eq!(
                seen.len(),
                accepted.len(),
                "something was paid for twice: {accepted:#?}"
            );
        }
        assert_eq!(accepted.len(), jobs, "{accepted:#?}");
    }

    /// Waits until the provider has accepted `n` jobs.
    pub(crate) fn wait_accepted(&self, id: &str, n: usize) {
        wait_until(&format!("{n} accepted jobs of run {id}"), || {
            self.accepted(id).len() >= n
        });
    }

    /// Parts of the default recipe's trial whose results are in place.
    pub(crate) fn parts_in_place(&self, id: &str) -> usize {
        let parts = [
            "t0_control_p01",
            "t0_control_p02",
            "t0_control_p03",
            "t0_treatment_p01",
            "t0_treatment_p02",
            "t0_treatment_p03",
        ];
        parts
            .iter()
            .filter(|part| self.result(id, &format!("{part}/results.jsonl")).exists())
            .count()
    }

    /// Lines of the ledger that are whole.
    pub(crate) fn ledger_lines(&self, id: &str) -> usize {
        fs::read(self.run(id).join("ledger.jsonl"))
            .unwrap_or_default()
            .split_inclusive(|b| *b == b'\n')
            .filter(|line| line.ends_with(b"\n"))
            .count()
    }

    /// The log for people.
    pub(crate) fn events(&self, id: &str) -> String {
        fs::read_to_string(self.run(id).join("events.jsonl")).unwrap_or_default()
    }
}

/// Reads a JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
