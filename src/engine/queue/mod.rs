//! The queue: submits waiting parts into free slots, looks at running jobs, collects ended ones. Submit and poll overlap.
//!
//! One loop owns all decisions and records; provider calls run as tasks that only return an `Outcome`. The protocol of
//! contract section 7 is visible in `attempt` (intent, durable), `calls` (one call each), `settle` and `arrive` (what an
//! outcome means) and `schedule` (which call is next, and when). No call that may cost money is ever repeated without
//! asking the provider first.

mod arrive;
mod attempt;
mod calls;
mod collect;
mod schedule;
mod settle;
#[cfg(test)]
mod tests;

pub(in crate::engine) use collect::{share, shared_folders, tidy};

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use self::calls::Outcome;
use self::schedule::Pauses;
use super::error::EngineError;
use super::recorder::{About, Recorder};
use super::stop::StopWatch;
use crate::config::Config;
use crate::domain::work::WorkEvent;
use crate::domain::{Condition, Event, LogLevel, PartKey, Phase, StopLevel};
use crate::plan::BuildManifest;
use crate::provider::{Capabilities, Provider};
use crate::snapshot::WorkView;
use crate::store::{Durability, PartPaths, RunPaths};

/// How long calls under way are waited for when everything must stop now.
const GRACE: Duration = Duration::from_secs(2);
/// How often threads that still write are looked at, at the end.
const WRITING_LOOK: Duration = Duration::from_millis(5);
/// How long they are waited for when an error ends the queue: their outcomes are worth more than the wait.
const LONG_GRACE: Duration = Duration::from_secs(10);

/// What the gate lets the queue do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// New submissions.
    pub submit: Allow,
    /// Downloads.
    pub collect: Allow,
    /// A new create for a submission that the provider cannot settle: the operator's decision (`--force`).
    pub doubtful: Allow,
    /// New submissions of this condition only, where one is named.
    pub condition: Option<Condition>,
}

impl Allowed {
    /// Whether a part belongs to what was asked for.
    pub fn wants(&self, part: PartKey) -> bool {
        self.condition.is_none_or(|only| only == part.condition)
    }
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl From<bool> for Allow {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// How the queue ended.
#[derive(Debug, Default)]
pub struct QueueEnd {
    /// The stop that ended it.
    pub stopped: Option<StopLevel>,
    /// Submissions that the provider cannot settle, as sentences.
    pub undecided: Vec<String>,
    /// Parts whose calls failed too often in this drive, as sentences.
    pub parked: Vec<String>,
}

/// What the queue works with.
#[derive(Debug)]
pub struct QueueParts<'a> {
    /// The single writer.
    pub recorder: &'a mut Recorder,
    /// The service.
    pub provider: Arc<dyn Provider>,
    /// The configuration.
    pub config: Arc<Config>,
    /// The run's files.
    pub paths: RunPaths,
    /// What was built.
    pub manifest: Arc<BuildManifest>,
    /// The stop.
    pub stop: StopWatch,
}

/// The queue of one drive.
#[derive(Debug)]
pub struct Queue<'a> {
    with: QueueParts<'a>,
    limits: Capabilities,
    allowed: Allowed,
    tasks: JoinSet<(usize, Outcome)>,
    /// Works that need a slot for their next attempt, in the order of the plan.
    pending: BTreeSet<usize>,
    /// Works that need no new slot: in doubt, at the provider, ended and not collected.
    live: BTreeSet<usize>,
    /// Works that get no further call in this drive.
    parked: BTreeSet<usize>,
    /// Works with a call under way.
    busy: Vec<bool>,
    /// Works that wait before their next call, and how often it failed.
    later: HashMap<usize, (Instant, u32)>,
    /// When each running job was looked at last.
    looked: HashMap<usize, Instant>,
    /// How often in a row a job was not known to the provider.
    vanished: HashMap<usize, u32>,
    /// Works whose next attempt was refused: they end with what came back.
    spent: HashSet<usize>,
    /// Works whose end is being recorded; their raw files are removed after that.
    finished: Vec<usize>,
    /// Part folders of works that several trials use, the owner's first.
    shared: HashMap<usize, Vec<PartPaths>>,
    pauses: Pauses,
    /// Threads that write into the run's folder.
    writing: Writing,
    end: QueueEnd,
    fatal: Option<EngineError>,
}

/// Shared by the queue and the threads that write for it: as long as one of them holds it, writing goes on.
#[derive(Debug, Clone, Default)]
struct Writing(Arc<()>);

