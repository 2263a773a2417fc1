//! The first step of the protocol: which rows an attempt sends, under which key, announced durably before any call.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Queue, collect};
use crate::domain::work::{Attempt, WorkEvent};
use crate::domain::{Event, Phase, SubmissionKey};
use crate::engine::error::EngineError;
use crate::plan::parts::job_params;
use crate::provider::Submission;
use crate::snapshot::WorkView;
use crate::store::{Durability, PartPaths, StoreError};

impl Queue<'_> {
    /// Announces attempts (durably, in one write) and starts their uploads.
    pub(super) fn begin(&mut self, chosen: &[usize]) -> Result<(), EngineError> {
        if chosen.is_empty() {
            return Ok(());
        }
        self.check_lock()?;
        let mut events = Vec::new();
        let mut begun = Vec::new();
        for &index in chosen {
            let work = Arc::clone(&self.works()[index]);
            let attempt = self.make_attempt(&work)?;
            if attempt.rows == 0 {
                self.park(index, Phase::Submit, "no row is left to send");
                self.classify(index);
                continue;
            }
            events.push(Event::Work {
                work: work.key,
                event: WorkEvent::Intent { attempt },
            });
            begun.push((index, work, attempt));
        }
        self.with.recorder.record(events, Durability::Fsync)?;
        for (index, work, attempt) in begun {
            self.classify(index);
            if work.restored {
                // The faces it was restored from may be older than what the provider has.
                self.spawn_find(index, &work, attempt, None);
            } else {
                self.spawn_upload(index, &work, attempt);
            }
        }
        Ok(())
    }

    /// Fails where the lock of the run was lost, so that no two processes submit.
    pub(super) fn check_lock(&self) -> Result<(), EngineError> {
        if self.with.recorder.holds_lock() {
            return Ok(());
        }
        let message =
            "the lock of the run was lost (was .state.lock deleted?); nothing more is submitted"
                .into();
        Err(EngineError::Incomplete { message })
    }

    /// The next attempt at a work: all rows the first time, afterwards the rows worth another try.
    fn make_attempt(&self, work: &WorkView) -> Result<Attempt, EngineError> {
        let number = work.next_attempt();
        let (bytes, rows) = if number == 1 {
            (work.part.sha256, work.part.rows)
        } else {
            let (sha256, rows, _) =
                collect::retry_input(&self.owner_paths(work), &self.input_path(work)?, number)?;
            (sha256, rows)
        };
        Ok(Attempt {
            number,
            submission: SubmissionKey::derive(work.key, number, bytes),
            rows,
            bytes,
        })
    }

    /// The built input of a work. Its name was checked when the build's manifest was read.
    pub(super) fn input_path(&self, work: &WorkView) -> Result<PathBuf, StoreError> {
        self.with.paths.batch_input(&work.part.input)
    }

    fn owner_paths(&self, work: &WorkView) -> PartPaths {
        self.with.paths.trial(&work.owner).part(work.part.key)
    }

    /// The part folders of all trials that use the work, the owner's first.
    pub(super) fn all_paths(&self, index: usize, work: &WorkView) -> Vec<PartPaths> {
        let shared = self.shared.get(&index).cloned();
        shared.unwrap_or_else(|| vec![self.owner_paths(work)])
    }

    /// What the provider is told of an attempt; `None` where the work's trial is not in the run.
    pub(super) fn submission(&self, work: &WorkView, attempt: Attempt) -> Option<Submission> {
        let view = self.with.recorder.view();
        let trial = view.trial(&work.owner)?;
        let shard = self.with.manifest.shards.get(&work.part.input);
        let (input, bytes) = if attempt.number == 1 {
            (self.input_path(work).ok()?, work.part.bytes)
        } else {
            let input = self.owner_paths(work).attempt_input(attempt.number);
            let bytes = std::fs::metadata(&input).map_or(0, |m| m.len());
            (input, bytes)
        };
        Some(Submission {
            key: attempt.submission,
            input,
            rows: attempt.rows,
            bytes,
            params: job_params(
                &trial.trial,
                shard.and_then(|s| s.item_type),
                work.part.key.temp,
            ),
            label: format!(
                "{} {} {} attempt {}",
                view.run_id, work.owner, work.part.key, attempt.number
            ),
        })
    }
}
