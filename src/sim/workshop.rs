//! Jobs from acceptance to their end, the same for all dialects: accepts, looks, ends.
//!
//! A job is accepted exactly once: its record appears under a name that was free, whole and durable, and its line in
//! `accepted.jsonl` is durable too, before the caller may answer. After that only the clock moves it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::answers::AnswerBook;
use super::disk;
use super::error::SimError;
use super::id::Id;
use super::intake::{self, Misfires, Scan};
use super::pace::{Pace, Stage};
use super::row::{Dialect, Problem, Row, each_line};
use super::shelf::{DatasetRecord, DatasetState, Decoding, JobRecord, Kind, Outcome, Shelf};
use super::work::{self, Work};
use crate::domain::Digest;
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
    tried: Mutex<HashSet<u64>>,
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

/// A job that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Its name.
    pub id: Id,
    /// A label.
    pub label: String,
    /// The model.
    pub model: String,
    /// The dataset to read.
    pub input: Id,
    /// The dataset to write.
    pub output: Id,
    /// Decoding settings.
    pub decoding: Decoding,
    /// Seconds until it expires.
    pub window_seconds: i64,
    /// The job it continues.
    pub parent: Option<Id>,
    /// What the dialect echoes.
    pub echo: serde_json::Value,
}

/// Why a job is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declined {
    /// Its name is taken.
    JobExists,
    /// There is no such input.
    NoInput,
    /// The input is not complete.
    InputNotReady,
    /// The output's name is taken.
    OutputExists,
    /// The job to continue is not over.
    ParentNotDone,
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

