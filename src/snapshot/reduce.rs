//! The one reducer: the only place that knows what a fact means for the picture of a run.

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use super::view::{
    DriverView, PACE_SAMPLES_KEPT, PaceSample, PartRef, RunView, TrialView, WorkView,
};
use crate::domain::event::PlannedPart;
use crate::domain::ids::TrialSlug;
use crate::domain::job::JobCounts;
use crate::domain::work::{RefusedMove, RowTally, WorkEvent};
use crate::domain::{
    Event, ExitCode, Phase, PhaseStatus, Recorded, Restored, Stamp, TokenUsage, Trial, Usd,
    WorkKey, WorkState, WorkStatus,
};

/// A fact that does not fit the picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReduceError {
    /// A fact about work that no trial has.
    #[error("fact about unknown work {0}")]
    UnknownWork(WorkKey),
    /// A fact about a trial that was not planned.
    #[error("fact about unknown trial {0}")]
    UnknownTrial(TrialSlug),
    /// A move that the work's state refuses.
    #[error("work {work}: {source}")]
    Refused {
        /// The work.
        work: WorkKey,
        /// The refused move.
        source: RefusedMove,
    },
}

impl RunView {
    /// Takes one recorded fact into the picture.
    ///
    /// A fact that does not fit is counted in `oddities` and returned; the picture stays consistent.
    pub fn apply(&mut self, recorded: &Recorded) -> Result<(), ReduceError> {
        self.seq = recorded.seq;
        self.as_of = Some(recorded.at);
        let outcome = self.apply_event(recorded.at, &recorded.event);
        if outcome.is_err() {
            self.oddities += 1;
        }
        outcome
    }

    /// Takes an event into the picture; also used for transient ones that are never recorded.
    pub fn apply_event(&mut self, at: Timestamp, event: &Event) -> Result<(), ReduceError> {
        match event {
            Event::RunCreated {
                config_path,
                config_hash,
                budget,
                migrated,
                ..
            } => {
                self.created_at = Some(at);
                self.config_path.clone_from(config_path);
                self.config_hash = Some(*config_hash);
                self.budget = *budget;
                self.migrated = *migrated;
            }
            Event::TrialPlanned { trial } => self.plan_trial(trial),
            Event::PartsPlanned {
                trial,
                first,
                parts,
            } => {
                if *first {
                    self.forget_parts(trial)?;
                }
                self.add_parts(trial, parts)?;
            }
            Event::DriverStarted { pid, host, gate } => {
                self.driver = Some(DriverView {
                    pid: *pid,
                    host: host.clone(),
                    since: at,
                    gate: *gate,
                    exit: None,
                });
            }
            Event::DriverEnded { exit } => self.end_driver(*exit),
            Event::PhaseStarted { phase } => self.begin_phase(at, *phase),
            Event::PhaseEnded {
                phase,
                status,
                error,
            } => self.end_phase(at, *phase, *status, error.as_deref()),
            Event::Stamped { stamp } => self.stamp_phase(stamp)?,
            Event::Work { work, event } => self.work_fact(at, *work, event)?,
            Event::StopRequested { level, .. } => self.stop = self.stop.max(Some(*level)),
            Event::StopCleared => self.stop = None,
            Event::DriftAccepted {
                config_hash,
                changes,
            } => {
                self.config_hash = Some(*config_hash);
                self.drift.push((at, changes.clone()));
            }
            Event::Progress { phase, done, total } => {
                self.phases[phase.index()].progress = Some((*done, *total));
            }
        }
        Ok(())
    }

    fn end_driver(&mut self, exit: ExitCode) {
        if let Some(driver) = &mut self.driver {
            driver.exit = Some(exit);
        }
    }

    fn begin_phase(&mut self, at: Timestamp, phase: Phase) {
        let view = &mut self.phases[phase.index()];
        view.status = PhaseStatus::InProgress;
        view.started_at = Some(at);
        view.updated_at = Some(at);
        view.last_error = None;
        view.progress = None;
    }

    fn end_phase(&mut self, at: Timestamp, phase: Phase, status: PhaseStatus, error: Option<&str>) {
        let view = &mut self.phases[phase.index()];
        view.status = status;
        view.updated_at = Some(at);
        view.last_error = error.map(str::to_owned);
        view.progress = None;
    }

    fn plan_trial(&mut self, trial: &Trial) {
        if let Some(known) = self.trials.iter_mut().find(|t| t.trial.slug == trial.slug) {
            Arc::make_mut(known).trial = trial.clone();
        } else {
            self.trials.push(Arc::new(TrialView {
                trial: trial.clone(),
                parts: Vec::new(),
                stamps: std::collections::BTreeMap::new(),
            }));
        }
    }

