//! Jobs after their acceptance, the same for all dialects: where they stand, what comes out of them, how they end.
//!
//! Only the clock moves a job. Its rows are answered once, when somebody looks after their time has come.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::answers::AnswerBook;
use super::disk;
use super::error::SimError;
use super::id::Id;
use super::intake::Misfires;
use super::pace::{Pace, Stage};
use super::row::{Dialect, Problem};
use super::shelf::{DatasetRecord, DatasetState, JobRecord, Kind, Outcome, Shelf};
use super::work::{self, Work};
use crate::sys::Clock;

/// Version of the records that this server writes.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// What all dialects of one server share.
#[derive(Debug)]
pub(super) struct Desk {
    /// How fast jobs go.
    pub pace: Pace,
    /// Which rows fail their first attempt.
    pub misfires: Misfires,
    /// Where answers come from.
    pub book: AnswerBook,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The server's own record of accepted jobs.
    pub accepted: PathBuf,
    /// Marks of rows that had their failing first attempt.
    pub tried: Mutex<HashSet<u64>>,
}

impl Desk {
    /// A desk whose record of accepted jobs is in a folder.
    pub(super) fn new(
        folder: &Path,
        pace: Pace,
        misfires: Misfires,
        book: AnswerBook,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            pace,
            misfires,
            book,
            clock,
            accepted: folder.join("accepted.jsonl"),
            tried: Mutex::default(),
        }
    }
}

/// The jobs of one dialect.
#[derive(Debug)]
pub(super) struct Workshop {
    /// Records and files.
    pub shelf: Shelf,
    /// Spelling of rows.
    pub dialect: &'static dyn Dialect,
    /// What the dialects share.
    pub desk: Arc<Desk>,
    /// Held while records change, so that checks and writes are one step.
    changing: Mutex<()>,
    /// One lock for each job that is being answered right now.
    answering: Mutex<HashMap<Id, Arc<Mutex<()>>>>,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Standing {
    /// On its way, or done with this outcome.
    At(Stage, Option<Outcome>),
    /// Failed because of its input.
    Rejected(Problem),
    /// Failed inside the server.
    Broken(String),
    /// Deleted or cancelled a moment ago.
    Ending,
    /// Deleted or cancelled, and cleaned up.
    Ended,
}

impl Standing {
    /// Whether nothing will change any more.
    pub(super) fn is_over(&self) -> bool {
        !matches!(self, Self::At(stage, _) if *stage != Stage::Done) && *self != Self::Ending
    }
}

impl Workshop {
    /// Opens the jobs of a dialect under a folder and settles what an earlier server left half done.
    pub(super) fn open(
        folder: &Path,
        dialect: &'static dyn Dialect,
        desk: Arc<Desk>,
    ) -> Result<Self, SimError> {
        let workshop = Self {
            shelf: Shelf::open(&folder.join(dialect.name()))?,
            dialect,
            desk,
            changing: Mutex::default(),
            answering: Mutex::default(),
        };
        workshop.settle()?;
        Ok(workshop)
    }

    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.desk.clock.now()
    }

