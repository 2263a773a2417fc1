//! The queue: submits waiting parts into free slots, looks at running jobs, collects ended ones. Submit and poll overlap.
//!
//! One loop owns all decisions and records; provider calls run as tasks that only return an [`Outcome`]. The protocol of
//! contract section 7 is visible in [`Queue::begin`] (intent, durable), `calls` (one call each) and [`Queue::take`] (record).
//! No call that may cost money is ever repeated without asking the provider first.

mod calls;
mod collect;
mod take;

pub(in crate::engine) use collect::share;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use self::calls::Outcome;
use super::error::EngineError;
use super::recorder::{About, Recorder};
use super::stop::StopWatch;
use crate::config::Config;
use crate::domain::work::{Attempt, WorkEvent};
use crate::domain::{
    Condition, Event, LogLevel, PartKey, Phase, StopLevel, SubmissionKey, TrialSlug, WorkKey,
    WorkState,
};
use crate::plan::{BuildManifest, parts::job_params};
use crate::provider::{Capabilities, Provider, Submission};
use crate::snapshot::WorkView;
use crate::store::{Durability, PartPaths, RunPaths, StoreError};

/// Pauses in a row, each after a failed call and longer than the one before, after which the phase gives up (resumably).
const MAX_PAUSES_IN_A_ROW: u32 = 10;
/// The longest wait between two tries of a failed call.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// How long calls under way are waited for when everything must stop now.
const GRACE: Duration = Duration::from_secs(2);

/// What the gate lets the queue do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// New submissions.
    pub submit: Allow,
    /// Downloads.
    pub collect: Allow,
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
    /// Works with a call under way.
    busy: Vec<bool>,
    /// Works that wait before their next call, and how often they failed.
    later: HashMap<usize, (Instant, u32)>,
    /// When each running job was looked at last.
    looked: HashMap<usize, Instant>,
    /// No new call before this instant: the provider failed, and hammering it helps nobody.
    paused_until: Option<Instant>,
    pauses: u32,
    end: QueueEnd,
    fatal: Option<EngineError>,
}

impl<'a> Queue<'a> {
    /// Prepares the queue; nothing happens yet.
    pub fn new(with: QueueParts<'a>, allowed: Allowed) -> Self {
        let limits = with.provider.capabilities();
        let busy = vec![false; with.recorder.view().works.len()];
        let mut queue = Self {
            with,
            limits,
            allowed,
            tasks: JoinSet::new(),
            pending: BTreeSet::new(),
            live: BTreeSet::new(),
            busy,
            later: HashMap::new(),
            looked: HashMap::new(),
            paused_until: None,
            pauses: 0,
            end: QueueEnd::default(),
            fatal: None,
        };
        for index in 0..queue.works().len() {
            queue.classify(index);
        }
        queue
    }

    /// Puts a work into the set that its state belongs to. Called whenever the state may have changed, so that no step of
    /// the loop has to look at all parts.
    fn classify(&mut self, index: usize) {
        self.pending.remove(&index);
        self.live.remove(&index);
        let work = &self.works()[index];
        if work.used_by == 0 {
            return;
        }
        match &work.state {
            WorkState::Done { .. } | WorkState::Failed { .. } => {}
            WorkState::Pending => {
                self.pending.insert(index);
            }
            WorkState::Collected { retryable, .. }
                if *retryable > 0 && self.attempts_left(work) =>
            {
                self.pending.insert(index);
            }
            WorkState::Intended { .. }
            | WorkState::Uploaded { .. }
            | WorkState::Submitted { .. }
            | WorkState::Collected { .. } => {
                self.live.insert(index);
            }
        }
    }

    /// Works until nothing is left to do or to wait for.
    pub async fn run(mut self) -> Result<QueueEnd, EngineError> {
        loop {
            self.heed_stop()?;
            if self.fatal.is_some() || self.end.stopped == Some(StopLevel::Now) {
                break;
            }
            self.begin_ready()?;
            if self.tasks.is_empty() && self.next_wake().is_none() {
                break;
            }
            self.wait().await?;
        }
        self.drain().await?;
        match self.fatal {
            Some(error) => Err(error),
            None => Ok(self.end),
        }
    }