    /// Takes the parts of an earlier plan from a trial; work that no trial uses any more leaves the totals.
    fn forget_parts(&mut self, slug: &TrialSlug) -> Result<(), ReduceError> {
        let index = self.trial_index(slug)?;
        let old = std::mem::take(&mut Arc::make_mut(&mut self.trials[index]).parts);
        for part in old {
            let work = Arc::make_mut(&mut self.works[part.work]);
            work.used_by = work.used_by.saturating_sub(1);
            if work.used_by == 0 {
                let gone = Arc::clone(&self.works[part.work]);
                self.totals.subtract(&gone);
            }
        }
        Ok(())
    }

    fn add_parts(&mut self, slug: &TrialSlug, parts: &[PlannedPart]) -> Result<(), ReduceError> {
        let index = self.trial_index(slug)?;
        for part in parts {
            let work = self.adopt_work(slug, part);
            Arc::make_mut(&mut self.trials[index]).parts.push(PartRef {
                key: part.key,
                work,
            });
        }
        Ok(())
    }

    fn adopt_work(&mut self, slug: &TrialSlug, part: &PlannedPart) -> usize {
        if let Some(&index) = self.work_index.get(&part.work) {
            let work = Arc::make_mut(&mut self.works[index]);
            work.used_by += 1;
            if work.used_by == 1 {
                work.owner = slug.clone();
                work.part = part.clone();
                let again = Arc::clone(&self.works[index]);
                self.totals.add(&again);
            }
            return index;
        }
        let work = Arc::new(WorkView {
            key: part.work,
            part: part.clone(),
            owner: slug.clone(),
            used_by: 1,
            state: WorkState::Pending,
            since: None,
            submitted_at: None,
            attempts_ended: 0,
            jobs: Vec::new(),
            rows: RowTally::default(),
            counts: JobCounts::default(),
            remote_input: None,
            usage: TokenUsage::default(),
            cost: None,
            unpriced: false,
            restored: false,
            note: String::new(),
        });
        self.totals.add(&work);
        self.works.push(work);
        let index = self.works.len() - 1;
        Arc::make_mut(&mut self.work_index).insert(part.work, index);
        index
    }

    fn trial_index(&self, slug: &TrialSlug) -> Result<usize, ReduceError> {
        self.trials
            .iter()
            .position(|t| t.trial.slug == *slug)
            .ok_or_else(|| ReduceError::UnknownTrial(slug.clone()))
    }

    fn stamp_phase(&mut self, stamp: &Stamp) -> Result<(), ReduceError> {
        match &stamp.trial {
            None => {
                self.stamps.insert(stamp.phase, stamp.clone());
            }
            Some(slug) => {
                let index = self.trial_index(slug)?;
                Arc::make_mut(&mut self.trials[index])
                    .stamps
                    .insert(stamp.phase, stamp.clone());
            }
        }
        Ok(())
    }

    fn work_fact(
        &mut self,
        at: Timestamp,
        key: WorkKey,
        event: &WorkEvent,
    ) -> Result<(), ReduceError> {
        let index = *self
            .work_index
            .get(&key)
            .ok_or(ReduceError::UnknownWork(key))?;
        let before = Arc::clone(&self.works[index]);
        let state = before
            .state
            .apply(event)
            .map_err(|source| ReduceError::Refused { work: key, source })?;
        let work = Arc::make_mut(&mut self.works[index]);
        if work.state.status() != state.status() {
            work.since = Some(at);
        }
        work.state = state;
        let sample = work.take(at, event);
        let after = Arc::clone(&self.works[index]);
        if after.used_by > 0 {
            self.totals.subtract(&before);
            self.totals.add(&after);
        }
        if let WorkEvent::Accepted { adopted, job, .. } = event {
            if let Some(attempt) = after.state.attempt() {
                Arc::make_mut(&mut self.works[index])
                    .jobs
                    .push((attempt, job.clone()));
            }
            self.totals.jobs += 1;
            self.totals.adopted += u64::from(*adopted);
        }
        if let WorkEvent::Restored(past) = event {
            let running = matches!(past.state, WorkState::Submitted { .. });
            self.totals.jobs += u64::from(past.attempts_ended) + u64::from(running);
        }
        if let Some(sample) = sample {
            if self.pace.len() == PACE_SAMPLES_KEPT {
                self.pace.pop_front();
            }
            self.pace.push_back(sample);
        }
        Ok(())
    }
}

