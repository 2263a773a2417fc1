//! The single writer of a run: every fact passes here, in this order: ledger (durable where it must be), picture, outlets.
//!
//! Nothing else appends to the ledger or rewrites the faces. A fact that the picture refuses is never written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::error::EngineError;
use crate::domain::text::printable;
use crate::domain::work::WorkEvent;
use crate::domain::{
    Event, LogLevel, LogLine, PartKey, Phase, Recorded, TrialSlug, WorkKey, WorkState,
};
use crate::snapshot::RunView;
use crate::store::{Durability, EventLog, Faces, Ledger, RunLock};
use crate::sys::Clock;

/// Pictures are published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// Faces are rewritten at most this often between phase ends.
const FACES_EVERY: Duration = Duration::from_secs(2);

/// Where front ends get facts, log lines and pictures from.
#[derive(Debug, Clone)]
pub struct Outlets {
    /// The newest picture.
    pub view: watch::Sender<Arc<RunView>>,
    /// Log lines in order, for a front end that prints them.
    pub lines: Option<mpsc::UnboundedSender<Arc<LogLine>>>,
}

/// What a log line is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The phase.
    pub phase: Option<Phase>,
    /// The trial.
    pub trial: Option<&'a TrialSlug>,
    /// The part.
    pub part: Option<PartKey>,
}

impl About<'_> {
    /// A line about a phase as a whole.
    pub fn phase(phase: Phase) -> Self {
        Self {
            phase: Some(phase),
            trial: None,
            part: None,
        }
    }
}

/// The single writer of a run.
#[derive(Debug)]
pub struct Recorder {
    lock: RunLock,
    ledger: Ledger,
    log: EventLog,
    faces: Faces,
    view: RunView,
    outlets: Outlets,
    clock: Arc<dyn Clock>,
    published: Instant,
    faced: Instant,
    face_cost: Duration,
}

/// The parts a recorder is made of.
#[derive(Debug)]
pub struct RecorderParts {
    /// The lock: permission to write.
    pub lock: RunLock,
    /// The open ledger.
    pub ledger: Ledger,
    /// The open event log.
    pub log: EventLog,
    /// The writer of faces.
    pub faces: Faces,
    /// The picture as replayed.
    pub view: RunView,
    /// Where pictures and lines go.
    pub outlets: Outlets,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
}

impl Recorder {
    /// Takes over a run.
    pub fn new(parts: RecorderParts) -> Self {
        let RecorderParts {
            lock,
            ledger,
            log,
            faces,
            view,
            outlets,
            clock,
        } = parts;
        let now = Instant::now();
        Self {
            lock,
            ledger,
            log,
            faces,
            view,
            outlets,
            clock,
            published: now,
            faced: now,
            face_cost: Duration::ZERO,
        }
    }

    /// The picture as of the last fact.
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// The wall clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether the lock is still ours; checked before each submission.
    pub fn holds_lock(&self) -> bool {
        self.lock.still_held()
    }

    /// Records facts in one write; `Durability::Fsync` returns only when they will survive a power cut.
    pub fn record(
        &mut self,
        events: Vec<Event>,
        durability: Durability,
    ) -> Result<(), EngineError> {
        if events.is_empty() {
            return Ok(());
        }
        self.check(&events)?;
        let recorded = self.ledger.append(self.clock.now(), events, durability)?;
        for fact in &recorded {
            self.take(fact);
        }
        self.publish_if_due();
        Ok(())
    }

    /// Refuses facts that do not follow what is known, before they are written: what is on disk is what the picture shows,
    /// and no call follows an announcement that did not count. A refusal is a fault of this program.
    fn check(&self, events: &[Event]) -> Result<(), EngineError> {
        let mut moved: HashMap<WorkKey, WorkState> = HashMap::new();
        for event in events {
            let Event::Work { work, event } = event else {
                continue;
            };
            let Some(known) = self.view.work(*work) else {
                continue;
            };
            let state = moved.get(work).unwrap_or(&known.state);
            let next = state.apply(event).map_err(|refused| {
                EngineError::Refused(format!("part {}: {refused}", known.part.key))
            })?;
            moved.insert(*work, next);
        }
        Ok(())
    }

    /// Records what happened to one piece of work.
    pub fn work(
        &mut self,
        work: WorkKey,
        event: WorkEvent,
        durability: Durability,
    ) -> Result<(), EngineError> {
        self.record(vec![Event::Work { work, event }], durability)
    }

    fn take(&mut self, fact: &Recorded) {
        if let Err(error) = self.view.apply(fact) {
            // Works were checked before the write; anything else that does not fit is shown and counted.
            self.say(
                LogLevel::Warn,
                About::default(),
                &format!("ledger fact {} does not fit: {error}", fact.seq),
            );
        }
    }

    /// Takes a transient event into the picture only.
    pub fn transient(&mut self, event: &Event) {
        let at = self.clock.now();
        if self.view.apply_event(at, event).is_ok() {
            self.publish_if_due();
        }
    }

    /// Writes a line for people: event log, picture, outlets.
    pub fn say(&mut self, level: LogLevel, about: About<'_>, message: &str) {
        let line = Arc::new(LogLine {
            at: self.clock.now(),
            level,
            phase: about.phase,
            trial: about.trial.cloned(),
            part: about.part,
            message: printable(message).into_owned(),
        });
        // The event log is for people; a line that cannot be written must not end a run that is paid for.
        if self.log.append(&line).is_err() {
            self.view.oddities += 1;
        }
        self.view.push_log(Arc::clone(&line));
        if let Some(lines) = &self.outlets.lines
            && lines.send(line).is_err()
        {
            self.outlets.lines = None;
        }
        self.publish_if_due();
    }

    /// Publishes the picture and rewrites the faces where enough time has passed.
    pub fn publish_if_due(&mut self) {
        if self.published.elapsed() >= PUBLISH_EVERY {
            self.publish();
        }
    }

    /// Publishes the picture now.
    pub fn publish(&mut self) {
        self.published = Instant::now();
        self.outlets.view.send_replace(Arc::new(self.view.clone()));
    }

    /// Rewrites the faces if the last time is long enough ago.
    pub fn face_if_due(&mut self) -> Result<(), EngineError> {
        // With very many parts a face takes long to write: most of the time belongs to the run.
        if self.faced.elapsed() >= FACES_EVERY.max(self.face_cost * 20) {
            self.face()
        } else {
            Ok(())
        }
    }

    /// Rewrites `run_state.json` and the trial manifests that changed.
    pub fn face(&mut self) -> Result<(), EngineError> {
        self.faced = Instant::now();
        let view = Arc::new(self.view.clone());
        self.outlets.view.send_replace(Arc::clone(&view));
        self.published = self.faced;
        self.faces.write(&view)?;
        self.face_cost = self.faced.elapsed();
        Ok(())
    }
}