    /// Takes the right to change records; checks made under it stay true until it is dropped.
    pub(super) fn change(&self) -> MutexGuard<'_, ()> {
        lock(&self.changing)
    }

    /// A job and those it continues, newest first.
    pub(super) fn lineage(&self, job: &Id) -> Result<Vec<JobRecord>, SimError> {
        let mut chain: Vec<JobRecord> = Vec::new();
        let mut next = Some(job.clone());
        while let Some(id) = next.take() {
            if let Some(job) = self.shelf.job(&id)?
                && chain.iter().all(|j| j.id != job.id)
            {
                next.clone_from(&job.parent);
                chain.push(job);
            }
        }
        Ok(chain)
    }

    /// A job, unless it was ended and cleaned up.
    pub(super) fn job(&self, id: &Id) -> Result<Option<JobRecord>, SimError> {
        let Some(job) = self.shelf.job(id)? else {
            return Ok(None);
        };
        let gone = job
            .ended
            .is_some_and(|ended| self.now() >= self.desk.pace.cleaned_up(ended));
        Ok((!gone).then_some(job))
    }

    /// A dataset; an output only once its job is done.
    pub(super) fn dataset(&self, id: &Id) -> Result<Option<DatasetRecord>, SimError> {
        let Some(dataset) = self.shelf.dataset(id)? else {
            return Ok(None);
        };
        let DatasetState::Output { job } = &dataset.state else {
            return Ok(Some(dataset));
        };
        let there = match self.shelf.job(job)? {
            Some(job) if job.output == *id => self.is_done(&job)?,
            _ => self.shelf.results(id).exists(),
        };
        Ok(there.then_some(dataset))
    }

    /// Whether a job came to its end with results, even if it was deleted since.
    fn is_done(&self, job: &JobRecord) -> Result<bool, SimError> {
        let until = job.ended.unwrap_or_else(|| self.now());
        Ok(job.intake.problem.is_none()
            && self.desk.pace.stage(job.created, until) == Stage::Done
            && self.outcome(job)?.failure.is_none())
    }

    /// Where a job stands now. Answers its rows where that is due and was not done yet.
    pub(super) fn standing(&self, job: &JobRecord) -> Result<Standing, SimError> {
        let now = self.now();
        if let Some(ended) = job.ended {
            return Ok(if now < self.desk.pace.cleaned_up(ended) {
                Standing::Ending
            } else {
                Standing::Ended
            });
        }
        let stage = self.desk.pace.stage(job.created, now);
        match &job.intake.problem {
            Some(problem) if stage > Stage::Validating => {
                return Ok(Standing::Rejected(problem.clone()));
            }
            _ => {}
        }
        if stage < Stage::Writing {
            return Ok(Standing::At(stage, None));
        }
        let outcome = self.outcome(job)?;
        Ok(match outcome.failure {
            Some(failure) => Standing::Broken(failure),
            None => Standing::At(stage, Some(outcome)),
        })
    }

    /// What comes out of a job; its rows are answered at the first call, once, and the files kept.
    pub(super) fn outcome(&self, job: &JobRecord) -> Result<Outcome, SimError> {
        let path = self.shelf.outcome(&job.id);
        if let Some(outcome) = disk::read(&path)? {
            return Ok(outcome);
        }
        let turn = Arc::clone(lock(&self.answering).entry(job.id.clone()).or_default());
        let outcome = {
            let _turn = lock(&turn);
            match disk::read(&path)? {
                Some(outcome) => Ok(outcome),
                None => self.answer(job, &path),
            }
        };
        lock(&self.answering).remove(&job.id);
        outcome
    }

    fn answer(&self, job: &JobRecord, path: &Path) -> Result<Outcome, SimError> {
        let done = match &job.parent {
            None => HashSet::new(),
            Some(parent) => self.answered_by(parent)?.unwrap_or_default(),
        };
        let shards = match self.shelf.dataset(&job.input)?.map(|d| d.state) {
            Some(DatasetState::Ready { shards }) => shards.len(),
            _ => 0,
        };
        let marks: Option<Vec<u64>> = disk::read(&self.shelf.first_failures(&job.id))?;
        let work = Work {
            job,
            dialect: self.dialect,
            files: self.files(&job.input, shards),
            done,
            misfires: self.desk.misfires,
            first_failures: marks.unwrap_or_default().into_iter().collect(),
        };
        let outcome = work::run(&work, &self.desk.book, &self.shelf)?;
        disk::replace(path, &outcome)?;
        Ok(outcome)
    }

    /// Ends a job: what it has written stays only where it was already done.
    pub(super) fn end(&self, id: &Id) -> Result<(), SimError> {
        let _change = self.change();
        let Some(mut job) = self.shelf.job(id)?.filter(|j| j.ended.is_none()) else {
            return Ok(());
        };
        let done = self.is_done(&job)?;
        job.ended = Some(self.now());
        disk::replace(&self.shelf.record(Kind::Jobs, id), &job)?;
        match self.shelf.dataset(&job.output)? {
            Some(output) if !done => self.shelf.remove_dataset(&output),
            _ => Ok(()),
        }
    }
}

/// Takes a lock; a thread that panicked while holding it left nothing half done, because the disk is the truth.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
