//! What a look at a job or a collection means: the facts to record, and whether the part ends here.

use std::fmt::Write as _;
use std::sync::Arc;

use super::collect::{Collected, Ending};
use super::{Events, Queue};
use crate::domain::work::WorkEvent;
use crate::domain::{JobState, LogLevel, Phase, TokenUsage, Usd, WorkState};
use crate::provider::JobLook;
use crate::store::Durability;

/// Looks in a row that must miss a job before it is believed to be gone: its rows will be paid for again.
pub(super) const LOOKS_FOR_VANISHED: u32 = 3;

impl Queue<'_> {
    pub(super) fn looked(&mut self, index: usize, look: JobLook, events: &mut Events) {
        self.succeeded(index);
        if look.state == JobState::Vanished && !self.is_surely_gone(index) {
            return;
        }
        if look.state != JobState::Vanished {
            self.vanished.remove(&index);
        }
        let work = Arc::clone(&self.works()[index]);
        let WorkState::Submitted {
            attempt,
            state,
            counts,
            ..
        } = &work.state
        else {
            return;
        };
        if *state == look.state && *counts == look.counts {
            return;
        }
        if *state != look.state {
            let tail = if look.message.is_empty() {
                String::new()
            } else {
                format!(": {}", look.message)
            };
            let message = format!("{} at the provider{tail}", look.state);
            self.say((weight(&look.state), Phase::Poll), index, &message);
        }
        if look.state.is_terminal() {
            self.queue_moved();
        }
        let fact = WorkEvent::Observed {
            submission: attempt.submission,
            state: look.state,
            counts: look.counts,
        };
        self.push(index, fact, Durability::Lazy, events);
    }

    /// Counts looks that did not find the job; a control plane may be behind its own answers.
    fn is_surely_gone(&mut self, index: usize) -> bool {
        let misses = self.vanished.entry(index).or_default();
        *misses += 1;
        let misses = *misses;
        if misses >= LOOKS_FOR_VANISHED {
            return true;
        }
        let message = format!(
            "the provider does not know the job (look {misses} of {LOOKS_FOR_VANISHED}); looked at again before it is believed"
        );
        self.say((LogLevel::Warn, Phase::Poll), index, &message);
        false
    }

    pub(super) fn collected(&mut self, index: usize, collected: &Collected, events: &mut Events) {
        self.succeeded(index);
        let state = &self.works()[index].state;
        if matches!(state, WorkState::Submitted { .. }) {
            let fact = WorkEvent::Collected {
                submission: collected.attempt.submission,
                rows: collected.rows,
                retryable: collected.retryable,
                usage: collected.usage,
                cost: self.cost(index, collected.usage),
            };
            self.push(index, fact, Durability::Fsync, events);
        }
        let rows = collected.rows;
        let words = describe(collected);
        match collected.ending {
            Ending::InPlace(results) => {
                self.finished.push(index);
                let fact = WorkEvent::Finished { rows, results };
                self.push(index, fact, Durability::Fsync, events);
                self.say((LogLevel::Info, Phase::Poll), index, &words);
            }
            Ending::Gone => {
                let why = if collected.message.is_empty() {
                    "the job failed without a message"
                } else {
                    &collected.message
                };
                self.give_up(index, why, events);
            }
            Ending::Open => {
                let message = format!("{words}; {} go into another attempt", collected.retryable);
                self.say((LogLevel::Warn, Phase::Poll), index, &message);
            }
        }
    }

    pub(super) fn give_up(&mut self, index: usize, reason: &str, events: &mut Events) {
        let expired = matches!(
            &self.works()[index].state,
            WorkState::Submitted {
                state: JobState::Expired,
                ..
            }
        );
        self.later.remove(&index);
        let fact = WorkEvent::GaveUp {
            reason: reason.to_owned(),
            expired,
        };
        self.push(index, fact, Durability::Fsync, events);
        let message = format!("given up: {reason}");
        self.say((LogLevel::Error, Phase::Poll), index, &message);
    }

    /// Removes the raw files of a finished part. Only after the record: until then they are what was paid for.
    pub(super) fn tidy(&mut self, index: usize) {
        let work = Arc::clone(&self.works()[index]);
        if matches!(work.state, WorkState::Done { .. }) {
            self.spawn_tidy(index, &work);
        }
    }

    fn cost(&self, index: usize, usage: TokenUsage) -> Option<Usd> {
        let view = self.with.recorder.view();
        let model = &view.trial(&view.works[index].owner)?.trial.model;
        Some(self.with.config.pricing.of(model)?.cost(usage))
    }
}

/// How much a job's new state matters.
fn weight(state: &JobState) -> LogLevel {
    match state {
        JobState::Failed
        | JobState::Expired
        | JobState::Vanished
        | JobState::Unknown(_)
        | JobState::EarlyStopped
        | JobState::Cancelled => LogLevel::Warn,
        JobState::Validating
        | JobState::Queued
        | JobState::Running
        | JobState::Finalizing
        | JobState::Completed
        | JobState::Cancelling => LogLevel::Info,
    }
}

fn describe(collected: &Collected) -> String {
    let rows = collected.rows;
    let mut text = format!("downloaded {} of {} rows", rows.answered, rows.total());
    for (count, what) in [
        (rows.failed, "failed"),
        (rows.missing, "missing"),
        (collected.duplicated, "duplicated and set aside"),
        (collected.foreign, "foreign and set aside"),
        (collected.malformed, "unreadable"),
    ] {
        if count > 0 {
            // Writing to memory cannot fail.
            write!(text, ", {count} {what}").ok();
        }
    }
    if let Some((message, count)) = &collected.commonest_error {
        write!(text, "; commonest error ({count}): {message}").ok();
    }
    text
}
