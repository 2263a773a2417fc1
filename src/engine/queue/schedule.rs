//! Which call is next, and when: the sets of works, slots, waits and pauses. Decides nothing about money.
//!
//! No step looks at all parts: works move between the sets when their state changes, and the sets that a step walks
//! through are as large as the number of jobs at the provider.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Allow, Queue};
use crate::domain::{LogLevel, Phase, WorkState};
use crate::engine::error::EngineError;
use crate::provider::{ProviderError, ProviderErrorKind};
use crate::snapshot::WorkView;

/// Pauses in a row, each after a failed call and longer than the one before, after which the phase gives up (resumably).
pub(super) const MAX_PAUSES_IN_A_ROW: u32 = 10;
/// Failed calls in a row about one job after which it is left alone in this drive.
pub(super) const MAX_FAILURES_OF_ONE: u32 = 12;
/// The longest wait between two tries of a failed call.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Waits that concern more than one work.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// No call before this instant: the provider failed, and hammering it helps nobody.
    calls_until: Option<Instant>,
    in_a_row: u32,
    /// No submission before this instant: the provider's queue is full.
    submissions_until: Option<Instant>,
    full_in_a_row: u32,
}

/// Whether a failed call says something about the service or about one job only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerns {
    /// Other calls would fail as well.
    Service,
    /// Only this work.
    OneJob,
}