/// One accepted job, as the server itself recorded it: what tests read to see that nothing was paid twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accepted {
    dialect: String,
    job: Id,
    input_dataset: Id,
    input_sha256: Digest,
    rows: u64,
    custom_ids: u64,
    model: String,
    time: Timestamp,
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

    /// Records accepted jobs that a kill kept out of `accepted.jsonl`, and remembers which rows were tried.
    fn settle(&self) -> Result<(), SimError> {
        let known: HashSet<(String, Id, Timestamp)> =
            disk::read_lines::<Accepted>(&self.desk.accepted)?
                .into_iter()
                .map(|a| (a.dialect, a.job, a.time))
                .collect();
        for id in self.shelf.ids(Kind::Jobs)? {
            let Some(job) = self.shelf.job(&id)? else {
                continue;
            };
            let marks: Option<Vec<u64>> = disk::read(&self.shelf.first_failures(&id))?;
            lock(&self.desk.tried).extend(marks.unwrap_or_default());
            let accepted = self.accepted(&job);
            if !known.contains(&(accepted.dialect.clone(), id, accepted.time)) {
                disk::append(&self.desk.accepted, &accepted)?;
            }
        }
        Ok(())
    }

    fn accepted(&self, job: &JobRecord) -> Accepted {
        Accepted {
            dialect: self.dialect.name().to_owned(),
            job: job.id.clone(),
            input_dataset: job.input.clone(),
            input_sha256: job.intake.sha256,
            rows: job.intake.rows,
            custom_ids: job.intake.custom_ids,
            model: job.model.clone(),
            time: job.created,
        }
    }

    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.desk.clock.now()
    }

    /// Takes the right to change records; checks made under it stay true until it is dropped.
    pub(super) fn change(&self) -> MutexGuard<'_, ()> {
        lock(&self.changing)
    }

    /// Accepts a job, once: of several calls with one name, one gets the job, also across servers on one folder.
    pub(super) fn accept(&self, order: Order) -> Result<Result<JobRecord, Declined>, SimError> {
        if self.job(&order.id)?.is_some() {
            return Ok(Err(Declined::JobExists));
        }
        let (input, files, sha256) = match self.input(&order.input)? {
            Ok(found) => found,
            Err(declined) => return Ok(Err(declined)),
        };
        let done = match &order.parent {
            None => HashSet::new(),
            Some(parent) => match self.answered_by(parent)? {
                Some(done) => done,
                None => return Ok(Err(Declined::ParentNotDone)),
            },
        };
        let scan = Scan {
            dialect: self.dialect,
            model: &order.model,
            misfires: self.desk.misfires,
            done: &done,
        };
        let (intake, marks) = intake::scan(&scan, &files, sha256)?;
        let created = self.now();
        let window = SignedDuration::from_secs(order.window_seconds);
        let job = JobRecord {
            schema_version: SCHEMA_VERSION,
            id: order.id,
            label: order.label,
            model: order.model,
            input: order.input,
            output: order.output,
            decoding: order.decoding,
            created,
            expires: created.saturating_add(window).unwrap_or(created),
            declared_rows: input.declared_rows,
            intake,
            parent: order.parent,
            ended: None,
            echo: order.echo,
        };
        self.record(job, &marks)
    }

    /// Makes an accepted job durable. The order matters: a kill after any line leaves nothing that a repeated call or
    /// the next start does not settle.
    fn record(
        &self,
        job: JobRecord,
        marks: &[u64],
    ) -> Result<Result<JobRecord, Declined>, SimError> {
        let _change = self.change();
        if let Some(old) = self.shelf.job(&job.id)? {
            if self.standing(&old)? != Standing::Ended {
                return Ok(Err(Declined::JobExists));
            }
            self.shelf.remove_job(&old.id)?;
        }
        if !self.reserve(&job)? {
            return Ok(Err(Declined::OutputExists));
        }
        let mut tried = lock(&self.desk.tried);
        let first: Vec<u64> = marks
            .iter()
            .copied()
            .filter(|m| !tried.contains(m))
            .collect();
        disk::replace(&self.shelf.first_failures(&job.id), &first)?;
        if !disk::claim(&self.shelf.record(Kind::Jobs, &job.id), &job)? {
            return Ok(Err(Declined::JobExists));
        }
        tried.extend(first);
        disk::append(&self.desk.accepted, &self.accepted(&job))?;
        Ok(Ok(job))
    }

    /// Takes the name of the output dataset; `false` where it is taken by something else.
    fn reserve(&self, job: &JobRecord) -> Result<bool, SimError> {
        let output = DatasetRecord {
            schema_version: SCHEMA_VERSION,
            id: job.output.clone(),
            label: job.label.clone(),
            declared_rows: job.declared_rows,
            created: job.created,
            state: DatasetState::Output {
                job: job.id.clone(),
            },
        };
        let path = self.shelf.record(Kind::Datasets, &job.output);
        if disk::claim(&path, &output)? {
            return Ok(true);
        }
        // A reservation for this very job, without results, is what a kill between two lines of `record` leaves.
        let taken = self.shelf.dataset(&job.output)?;
        Ok(taken.is_none_or(|t| t.state == output.state)
            && !self.shelf.results(&job.output).exists())
    }

    #[expect(clippy::type_complexity, reason = "read in one place, right above")]
    fn input(
        &self,
        id: &Id,
    ) -> Result<Result<(DatasetRecord, Vec<PathBuf>, Digest), Declined>, SimError> {
        let Some(input) = self.dataset(id)? else {
            return Ok(Err(Declined::NoInput));
        };
        let DatasetState::Ready { shards } = &input.state else {
            return Ok(Err(Declined::InputNotReady));
        };
        let files = self.files(id, shards.len());
        let digests: Vec<String> = shards.iter().map(|s| s.sha256.to_string()).collect();
        let sha256 = match shards.as_slice() {
            [shard] => shard.sha256,
            _ => Digest::of_parts(&digests.iter().map(String::as_str).collect::<Vec<_>>()),
        };
        Ok(Ok((input, files, sha256)))
    }

    fn files(&self, dataset: &Id, shards: usize) -> Vec<PathBuf> {
        (0..shards).map(|n| self.shelf.shard(dataset, n)).collect()
    }

    /// The `custom_id`s that a job and those it continues have answered; `None` unless all of them are over.
    fn answered_by(&self, job: &Id) -> Result<Option<HashSet<String>>, SimError> {
        let mut done = HashSet::new();
        for link in self.lineage(job)? {
            let standing = self.standing(&link)?;
            if !standing.is_over() {
                return Ok(None);
            }
            let results = self.shelf.results(&link.output);
            if !results.exists() {
                continue;
            }
            each_line(&[results], |_, line| {
                let row: Option<Row<'_>> = serde_json::from_slice(line).ok();
                done.extend(
                    row.and_then(|r| r.custom_id)
                        .map(std::borrow::Cow::into_owned),
                );
                Ok(())
            })?;
        }
        Ok(Some(done))
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
