//! A scripted service: accepts jobs under their keys, answers rows, and fails, loses or holds back answers as told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::domain::{JobCounts, JobState, RemoteId};
use crate::provider::rows::custom_id;
use crate::provider::{
    Capabilities, FetchTarget, Fetched, Found, JobLook, Provider, ProviderError, ProviderErrorKind,
    Submission,
};

/// A call of the trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Upload,
    Create,
    Find,
    Poll,
    Fetch,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It has no effect and this error.
    Fails(ProviderErrorKind),
    /// It has its effect and an uncertain error.
    AnswerLost,
    /// `find` cannot tell.
    CannotTell,
    /// It has its effect and never returns.
    Hangs,
    /// The job is not known to the service.
    Unknown,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowEnd {
    Missing,
    /// An error that another attempt may cure.
    Busy,
    /// An error that stays.
    Refused,
}

#[derive(Debug)]
struct Job {
    /// Rows, and how often each had been sent by then.
    ids: Vec<(String, u32)>,
    looks: u32,
    end: JobState,
    number: usize,
}

impl Job {
    fn state(&self) -> JobState {
        match self.looks {
            0 => JobState::Queued,
            1 => JobState::Running,
            _ => self.end.clone(),
        }
    }
}

/// What the service has and what it will do.
#[derive(Debug, Default)]
pub(super) struct World {
    jobs: BTreeMap<String, Job>,
    /// Keys of accepted creates, in order.
    pub(super) accepted: Vec<String>,
    /// Calls so far.
    pub(super) calls: Vec<Call>,
    /// Faults: of which call, from the how-manieth (0 is the first), how many times.
    pub(super) faults: Vec<(Call, usize, usize, Fault)>,
    /// How the n-th accepted job ends, where not completed.
    pub(super) ends: BTreeMap<usize, JobState>,
    /// Rows whose id contains the text come back like this, as many times.
    pub(super) rows: Vec<(&'static str, RowEnd, u32)>,
    /// Lines added to the results of the first job.
    pub(super) extra: Vec<String>,
    /// Most jobs that were at work at once.
    pub(super) most_at_once: usize,
    /// Rows sent, by id.
    pub(super) sent: BTreeMap<String, u32>,
    /// The process dies with the n-th call: its effect happens, its outcome is never seen.
    pub(super) dies_at: Option<usize>,
}

/// The service.
#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) died: Arc<Notify>,
}

enum Turn {
    Normal,
    Fault(Fault),
    Die,
}

impl Service {
    pub(super) fn count(&self, call: Call) -> usize {
        let world = self.world.lock().expect("sound");
        world.calls.iter().filter(|c| **c == call).count()
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.lock().expect("sound"))
    }

    fn turn(&self, call: Call) -> Turn {
        self.with(|world| {
            let nth = world.calls.iter().filter(|c| **c == call).count();
            world.calls.push(call);
            if world.dies_at == Some(world.calls.len()) {
                return Turn::Die;
            }
            let fault = world
                .faults
                .iter()
                .find(|(of, from, times, _)| *of == call && (*from..from + times).contains(&nth));
            fault.map_or(Turn::Normal, |(.., fault)| Turn::Fault(*fault))
        })
    }

    /// Gives what a call with this effect gives, after whatever was scripted.
    async fn answer<T>(
        &self,
        call: Call,
        effect: impl FnOnce() -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        tokio::task::yield_now().await;
        match self.turn(call) {
            Turn::Normal | Turn::Fault(Fault::CannotTell | Fault::Unknown) => effect(),
            Turn::Fault(Fault::AnswerLost) => {
                effect()?;
                Err(error(ProviderErrorKind::Uncertain))
            }
            Turn::Fault(Fault::Hangs) => {
                effect()?;
                std::future::pending().await
            }
            Turn::Fault(Fault::Fails(kind)) => Err(error(kind)),
            Turn::Die => {
                effect().ok();
                self.died.notify_one();
                std::future::pending().await
            }
        }
    }

    fn accept(&self, submission: &Submission) -> Result<JobLook, ProviderError> {
        let Ok(text) = std::fs::read(&submission.input) else {
            return Err(error(ProviderErrorKind::Local));
        };
        let ids: Vec<String> = text
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| custom_id(line).expect("built").into_owned())
            .collect();
        assert_eq!(ids.len() as u64, submission.rows, "rows as announced");
        self.with(|world| {
            let name = submission.key.remote_name();
            world.accepted.push(name.clone());
            let mut counted = Vec::new();
            for id in ids {
                let times = world.sent.entry(id.clone()).or_default();
                *times += 1;
                counted.push((id, *times));
            }
            let number = world.accepted.len() - 1;
            let end = world.ends.get(&number).cloned();
            let job = Job {
                ids: counted,
                looks: 0,
                end: end.unwrap_or(JobState::Completed),
                number,
            };
            let look = look(&name, &job);
            assert!(
                world.jobs.insert(name, job).is_none(),
                "a second job under one key"
            );
            let at_work = world.jobs.values().filter(|j| !j.state().is_terminal());
            world.most_at_once = world.most_at_once.max(at_work.count());
            Ok(look)
        })
    }
}