impl Queue<'_> {
    /// Puts a work into the set that its state belongs to. Called whenever the state may have changed.
    pub(super) fn classify(&mut self, index: usize) {
        self.pending.remove(&index);
        self.live.remove(&index);
        let work = &self.works()[index];
        if work.used_by == 0 || self.parked.contains(&index) {
            return;
        }
        let collects = self.allowed.collect == Allow::Yes;
        let wanted = self.allowed.wants(work.part.key);
        let (pending, live) = match &work.state {
            WorkState::Done { .. } | WorkState::Failed { .. } => (false, false),
            WorkState::Pending => (wanted, false),
            WorkState::Collected { retryable, .. }
                if *retryable > 0 && self.attempts_left(index, work) =>
            {
                (wanted, false)
            }
            WorkState::Collected { .. } => (false, collects),
            WorkState::Submitted { state, .. } => (false, collects || !state.is_terminal()),
            WorkState::Intended { .. } | WorkState::Uploaded { .. } => (false, true),
        };
        if pending {
            self.pending.insert(index);
        }
        if live {
            self.live.insert(index);
        }
    }

    pub(super) fn may_submit(&self) -> bool {
        self.allowed.submit == Allow::Yes && self.end.stopped.is_none() && self.fatal.is_none()
    }

    /// Whether another attempt may follow those that were accepted.
    pub(super) fn attempts_left(&self, index: usize, work: &WorkView) -> bool {
        work.next_attempt() <= self.with.config.execution.max_item_retries + 1
            && !self.spent.contains(&index)
    }

    /// Starts every call that is due.
    pub(super) fn begin_ready(&mut self) -> Result<(), EngineError> {
        if is_ahead(self.pauses.calls_until) {
            return Ok(());
        }
        let now = Instant::now();
        let due: Vec<usize> = self
            .live
            .iter()
            .copied()
            .filter(|i| self.due(*i, now).is_some_and(|at| at <= now))
            .collect();
        for index in due {
            self.go_on(index);
        }
        let chosen = self.choose();
        self.begin(&chosen)
    }

    /// The next call for a work that needs no new slot.
    fn go_on(&mut self, index: usize) {
        let work = Arc::clone(&self.works()[index]);
        match &work.state {
            // A state from an earlier process, or one whose outcome was uncertain: the provider is asked first.
            WorkState::Intended { attempt } => self.spawn_find(index, &work, *attempt, None),
            WorkState::Uploaded { attempt, input } => {
                self.spawn_find(index, &work, *attempt, Some(input.clone()));
            }
            WorkState::Submitted { state, job, .. } if !state.is_terminal() => {
                self.looked.insert(index, Instant::now());
                self.spawn_poll(index, job.clone());
            }
            WorkState::Submitted { .. } | WorkState::Collected { .. } => {
                self.spawn_collect(index, &work);
            }
            WorkState::Pending | WorkState::Done { .. } | WorkState::Failed { .. } => {}
        }
    }

    /// When the next call of a live work is due, `now` where nothing holds it back; `None` where none is or one is under way.
    fn due(&self, index: usize, now: Instant) -> Option<Instant> {
        if self.busy[index] {
            return None;
        }
        let look = match &self.works()[index].state {
            WorkState::Submitted { state, .. } if !state.is_terminal() => {
                // Without downloads a running job matters only as far as its slot is waited for.
                let matters = self.allowed.collect == Allow::Yes
                    || (self.may_submit() && !self.pending.is_empty());
                if !matters {
                    return None;
                }
                self.looked.get(&index).map(|at| *at + self.poll_every())
            }
            WorkState::Pending
            | WorkState::Intended { .. }
            | WorkState::Uploaded { .. }
            | WorkState::Submitted { .. }
            | WorkState::Collected { .. }
            | WorkState::Done { .. }
            | WorkState::Failed { .. } => None,
        };
        let later = self.later.get(&index).map(|(at, _)| *at);
        Some(look.max(later).unwrap_or(now))
    }

    fn free_slots(&self) -> usize {
        let taken = self
            .live
            .iter()
            .chain(&self.parked)
            .filter(|i| occupies_slot(&self.works()[**i].state))
            .count();
        let slots = self.with.config.execution.max_concurrent_jobs.max(1) as usize;
        slots.saturating_sub(taken)
    }

    /// The waiting works that fit into the free slots, in the order of the plan.
    fn choose(&self) -> Vec<usize> {
        if !self.may_submit() || is_ahead(self.pauses.submissions_until) {
            return Vec::new();
        }
        let ready = self.pending.iter().copied().filter(|i| {
            let waits = self.later.get(i).map(|(at, _)| *at);
            !self.busy[*i] && !is_ahead(waits)
        });
        ready.take(self.free_slots()).collect()
    }

    /// When something falls due that no outcome announces.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let now = Instant::now();
        let looks = self.live.iter().filter_map(|i| self.due(*i, now)).min();
        let due = looks.into_iter().chain(self.next_submission()).min();
        // While all calls pause, whatever is due is due when the pause ends.
        due.map(|at| self.pauses.calls_until.map_or(at, |until| at.max(until)))
    }

    /// When a free slot can be filled; `None` where none is free or nothing waits for one.
    fn next_submission(&self) -> Option<Instant> {
        if !self.may_submit() || self.pending.is_empty() || self.free_slots() == 0 {
            return None;
        }
        let mut waiting = 0;
        let mut first = None;
        for (_, (at, _)) in self.later.iter().filter(|(i, _)| self.pending.contains(i)) {
            waiting += 1;
            first = Some(first.map_or(*at, |known: Instant| known.min(*at)));
        }
        let at = if waiting < self.pending.len() {
            Instant::now()
        } else {
            first?
        };
        Some(
            self.pauses
                .submissions_until
                .map_or(at, |until| at.max(until)),
        )
    }

    pub(super) fn poll_every(&self) -> Duration {
        let wanted = self.with.config.execution.poll_ms;
        Duration::from_millis(wanted.max(self.limits.min_poll_ms).max(1))
    }

    /// A call succeeded: whatever was waited for is over.
    pub(super) fn succeeded(&mut self, index: usize) {
        self.pauses.in_a_row = 0;
        self.pauses.calls_until = None;
        self.later.remove(&index);
    }

    /// A slot at the provider became free.
    pub(super) fn queue_moved(&mut self) {
        self.pauses.submissions_until = None;
        self.pauses.full_in_a_row = 0;
    }

    /// A call without effect failed: wait, count, and stop where nothing can work until a person acts.
    pub(super) fn call_failed(&mut self, index: usize, error: ProviderError, concerns: Concerns) {
        let at_provider = matches!(
            self.works()[index].state,
            WorkState::Submitted { .. } | WorkState::Collected { .. }
        );
        let phase = if at_provider {
            Phase::Poll
        } else {
            Phase::Submit
        };
        match error.kind {
            ProviderErrorKind::Account | ProviderErrorKind::Local => {
                return self.fail(error.into());
            }
            ProviderErrorKind::QueueFull => {
                self.pauses.full_in_a_row += 1;
                let wait = self.wait_after(self.pauses.full_in_a_row, error.retry_after);
                self.pauses.submissions_until = Some(Instant::now() + wait);
                let message =
                    format!("{error}; no submission for {wait:.0?} or until a job has ended");
                return self.say((LogLevel::Warn, phase), index, &message);
            }
            ProviderErrorKind::Rejected
            | ProviderErrorKind::Uncertain
            | ProviderErrorKind::Transient
            | ProviderErrorKind::Garbled => {}
        }
        let (failures, wait) = self.back_off(index, error.retry_after);
        let one = concerns == Concerns::OneJob || error.kind == ProviderErrorKind::Rejected;
        if one && failures > MAX_FAILURES_OF_ONE {
            return self.park(index, phase, &error.to_string());
        }
        if !one {
            self.pause(&error);
        }
        let message = format!("{error}; tried again in {wait:.0?}");
        self.say((LogLevel::Warn, phase), index, &message);
    }

    /// Leaves a work alone for the rest of this drive.
    pub(super) fn park(&mut self, index: usize, phase: Phase, why: &str) {
        self.parked.insert(index);
        let part = self.works()[index].part.key;
        self.end.parked.push(format!("{part}: {why}"));
        let message = format!("left alone until the next resume: {why}");
        self.say((LogLevel::Error, phase), index, &message);
    }

    /// Makes a work wait before its next call; the wait doubles with each failure. Gives failures and wait.
    pub(super) fn back_off(&mut self, index: usize, at_least: Option<Duration>) -> (u32, Duration) {
        let failures = self.later.get(&index).map_or(0, |(_, n)| *n) + 1;
        let wait = self.wait_after(failures, at_least);
        self.later.insert(index, (Instant::now() + wait, failures));
        (failures, wait)
    }

    fn wait_after(&self, failures: u32, at_least: Option<Duration>) -> Duration {
        let first = self.poll_every().max(Duration::from_millis(200));
        let wait = (first * 2_u32.pow(failures.clamp(1, 10) - 1)).min(MAX_BACKOFF);
        wait.max(at_least.unwrap_or_default())
    }

    /// Pauses all new calls after a failed one. Calls that fail while the pause lasts were under way and do not count again.
    fn pause(&mut self, error: &ProviderError) {
        if is_ahead(self.pauses.calls_until) {
            return;
        }
        self.pauses.in_a_row += 1;
        let wait = self.wait_after(self.pauses.in_a_row, error.retry_after);
        self.pauses.calls_until = Some(Instant::now() + wait);
        if self.pauses.in_a_row > MAX_PAUSES_IN_A_ROW {
            let message = format!(
                "the provider failed {} times in a row, the last time with: {error}\nnothing is lost; `evaltui resume` goes on once it answers",
                self.pauses.in_a_row
            );
            self.fail(EngineError::Incomplete { message });
        }
    }
}

fn is_ahead(at: Option<Instant>) -> bool {
    at.is_some_and(|at| at > Instant::now())
}

fn occupies_slot(state: &WorkState) -> bool {
    match state {
        WorkState::Intended { .. } | WorkState::Uploaded { .. } => true,
        WorkState::Submitted { state, .. } => !state.is_terminal(),
        WorkState::Pending
        | WorkState::Collected { .. }
        | WorkState::Done { .. }
        | WorkState::Failed { .. } => false,
    }
}
