//! A real run folder in a temporary directory: built parts, a ledger, a lock, and a queue over the scripted service.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::service::Service;
use crate::config::Config;
use crate::config::settings::{
    Execution, Paths, Pricing, ProviderName, ProviderSettings, SimAnswers, SimSettings, Sizes,
    StatsSettings, TaskInstructions, TextFile, UnsupportedSettings,
};
use crate::domain::event::PlannedPart;
use crate::domain::ids::PromptSetName;
use crate::domain::{Condition, Digest, Event, MaxNewTokens, RunId, Temperature, Trial, WorkState};
use crate::engine::error::EngineError;
use crate::engine::queue::{Allow, Allowed, Queue, QueueEnd, QueueParts};
use crate::engine::recorder::{Outlets, Recorder, RecorderParts};
use crate::engine::stop::StopSwitch;
use crate::plan::{BuildManifest, Shard, plan_parts};
use crate::snapshot::RunView;
use crate::store::records::Faces;
use crate::store::{
    Durability, EventLog, ExperimentsDir, Holder, Ledger, RunLock, RunPaths, atomic,
};
use crate::sys::SystemClock;

/// Rows of one part.
pub(super) const ROWS: u64 = 4;

/// A run with a few built parts.
#[derive(Debug)]
pub(super) struct Lab {
    _dir: TempDir,
    pub(super) paths: RunPaths,
    pub(super) config: Config,
    manifest: BuildManifest,
    pub(super) service: Service,
    pub(super) stop: StopSwitch,
    pub(super) allowed: Allowed,
    /// Of the last queue.
    writing: std::cell::RefCell<std::sync::Weak<()>>,
}

fn text() -> TextFile {
    TextFile {
        path: "p.txt".into(),
        sha256: Digest::of(b"p"),
        text: Some("p".into()),
    }
}

pub(super) fn trial(set: &str) -> Trial {
    let prompt_set = PromptSetName::new(set).expect("plain");
    let max = MaxNewTokens {
        closed_book: 8,
        open_book: 8,
    };
    Trial {
        slug: Trial::slug_of("m", &prompt_set, 1.0, None, max).expect("plain"),
        model: "m".into(),
        prompt_set,
        temps: vec![Temperature::default()],
        samples: vec![1],
        top_p: 1.0,
        top_k: None,
        max_new_tokens: max,
        stop: Vec::new(),
    }
}

pub(super) fn config(trials: Vec<Trial>) -> Config {
    Config {
        path: "c.yaml".into(),
        trials,
        prompt_sets: Vec::new(),
        instructions: TaskInstructions {
            closed_book: text(),
            open_book: text(),
        },
        datasets: Vec::new(),
        sizes: Sizes::default(),
        paths: Paths {
            experiments_dir: "x".into(),
            prepared_dir: "y".into(),
        },
        provider: ProviderSettings {
            name: ProviderName::Sim,
            base_url: None,
            account_id: None,
            api_key_env: None,
            sim: SimSettings {
                answers: SimAnswers::Oracle,
                replay_dir: None,
                accuracy_control: 0.5,
                accuracy_treatment: 0.5,
                accuracy_by_model: BTreeMap::new(),
                seconds_per_job: 0.0,
                row_error_rate: 0.0,
                seed: 1,
                state_dir: None,
            },
        },
        execution: Execution {
            max_concurrent_jobs: 2,
            lines_per_part: ROWS,
            parts_per_dataset: None,
            poll_ms: 5,
            max_item_retries: 1,
            min_coverage: 0.5,
        },
        budget_max_usd: None,
        pricing: Pricing::default(),
        stats: StatsSettings {
            bootstrap_samples: 1,
            permutation_samples: 1,
            random_seed: 1,
            enable_permutation: false,
            enable_fdr: false,
            risk_thresholds: Vec::new(),
            tost_alpha: 0.05,
            tost_margins: BTreeMap::new(),
        },
        unsupported: UnsupportedSettings {
            strategy: "overlap".into(),
            threshold: 0.5,
            min_token_overlap: 0.5,
        },
        sampling_seed: 1,
        effective: serde_json::json!({}),
    }
}

/// Parts of both conditions for a set; the control part is the same in every set.
fn build(paths: &RunPaths, sets: &[&str], parts: u32) -> BuildManifest {
    let mut shards = BTreeMap::new();
    for set in sets {
        for condition in Condition::ALL {
            for number in 1..=parts {
                let prompt_set = PromptSetName::new(set).expect("plain");
                let name = crate::store::batch_input_name(
                    Temperature::default(),
                    &prompt_set,
                    condition,
                    number,
                );
                let of = if condition == Condition::Control {
                    "any"
                } else {
                    set
                };
                let lines: Vec<String> = (0..ROWS)
                    .map(|i| format!("{{\"custom_id\":\"d|p{number}i{i}|{condition}|0.0|0|closed\",\"body\":{{\"messages\":[{{\"role\":\"user\",\"content\":\"{of}\"}}]}}}}\n"))
                    .collect();
                let path = paths.batch_input(&name).expect("plain");
                let sum = atomic::write(&path, lines.concat().as_bytes()).expect("written");
                let shard = Shard {
                    prompt_set,
                    condition,
                    temp: Temperature::default(),
                    path: name.clone(),
                    lines: ROWS,
                    size: sum.bytes,
                    sha256: sum.sha256,
                    part_index: number - 1,
                    item_type: None,
                };
                shards.insert(name, shard);
            }
        }
    }
    BuildManifest {
        schema_version: 1,
        lines_per_part: ROWS,
        shards,
        temps: vec![Temperature::default()],
        prompt_sets: BTreeMap::new(),
    }
}

