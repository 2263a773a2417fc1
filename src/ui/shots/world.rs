//! The fixed world of pictures and tests: a sweep of two models over three prompt sets, played by a small deterministic
//! script through the reducer, so that it can hold nothing that a real ledger could not.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::event::PlannedPart;
use crate::domain::ids::PromptSetName;
use crate::domain::work::{Attempt, RowTally, WorkEvent};
use crate::domain::{
    Condition, Digest, Event, ExitCode, Gate, JobCounts, JobState, LogLevel, LogLine, MaxNewTokens,
    PartKey, Phase, PhaseStatus, RemoteId, RunId, StopLevel, SubmissionKey, Temperature,
    TokenUsage, Trial, TrialSlug, Usd, WorkKey,
};
use crate::engine::Standing;
use crate::snapshot::RunView;

mod catalogue;
mod planned;

pub use catalogue::catalogue;
pub use planned::plan;

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// No runs at all.
    Nothing,
    /// A run that has just begun.
    Empty,
    /// Jobs run.
    Running,
    /// Stopped in the middle.
    Stopped,
    /// A later phase failed.
    Failed,
    /// All is done.
    Finished,
}

const MODELS: [&str; 2] = [
    "accounts/lab/models/gpt-oss-120b",
    "accounts/lab/models/qwen3-30b-a3b",
];
const SETS: [&str; 3] = ["operational_only", "structure", "random_len"];
const PARTS: u32 = 10;
const ROWS: u64 = 412;
const SLOTS: usize = 14;
const MINUTE: i64 = 60;

/// When the run was made.
fn began() -> Timestamp {
    // 2026-11-21T09:35:12Z
    Timestamp::UNIX_EPOCH
        .saturating_add(SignedDuration::from_secs(1_795_253_712))
        .unwrap_or_default()
}

fn after(from: Timestamp, seconds: i64) -> Timestamp {
    from.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(from)
}

/// The present time of a scene.
pub fn now(scene: Scene) -> Timestamp {
    let minutes = match scene {
        Scene::Nothing | Scene::Empty => 0,
        Scene::Running | Scene::Stopped => 184,
        Scene::Failed | Scene::Finished => 420,
    };
    after(began(), minutes * MINUTE + 75)
}

/// How the run of a scene stands.
pub fn standing(scene: Scene) -> Standing {
    match scene {
        Scene::Nothing | Scene::Empty | Scene::Running => Standing::Driving,
        Scene::Stopped => Standing::Stopped,
        Scene::Failed => Standing::Failed,
        Scene::Finished => Standing::Done,
    }
}

/// The run of all scenes.
pub fn run_id() -> RunId {
    #[expect(clippy::expect_used, reason = "the name is plain, as a test shows")]
    RunId::new("r20261121T093512Z").expect("a plain name")
}

/// A number from 0 to `below`, always the same for the same labels.
fn chance(labels: &[&str], below: u64) -> u64 {
    let bytes = Digest::of_parts(labels).bytes();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(first) % below.max(1)
}

struct Play {
    view: RunView,
    script: Vec<(Timestamp, Event)>,
    log: Vec<LogLine>,
    end: Timestamp,
}

struct Piece {
    key: WorkKey,
    trial: TrialSlug,
    part: PartKey,
}

/// The run of a scene.
pub fn run(scene: Scene) -> RunView {
    let run_id = run_id();
    let mut play = Play {
        view: RunView::new(run_id.clone()),
        script: Vec::new(),
        log: Vec::new(),
        end: now(scene),
    };
    play.say(
        began(),
        Event::RunCreated {
            run_id,
            config_path: "config/sweep.yaml".to_owned(),
            config_hash: Digest::of(b"sweep"),
            budget: Some(Usd::from_nanos(60_000_000_000)),
            migrated: false,
        },
    );
    play.say(
        began(),
        Event::DriverStarted {
            pid: 4242,
            host: "deck".to_owned(),
            gate: Gate::default(),
        },
    );
    play.phase(Phase::Prepare, 0, 41);
    if scene == Scene::Empty || scene == Scene::Nothing {
        play.script
            .retain(|(_, e)| !matches!(e, Event::PhaseEnded { .. }));
        return play.finish();
    }
    let pieces = play.plan();
    play.phase(Phase::Build, 41, 72);
    play.say(
        after(began(), 120),
        Event::PhaseStarted {
            phase: Phase::Submit,
        },
    );
    play.say(
        after(began(), 122),
        Event::PhaseStarted { phase: Phase::Poll },
    );
    play.jobs(&pieces);
    play.close(scene);
    play.finish()
}