impl Writing {
    fn is_going_on(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Facts to record together.
type Events = Vec<(Event, Durability)>;

impl<'a> Queue<'a> {
    /// Prepares the queue; nothing happens yet.
    pub fn new(with: QueueParts<'a>, allowed: Allowed) -> Self {
        let limits = with.provider.capabilities();
        let view = with.recorder.view();
        let (busy, shared) = (
            vec![false; view.works.len()],
            shared_folders(view, &with.paths),
        );
        let mut queue = Self {
            with,
            limits,
            allowed,
            tasks: JoinSet::new(),
            pending: BTreeSet::new(),
            live: BTreeSet::new(),
            parked: BTreeSet::new(),
            busy,
            later: HashMap::new(),
            looked: HashMap::new(),
            vanished: HashMap::new(),
            spent: HashSet::new(),
            finished: Vec::new(),
            shared,
            pauses: Pauses::default(),
            writing: Writing::default(),
            end: QueueEnd::default(),
            fatal: None,
        };
        for index in 0..queue.works().len() {
            queue.classify(index);
        }
        queue
    }

    /// Works until nothing is left to do or to wait for.
    pub async fn run(mut self) -> Result<QueueEnd, EngineError> {
        while self.fatal.is_none() && self.end.stopped != Some(StopLevel::Now) {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.fail(error),
            }
        }
        self.drain().await;
        match self.fatal {
            Some(error) => Err(error),
            None => Ok(self.end),
        }
    }

    /// One round: heed a stop, start what is due, take what has ended. `false` where nothing is left.
    async fn step(&mut self) -> Result<bool, EngineError> {
        self.heed_stop()?;
        if self.end.stopped == Some(StopLevel::Now) {
            return Ok(false);
        }
        self.begin_ready()?;
        let wake = self.next_wake();
        if self.tasks.is_empty() && wake.is_none() {
            return Ok(false);
        }
        let mut first = None;
        tokio::select! {
            Some(done) = self.tasks.join_next() => first = Some(done),
            () = sleep_until(wake) => {}
            () = self.with.stop.changed() => {}
        }
        // Outcomes that are ready together are recorded together: one sync for all of them.
        let mut ready = Vec::new();
        let mut next = first;
        while let Some(done) = next {
            match done {
                Ok(outcome) => ready.push(outcome),
                Err(died) => self.fail(EngineError::TaskDied(died.to_string())),
            }
            next = self.tasks.try_join_next();
        }
        self.settle(ready)?;
        self.with.recorder.face_if_due()?;
        Ok(true)
    }

    /// Takes outcomes, records what they mean, and only then does what may follow the record.
    fn settle(&mut self, outcomes: Vec<(usize, Outcome)>) -> Result<(), EngineError> {
        let (mut events, mut touched) = (Vec::new(), Vec::new());
        for (index, outcome) in outcomes {
            self.busy[index] = false;
            self.take(index, outcome, &mut events);
            touched.push(index);
        }
        self.record(events)?;
        for index in touched {
            self.classify(index);
        }
        for index in std::mem::take(&mut self.finished) {
            self.tidy(index);
        }
        Ok(())
    }

    fn record(&mut self, events: Events) -> Result<(), EngineError> {
        let durability = if events.iter().any(|(_, d)| *d == Durability::Fsync) {
            Durability::Fsync
        } else {
            Durability::Lazy
        };
        self.with.recorder.record(
            events.into_iter().map(|(event, _)| event).collect(),
            durability,
        )
    }

    /// Lets calls under way end and records them, so that nothing that was accepted is left in doubt without need.
    async fn drain(&mut self) {
        let grace = if self.fatal.is_some() {
            LONG_GRACE
        } else {
            GRACE
        };
        let deadline = Instant::now() + grace;
        while !self.tasks.is_empty() {
            let Ok(Some(done)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await
            else {
                break;
            };
            let outcome = match done {
                Ok(outcome) => self.settle(vec![outcome]),
                Err(died) => Err(EngineError::TaskDied(died.to_string())),
            };
            if let Err(error) = outcome {
                self.fail(error);
            }
        }
        // What is cut off here is in doubt on disk, and the provider is asked at resume.
        self.tasks.abort_all();
        // The lock must not be given back while a thread still writes into the run's folder.
        while self.writing.is_going_on() {
            tokio::time::sleep(WRITING_LOOK).await;
        }
    }

    /// Remembers the error that ends the queue; the first one counts.
    fn fail(&mut self, error: EngineError) {
        self.fatal.get_or_insert(error);
    }

    /// Takes notice of a stop, once for each level.
    fn heed_stop(&mut self) -> Result<(), EngineError> {
        let Some((level, source)) = self.with.stop.get() else {
            return Ok(());
        };
        if self.end.stopped.is_some_and(|known| known >= level) {
            return Ok(());
        }
        self.end.stopped = Some(level);
        self.with.recorder.record(
            vec![Event::StopRequested {
                level,
                source: source.to_owned(),
            }],
            Durability::Fsync,
        )?;
        let message = match level {
            StopLevel::Soft => format!(
                "stop asked for by {source}: no new submission; jobs that run are waited for and downloaded"
            ),
            StopLevel::Now => format!(
                "stop now asked for by {source}: jobs that run are left at the provider; resume adopts them"
            ),
        };
        self.with
            .recorder
            .say(LogLevel::Warn, About::phase(Phase::Poll), &message);
        Ok(())
    }

    fn works(&self) -> &[Arc<WorkView>] {
        &self.with.recorder.view().works
    }

    fn push(&self, index: usize, event: WorkEvent, durability: Durability, events: &mut Events) {
        let work = self.works()[index].key;
        events.push((Event::Work { work, event }, durability));
    }

    /// A line about a part. Submit speaks of intents and acceptance, poll of all that follows.
    fn say(&mut self, (level, phase): (LogLevel, Phase), index: usize, message: &str) {
        let work = Arc::clone(&self.works()[index]);
        let about = About {
            phase: Some(phase),
            trial: Some(&work.owner),
            part: Some(work.part.key),
        };
        self.with.recorder.say(level, about, message);
    }
}

/// Sleeps until an instant; for ever where there is none.
async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
