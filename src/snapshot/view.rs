//! What a run looks like at one moment.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::event::PlannedPart;
use crate::domain::job::JobCounts;
use crate::domain::work::{Attempt, RowTally};
use crate::domain::{
    Digest, ExitCode, Gate, LogLine, PartKey, Phase, PhaseStatus, RemoteId, RunId, Stamp,
    StopLevel, TokenUsage, Trial, TrialSlug, Usd, WorkKey, WorkState, WorkStatus,
};

/// Log lines kept in memory; older ones are in `events.jsonl`.
pub const LOG_LINES_KEPT: usize = 2_000;

/// Finished-job samples kept for pace and ETA.
pub const PACE_SAMPLES_KEPT: usize = 512;

/// A phase of the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhaseView {
    /// How far it has come.
    pub status: PhaseStatus,
    /// When it began last.
    pub started_at: Option<Timestamp>,
    /// When its status changed last.
    pub updated_at: Option<Timestamp>,
    /// Its last error.
    pub last_error: Option<String>,
    /// Local progress: units done and in all (0 where unknown).
    pub progress: Option<(u64, u64)>,
}

/// A part of a trial and where its work is in [`RunView::works`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRef {
    /// Where it belongs.
    pub key: PartKey,
    /// Index into [`RunView::works`].
    pub work: usize,
}

/// A trial of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialView {
    /// Its definition.
    pub trial: Trial,
    /// Its parts in order.
    pub parts: Vec<PartRef>,
    /// What its phases recorded.
    pub stamps: BTreeMap<Phase, Stamp>,
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkView {
    /// What it is.
    pub key: WorkKey,
    /// The part as first planned: input file, rows, bytes, digest.
    pub part: PlannedPart,
    /// The trial that owns the files; others share them.
    pub owner: TrialSlug,
    /// How many trials use it.
    pub used_by: u32,
    /// Where it stands.
    pub state: WorkState,
    /// When the state changed last.
    pub since: Option<Timestamp>,
    /// When the present attempt's intent was recorded.
    pub submitted_at: Option<Timestamp>,
    /// Attempts that have ended at the provider.
    pub attempts_ended: u32,
    /// Every accepted attempt and its job, oldest first: where its rows can be fetched again.
    pub jobs: Vec<(Attempt, RemoteId)>,
    /// Rows so far, after the last collection.
    pub rows: RowTally,
    /// The last counts of the running job.
    pub counts: JobCounts,
    /// The provider's name of the last input.
    pub remote_input: Option<RemoteId>,
    /// Tokens of all its attempts.
    pub usage: TokenUsage,
    /// Money of its attempts with a known price; `None` while there is none.
    pub cost: Option<Usd>,
    /// Whether an attempt used tokens whose price is not known, so that `cost` is too low.
    pub unpriced: bool,
    /// Whether its past was taken from the faces, which may be older than what the provider has.
    pub restored: bool,
    /// The last thing worth saying about it.
    pub note: String,
}

impl WorkView {
    /// The number of the attempt that would come next.
    ///
    /// Never that of an accepted attempt: a number, and so a submission key, that a job was made under is not used for
    /// another, or the ended job would be adopted in its place.
    pub fn next_attempt(&self) -> u32 {
        let accepted = self.jobs.iter().map(|(attempt, _)| attempt.number).max();
        self.attempts_ended.max(accepted.unwrap_or(0)) + 1
    }

    /// Rows known to be answered: from the files, or from the running job's counts.
    pub fn rows_done(&self) -> u64 {
        match &self.state {
            WorkState::Done { rows, .. } => rows.answered,
            WorkState::Submitted { counts, .. } => {
                (self.rows.answered + counts.succeeded).min(self.part.rows)
            }
            WorkState::Pending
            | WorkState::Intended { .. }
            | WorkState::Uploaded { .. }
            | WorkState::Collected { .. }
            | WorkState::Failed { .. } => self.rows.answered,
        }
    }
}

/// Who drives the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverView {
    /// Process id.
    pub pid: u32,
    /// Machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
    /// What it was asked to do.
    pub gate: Gate,
    /// How it left; `None` while it drives (or if it died).
    pub exit: Option<ExitCode>,
}

/// Sums over all works, kept up to date with each fact, so that no screen has to add up 100,000 parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Number of works by [`WorkStatus`], in the order of [`WorkStatus::ALL`].
    pub works: [u64; 8],
    /// Requests in all works.
    pub requests: u64,
    /// Requests answered (files, or the running job's count).
    pub answered: u64,
    /// Requests that failed or are missing, after the last attempt so far.
    pub failed: u64,
    /// Tokens.
    pub usage: TokenUsage,
    /// Money spent, where prices are known.
    pub spent: Usd,
    /// Whether some work has tokens without a price.
    pub unpriced: bool,
    /// Jobs adopted instead of created.
    pub adopted: u64,
    /// Jobs accepted, adopted ones included.
    pub jobs: u64,
}

