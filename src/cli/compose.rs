//! Puts the program together: environment, clock, experiments folder, and the provider that a configuration names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::print;
use crate::config::Config;
use crate::config::settings::{ProviderName, SimAnswers, SimSettings};
use crate::domain::{Condition, RunId};
use crate::engine::{Host, ProviderSource};
use crate::provider::{self, Provider, ProviderError, ProviderErrorKind};
use crate::sim::{
    Accuracy, Answers, OracleSettings, ReplaySettings, SimConfig, SimHandle, SimServer,
    SystemPrompt,
};
use crate::store::{ExperimentsDir, RunPaths};
use crate::sys::{Clock, Environment, SystemClock};

/// The folder of the runs where no config says another.
pub(super) const DEFAULT_EXPERIMENTS: &str = "experiments";

/// Share of the oracle's wrong answers to answerable open items that abstain, as cautious models do.
const ABSTAIN_WHEN_WRONG: f64 = 0.3;

/// Forbids core dumps, which would hold keys (guarantees, P25). Best effort: a refusal changes nothing else.
pub(super) fn harden() {
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(rustix::process::Resource::Core, none).ok();
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).ok();
}

/// The process's surroundings.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// Environment variables, with those of `.env` under them.
    pub env: Environment,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    providers: Arc<Providers>,
}

impl World {
    /// Reads the environment and `.env`.
    pub(super) fn of_process() -> Self {
        let mut env = Environment::from_pairs(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        );
        lay_dotenv(&mut env, Path::new(".env"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let providers = Arc::new(Providers {
            env: env.clone(),
            clock: Arc::clone(&clock),
            servers: Mutex::default(),
        });
        Self {
            env,
            clock,
            providers,
        }
    }

    /// The engine's surroundings for a folder of runs.
    pub(super) fn host(&self, experiments_dir: &Path) -> Host {
        Host {
            experiments: ExperimentsDir::new(experiments_dir.to_path_buf()),
            clock: Arc::clone(&self.clock),
            env: self.env.clone(),
            providers: Arc::clone(&self.providers) as Arc<dyn ProviderSource>,
        }
    }

    /// The folder of the runs: flag, environment, default.
    pub(super) fn experiments_dir(&self, flag: Option<&str>) -> PathBuf {
        flag.or_else(|| self.env.get(crate::sys::env::EXPERIMENTS_DIR))
            .unwrap_or(DEFAULT_EXPERIMENTS)
            .into()
    }
}

/// Lays the variables of a `.env` file under the real ones; warns where others can read it.
fn lay_dotenv(env: &mut Environment, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(meta) = std::fs::metadata(path) else {
        return;
    };
    if meta.permissions().mode() & 0o077 != 0 {
        print::note("warning: .env can be read by others; `chmod 600 .env` keeps its keys yours");
    }
    match dotenvy::from_path_iter(path) {
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok((name, value)) => env.set_default(&name, &value),
                    // The error of the library quotes the line, which may hold a key.
                    Err(_) => print::note("warning: a line of .env cannot be read and is skipped"),
                }
            }
        }
        Err(_) => print::note("warning: .env cannot be read"),
    }
}

/// Opens providers; keeps one embedded server per run for the life of the process.
#[derive(Debug)]
struct Providers {
    env: Environment,
    clock: Arc<dyn Clock>,
    servers: Mutex<HashMap<PathBuf, Arc<SimHandle>>>,
}

#[async_trait]
impl ProviderSource for Providers {
    async fn open(
        &self,
        config: &Config,
        paths: &RunPaths,
    ) -> Result<Arc<dyn Provider>, ProviderError> {
        match config.provider.name {
            ProviderName::Sim => self.open_sim(config, paths).await,
            ProviderName::Fireworks
            | ProviderName::OpenAi
            | ProviderName::Anthropic
            | ProviderName::Chat
            | ProviderName::Slurm => {
                provider::open::open(&config.provider, &self.env, Arc::clone(&self.clock))
            }
        }
    }

    fn name(&self, config: &Config) -> String {
        config.provider.name.as_str().to_owned()
    }
}

