//! The list of runs, read cheaply: one stat for each unchanged run, `run_state.json` only where it changed.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use super::fleet::{RunSummary, Standing};
use crate::domain::text::{printable, shorten};
use crate::domain::{ExitCode, Phase, PhaseStatus, RunId, Usd};
use crate::snapshot::RunView;
use crate::store::records::RunStateRecord;
use crate::store::{ExperimentsDir, RunPaths, StoreError, lock};

/// A file as it looked when it was read: inode, size, modification time.
type Seen = (u64, u64, i64, i64);

/// Runs that were read before.
#[derive(Debug, Default)]
pub struct Catalogue {
    known: Mutex<HashMap<RunId, (Seen, RunSummary)>>,
}

impl Catalogue {
    /// All runs of a folder, newest first. `driving` names those of this process.
    pub fn list(
        &self,
        experiments: &ExperimentsDir,
        driving: &[RunId],
    ) -> Result<Vec<RunSummary>, StoreError> {
        let mut runs = Vec::new();
        for run_id in experiments.run_ids()? {
            runs.push(self.summary(experiments, &run_id, driving));
        }
        runs.sort_by(|a, b| {
            b.created_at
                .cmp(&a.created_at)
                .then_with(|| b.run_id.cmp(&a.run_id))
        });
        Ok(runs)
    }

    fn summary(
        &self,
        experiments: &ExperimentsDir,
        run_id: &RunId,
        driving: &[RunId],
    ) -> RunSummary {
        let paths = experiments.run(run_id);
        let seen = std::fs::metadata(paths.run_state())
            .ok()
            .map(|m| (m.ino(), m.size(), m.mtime(), m.mtime_nsec()));
        let known = |run_id: &RunId| {
            self.known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(run_id)
                .cloned()
        };
        let mut summary = match (seen, known(run_id)) {
            (Some(now), Some((then, summary))) if now == then => summary,
            _ => {
                let summary = read(run_id, &paths);
                if let Some(seen) = seen {
                    self.known
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(run_id.clone(), (seen, summary.clone()));
                }
                summary
            }
        };
        // Who holds the lock can change without the file changing.
        if driving.contains(run_id) {
            summary.standing = Standing::Driving;
        } else if lock::is_held(&paths) == Some(true) {
            summary.standing = Standing::Watched;
        }
        summary
    }
}

fn read(run_id: &RunId, paths: &RunPaths) -> RunSummary {
    let empty = RunSummary {
        run_id: run_id.clone(),
        standing: Standing::Unreadable,
        phases: [PhaseStatus::NotStarted; 10],
        created_at: None,
        updated_at: None,
        requests: 0,
        answered: 0,
        parts: 0,
        parts_done: 0,
        spent: Usd::ZERO,
        budget: None,
        trials: 0,
        driver: lock::holder(paths).map(|h| format!("{}@{}", h.pid, printable(&h.host))),
        note: String::new(),
    };
    match RunStateRecord::read(paths) {
        Ok(record) => from_record(&record, empty),
        Err(error) => {
            let note = if error.is_not_found() {
                format!("no run_state.json; `evaltui resume {run_id}` rebuilds it where it can")
            } else {
                shorten(&printable(&error.to_string()), 200)
            };
            RunSummary { note, ..empty }
        }
    }
}

fn from_record(record: &RunStateRecord, empty: RunSummary) -> RunSummary {
    let phases = Phase::ALL.map(|phase| {
        record
            .phases
            .get(&phase)
            .map_or(PhaseStatus::NotStarted, |p| p.status)
    });
    let error = Phase::ALL
        .iter()
        .filter_map(|phase| record.phases.get(phase))
        .find_map(|p| p.last_error.clone());
    let leaving = record
        .writer
        .as_ref()
        .map_or(Leaving::Nobody, |w| Leaving::by(w.exit));
    RunSummary {
        standing: standing(leaving, &phases),
        phases,
        created_at: record.created_at,
        updated_at: record.updated_at,
        requests: record.totals.requests,
        answered: record.totals.answered,
        parts: record.totals.parts,
        parts_done: record.totals.parts_done,
        spent: Usd::from_dollars(record.totals.spent_usd).unwrap_or_default(),
        budget: record.totals.budget_usd.and_then(Usd::from_dollars),
        trials: record.totals.trials,
        note: shorten(&printable(&error.unwrap_or_default()), 200),
        ..empty
    }
}

/// How the last driver left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// There was none.
    Nobody,
    /// It did not say: it died, or still drives.
    Never,
    /// In order, with this exit.
    InOrder(ExitCode),
}

impl Leaving {
    fn by(exit: Option<ExitCode>) -> Self {
        exit.map_or(Self::Never, Self::InOrder)
    }
}

/// How a run stands that nobody is known to drive.
fn standing(leaving: Leaving, phases: &[PhaseStatus; 10]) -> Standing {
    let report = phases[Phase::Report.index()] == PhaseStatus::Completed;
    let has = |status| phases.contains(&status);
    let stopped = [ExitCode::Stopped, ExitCode::Interrupted].map(Leaving::InOrder);
    if leaving == Leaving::Never {
        Standing::Orphan
    } else if leaving == Leaving::InOrder(ExitCode::NeedsDecision) {
        Standing::NeedsDecision
    } else if has(PhaseStatus::Failed) {
        Standing::Failed
    } else if stopped.contains(&leaving) || has(PhaseStatus::Stopped) {
        Standing::Stopped
    } else if report {
        Standing::Done
    } else {
        Standing::Paused
    }
}

/// How a run stands that this process does not drive, from its picture and its lock.
pub fn standing_of(view: &RunView, paths: &RunPaths) -> Standing {
    if lock::is_held(paths) == Some(true) {
        return Standing::Watched;
    }
    let phases = Phase::ALL.map(|phase| view.phase(phase).status);
    standing(
        view.driver
            .as_ref()
            .map_or(Leaving::Nobody, |d| Leaving::by(d.exit)),
        &phases,
    )
}
