//! `run_state.json`, version 1: how the run stands, in the contract's keys and a few of ours.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::read_record;
use crate::domain::{
    Digest, ExitCode, Gate, Phase, PhaseStatus, RunId, Stamp, StopLevel, TrialSlug, WorkStatus,
};
use crate::snapshot::{PhaseView, RunView, WorkView};
use crate::store::RunPaths;
use crate::store::error::Result;

/// A phase.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// How far it has come.
    pub status: PhaseStatus,
    /// When it began last.
    pub started_at: Option<Timestamp>,
    /// When its status changed last.
    pub updated_at: Option<Timestamp>,
    /// Its last error.
    pub last_error: Option<String>,
}

impl PhaseRecord {
    fn of(view: &PhaseView) -> Self {
        Self {
            status: view.status,
            started_at: view.started_at,
            updated_at: view.updated_at,
            last_error: view.last_error.clone(),
        }
    }
}

/// The last thing that moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The phase.
    pub phase: Phase,
    /// The trial, where there is one.
    pub trial_slug: Option<TrialSlug>,
    /// The part, where there is one.
    pub resume_key: Option<String>,
    /// When it moved.
    pub timestamp: Option<Timestamp>,
}

/// An accepted drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftRecord {
    /// When it was accepted.
    pub at: Timestamp,
    /// What differs, as `key: old -> new`.
    pub changes: Vec<String>,
}

/// Who drives the run, or drove it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriterRecord {
    /// Process id.
    pub pid: u32,
    /// Machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
    /// What it was asked to do.
    #[serde(default)]
    pub gate: Gate,
    /// How it left; absent while it drives, or if it died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitCode>,
}

/// The place in the ledger that the record shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LedgerMark {
    /// The last fact in it.
    pub seq: u64,
}

/// Sums for lists of runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TotalsRecord {
    /// Requests in all works.
    pub requests: u64,
    /// Requests answered.
    pub answered: u64,
    /// Requests that failed or are missing so far.
    pub failed: u64,
    /// Pieces of work.
    pub parts: u64,
    /// Pieces of work whose results are here.
    pub parts_done: u64,
    /// Money spent in US dollars, where prices are known.
    pub spent_usd: f64,
    /// The most that may be spent in US dollars.
    pub budget_usd: Option<f64>,
    /// Trials.
    pub trials: u64,
}

/// `run_state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStateRecord {
    /// [`RunStateRecord::VERSION`].
    pub schema_version: u64,
    /// The run.
    pub run_id: RunId,
    /// The config file it was made from, as given.
    pub config_path: String,
    /// Digest of the effective config.
    pub config_hash: Option<Digest>,
    /// When the run was made.
    pub created_at: Option<Timestamp>,
    /// When the last fact in the record was recorded.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Every phase.
    pub phases: BTreeMap<Phase, PhaseRecord>,
    /// The last thing that moved.
    pub last_checkpoint: Option<Checkpoint>,
    /// Whether a stop was asked for and holds.
    pub stop_requested: bool,
    /// How urgent it is.
    #[serde(default)]
    pub stop_level: Option<StopLevel>,
    /// Made from a run folder of the predecessor.
    pub migrated: bool,
    /// Accepted drifts, oldest first.
    pub drift: Vec<DriftRecord>,
    /// Who drives the run, or drove it last.
    pub writer: Option<WriterRecord>,
    /// The place in the ledger.
    #[serde(default)]
    pub ledger: LedgerMark,
    /// Sums.
    #[serde(default)]
    pub totals: TotalsRecord,
    /// Trials in order.
    #[serde(default)]
    pub trials: Vec<TrialSlug>,
    /// Stamps of the phases that work on the whole run.
    #[serde(default)]
    pub stamps: Vec<Stamp>,
}

impl RunStateRecord {
    /// The version written and read here.
    pub const VERSION: u64 = 1;

    /// The record of a picture.
    pub fn from_view(view: &RunView) -> Self {
        Self {
            schema_version: Self::VERSION,
            run_id: view.run_id.clone(),
            config_path: view.config_path.clone(),
            config_hash: view.config_hash,
            created_at: view.created_at,
            updated_at: view.as_of,
            phases: Phase::ALL
                .map(|p| (p, PhaseRecord::of(view.phase(p))))
                .into(),
            last_checkpoint: checkpoint(view),
            stop_requested: view.stop.is_some(),
            stop_level: view.stop,
            migrated: view.migrated,
            drift: view
                .drift
                .iter()
                .map(|(at, changes)| DriftRecord {
                    at: *at,
                    changes: changes.clone(),
                })
                .collect(),
            writer: view.driver.as_ref().map(|driver| WriterRecord {
                pid: driver.pid,
                host: driver.host.clone(),
                since: driver.since,
                gate: driver.gate,
                exit: driver.exit,
            }),
            ledger: LedgerMark { seq: view.seq },
            totals: totals(view),
            trials: view.trials.iter().map(|t| t.trial.slug.clone()).collect(),
            stamps: view.stamps.values().cloned().collect(),
        }
    }

    /// Reads and checks a run's `run_state.json`.
    pub fn read(paths: &RunPaths) -> Result<Self> {
        read_record(&paths.run_state(), Self::VERSION)
    }
}

fn totals(view: &RunView) -> TotalsRecord {
    TotalsRecord {
        requests: view.totals.requests,
        answered: view.totals.answered,
        failed: view.totals.failed,
        parts: view.totals.all(),
        parts_done: view.totals.with(WorkStatus::Downloaded),
        spent_usd: view.totals.spent.dollars(),
        budget_usd: view.budget.map(crate::domain::Usd::dollars),
        trials: view.trials.len() as u64,
    }
}

/// The phase whose status changed last and, while parts are on their way, the part that moved last.
fn checkpoint(view: &RunView) -> Option<Checkpoint> {
    let phase = Phase::ALL
        .into_iter()
        .filter(|p| view.phase(*p).updated_at.is_some())
        .max_by_key(|p| (view.phase(*p).updated_at, p.index()))?;
    let work = matches!(phase, Phase::Submit | Phase::Poll)
        .then(|| view.works.iter().max_by_key(|w| w.since))
        .flatten()
        .filter(|w| w.since.is_some());
    let work: Option<&WorkView> = work.map(AsRef::as_ref);
    Some(Checkpoint {
        phase,
        trial_slug: work.map(|w| w.owner.clone()),
        resume_key: work.map(|w| w.part.key.to_string()),
        timestamp: work.and_then(|w| w.since).max(view.phase(phase).updated_at),
    })
}
