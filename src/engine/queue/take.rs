//! What each outcome means: the facts to record and the next call. The only place where a call's result becomes a decision.

use std::sync::Arc;

use super::Queue;
use super::calls::Outcome;
use super::collect::{CollectError, Collected};
use crate::domain::work::{Attempt, WorkEvent};
use crate::domain::{Event, JobState, LogLevel, RemoteId, TokenUsage, Usd, WorkState};
use crate::engine::error::EngineError;
use crate::provider::{Found, JobLook, ProviderError, ProviderErrorKind};
use crate::store::Durability;

type Events = Vec<(Event, Durability)>;

impl Queue<'_> {
    /// Turns an outcome into facts, and starts the call that follows at once where one does.
    pub(super) fn take(&mut self, index: usize, outcome: Outcome, events: &mut Events) {
        match outcome {
            Outcome::Uploaded(attempt, Ok(input)) => self.uploaded(index, attempt, input, events),
            Outcome::Uploaded(attempt, Err(error)) => {
                self.upload_failed(index, attempt, error, events)
            }
            Outcome::Created(attempt, Ok(look)) => {
                self.accepted(index, attempt, &look, Adopted::No, events)
            }
            Outcome::Created(attempt, Err(error)) => {
                self.create_failed(index, attempt, error, events)
            }
            Outcome::Found(attempt, input, found) => {
                self.found(index, attempt, input, found, events)
            }
            Outcome::Looked(Ok(look)) => self.looked(index, look, events),
            Outcome::Looked(Err(error)) => self.call_failed(index, error),
            Outcome::Collected(Ok(collected)) => self.collected(index, collected, events),
            Outcome::Collected(Err(CollectError::Provider(error))) => {
                self.call_failed(index, error)
            }
            Outcome::Collected(Err(CollectError::Store(error))) => self.fatal = Some(error.into()),
            Outcome::Collected(Err(error @ (CollectError::NoJob | CollectError::Died(_)))) => {
                self.fatal = Some(EngineError::TaskDied(error.to_string()));
            }
            Outcome::Unplanned => {
                let message = format!(
                    "part {} belongs to no trial of this run",
                    self.works()[index].part.key
                );
                self.fatal = Some(EngineError::Incomplete { message });
            }
        }
    }

    fn push(&self, index: usize, event: WorkEvent, durability: Durability, events: &mut Events) {
        events.push((
            Event::Work {
                work: self.key(index),
                event,
            },
            durability,
        ));
    }

    fn succeeded(&mut self, index: usize) {
        self.pauses = 0;
        self.paused_until = None;
        self.later.remove(&index);
    }

    fn uploaded(&mut self, index: usize, attempt: Attempt, input: RemoteId, events: &mut Events) {
        self.succeeded(index);
        if !self.may_submit() {
            let reason = "stopped before the job was created".to_owned();
            self.push(
                index,
                WorkEvent::NotAccepted {
                    submission: attempt.submission,
                    reason,
                },
                Durability::Lazy,
                events,
            );
            return;
        }
        let work = Arc::clone(&self.works()[index]);
        // The name of the input must be on disk before the create: some services can only be asked by it.
        let fact = WorkEvent::Uploaded {
            submission: attempt.submission,
            input: input.clone(),
        };
        if let Err(error) = self.with.recorder.work(work.key, fact, Durability::Fsync) {
            self.fatal = Some(error);
            return;
        }
        self.spawn_create(index, &work, attempt, input);
    }

    fn upload_failed(
        &mut self,
        index: usize,
        attempt: Attempt,
        error: ProviderError,
        events: &mut Events,
    ) {
        // An upload costs nothing and creates no job, so whatever happened the attempt was certainly not accepted.
        let fact = WorkEvent::NotAccepted {
            submission: attempt.submission,
            reason: error.to_string(),
        };
        match error.kind {
            ProviderErrorKind::Rejected => self.give_up(index, &error.to_string(), events),
            ProviderErrorKind::Account | ProviderErrorKind::Local => {
                self.push(index, fact, Durability::Lazy, events);
                self.fatal = Some(error.into());
            }
            ProviderErrorKind::Uncertain
            | ProviderErrorKind::Transient
            | ProviderErrorKind::QueueFull
            | ProviderErrorKind::Garbled => {
                self.push(index, fact, Durability::Lazy, events);
                self.call_failed(index, error);
            }
        }
    }

    fn accepted(
        &mut self,
        index: usize,
        attempt: Attempt,
        look: &JobLook,
        adopted: Adopted,
        events: &mut Events,
    ) {
        self.succeeded(index);
        let fact = WorkEvent::Accepted {
            submission: attempt.submission,
            job: look.job.clone(),
            adopted: adopted == Adopted::Yes,
        };
        self.push(index, fact, Durability::Fsync, events);
        let message = match adopted {
            Adopted::No => format!(
                "intent, upload, job {} accepted ({} rows)",
                look.job, attempt.rows
            ),
            Adopted::Yes => format!(
                "was in doubt; the provider has job {}: adopted, not sent again",
                look.job
            ),
        };
        self.say(LogLevel::Info, index, &message);
    }

    fn create_failed(
        &mut self,
        index: usize,
        attempt: Attempt,
        error: ProviderError,
        events: &mut Events,
    ) {
        let submission = attempt.submission;
        match error.kind {
            ProviderErrorKind::Uncertain | ProviderErrorKind::Garbled => {
                // The state stays "uploaded": the next call for this work is `find`, never another create.
                self.say(
                    LogLevel::Warn,
                    index,
                    &format!("outcome of the create is not known ({error}); asking the provider"),
                );
                self.call_failed(index, error);
            }
            ProviderErrorKind::Transient | ProviderErrorKind::QueueFull => {
                self.push(
                    index,
                    WorkEvent::NotAccepted {
                        submission,
                        reason: error.to_string(),
                    },
                    Durability::Lazy,
                    events,
                );
                self.call_failed(index, error);
            }
            ProviderErrorKind::Account | ProviderErrorKind::Local => {
                self.push(
                    index,
                    WorkEvent::NotAccepted {
                        submission,
                        reason: error.to_string(),
                    },
                    Durability::Fsync,
                    events,
                );
                self.fatal = Some(error.into());
            }
            ProviderErrorKind::Rejected => self.give_up(index, &error.to_string(), events),
        }
    }

    fn found(
        &mut self,
        index: usize,
        attempt: Attempt,
        input: Option<RemoteId>,
        found: Result<Found, ProviderError>,
        events: &mut Events,
    ) {
        match found {
            Ok(Found::Job(look)) => self.accepted(index, attempt, &look, Adopted::Yes, events),
            Ok(Found::Nothing) if self.may_submit() => {
                self.succeeded(index);
                self.say(LogLevel::Info, index, "was in doubt; the provider has no such job: submitted again under the same key");
                let work = Arc::clone(&self.works()[index]);
                match input {
                    Some(input) => self.spawn_create(index, &work, attempt, input),
                    None => self.spawn_upload(index, &work, attempt),
                }
            }
            Ok(Found::Nothing) => {
                let reason = "was in doubt; the provider has no such job".to_owned();
                self.push(
                    index,
                    WorkEvent::NotAccepted {
                        submission: attempt.submission,
                        reason,
                    },
                    Durability::Lazy,
                    events,
                );
            }
            Ok(Found::CannotTell(why)) => {
                let part = self.works()[index].part.key;
                self.end.undecided.push(format!(
                    "{part}: the provider cannot tell whether attempt {} was accepted ({why})",
                    attempt.number
                ));
                // Parked: no further call in this drive.
                self.later.insert(
                    index,
                    (
                        tokio::time::Instant::now() + std::time::Duration::from_secs(86_400),
                        0,
                    ),
                );
                self.busy[index] = true;
            }
            Err(error) => self.call_failed(index, error),
        }
    }

    fn looked(&mut self, index: usize, look: JobLook, events: &mut Events) {
        self.succeeded(index);
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
            let level = match look.state {
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
            };
            self.say(
                level,
                index,
                &format!("{} at the provider{tail}", look.state),
            );
        }
        let fact = WorkEvent::Observed {
            submission: attempt.submission,
            state: look.state,
            counts: look.counts,
        };
        self.push(index, fact, Durability::Lazy, events);
    }

    fn collected(&mut self, index: usize, collected: Collected, events: &mut Events) {
        self.succeeded(index);
        let work = Arc::clone(&self.works()[index]);
        let Collected {
            attempt,
            rows,
            retryable,
            usage,
            ..
        } = collected;
        if matches!(work.state, WorkState::Submitted { .. }) {
            let cost = self.cost(index, usage);
            let fact = WorkEvent::Collected {
                submission: attempt.submission,
                rows,
                retryable,
                usage,
                cost,
            };
            self.push(index, fact, Durability::Fsync, events);
        }
        let gone = matches!(
            &work.state,
            WorkState::Submitted {
                state: JobState::Failed,
                ..
            }
        ) && rows.answered == 0;
        match collected.finished {
            Some(_) if gone && rows.answered == 0 => {
                let why = if collected.message.is_empty() {
                    "the job failed without a message".to_owned()
                } else {
                    collected.message.clone()
                };
                self.give_up(index, &why, events);
            }
            Some(results) => {
                self.push(
                    index,
                    WorkEvent::Finished { rows, results },
                    Durability::Fsync,
                    events,
                );
                self.say(LogLevel::Info, index, &describe(&collected));
            }
            None => self.say(
                LogLevel::Warn,
                index,
                &format!(
                    "{}; {retryable} rows go into another attempt",
                    describe(&collected)
                ),
            ),
        }
    }

    fn give_up(&mut self, index: usize, reason: &str, events: &mut Events) {
        let expired = matches!(
            &self.works()[index].state,
            WorkState::Submitted {
                state: JobState::Expired,
                ..
            }
        );
        self.push(
            index,
            WorkEvent::GaveUp {
                reason: reason.to_owned(),
                expired,
            },
            Durability::Fsync,
            events,
        );
        self.say(
            LogLevel::Error,
            index,
            &format!("given up: {reason}; `evaltui resume` tries again"),
        );
    }

    /// A call without effect failed: wait, count, and stop where nothing can work until a person acts.
    fn call_failed(&mut self, index: usize, error: ProviderError) {
        if matches!(
            error.kind,
            ProviderErrorKind::Account | ProviderErrorKind::Local
        ) {
            self.fatal = Some(error.into());
            return;
        }
        self.back_off(index, error.retry_after);
        if error.kind != ProviderErrorKind::QueueFull {
            self.pause(&error.to_string());
        }
        self.say(
            LogLevel::Warn,
            index,
            &format!("{error}; trying again later"),
        );
    }

    fn cost(&self, index: usize, usage: TokenUsage) -> Option<Usd> {
        let view = self.with.recorder.view();
        let model = &view.trial(&view.works[index].owner)?.trial.model;
        Some(self.with.config.pricing.of(model)?.cost(usage))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Adopted {
    Yes,
    No,
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
            text.push_str(&format!(", {count} {what}"));
        }
    }
    if let Some((message, count)) = &collected.commonest_error {
        text.push_str(&format!("; commonest error ({count}): {message}"));
    }
    text
}