fn look(name: &str, job: &Job) -> JobLook {
    JobLook {
        job: RemoteId(name.to_owned()),
        state: job.state(),
        counts: JobCounts::default(),
        message: String::new(),
        output: Some(RemoteId(format!("{name}-out"))),
    }
}

fn error(kind: ProviderErrorKind) -> ProviderError {
    ProviderError::new(kind, "scripted", format!("{kind:?}"))
}

fn answer_line(id: &str) -> String {
    format!(
        r#"{{"custom_id":"{id}","response":{{"id":"c","choices":[{{"message":{{"role":"assistant","content":"a\u2028{id}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}}}}}"#
    )
}

fn error_line(id: &str, status: u16) -> String {
    format!(
        r#"{{"custom_id":"{id}","response":{{"status_code":{status},"body":{{"error":{{"message":"no"}}}}}},"error":{{"message":"no"}}}}"#
    )
}

/// The files of a job.
fn files(world: &World, job: &Job) -> (Vec<String>, Vec<String>) {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    if matches!(job.end, JobState::Failed | JobState::Vanished) {
        return (results, errors);
    }
    // An expired job got half way; files come in no order.
    let whole = if job.end == JobState::Completed {
        job.ids.len()
    } else {
        job.ids.len() / 2
    };
    for (id, sent) in job.ids[..whole].iter().rev() {
        let odd = world
            .rows
            .iter()
            .find(|(part, _, times)| id.contains(part) && sent <= times);
        match odd.map(|(_, end, _)| *end) {
            None => results.push(answer_line(id)),
            Some(RowEnd::Missing) => {}
            Some(RowEnd::Busy) => errors.push(error_line(id, 503)),
            Some(RowEnd::Refused) => errors.push(error_line(id, 400)),
        }
    }
    if job.number == 0 {
        results.extend(world.extra.iter().cloned());
    }
    (results, errors)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a service writes its download in place, as a client of it would"
)]
fn put(path: &std::path::Path, lines: &[String]) -> u64 {
    if lines.is_empty() {
        std::fs::remove_file(path).ok();
        return 0;
    }
    let text = lines.join("\n") + "\n";
    std::fs::write(path, &text).expect("written");
    text.len() as u64
}

#[async_trait]
impl Provider for Service {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "scripted".into(),
            max_requests: 1000,
            max_bytes: 1 << 20,
            find_is_exact: true,
            min_poll_ms: 1,
        }
    }

    async fn upload(&self, submission: &Submission) -> Result<RemoteId, ProviderError> {
        let name = format!("{}-in", submission.key.remote_name());
        self.answer(Call::Upload, || Ok(RemoteId(name))).await
    }

    async fn create(
        &self,
        submission: &Submission,
        _: &RemoteId,
    ) -> Result<JobLook, ProviderError> {
        self.answer(Call::Create, || self.accept(submission)).await
    }

    async fn find(
        &self,
        submission: &Submission,
        _: Option<&RemoteId>,
    ) -> Result<Found, ProviderError> {
        let doubt = self.with(|w| {
            let nth = w.calls.iter().filter(|c| **c == Call::Find).count();
            w.faults.iter().any(|(of, from, times, fault)| {
                *of == Call::Find
                    && *fault == Fault::CannotTell
                    && (*from..from + times).contains(&nth)
            })
        });
        let name = submission.key.remote_name();
        self.answer(Call::Find, || {
            if doubt {
                return Ok(Found::CannotTell("eventual".into()));
            }
            Ok(self.with(|w| {
                w.jobs
                    .get(&name)
                    .map_or(Found::Nothing, |job| Found::Job(look(&name, job)))
            }))
        })
        .await
    }

    async fn poll(&self, job: &RemoteId) -> Result<JobLook, ProviderError> {
        let gone = self.with(|w| {
            let nth = w.calls.iter().filter(|c| **c == Call::Poll).count();
            w.faults.iter().any(|(of, from, times, fault)| {
                *of == Call::Poll
                    && *fault == Fault::Unknown
                    && (*from..from + times).contains(&nth)
            })
        });
        self.answer(Call::Poll, || {
            self.with(|world| {
                let known = world.jobs.get_mut(&job.0).expect("our job");
                known.looks += 1;
                let mut look = look(&job.0, known);
                if gone {
                    look.state = JobState::Vanished;
                }
                Ok(look)
            })
        })
        .await
    }

    async fn fetch(
        &self,
        job: &RemoteId,
        target: FetchTarget<'_>,
    ) -> Result<Fetched, ProviderError> {
        self.answer(Call::Fetch, || {
            self.with(|world| {
                let (results, errors) = files(world, &world.jobs[&job.0]);
                let error_bytes = put(target.errors, &errors);
                let result_bytes = put(target.results, &results);
                Ok(Fetched {
                    result_bytes,
                    error_bytes,
                })
            })
        })
        .await
    }

    async fn cancel(&self, _: &RemoteId) -> Result<(), ProviderError> {
        Ok(())
    }
}