impl WorkView {
    /// Updates everything but the state; gives a pace sample when a job was collected.
    fn take(&mut self, at: Timestamp, event: &WorkEvent) -> Option<PaceSample> {
        match event {
            WorkEvent::Intent { .. } => {
                self.submitted_at = Some(at);
                self.counts = JobCounts::default();
            }
            WorkEvent::Accepted { adopted: true, .. } => {
                "adopted at the provider".clone_into(&mut self.note);
            }
            WorkEvent::Uploaded { input, .. } => self.remote_input = Some(input.clone()),
            WorkEvent::Accepted { adopted: false, .. } => {}
            WorkEvent::NotAccepted { reason, .. }
            | WorkEvent::Reopened { reason, .. }
            | WorkEvent::Requeued { reason }
            | WorkEvent::GaveUp { reason, .. } => {
                self.note.clone_from(reason);
            }
            WorkEvent::Observed { counts, .. } => self.counts = *counts,
            WorkEvent::Collected {
                rows,
                retryable,
                usage,
                cost,
                ..
            } => {
                let answered = rows.answered.saturating_sub(self.rows.answered);
                self.rows = *rows;
                self.counts = JobCounts::default();
                let number = self.state.attempt().map_or(0, |attempt| attempt.number);
                // An attempt that is fetched again (its files were lost) was counted and paid for when it came first.
                if number > self.attempts_ended {
                    self.attempts_ended = number;
                    self.spend(*usage, *cost);
                }
                if *retryable > 0 {
                    self.note = format!("{retryable} rows to be sent again");
                }
                let elapsed = self.submitted_at.map_or(0, |from| {
                    at.as_millisecond().saturating_sub(from.as_millisecond())
                });
                return Some(PaceSample {
                    at,
                    rows: answered,
                    turnaround_ms: u64::try_from(elapsed).unwrap_or(0),
                });
            }
            WorkEvent::Restored(past) => self.restore(past),
            WorkEvent::Finished { rows, .. } => {
                self.rows = *rows;
                self.note = if rows.failed + rows.missing == 0 {
                    String::new()
                } else {
                    format!("{} failed, {} missing", rows.failed, rows.missing)
                };
            }
        }
        None
    }

    fn spend(&mut self, usage: TokenUsage, cost: Option<Usd>) {
        self.usage += usage;
        self.unpriced |= cost.is_none() && usage.total_tokens() > 0;
        self.cost = match (self.cost, cost) {
            (known, None) => known,
            (None, cost) => cost,
            (Some(known), Some(cost)) => Some(known + cost),
        };
    }

    fn restore(&mut self, past: &Restored) {
        self.restored = true;
        self.jobs.clone_from(&past.accepted);
        self.since = past.since;
        self.submitted_at = past.submitted_at;
        self.attempts_ended = past.attempts_ended;
        self.rows = past.tally;
        if let WorkState::Submitted { counts, .. } = &past.state {
            self.counts = *counts;
        }
        self.remote_input.clone_from(&past.remote_input);
        self.usage = past.usage;
        self.cost = past.cost;
        self.unpriced = past.unpriced;
        self.note.clone_from(&past.note);
    }
}

impl super::view::Totals {
    fn slot(status: WorkStatus) -> usize {
        WorkStatus::ALL
            .iter()
            .position(|s| *s == status)
            .unwrap_or(0)
    }

    fn add(&mut self, work: &WorkView) {
        self.works[Self::slot(work.state.status())] += 1;
        self.requests += work.part.rows;
        self.answered += work.rows_done();
        self.failed += work.rows.failed + work.rows.missing;
        self.usage += work.usage;
        self.spent += work.cost.unwrap_or_default();
        self.unpriced |= work.unpriced;
    }

    fn subtract(&mut self, work: &WorkView) {
        let slot = Self::slot(work.state.status());
        self.works[slot] = self.works[slot].saturating_sub(1);
        self.requests = self.requests.saturating_sub(work.part.rows);
        self.answered = self.answered.saturating_sub(work.rows_done());
        self.failed = self
            .failed
            .saturating_sub(work.rows.failed + work.rows.missing);
        self.usage = TokenUsage {
            prompt_tokens: self
                .usage
                .prompt_tokens
                .saturating_sub(work.usage.prompt_tokens),
            completion_tokens: self
                .usage
                .completion_tokens
                .saturating_sub(work.usage.completion_tokens),
            cached_tokens: self
                .usage
                .cached_tokens
                .saturating_sub(work.usage.cached_tokens),
        };
        self.spent = Usd::from_nanos(self.spent.nanos() - work.cost.unwrap_or_default().nanos());
    }
}