impl Play {
    fn say(&mut self, at: Timestamp, event: Event) {
        if at <= self.end {
            self.script.push((at, event));
        }
    }

    fn tell(
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

    fn phase(&mut self, phase: Phase, from: i64, seconds: i64) {
        let ended = Event::PhaseEnded {
            phase,
            status: PhaseStatus::Completed,
            error: None,
        };
        self.say(after(began(), from), Event::PhaseStarted { phase });
        self.say(after(began(), from + seconds), ended);
    }

    /// Six trials; the control parts of a model are the same for its three prompt sets.
    fn plan(&mut self) -> Vec<Piece> {
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
    fn jobs(&mut self, pieces: &[Piece]) {
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

    fn submit(&mut self, piece: &Piece, from: Timestamp) -> (SubmissionKey, RemoteId) {
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

    fn job(&mut self, piece: &Piece, from: Timestamp, takes: i64) {
        if from > self.end {
            return;
        }
        let (submission, _) = self.submit(piece, from);
        let work = piece.key;
        let end = after(from, takes);
        let done = if end <= self.end {
            ROWS
        } else {
            let passed = u64::try_from(self.end.as_second() - from.as_second()).unwrap_or(0);
            ROWS * passed / u64::try_from(takes).unwrap_or(1)
        };
        let counts = JobCounts {
            succeeded: done,
            failed: 0,
        };
        let look = |state, counts| Event::Work {
            work,
            event: WorkEvent::Observed {
                submission,
                state,
                counts,
            },
        };
        let seen = after(from, 95).min(self.end);
        self.say(
            seen,
            look(
                JobState::Running,
                if end <= self.end {
                    JobCounts::default()
                } else {
                    counts
                },
            ),
        );
        self.say(end, look(JobState::Completed, counts));
        let bad = if chance(&[&work.to_string(), "bad"], 30) == 0 {
            3
        } else {
            0
        };
        let rows = RowTally {
            answered: ROWS - bad,
            failed: bad,
            missing: 0,
        };
        let tokens = 90_000 + chance(&[&work.to_string(), "tokens"], 60_000);
        let usage = TokenUsage {
            prompt_tokens: tokens,
            completion_tokens: tokens / 4,
            cached_tokens: 0,
        };
        let cost = Some(Usd::from_nanos(i64::try_from(tokens).unwrap_or(0) * 2_300));
        let event = WorkEvent::Collected {
            submission,
            rows,
            retryable: 0,
            usage,
            cost,
        };
        self.say(after(end, 2), Event::Work { work, event });
        let event = WorkEvent::Finished {
            rows,
            results: piece.key.0,
        };
        self.say(after(end, 2), Event::Work { work, event });
        let price = cost.map_or_else(String::new, |c| c.to_string());
        let text = format!("downloaded {} rows, {price}", rows.answered);
        self.tell(after(end, 2), (LogLevel::Info, Phase::Poll), piece, text);
        if bad > 0 {
            let text = format!("{bad} rows came back as errors after 3 attempts");
            self.tell(after(end, 2), (LogLevel::Warn, Phase::Poll), piece, text);
        }
    }

    fn job_fails(&mut self, piece: &Piece, from: Timestamp) {
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
    fn close(&mut self, scene: Scene) {
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
    fn finish(mut self) -> RunView {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_world_holds_only_facts_that_fit() {
        for scene in [
            Scene::Empty,
            Scene::Running,
            Scene::Stopped,
            Scene::Failed,
            Scene::Finished,
        ] {
            let view = run(scene);
            assert_eq!(view.oddities, 0, "{scene:?}");
        }
        let view = run(Scene::Running);
        assert_eq!((view.trials.len(), view.totals.all()), (6, 160));
    }
}