    /// Waits for the next outcome, the next due look or a stop; takes all outcomes that are ready.
    async fn wait(&mut self) -> Result<(), EngineError> {
        let wake = self
            .next_wake()
            .unwrap_or_else(|| Instant::now() + MAX_BACKOFF);
        let mut first = None;
        tokio::select! {
            Some(done) = self.tasks.join_next() => first = Some(done),
            () = tokio::time::sleep_until(wake) => {}
            () = self.with.stop.changed() => {}
        }
        // Outcomes that are ready together are recorded together: one sync for all of them.
        let (mut events, mut touched) = (Vec::new(), Vec::new());
        let mut next = first;
        while let Some(done) = next {
            let (index, outcome) =
                done.map_err(|error| EngineError::TaskDied(error.to_string()))?;
            self.busy[index] = false;
            self.take(index, outcome, &mut events);
            touched.push(index);
            next = self.tasks.try_join_next();
        }
        self.record(events)?;
        for index in touched {
            self.classify(index);
        }
        self.with.recorder.face_if_due()
    }

    fn record(&mut self, events: Vec<(Event, Durability)>) -> Result<(), EngineError> {
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
    async fn drain(&mut self) -> Result<(), EngineError> {
        let deadline = Instant::now()
            + if self.fatal.is_some() {
                GRACE * 5
            } else {
                GRACE
            };
        while !self.tasks.is_empty() {
            let Ok(Some(done)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await
            else {
                break;
            };
            if let Ok((index, outcome)) = done {
                let mut events = Vec::new();
                self.busy[index] = false;
                self.take(index, outcome, &mut events);
                self.record(events)?;
            }
        }
        self.tasks.abort_all();
        Ok(())
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

    fn may_submit(&self) -> bool {
        self.allowed.submit == Allow::Yes && self.end.stopped.is_none() && self.fatal.is_none()
    }

    fn attempts_left(&self, work: &WorkView) -> bool {
        work.attempts_ended <= self.with.config.execution.max_item_retries
    }

    fn poll_every(&self) -> Duration {
        Duration::from_millis(
            self.with
                .config
                .execution
                .poll_ms
                .max(self.limits.min_poll_ms)
                .max(1),
        )
    }

    /// When something falls due that no outcome announces.
    fn next_wake(&self) -> Option<Instant> {
        let looks = self
            .live
            .iter()
            .filter(|i| !self.busy[**i] && self.is_running(&self.works()[**i]))
            .map(|i| self.due(*i));
        let retries = self
            .later
            .iter()
            .filter(|(i, _)| !self.busy[**i] && self.wants_call(**i))
            .map(|(_, (at, _))| *at);
        let after_pause = self
            .paused_until
            .filter(|until| *until > Instant::now())
            .filter(|_| self.has_more());
        let due = looks.chain(retries).chain(after_pause).min();
        due.map(|at| self.paused_until.map_or(at, |until| at.max(until)))
    }

    /// Whether any work still wants a call.
    fn has_more(&self) -> bool {
        self.live
            .iter()
            .chain(&self.pending)
            .any(|i| !self.busy[*i] && self.wants_call(*i))
    }

    fn is_running(&self, work: &WorkView) -> bool {
        matches!(&work.state, WorkState::Submitted { state, .. } if !state.is_terminal())
    }

    fn due(&self, index: usize) -> Instant {
        let look = self
            .looked
            .get(&index)
            .map_or_else(Instant::now, |at| *at + self.poll_every());
        self.later.get(&index).map_or(look, |(at, _)| look.max(*at))
    }

    fn is_waiting(&self, index: usize) -> bool {
        self.later
            .get(&index)
            .is_some_and(|(at, _)| *at > Instant::now())
    }

    /// Whether a work still has a call to come under the present gate and stop.
    fn wants_call(&self, index: usize) -> bool {
        let work = &self.works()[index];
        if work.used_by == 0 {
            return false;
        }
        match &work.state {
            WorkState::Pending => self.may_submit() && self.allowed.wants(work.part.key),
            WorkState::Intended { .. } | WorkState::Uploaded { .. } => true,
            WorkState::Submitted { state, .. } => {
                !state.is_terminal() || self.allowed.collect == Allow::Yes
            }
            WorkState::Collected { retryable, .. } => {
                let again = *retryable > 0 && self.attempts_left(work);
                if again {
                    self.may_submit()
                } else {
                    self.allowed.collect == Allow::Yes
                }
            }
            WorkState::Done { .. } | WorkState::Failed { .. } => false,
        }
    }

    /// Starts every call that is due.
    fn begin_ready(&mut self) -> Result<(), EngineError> {
        if self.is_paused() {
            return Ok(());
        }
        for index in self.live.iter().copied().collect::<Vec<_>>() {
            if !self.busy[index] && !self.is_waiting(index) && self.wants_call(index) {
                self.go_on(index);
            }
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
                self.spawn_find(index, &work, *attempt, Some(input.clone()))
            }
            WorkState::Submitted { state, .. } if state.is_terminal() => {
                self.spawn_collect(index, &work)
            }
            WorkState::Submitted { job, .. } => {
                if self.due(index) <= Instant::now() {
                    self.looked.insert(index, Instant::now());
                    self.spawn_poll(index, job.clone());
                }
            }
            WorkState::Collected { .. } => self.spawn_collect(index, &work),
            WorkState::Pending | WorkState::Done { .. } | WorkState::Failed { .. } => {}
        }
    }

    /// The waiting works that fit into the free slots, in the order of the plan.
    fn choose(&self) -> Vec<usize> {
        if !self.may_submit() {
            return Vec::new();
        }
        let taken = self
            .live
            .iter()
            .filter(|i| occupies_slot(&self.works()[**i].state))
            .count();
        let slots = self.with.config.execution.max_concurrent_jobs.max(1) as usize;
        let free = slots.saturating_sub(taken);
        let ready = self
            .pending
            .iter()
            .copied()
            .filter(|i| !self.busy[*i] && !self.is_waiting(*i) && self.wants_call(*i));
        ready.take(free).collect()
    }

    /// Announces attempts (durably, in one write) and starts their uploads.
    fn begin(&mut self, chosen: &[usize]) -> Result<(), EngineError> {
        if chosen.is_empty() {
            return Ok(());
        }
        if !self.with.recorder.holds_lock() {
            return Err(EngineError::Incomplete {
                message:
                    "the lock of the run was lost (was .state.lock deleted?); nothing was submitted"
                        .into(),
            });
        }
        let mut events = Vec::new();
        let mut uploads = Vec::new();
        for &index in chosen {
            let work = Arc::clone(&self.works()[index]);
            let attempt = self.make_attempt(&work)?;
            events.push(Event::Work {
                work: work.key,
                event: WorkEvent::Intent { attempt },
            });
            uploads.push((index, work, attempt));
        }
        self.with.recorder.record(events, Durability::Fsync)?;
        for (index, work, attempt) in uploads {
            self.classify(index);
            self.spawn_upload(index, &work, attempt);
        }
        Ok(())
    }

    /// The next attempt at a work: all rows the first time, afterwards the rows worth another try.
    fn make_attempt(&self, work: &WorkView) -> Result<Attempt, EngineError> {
        let number = work.attempts_ended + 1;
        let (bytes, rows) = if number == 1 {
            (work.part.sha256, work.part.rows)
        } else {
            let (sha256, rows, _) =
                collect::retry_input(&self.owner_paths(work), &self.input_path(work)?, number)?;
            (sha256, rows)
        };
        Ok(Attempt {
            number,
            submission: SubmissionKey::derive(work.key, number, bytes),
            rows,
            bytes,
        })
    }

    /// The built input of a work. Its name was checked when the build's manifest was read.
    fn input_path(&self, work: &WorkView) -> Result<std::path::PathBuf, StoreError> {
        self.with.paths.batch_input(&work.part.input)
    }

    fn owner_paths(&self, work: &WorkView) -> PartPaths {
        self.with.paths.trial(&work.owner).part(work.part.key)
    }

    /// The part folders of all trials that use the work, the owner's first.
    fn all_paths(&self, index: usize, work: &WorkView) -> Vec<PartPaths> {
        let mut paths = vec![self.owner_paths(work)];
        if work.used_by > 1 {
            for trial in &self.with.recorder.view().trials {
                for part in trial.parts.iter().filter(|p| p.work == index) {
                    let other = self.with.paths.trial(&trial.trial.slug).part(part.key);
                    if other.dir() != paths[0].dir() {
                        paths.push(other);
                    }
                }
            }
        }
        paths
    }

    fn submission(&self, work: &WorkView, attempt: Attempt) -> Option<Submission> {
        let trial = self.with.recorder.view().trial(&work.owner)?;
        let shard_type = self
            .with
            .manifest
            .shards
            .get(&work.part.input)
            .and_then(|s| s.item_type);
        let input = if attempt.number == 1 {
            self.input_path(work).ok()?
        } else {
            self.owner_paths(work).attempt_input(attempt.number)
        };
        let bytes = if attempt.number == 1 {
            work.part.bytes
        } else {
            std::fs::metadata(&input).map_or(0, |m| m.len())
        };
        Some(Submission {
            key: attempt.submission,
            input,
            rows: attempt.rows,
            bytes,
            params: job_params(&trial.trial, shard_type, work.part.key.temp),
            label: format!(
                "{} {} {} attempt {}",
                self.with.recorder.view().run_id,
                work.owner,
                work.part.key,
                attempt.number
            ),
        })
    }

    fn say(&mut self, level: LogLevel, index: usize, message: &str) {
        let work = Arc::clone(&self.works()[index]);
        let phase = if matches!(
            work.state,
            WorkState::Submitted { .. } | WorkState::Collected { .. } | WorkState::Done { .. }
        ) {
            Phase::Poll
        } else {
            Phase::Submit
        };
        let owner: TrialSlug = work.owner.clone();
        let about = About {
            phase: Some(phase),
            trial: Some(&owner),
            part: Some(work.part.key),
        };
        self.with.recorder.say(level, about, message);
    }

    fn key(&self, index: usize) -> WorkKey {
        self.works()[index].key
    }

    /// Makes a work wait before its next call; the wait doubles with each failure.
    fn back_off(&mut self, index: usize, at_least: Option<Duration>) {
        let failures = self.later.get(&index).map_or(0, |(_, n)| *n) + 1;
        let wait = self.wait_after(failures).max(at_least.unwrap_or_default());
        self.later.insert(index, (Instant::now() + wait, failures));
    }

    fn wait_after(&self, failures: u32) -> Duration {
        let first = self.poll_every().max(Duration::from_millis(200));
        (first * 2_u32.pow(failures.clamp(1, 10) - 1)).min(MAX_BACKOFF)
    }

    fn is_paused(&self) -> bool {
        self.paused_until
            .is_some_and(|until| until > Instant::now())
    }

    /// Pauses all new calls after a failed one. Calls that fail while the pause lasts were under way and do not count again.
    fn pause(&mut self, message: &str) {
        if self.is_paused() {
            return;
        }
        self.pauses += 1;
        self.paused_until = Some(Instant::now() + self.wait_after(self.pauses));
        if self.pauses > MAX_PAUSES_IN_A_ROW && self.fatal.is_none() {
            let message = format!(
                "the provider failed {MAX_PAUSES_IN_A_ROW} times in a row, the last time with: {message}\nnothing is lost; `evaltui resume` goes on once it answers"
            );
            self.fatal = Some(EngineError::Incomplete { message });
        }
    }
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
