//! What happens in a run: the facts of the ledger and the lines of the log.
//!
//! `Recorded` is one line of `ledger.jsonl`, the truth about parts and jobs. `LogLine` is one line of `events.jsonl`,
//! for people; nothing is ever decided from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::exit::ExitCode;
use super::freshness::Stamp;
use super::ids::{PartKey, RunId, TrialSlug, WorkKey};
use super::phase::{Gate, Phase, PhaseStatus};
use super::trial::Trial;
use super::units::Usd;
use super::work::WorkEvent;

/// How urgent a stop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopLevel {
    /// No new submission; what runs is waited for and downloaded.
    Soft,
    /// Record and leave; jobs are adopted at resume.
    Now,
}

/// One part of a trial and the work that makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPart {
    /// Where it belongs.
    pub key: PartKey,
    /// What it is.
    pub work: WorkKey,
    /// File name of its input below `batch_inputs/`.
    pub input: String,
    /// Requests in it.
    pub rows: u64,
    /// Size of its input in bytes.
    pub bytes: u64,
    /// Digest of its input.
    pub sha256: Digest,
}

/// A fact of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The run was made.
    RunCreated {
        /// Its id.
        run_id: RunId,
        /// The config file it was made from, as given.
        config_path: String,
        /// Digest of the effective config.
        config_hash: Digest,
        /// The most that may be spent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Usd>,
        /// Whether it was made from a run folder of the predecessor.
        #[serde(default)]
        migrated: bool,
    },
    /// The run has this trial. Sent again when its definition changes.
    TrialPlanned {
        /// The trial.
        trial: Trial,
    },
    /// Parts of a trial, in order; `first` starts the list anew.
    PartsPlanned {
        /// The trial.
        trial: TrialSlug,
        /// Whether earlier parts of the trial are replaced.
        first: bool,
        /// The parts.
        parts: Vec<PlannedPart>,
    },
    /// A process began to drive the run.
    DriverStarted {
        /// Its process id.
        pid: u32,
        /// Its machine.
        host: String,
        /// The range it was asked to do.
        gate: Gate,
    },
    /// The driver left in order.
    DriverEnded {
        /// How.
        exit: ExitCode,
    },
    /// A phase began.
    PhaseStarted {
        /// The phase.
        phase: Phase,
    },
    /// A phase ended.
    PhaseEnded {
        /// The phase.
        phase: Phase,
        /// How.
        status: PhaseStatus,
        /// The error, if it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// Work of a phase succeeded and can be skipped as long as the stamp holds.
    Stamped {
        /// The stamp.
        stamp: Stamp,
    },
    /// Something happened to a piece of work.
    Work {
        /// Which.
        work: WorkKey,
        /// What.
        #[serde(flatten)]
        event: WorkEvent,
    },
    /// A stop was asked for.
    StopRequested {
        /// How urgent.
        level: StopLevel,
        /// By what: `key`, `signal`, `command`, `file`.
        source: String,
    },
    /// An earlier stop no longer holds.
    StopCleared,
    /// The run goes on with another configuration than it was made with.
    DriftAccepted {
        /// The new digest.
        config_hash: Digest,
        /// What differs, as `key: old -> new`.
        changes: Vec<String>,
    },
    /// A step of a local phase's progress. Only on the bus, never in the ledger.
    Progress {
        /// The phase.
        phase: Phase,
        /// Units done.
        done: u64,
        /// Units in all; 0 where unknown.
        total: u64,
    },
}

/// A fact with its place and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Sequence number, from 1, without gaps.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The fact.
    #[serde(flatten)]
    pub event: Event,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Ordinary.
    Info,
    /// Worth a look.
    Warn,
    /// Needs a person.
    Error,
}

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// The phase it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The trial it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialSlug>,
    /// The part it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartKey>,
    /// What happened, already safe to print.
    pub message: String,
}
