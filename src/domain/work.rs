//! The life of one piece of work (a part, or several equal ones): states that carry their data, and checked moves.
//!
//! One attempt is one job over the rows that still lack an answer. The first attempt sends the whole part; a later one
//! sends what came back as a retryable error, or not at all.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::digest::Digest;
use super::ids::{RemoteId, SubmissionKey};
use super::job::{JobCounts, JobState};
use super::restored::Restored;
use super::units::{TokenUsage, Usd};

/// Rows of a piece of work once reconciled: `answered + failed + missing` is the number of rows sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowTally {
    /// Rows with an answer.
    pub answered: u64,
    /// Rows that came back as errors.
    pub failed: u64,
    /// Rows that did not come back.
    pub missing: u64,
}

impl RowTally {
    /// All rows.
    pub fn total(self) -> u64 {
        self.answered + self.failed + self.missing
    }
}

/// Where a piece of work stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum WorkState {
    /// No attempt is under way; `next_attempt` counts from 1.
    #[default]
    Pending,
    /// The intent is on disk; whether the provider has a job is not known.
    Intended {
        /// The attempt.
        attempt: Attempt,
    },
    /// The input is at the provider; whether it has a job is not known.
    Uploaded {
        /// The attempt.
        attempt: Attempt,
        /// The provider's name of the input.
        input: RemoteId,
    },
    /// The provider has a job for the attempt.
    Submitted {
        /// The attempt.
        attempt: Attempt,
        /// The provider's name of the job.
        job: RemoteId,
        /// The last state seen.
        state: JobState,
        /// The last counts seen.
        counts: JobCounts,
    },
    /// The attempt's rows are on disk and reconciled; either another attempt follows or the work is finished.
    Collected {
        /// The attempt that was collected.
        attempt: Attempt,
        /// Its job.
        job: RemoteId,
        /// Rows of the whole work so far.
        rows: RowTally,
        /// Rows worth another attempt.
        retryable: u64,
    },
    /// `results.jsonl` is in place.
    Done {
        /// The last job.
        job: RemoteId,
        /// Final count of rows.
        rows: RowTally,
        /// Digest of `results.jsonl`.
        results: Digest,
    },
    /// Given up.
    Failed {
        /// The last job, where there was one.
        job: Option<RemoteId>,
        /// Why, for people.
        reason: String,
        /// Whether the job's window closed.
        expired: bool,
    },
}

/// One submission of (some of) the rows of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The key under which the provider is asked for it.
    pub submission: SubmissionKey,
    /// Rows sent.
    pub rows: u64,
    /// Digest of the bytes sent.
    pub bytes: Digest,
}

/// A fact about a piece of work, as recorded in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum WorkEvent {
    /// An attempt is about to be submitted. Durable before the first call.
    Intent {
        /// The attempt.
        attempt: Attempt,
    },
    /// The input was uploaded.
    Uploaded {
        /// The attempt's key.
        submission: SubmissionKey,
        /// The provider's name of the input.
        input: RemoteId,
    },
    /// The provider has accepted the job, now or earlier. Durable before anything else happens.
    Accepted {
        /// The attempt's key.
        submission: SubmissionKey,
        /// The provider's name of the job.
        job: RemoteId,
        /// Whether it was found at the provider instead of created by this call.
        adopted: bool,
    },
    /// The provider has certainly not accepted the job; the attempt may be made again under the same key.
    NotAccepted {
        /// The attempt's key.
        submission: SubmissionKey,
        /// Why, for people.
        reason: String,
    },
    /// The job was looked at and had changed.
    Observed {
        /// The attempt's key.
        submission: SubmissionKey,
        /// Its state.
        state: JobState,
        /// Its counts.
        counts: JobCounts,
    },
    /// The job's files were fetched and reconciled row by row.
    Collected {
        /// The attempt's key.
        submission: SubmissionKey,
        /// Rows of the whole work so far.
        rows: RowTally,
        /// Rows worth another attempt.
        retryable: u64,
        /// Tokens of this attempt.
        usage: TokenUsage,
        /// Money of this attempt, where the price is known.
        cost: Option<Usd>,
    },
    /// `results.jsonl` is in place.
    Finished {
        /// Final count of rows.
        rows: RowTally,
        /// Digest of `results.jsonl`.
        results: Digest,
    },
    /// Given up.
    GaveUp {
        /// Why, for people.
        reason: String,
        /// Whether the job's window closed.
        expired: bool,
    },
    /// What was on disk is damaged or gone; the job's files must be fetched again.
    Reopened {
        /// The job to fetch from.
        job: RemoteId,
        /// The attempt it belongs to.
        attempt: Attempt,
        /// Why, for people.
        reason: String,
    },
    /// Failed work is queued again, as a new attempt.
    Requeued {
        /// Why, for people.
        reason: String,
    },
    /// The ledger was lost; this is how the work stood by the run's other files.
    Restored(Box<Restored>),
}

