//! What happens in the fixed world: facts and log lines, made in order of the pieces, played in order of time.

use std::sync::Arc;

use jiff::Timestamp;

use super::{MINUTE, MODELS, PARTS, ROWS, SETS, SLOTS, Scene, after, began, chance};
use crate::domain::event::PlannedPart;
use crate::domain::ids::PromptSetName;
use crate::domain::work::{Attempt, RowTally, WorkEvent};
use crate::domain::{
    Condition, Digest, Event, ExitCode, JobCounts, JobState, LogLevel, LogLine, MaxNewTokens,
    PartKey, Phase, PhaseStatus, RemoteId, StopLevel, SubmissionKey, Temperature, TokenUsage,
    Trial, TrialSlug, Usd, WorkKey,
};
use crate::snapshot::RunView;

pub(super) struct Play {
    pub(super) view: RunView,
    pub(super) script: Vec<(Timestamp, Event)>,
    pub(super) log: Vec<LogLine>,
    pub(super) end: Timestamp,
}

pub(super) struct Piece {
    key: WorkKey,
    trial: TrialSlug,
    part: PartKey,
}

impl Play {
    pub(super) fn say(&mut self, at: Timestamp, event: Event) {
        if at <= self.end {
            self.script.push((at, event));
        }
    }

    pub(super) fn tell(
        &mut self,
        at: Timestamp,
        (level, phase): (LogLevel, Phase),
        piece: &Piece,
        message: String,
    ) {
        if at <= self.end {
            self.log.push(LogLine {
                at,
                level,
                phase: Some(phase),
                trial: Some(piece.trial.clone()),
                part: Some(piece.part),
                message,
            });
        }
    }

    pub(super) fn phase(&mut self, phase: Phase, from: i64, seconds: i64) {
        let ended = Event::PhaseEnded {
            phase,
            status: PhaseStatus::Completed,
            error: None,
        };
        self.say(after(began(), from), Event::PhaseStarted { phase });
        self.say(after(began(), from + seconds), ended);
    }

    /// Six trials; the control parts of a model are the same for its three prompt sets.
    pub(super) fn plan(&mut self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for model in MODELS {
            for set in SETS {
                let Some(trial) = trial(model, set) else {
                    continue;
                };
                let slug = trial.slug.clone();
                let mut parts = Vec::new();
                for temp in &trial.temps {
                    for condition in [Condition::Control, Condition::Treatment] {
                        for number in 1..=PARTS {
                            let key = PartKey {
                                temp: *temp,
                                condition,
                                number,
                            };
                            let set = if condition == Condition::Control {
                                ""
                            } else {
                                set
                            };
                            let digest = Digest::of_parts(&[model, set, &key.to_string()]);
                            parts.push(PlannedPart {
                                key,
                                work: WorkKey(digest),
                                input: format!("{key}.jsonl"),
                                rows: ROWS,
                                bytes: 900_000,
                                sha256: digest,
                            });
                            if !pieces.iter().any(|p| p.key == WorkKey(digest)) {
                                pieces.push(Piece {
                                    key: WorkKey(digest),
                                    trial: slug.clone(),
                                    part: key,
                                });
                            }
                        }
                    }
                }
                self.say(after(began(), 100), Event::TrialPlanned { trial });
                let planned = Event::PartsPlanned {
                    trial: slug,
                    first: true,
                    parts,
                };
                self.say(after(began(), 101), planned);
            }
        }
        pieces
    }

    /// Fills the slots again and again; a job takes 14 to 34 minutes.
    pub(super) fn jobs(&mut self, pieces: &[Piece]) {
        let mut slots = vec![after(began(), 125); SLOTS];
        for (index, piece) in pieces.iter().enumerate() {
            let Some(slot) = slots.iter_mut().min() else {
                return;
            };
            let name = piece.key.to_string();
            let from = after(
                *slot,
                4 + i64::try_from(chance(&[&name, "gap"], 40)).unwrap_or(0),
            );
            let takes =
                14 * MINUTE + i64::try_from(chance(&[&name, "takes"], 20 * 60)).unwrap_or(0);
            *slot = after(from, takes);
            match index {
                17 | 58 => self.job_fails(piece, from),
                _ => self.job(piece, from, takes),
            }
        }
    }

    pub(super) fn submit(&mut self, piece: &Piece, from: Timestamp) -> (SubmissionKey, RemoteId) {
        let bytes = piece.key.0;
        let submission = SubmissionKey::derive(piece.key, 1, bytes);
        let attempt = Attempt {
            number: 1,
            submission,
            rows: ROWS,
            bytes,
        };
        let job = RemoteId(submission.remote_name()[..16].to_owned());
        let work = piece.key;
        self.say(
            from,
            Event::Work {
                work,
                event: WorkEvent::Intent { attempt },
            },
        );
        let event = WorkEvent::Accepted {
            submission,
            job: job.clone(),
            adopted: false,
        };
        self.say(after(from, 3), Event::Work { work, event });
        self.tell(
            after(from, 3),
            (LogLevel::Info, Phase::Submit),
            piece,
            format!("accepted as job {job}"),
        );
        (submission, job)
    }

