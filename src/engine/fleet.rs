//! What a front end may ask for: the one interface that the console and the headless printer share.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::{ExitCode, Gate, PhaseStatus, Plan, RunId, StopLevel, Usd};
use crate::snapshot::RunView;

/// Who works on a run, and how it stands, in one word for lists and badges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// This process drives it.
    Driving,
    /// Another live process drives it.
    Watched,
    /// Its driver is gone without leaving in order.
    Orphan,
    /// A phase failed.
    Failed,
    /// A decision of the operator is needed.
    NeedsDecision,
    /// Stopped as asked.
    Stopped,
    /// All phases up to the report are done.
    Done,
    /// Begun and left in order before the end, e.g. by a gate.
    Paused,
    /// Its files cannot be read.
    Unreadable,
}

impl Standing {
    /// The word on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Driving => "driving",
            Self::Watched => "watched",
            Self::Orphan => "orphan",
            Self::Failed => "failed",
            Self::NeedsDecision => "decide",
            Self::Stopped => "stopped",
            Self::Done => "done",
            Self::Paused => "paused",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether some process works on it now.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Driving | Self::Watched)
    }

    /// Whether it waits for a person.
    pub fn needs_person(self) -> bool {
        matches!(
            self,
            Self::Orphan | Self::Failed | Self::NeedsDecision | Self::Unreadable
        )
    }
}

/// One line of the list of runs, read cheaply from `run_state.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// How it stands.
    pub standing: Standing,
    /// Status of each phase.
    pub phases: [PhaseStatus; 10],
    /// When the run was made.
    pub created_at: Option<Timestamp>,
    /// When something was recorded last.
    pub updated_at: Option<Timestamp>,
    /// Requests in all.
    pub requests: u64,
    /// Requests answered.
    pub answered: u64,
    /// Parts in all.
    pub parts: u64,
    /// Parts downloaded.
    pub parts_done: u64,
    /// Money spent.
    pub spent: Usd,
    /// The most that may be spent.
    pub budget: Option<Usd>,
    /// Number of trials.
    pub trials: u64,
    /// Who drives it or drove it last, `pid@host`.
    pub driver: Option<String>,
    /// The newest error or reason to look, safe to print.
    pub note: String,
}

/// A request to drive a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The run to continue, or `None` for a new one.
    pub run_id: Option<RunId>,
    /// The config of a new run; `None` takes the run's own effective config.
    pub config: Option<std::path::PathBuf>,
    /// The range of phases.
    pub gate: Gate,
    /// Do it although the config drifted, or the report is there.
    pub force: bool,
}

/// The live picture of a run, driven here or elsewhere.
#[derive(Debug, Clone)]
pub struct WatchHandle {
    /// The newest picture. Changes at most ten times a second.
    pub view: watch::Receiver<Arc<RunView>>,
    /// How the run stands now.
    pub standing: watch::Receiver<Standing>,
}

/// A request that could not be met; displays what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FleetError {
    /// What happened, where, and what to do; safe to print, may hold several lines.
    pub message: String,
    /// The exit code that the same error has on the command line.
    pub exit: ExitCode,
}

/// All runs of an experiments folder, and what can be done with them.
#[async_trait]
pub trait Fleet: Send + Sync + Debug {
    /// Lists the runs, newest first. Costs a stat for each unchanged run.
    async fn list(&self) -> Result<Vec<RunSummary>, FleetError>;

    /// Opens the live picture of a run. Dropping the handle ends the watching.
    async fn watch(&self, run_id: &RunId) -> Result<WatchHandle, FleetError>;

    /// Says what would be done under a gate. Changes nothing.
    async fn plan(&self, run_id: Option<&RunId>, gate: Gate) -> Result<Plan, FleetError>;

    /// Says what a new run of a config would do under a gate. Changes nothing.
    ///
    /// Fails with every problem of the config at once. A fleet that only knows its default config needs nothing more
    /// than [`Fleet::plan`].
    async fn plan_new(&self, config: &std::path::Path, gate: Gate) -> Result<Plan, FleetError> {
        if config == self.default_config() {
            return self.plan(None, gate).await;
        }
        Err(FleetError {
            message: format!(
                "no preview for {}: only the default config can be planned here",
                crate::domain::text::printable(&config.display().to_string())
            ),
            exit: ExitCode::Usage,
        })
    }

    /// Begins to drive a run in this process and returns its id at once. Its end is seen through `watch`.
    async fn launch(&self, launch: Launch) -> Result<RunId, FleetError>;

    /// Asks for a stop, of a run driven here (at once) or elsewhere (through its stop file).
    async fn stop(&self, run_id: &RunId, level: StopLevel) -> Result<(), FleetError>;

    /// Runs driven by this process, for the question before quitting.
    fn driving(&self) -> Vec<RunId>;

    /// Waits until no run is driven by this process any more.
    async fn settled(&self);

    /// The folder of the runs, for titles and command lines.
    fn experiments_dir(&self) -> std::path::PathBuf;

    /// The default config file that `launch` without a config uses for a new run.
    fn default_config(&self) -> std::path::PathBuf;
}