/// A fact that does not fit the state it meets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fact} does not follow {state}")]
pub struct RefusedMove {
    /// The state's word.
    pub state: &'static str,
    /// The fact's word.
    pub fact: &'static str,
}

impl WorkEvent {
    /// The fact's word in the ledger.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Intent { .. } => "intent",
            Self::Uploaded { .. } => "uploaded",
            Self::Accepted { .. } => "accepted",
            Self::NotAccepted { .. } => "not_accepted",
            Self::Observed { .. } => "observed",
            Self::Collected { .. } => "collected",
            Self::Finished { .. } => "finished",
            Self::GaveUp { .. } => "gave_up",
            Self::Reopened { .. } => "reopened",
            Self::Requeued { .. } => "requeued",
            Self::Restored(_) => "restored",
        }
    }
}

/// A work state in one word; the words of `job_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkStatus {
    /// Waits for a slot.
    Pending,
    /// The intent is recorded and its outcome not known yet.
    InDoubt,
    /// The provider has it.
    Submitted,
    /// The provider works on it.
    Running,
    /// Ended at the provider, not fetched.
    Completed,
    /// Results are here.
    Downloaded,
    /// Given up.
    Failed,
    /// Given up, or to be continued, because the window closed.
    Expired,
}

impl WorkStatus {
    /// All, in the order of a part's life.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::InDoubt,
        Self::Submitted,
        Self::Running,
        Self::Completed,
        Self::Downloaded,
        Self::Failed,
        Self::Expired,
    ];

    /// The word in files and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InDoubt => "in_doubt",
            Self::Submitted => "submitted",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Downloaded => "downloaded",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

impl WorkState {
    /// The state in one word.
    pub fn status(&self) -> WorkStatus {
        match self {
            Self::Pending => WorkStatus::Pending,
            Self::Intended { .. } | Self::Uploaded { .. } => WorkStatus::InDoubt,
            Self::Submitted {
                state: JobState::Expired,
                ..
            }
            | Self::Failed { expired: true, .. } => WorkStatus::Expired,
            Self::Submitted {
                state: JobState::Running | JobState::Finalizing,
                ..
            } => WorkStatus::Running,
            Self::Submitted { state, .. } if !state.is_terminal() => WorkStatus::Submitted,
            Self::Submitted { .. } | Self::Collected { .. } => WorkStatus::Completed,
            Self::Done { .. } => WorkStatus::Downloaded,
            Self::Failed { .. } => WorkStatus::Failed,
        }
    }