impl Totals {
    /// Works with a status.
    pub fn with(&self, status: WorkStatus) -> u64 {
        self.works[WorkStatus::ALL
            .iter()
            .position(|s| *s == status)
            .unwrap_or(0)]
    }

    /// All works.
    pub fn all(&self) -> u64 {
        self.works.iter().sum()
    }
}

/// One finished job, for pace and ETA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceSample {
    /// When it was collected.
    pub at: Timestamp,
    /// Rows it answered.
    pub rows: u64,
    /// Milliseconds from intent to collection.
    pub turnaround_ms: u64,
}

/// The picture of a run. Cheap to clone: works and trials are shared.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// The run's id.
    pub run_id: RunId,
    /// The last fact that is in the picture.
    pub seq: u64,
    /// When that fact was recorded.
    pub as_of: Option<Timestamp>,
    /// When the run was made.
    pub created_at: Option<Timestamp>,
    /// The config file it was made from, as given.
    pub config_path: String,
    /// Digest of the effective config.
    pub config_hash: Option<Digest>,
    /// The most that may be spent.
    pub budget: Option<Usd>,
    /// Made from a run folder of the predecessor.
    pub migrated: bool,
    /// Accepted drifts, oldest first: when and what.
    pub drift: Vec<(Timestamp, Vec<String>)>,
    /// Phases in order.
    pub phases: [PhaseView; 10],
    /// Stamps of the phases that work on the whole run.
    pub stamps: BTreeMap<Phase, Stamp>,
    /// Trials in order.
    pub trials: Vec<Arc<TrialView>>,
    /// Pieces of work in order of first appearance.
    pub works: Vec<Arc<WorkView>>,
    /// Where each work is in `works`.
    pub work_index: Arc<HashMap<WorkKey, usize>>,
    /// Sums.
    pub totals: Totals,
    /// The last driver.
    pub driver: Option<DriverView>,
    /// A stop that was asked for and not cleared.
    pub stop: Option<StopLevel>,
    /// Finished jobs, oldest first.
    pub pace: VecDeque<PaceSample>,
    /// The newest log lines, oldest first.
    pub log: VecDeque<Arc<LogLine>>,
    /// Facts that were refused or not understood; shown, never fatal.
    pub oddities: u64,
}

impl RunView {
    /// The picture of a run of which nothing is known yet.
    pub fn new(run_id: RunId) -> Self {
        Self {
            run_id,
            seq: 0,
            as_of: None,
            created_at: None,
            config_path: String::new(),
            config_hash: None,
            budget: None,
            migrated: false,
            drift: Vec::new(),
            phases: std::array::from_fn(|_| PhaseView::default()),
            stamps: BTreeMap::new(),
            trials: Vec::new(),
            works: Vec::new(),
            work_index: Arc::default(),
            totals: Totals::default(),
            driver: None,
            stop: None,
            pace: VecDeque::new(),
            log: VecDeque::new(),
            oddities: 0,
        }
    }

    /// A phase.
    pub fn phase(&self, phase: Phase) -> &PhaseView {
        &self.phases[phase.index()]
    }

    /// A trial by name.
    pub fn trial(&self, slug: &TrialSlug) -> Option<&Arc<TrialView>> {
        self.trials.iter().find(|t| t.trial.slug == *slug)
    }

    /// A piece of work by key.
    pub fn work(&self, key: WorkKey) -> Option<&Arc<WorkView>> {
        self.work_index.get(&key).and_then(|i| self.works.get(*i))
    }

    /// The stamp of a phase, of the whole run or of one trial.
    pub fn stamp(&self, phase: Phase, trial: Option<&TrialSlug>) -> Option<&Stamp> {
        match trial {
            None => self.stamps.get(&phase),
            Some(slug) => self.trial(slug).and_then(|t| t.stamps.get(&phase)),
        }
    }

    /// The newest driver's exit, the stop flag and the phases in one word, e.g. for a list of runs.
    pub fn worst_phase_status(&self) -> PhaseStatus {
        let has = |status| self.phases.iter().any(|p| p.status == status);
        [
            PhaseStatus::Failed,
            PhaseStatus::Stopped,
            PhaseStatus::InProgress,
        ]
        .into_iter()
        .find(|s| has(*s))
        .unwrap_or(
            if self.phase(Phase::Report).status == PhaseStatus::Completed {
                PhaseStatus::Completed
            } else {
                PhaseStatus::NotStarted
            },
        )
    }

    /// Adds a log line, dropping the oldest beyond [`LOG_LINES_KEPT`].
    pub fn push_log(&mut self, line: Arc<LogLine>) {
        if self.log.len() == LOG_LINES_KEPT {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }
}