impl Providers {
    async fn open_sim(
        &self,
        config: &Config,
        paths: &RunPaths,
    ) -> Result<Arc<dyn Provider>, ProviderError> {
        let state_dir = sim_state_dir(config, paths);
        let known = self
            .servers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&state_dir)
            .cloned();
        let server = if let Some(server) = known {
            server
        } else {
            let items = Place {
                state_dir: state_dir.clone(),
                items: paths.prepared_dir(),
                port: 0,
            };
            let settings = sim_config(config, items, Arc::clone(&self.clock));
            let doing = "start the embedded provider";
            let failed = |error: crate::sim::SimError| {
                ProviderError::new(ProviderErrorKind::Local, doing, error.to_string())
            };
            let server = Arc::new(SimServer::start(settings).await.map_err(failed)?);
            self.servers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(state_dir, Arc::clone(&server));
            server
        };
        provider::open::open_sim(
            &server.base_url(),
            server.api_key.clone(),
            1,
            Arc::clone(&self.clock),
        )
    }
}

/// Where the embedded provider of a run keeps its jobs: outside the run, because it plays a remote service.
fn sim_state_dir(config: &Config, paths: &RunPaths) -> PathBuf {
    if let Some(dir) = &config.provider.sim.state_dir {
        return dir.into();
    }
    let run = paths
        .root()
        .file_name()
        .map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned());
    paths
        .root()
        .parent()
        .unwrap_or(Path::new("."))
        .join(".sim")
        .join(run)
}

/// Where an embedded provider keeps its jobs, finds the questions and listens.
#[derive(Debug)]
pub(super) struct Place {
    /// Folder of its datasets and jobs.
    pub(super) state_dir: PathBuf,
    /// Folder of the prepared items that the oracle answers from.
    pub(super) items: PathBuf,
    /// Port on 127.0.0.1; 0 takes a free one.
    pub(super) port: u16,
}

/// Maps the configuration to the embedded provider's settings.
pub(super) fn sim_config(config: &Config, place: Place, clock: Arc<dyn Clock>) -> SimConfig {
    let sim = &config.provider.sim;
    let answers = match (sim.answers, &sim.replay_dir) {
        (SimAnswers::Replay, Some(dir)) => Answers::Replay(ReplaySettings {
            dir: dir.into(),
            prompts: system_prompts(config),
        }),
        (SimAnswers::Oracle | SimAnswers::Replay, _) => {
            Answers::Oracle(oracle_settings(sim, &place.items))
        }
    };
    SimConfig {
        state_dir: place.state_dir,
        seconds_per_job: sim.seconds_per_job,
        answers,
        seed: sim.seed,
        row_error_rate: sim.row_error_rate,
        api_key: None,
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], place.port)),
        clock,
    }
}

fn oracle_settings(sim: &SimSettings, items: &Path) -> OracleSettings {
    let accuracy = |(control, treatment): (f64, f64)| Accuracy { control, treatment };
    OracleSettings {
        items: ["closed_book.jsonl", "open_book.jsonl"]
            .map(|name| items.join(name))
            .into(),
        accuracy: accuracy((sim.accuracy_control, sim.accuracy_treatment)),
        accuracy_by_model: sim
            .accuracy_by_model
            .iter()
            .map(|(model, share)| (model.clone(), accuracy(*share)))
            .collect(),
        abstain_when_wrong: ABSTAIN_WHEN_WRONG,
    }
}

/// Which system prompt belongs to which recording.
fn system_prompts(config: &Config) -> Vec<SystemPrompt> {
    let mut prompts = Vec::new();
    for set in &config.prompt_sets {
        for (condition, file) in [
            (Condition::Control, &set.control),
            (Condition::Treatment, &set.treatment),
        ] {
            prompts.push(SystemPrompt {
                text: file.text.clone().unwrap_or_default(),
                prompt_set: set.name.clone(),
                condition,
            });
        }
    }
    prompts
}

/// The latest run of a folder, by the time it was made.
pub(super) fn latest(host: &Host) -> Result<Option<RunId>, crate::store::StoreError> {
    let runs = crate::engine::catalogue::Catalogue::default().list(&host.experiments, &[])?;
    Ok(runs.into_iter().next().map(|run| run.run_id))
}