    /// The state's name, for messages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Intended { .. } => "intended",
            Self::Uploaded { .. } => "uploaded",
            Self::Submitted { .. } => "submitted",
            Self::Collected { .. } => "collected",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }

    /// The attempt under way or last collected.
    pub fn attempt(&self) -> Option<Attempt> {
        match self {
            Self::Intended { attempt }
            | Self::Uploaded { attempt, .. }
            | Self::Submitted { attempt, .. }
            | Self::Collected { attempt, .. } => Some(*attempt),
            Self::Pending | Self::Done { .. } | Self::Failed { .. } => None,
        }
    }

    /// The job, where the state has one.
    pub fn job(&self) -> Option<&RemoteId> {
        match self {
            Self::Submitted { job, .. } | Self::Collected { job, .. } | Self::Done { job, .. } => {
                Some(job)
            }
            Self::Failed { job, .. } => job.as_ref(),
            Self::Pending | Self::Intended { .. } | Self::Uploaded { .. } => None,
        }
    }

    /// The next state, or the refused move. The only place that knows what may follow what.
    pub fn apply(&self, event: &WorkEvent) -> Result<Self, RefusedMove> {
        let next = match self {
            Self::Pending => Self::after_pending(event),
            Self::Intended { attempt } | Self::Uploaded { attempt, .. } => {
                Self::after_doubt(*attempt, event)
            }
            Self::Submitted { attempt, job, .. } => Self::after_submitted(*attempt, job, event),
            Self::Collected { job, .. } => Self::after_collected(job, event),
            Self::Done { .. } | Self::Failed { .. } => Self::after_end(event),
        };
        let gives_up = !matches!(self, Self::Done { .. });
        match (next, event) {
            (Some(next), _) => Ok(next),
            (None, WorkEvent::GaveUp { reason, expired }) if gives_up => Ok(Self::Failed {
                job: self.job().cloned(),
                reason: reason.clone(),
                expired: *expired,
            }),
            (None, _) => Err(RefusedMove {
                state: self.word(),
                fact: event.word(),
            }),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other fact is refused; the table test names each pair"
    )]
    fn after_pending(event: &WorkEvent) -> Option<Self> {
        match event {
            WorkEvent::Intent { attempt } => Some(Self::Intended { attempt: *attempt }),
            // Only where nothing is known yet: a restored face never overrules a recorded fact.
            WorkEvent::Restored(restored) => Some(restored.state.clone()),
            _ => None,
        }
    }

    /// An attempt in doubt is settled by facts about this attempt only.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other fact is refused; the table test names each pair"
    )]
    fn after_doubt(known: Attempt, event: &WorkEvent) -> Option<Self> {
        let is_known = |submission: &SubmissionKey| known.submission == *submission;
        match event {
            // The same attempt may be announced again after its outcome was settled as "not there".
            WorkEvent::Intent { attempt } if is_known(&attempt.submission) => {
                Some(Self::Intended { attempt: *attempt })
            }
            WorkEvent::Uploaded { submission, input } if is_known(submission) => {
                Some(Self::Uploaded {
                    attempt: known,
                    input: input.clone(),
                })
            }
            WorkEvent::Accepted {
                submission, job, ..
            } if is_known(submission) => Some(Self::Submitted {
                attempt: known,
                job: job.clone(),
                state: JobState::Queued,
                counts: JobCounts::default(),
            }),
            WorkEvent::NotAccepted { submission, .. } if is_known(submission) => {
                Some(Self::Pending)
            }
            _ => None,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other fact is refused; the table test names each pair"
    )]
    fn after_submitted(attempt: Attempt, job: &RemoteId, event: &WorkEvent) -> Option<Self> {
        match event {
            WorkEvent::Observed {
                submission,
                state,
                counts,
            } if attempt.submission == *submission => Some(Self::Submitted {
                attempt,
                job: job.clone(),
                state: state.clone(),
                counts: *counts,
            }),
            WorkEvent::Collected {
                submission,
                rows,
                retryable,
                ..
            } if attempt.submission == *submission => Some(Self::Collected {
                attempt,
                job: job.clone(),
                rows: *rows,
                retryable: *retryable,
            }),
            _ => None,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other fact is refused; the table test names each pair"
    )]
    fn after_collected(job: &RemoteId, event: &WorkEvent) -> Option<Self> {
        match event {
            WorkEvent::Intent { attempt } => Some(Self::Intended { attempt: *attempt }),
            WorkEvent::Finished { rows, results } => Some(Self::Done {
                job: job.clone(),
                rows: *rows,
                results: *results,
            }),
            WorkEvent::Reopened { job, attempt, .. } => Some(Self::reopened(job, *attempt)),
            _ => None,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other fact is refused; the table test names each pair"
    )]
    fn after_end(event: &WorkEvent) -> Option<Self> {
        match event {
            WorkEvent::Reopened { job, attempt, .. } => Some(Self::reopened(job, *attempt)),
            WorkEvent::Requeued { .. } => Some(Self::Pending),
            _ => None,
        }
    }

    /// An ended job whose files are to be fetched again.
    fn reopened(job: &RemoteId, attempt: Attempt) -> Self {
        Self::Submitted {
            attempt,
            job: job.clone(),
            state: JobState::Completed,
            counts: JobCounts::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::WorkKey;

    fn attempt(number: u32) -> Attempt {
        let bytes = Digest::of(b"rows");
        Attempt {
            number,
            submission: SubmissionKey::derive(WorkKey(Digest::of(b"w")), number, bytes),
            rows: 3,
            bytes,
        }
    }

    fn states() -> Vec<WorkState> {
        let job = RemoteId("job".into());
        let rows = RowTally {
            answered: 3,
            failed: 0,
            missing: 0,
        };
        vec![
            WorkState::Pending,
            WorkState::Intended {
                attempt: attempt(1),
            },
            WorkState::Uploaded {
                attempt: attempt(1),
                input: RemoteId("in".into()),
            },
            WorkState::Submitted {
                attempt: attempt(1),
                job: job.clone(),
                state: JobState::Running,
                counts: JobCounts::default(),
            },
            WorkState::Collected {
                attempt: attempt(1),
                job: job.clone(),
                rows,
                retryable: 0,
            },
            WorkState::Done {
                job,
                rows,
                results: Digest::of(b"r"),
            },
            WorkState::Failed {
                job: None,
                reason: "x".into(),
                expired: false,
            },
        ]
    }

    fn events() -> Vec<WorkEvent> {
        let submission = attempt(1).submission;
        let rows = RowTally::default();
        let job = RemoteId("job".into());
        vec![
            WorkEvent::Intent {
                attempt: attempt(1),
            },
            WorkEvent::Uploaded {
                submission,
                input: RemoteId("in".into()),
            },
            WorkEvent::Accepted {
                submission,
                job: job.clone(),
                adopted: false,
            },
            WorkEvent::NotAccepted {
                submission,
                reason: String::new(),
            },
            WorkEvent::Observed {
                submission,
                state: JobState::Running,
                counts: JobCounts::default(),
            },
            WorkEvent::Collected {
                submission,
                rows,
                retryable: 0,
                usage: TokenUsage::default(),
                cost: None,
            },
            WorkEvent::Finished {
                rows,
                results: Digest::of(b"r"),
            },
            WorkEvent::GaveUp {
                reason: String::new(),
                expired: false,
            },
            WorkEvent::Reopened {
                job,
                attempt: attempt(1),
                reason: String::new(),
            },
            WorkEvent::Requeued {
                reason: String::new(),
            },
            WorkEvent::Restored(Box::default()),
        ]
    }

    #[test]
    fn every_fact_meets_every_state_with_one_answer() {
        // Rows are the states in the order of `states`, columns the facts in the order of `events`.
        let table = [
            "yes no no no no no no yes no no yes",   // pending
            "yes yes yes yes no no no yes no no no", // intended
            "yes yes yes yes no no no yes no no no", // uploaded
            "no no no no yes yes no yes no no no",   // submitted
            "yes no no no no no yes yes yes no no",  // collected
            "no no no no no no no no yes yes no",    // done
            "no no no no no no no yes yes yes no",   // failed
        ];
        for (state, row) in states().iter().zip(table) {
            for (event, answer) in events().iter().zip(row.split_whitespace()) {
                assert_eq!(
                    state.apply(event).is_ok(),
                    answer == "yes",
                    "{} + {}",
                    state.word(),
                    event.word()
                );
            }
        }
    }

    #[test]
    fn a_running_job_is_never_forgotten_by_a_new_intent() {
        let running = &states()[3];
        assert!(
            running
                .apply(&WorkEvent::Intent {
                    attempt: attempt(2)
                })
                .is_err()
        );
        let in_doubt = &states()[1];
        assert!(
            in_doubt
                .apply(&WorkEvent::Intent {
                    attempt: attempt(2)
                })
                .is_err(),
            "an attempt in doubt must be settled first"
        );
    }
}
