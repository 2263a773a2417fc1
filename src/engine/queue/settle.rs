//! What the outcome of an upload, a create or a question means: the facts to record and the call that follows.
//!
//! Certain that there is no job: back to the waiting parts, under the same key. Not certain: the state stays in doubt, and
//! the next call is `find`. A job: recorded durably before anything else.

use std::sync::Arc;

use super::calls::Outcome;
use super::collect::CollectError;
use super::schedule::Concerns;
use super::{Allow, Events, Queue};
use crate::domain::work::{Attempt, WorkEvent};
use crate::domain::{LogLevel, Phase, RemoteId};
use crate::engine::error::EngineError;
use crate::provider::{Found, JobLook, ProviderError, ProviderErrorKind};
use crate::store::Durability;

/// How a job became ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Created,
    Adopted,
}

const INFO: (LogLevel, Phase) = (LogLevel::Info, Phase::Submit);
const WARN: (LogLevel, Phase) = (LogLevel::Warn, Phase::Submit);

impl Queue<'_> {
    /// Turns an outcome into facts, and starts the call that follows at once where one does.
    pub(super) fn take(&mut self, index: usize, outcome: Outcome, events: &mut Events) {
        match outcome {
            Outcome::Uploaded(attempt, Ok(input)) => self.uploaded(index, attempt, input, events),
            Outcome::Uploaded(attempt, Err(error)) => {
                // An upload creates no job, so whatever happened, the attempt was certainly not accepted.
                self.not_accepted(index, attempt, error, events);
            }
            Outcome::Created(attempt, Ok(look)) => {
                self.accepted(index, attempt, (&look, Origin::Created), events);
            }
            Outcome::Created(attempt, Err(error)) => {
                self.create_failed(index, attempt, error, events);
            }
            Outcome::Found(attempt, input, found) => {
                self.found(index, (attempt, input), found, events);
            }
            Outcome::Looked(Ok(look)) => self.looked(index, look, events),
            Outcome::Looked(Err(error)) => self.call_failed(index, error, Concerns::Service),
            Outcome::Collected(Ok(collected)) => self.collected(index, &collected, events),
            Outcome::Collected(Err(CollectError::Provider(error))) => {
                self.call_failed(index, error, Concerns::OneJob);
            }
            Outcome::Collected(Err(CollectError::Store(error))) | Outcome::Tidied(Err(error)) => {
                self.fail(error.into());
            }
            Outcome::Collected(Err(error @ (CollectError::NoJob | CollectError::Died(_)))) => {
                self.fail(EngineError::TaskDied(error.to_string()));
            }
            Outcome::Tidied(Ok(())) => {}
            Outcome::Unplanned => {
                let part = self.works()[index].part.key;
                let message = format!("part {part} belongs to no trial of this run");
                self.fail(EngineError::Incomplete { message });
            }
        }
    }

    fn uploaded(&mut self, index: usize, attempt: Attempt, input: RemoteId, events: &mut Events) {
        self.succeeded(index);
        if !self.may_submit() {
            return self.push_not_accepted(
                index,
                attempt,
                "stopped before the job was created",
                events,
            );
        }
        // The name of the input must be on disk before the create: some services can only be asked by it.
        let fact = WorkEvent::Uploaded {
            submission: attempt.submission,
            input: input.clone(),
        };
        let work = self.works()[index].key;
        match self.with.recorder.work(work, fact, Durability::Fsync) {
            Ok(()) => self.create(index, attempt, input),
            Err(error) => self.fail(error),
        }
    }

    /// The call that costs money. Its state on disk says "in doubt" until its outcome is recorded.
    fn create(&mut self, index: usize, attempt: Attempt, input: RemoteId) {
        match self.check_lock() {
            Ok(()) => {
                let work = Arc::clone(&self.works()[index]);
                self.spawn_create(index, &work, attempt, input);
            }
            Err(error) => self.fail(error),
        }
    }

    /// A call failed and certainly made no job.
    fn not_accepted(
        &mut self,
        index: usize,
        attempt: Attempt,
        error: ProviderError,
        events: &mut Events,
    ) {
        if error.kind == ProviderErrorKind::Rejected {
            return self.refused(index, attempt, &error, events);
        }
        self.push_not_accepted(index, attempt, &error.to_string(), events);
        self.call_failed(index, error, Concerns::Service);
    }

    fn push_not_accepted(&self, index: usize, attempt: Attempt, reason: &str, events: &mut Events) {
        // Not synced: if it is lost, the provider is asked once more than needed.
        let fact = WorkEvent::NotAccepted {
            submission: attempt.submission,
            reason: reason.to_owned(),
        };
        self.push(index, fact, Durability::Lazy, events);
    }

    /// The provider will never take this attempt.
    fn refused(
        &mut self,
        index: usize,
        attempt: Attempt,
        error: &ProviderError,
        events: &mut Events,
    ) {
        let last = self.works()[index].jobs.last().cloned();
        let reason = error.to_string();
        let Some((earlier, job)) = last else {
            return self.give_up(index, &reason, events);
        };
        // Answers of earlier attempts are paid for: the part ends with them instead of being given up.
        self.spent.insert(index);
        self.later.remove(&index);
        let given_up = WorkEvent::GaveUp {
            reason: reason.clone(),
            expired: false,
        };
        let reopened = WorkEvent::Reopened {
            job,
            attempt: earlier,
            reason: format!("attempt {} was refused", attempt.number),
        };
        self.push(index, given_up, Durability::Fsync, events);
        self.push(index, reopened, Durability::Fsync, events);
        let message = format!(
            "attempt {} refused ({reason}); the part ends with what came back before",
            attempt.number
        );
        self.say(WARN, index, &message);
    }

    fn accepted(
        &mut self,
        index: usize,
        attempt: Attempt,
        (look, origin): (&JobLook, Origin),
        events: &mut Events,
    ) {
        self.succeeded(index);
        let fact = WorkEvent::Accepted {
            submission: attempt.submission,
            job: look.job.clone(),
            adopted: origin == Origin::Adopted,
        };
        self.push(index, fact, Durability::Fsync, events);
        let message = match origin {
            Origin::Created => format!("job {} accepted ({} rows)", look.job, attempt.rows),
            Origin::Adopted => format!(
                "was in doubt; the provider has job {}: adopted, not sent again",
                look.job
            ),
        };
        self.say(INFO, index, &message);
    }

    fn create_failed(
        &mut self,
        index: usize,
        attempt: Attempt,
        error: ProviderError,
        events: &mut Events,
    ) {
        if matches!(
            error.kind,
            ProviderErrorKind::Uncertain | ProviderErrorKind::Garbled
        ) {
            // The state stays "uploaded": the next call for this work is `find`, never another create.
            self.say(
                WARN,
                index,
                "the outcome of the create is not known; the provider is asked",
            );
            return self.call_failed(index, error, Concerns::Service);
        }
        self.not_accepted(index, attempt, error, events);
    }

    fn found(
        &mut self,
        index: usize,
        (attempt, input): (Attempt, Option<RemoteId>),
        found: Result<Found, ProviderError>,
        events: &mut Events,
    ) {
        match found {
            Ok(Found::Job(look)) => self.accepted(index, attempt, (&look, Origin::Adopted), events),
            Ok(Found::Nothing) => {
                self.submit_again(
                    index,
                    (attempt, input),
                    "the provider has no such job",
                    events,
                );
            }
            Ok(Found::CannotTell(why)) if self.allowed.doubtful == Allow::Yes => {
                let why = format!("the provider cannot tell ({why}), and --force decides");
                self.submit_again(index, (attempt, input), &why, events);
            }
            Ok(Found::CannotTell(why)) => self.undecided(index, attempt, &why),
            // It answered about the job, but what it has under the key is not what was sent.
            Err(error) if error.kind == ProviderErrorKind::Rejected => {
                self.undecided(index, attempt, &error.to_string());
            }
            Err(error) => self.call_failed(index, error, Concerns::Service),
        }
    }

    /// The attempt is made again under the same key, now that it is known not to have been accepted.
    fn submit_again(
        &mut self,
        index: usize,
        (attempt, input): (Attempt, Option<RemoteId>),
        why: &str,
        events: &mut Events,
    ) {
        self.succeeded(index);
        if !self.may_submit() {
            return self.push_not_accepted(index, attempt, why, events);
        }
        let message = format!("was in doubt; {why}: submitted again under the same key");
        self.say(INFO, index, &message);
        if let Some(input) = input {
            self.create(index, attempt, input);
        } else {
            let work = Arc::clone(&self.works()[index]);
            self.spawn_upload(index, &work, attempt);
        }
    }

    fn undecided(&mut self, index: usize, attempt: Attempt, why: &str) {
        let number = attempt.number;
        let message =
            format!("the provider cannot tell whether attempt {number} was accepted ({why})");
        let part = self.works()[index].part.key;
        self.end.undecided.push(format!("{part}: {message}"));
        self.parked.insert(index);
        self.say((LogLevel::Error, Phase::Submit), index, &message);
    }
}