impl Lab {
    /// One trial with `parts` parts for each condition.
    pub(super) fn new(parts: u32) -> Self {
        Self::of(&["s"], parts)
    }

    pub(super) fn of(sets: &[&str], parts: u32) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .expect("a folder");
        let run_id = RunId::new("r1").expect("plain");
        let paths = ExperimentsDir::new(dir.path().to_path_buf()).run(&run_id);
        atomic::create_dir_all(&paths.batch_inputs_dir()).expect("made");
        let manifest = build(&paths, sets, parts);
        let config = config(sets.iter().map(|set| trial(set)).collect());
        let lab = Self {
            _dir: dir,
            paths,
            config,
            manifest,
            service: Service::default(),
            stop: StopSwitch::default(),
            allowed: Allowed {
                submit: Allow::Yes,
                collect: Allow::Yes,
                doubtful: Allow::No,
                condition: None,
            },
            writing: std::cell::RefCell::default(),
        };
        lab.plan(&run_id);
        lab
    }

    fn plan(&self, run_id: &RunId) {
        let mut events = Vec::new();
        for trial in &self.config.trials {
            events.push(Event::TrialPlanned {
                trial: trial.clone(),
            });
            let parts: Vec<PlannedPart> = plan_parts(run_id, "scripted", trial, &self.manifest);
            events.push(Event::PartsPlanned {
                trial: trial.slug.clone(),
                first: true,
                parts,
            });
        }
        self.open()
            .record(events, Durability::Fsync)
            .expect("recorded");
    }

    /// Takes the lock and replays the ledger, as a new process does.
    pub(super) fn open(&self) -> Recorder {
        let holder = Holder::this_process(jiff::Timestamp::UNIX_EPOCH);
        let lock = RunLock::acquire(&self.paths, &holder).expect("free");
        let (ledger, replay) = Ledger::open(&lock, &self.paths).expect("sound");
        let mut view = RunView::new(RunId::new("r1").expect("plain"));
        for fact in &replay.recorded {
            view.apply(fact).expect("fits");
        }
        // As every resume does: raw files of finished parts that a death left behind are removed.
        let ctx = crate::phases::Ctx {
            config: Arc::new(self.config.clone()),
            paths: self.paths.clone(),
            view: Arc::new(view.clone()),
        };
        crate::engine::repair::tidy_finished(&ctx).expect("tidied");
        let (outlet, _) = tokio::sync::watch::channel(Arc::new(view.clone()));
        Recorder::new(RecorderParts {
            lock,
            ledger,
            log: EventLog::open(&self.paths).expect("opened"),
            faces: Faces::new(self.paths.clone(), BTreeMap::new()),
            view,
            outlets: Outlets {
                view: outlet,
                lines: None,
            },
            clock: Arc::new(SystemClock),
        })
    }

    pub(super) async fn run_with(&self, recorder: &mut Recorder) -> Result<QueueEnd, EngineError> {
        let parts = QueueParts {
            recorder,
            provider: Arc::new(self.service.clone()),
            config: Arc::new(self.config.clone()),
            paths: self.paths.clone(),
            manifest: Arc::new(self.manifest.clone()),
            stop: self.stop.watch(),
        };
        let queue = Queue::new(parts, self.allowed);
        self.writing.replace(Arc::downgrade(&queue.writing.0));
        queue.run().await
    }

    /// One process: open, run the queue to its end, close.
    pub(super) async fn run(&self) -> Result<QueueEnd, EngineError> {
        self.run_with(&mut self.open()).await
    }

    /// One process that dies with the n-th call of its life; `false` where it ended before.
    pub(super) async fn run_until_death(&self, nth: usize) -> bool {
        let before = self.service.with(|w| w.calls.len());
        self.service.with(|w| w.dies_at = Some(before + nth));
        let mut recorder = self.open();
        let died = tokio::select! {
            () = self.service.died.notified() => true,
            end = self.run_with(&mut recorder) => { end.expect("undisturbed"); false }
        };
        self.service.with(|w| w.dies_at = None);
        // A dead process writes nothing more; here the threads that were writing must end first.
        drop(recorder);
        while self.writing.borrow().strong_count() > 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
        died
    }

    pub(super) fn states(&self) -> Vec<WorkState> {
        self.open()
            .view()
            .works
            .iter()
            .map(|w| w.state.clone())
            .collect()
    }

    pub(super) fn all_done(&self) -> bool {
        self.states()
            .iter()
            .all(|s| matches!(s, WorkState::Done { .. }))
    }

    /// Every file below the trials' folders, faces aside, with its bytes.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for trial in &self.config.trials {
            collect_files(
                &self.paths.trial(&trial.slug).results_dir(),
                self.paths.root(),
                &mut files,
            );
        }
        files
    }
}

fn collect_files(dir: &Path, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_files(&path, root, files);
        } else if !path.ends_with("trial_manifest.json") {
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            files.insert(name, std::fs::read(&path).expect("read"));
        }
    }
}