    pub(super) fn job(&mut self, piece: &Piece, from: Timestamp, takes: i64) {
        if from > self.end {
            return;
        }
        let (submission, _) = self.submit(piece, from);
        let work = piece.key;
        let end = after(from, takes);
        let passed = u64::try_from(self.end.as_second() - from.as_second()).unwrap_or(0);
        let counts = JobCounts {
            succeeded: (ROWS * passed / u64::try_from(takes).unwrap_or(1)).min(ROWS),
            failed: 0,
        };
        let look = |state| Event::Work {
            work,
            event: WorkEvent::Observed {
                submission,
                state,
                counts,
            },
        };
        self.say(after(from, 95).min(self.end), look(JobState::Running));
        self.say(end, look(JobState::Completed));
        self.collect(piece, after(end, 2), submission);
    }

    fn collect(&mut self, piece: &Piece, at: Timestamp, submission: SubmissionKey) {
        let (work, name) = (piece.key, piece.key.to_string());
        let bad = if chance(&[&name, "bad"], 30) == 0 {
            3
        } else {
            0
        };
        let rows = RowTally {
            answered: ROWS - bad,
            failed: bad,
            missing: 0,
        };
        let tokens = 90_000 + chance(&[&name, "tokens"], 60_000);
        let usage = TokenUsage {
            prompt_tokens: tokens,
            completion_tokens: tokens / 4,
            cached_tokens: 0,
        };
        let price = Usd::from_nanos(i64::try_from(tokens).unwrap_or(0) * 2_300);
        let collected = WorkEvent::Collected {
            submission,
            rows,
            retryable: 0,
            usage,
            cost: Some(price),
        };
        let finished = WorkEvent::Finished {
            rows,
            results: work.0,
        };
        for event in [collected, finished] {
            self.say(at, Event::Work { work, event });
        }
        let text = format!("downloaded {} rows, {price}", rows.answered);
        self.tell(at, (LogLevel::Info, Phase::Poll), piece, text);
        if bad > 0 {
            let text = format!("{bad} rows came back as errors after 3 attempts");
            self.tell(at, (LogLevel::Warn, Phase::Poll), piece, text);
        }
    }

    pub(super) fn job_fails(&mut self, piece: &Piece, from: Timestamp) {
        self.submit(piece, from);
        let reason = "job failed: input row 211 is over the context length".to_owned();
        let at = after(from, 6 * MINUTE);
        self.tell(at, (LogLevel::Error, Phase::Poll), piece, reason.clone());
        let event = WorkEvent::GaveUp {
            reason,
            expired: false,
        };
        self.say(
            at,
            Event::Work {
                work: piece.key,
                event,
            },
        );
    }

    /// How the scene ends.
    pub(super) fn close(&mut self, scene: Scene) {
        let end = self.end;
        let ended = |phase, status, error: Option<&str>| Event::PhaseEnded {
            phase,
            status,
            error: error.map(str::to_owned),
        };
        match scene {
            Scene::Nothing | Scene::Empty | Scene::Running => {}
            Scene::Stopped => {
                let stop = Event::StopRequested {
                    level: StopLevel::Now,
                    source: "key".to_owned(),
                };
                self.say(end, stop);
                self.say(end, ended(Phase::Submit, PhaseStatus::Stopped, None));
                self.say(end, ended(Phase::Poll, PhaseStatus::Stopped, None));
                self.say(
                    end,
                    Event::DriverEnded {
                        exit: ExitCode::Stopped,
                    },
                );
            }
            Scene::Failed | Scene::Finished => {
                let mut at = after(end, -160);
                self.say(at, ended(Phase::Submit, PhaseStatus::Completed, None));
                self.say(at, ended(Phase::Poll, PhaseStatus::Completed, None));
                for phase in [
                    Phase::Parse,
                    Phase::Score,
                    Phase::Stats,
                    Phase::Costs,
                    Phase::Report,
                ] {
                    self.say(at, Event::PhaseStarted { phase });
                    at = after(at, 21);
                    if scene == Scene::Failed && phase == Phase::Score {
                        let error = Some("gold answers are missing for 3 items of nq_open");
                        self.say(at, ended(phase, PhaseStatus::Failed, error));
                        self.say(
                            at,
                            Event::DriverEnded {
                                exit: ExitCode::Failed,
                            },
                        );
                        return;
                    }
                    self.say(at, ended(phase, PhaseStatus::Completed, None));
                }
                self.say(
                    at,
                    Event::DriverEnded {
                        exit: ExitCode::Done,
                    },
                );
            }
        }
    }

    /// Plays the script in order of time through the reducer.
    pub(super) fn finish(mut self) -> RunView {
        self.script.sort_by_key(|(at, _)| *at);
        for (seq, (at, event)) in (1..).zip(std::mem::take(&mut self.script)) {
            let recorded = crate::domain::Recorded { seq, at, event };
            // A fact that does not fit is counted in `oddities`, which a test wants to be 0.
            drop(self.view.apply(&recorded));
        }
        self.log.sort_by_key(|line| line.at);
        for line in self.log {
            self.view.push_log(Arc::new(line));
        }
        self.view
    }
}

fn trial(model: &str, set: &str) -> Option<Trial> {
    let prompt_set = PromptSetName::new(set).ok()?;
    let max_new_tokens = MaxNewTokens {
        closed_book: 1024,
        open_book: 1024,
    };
    let slug = Trial::slug_of(model, &prompt_set, 1.0, Some(50), max_new_tokens).ok()?;
    Some(Trial {
        slug,
        model: model.to_owned(),
        prompt_set,
        temps: vec![Temperature::new(0.0)?, Temperature::new(0.7)?],
        samples: vec![1, 1],
        top_p: 1.0,
        top_k: Some(50),
        max_new_tokens,
        stop: Vec::new(),
    })
}
