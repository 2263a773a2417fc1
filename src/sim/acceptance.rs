//! Accepting a job: the one step that would cost money at a real service, so the one that happens exactly once.
//!
//! A job is accepted when its record has appeared under a name that was free, whole and durable, and its line in
//! `accepted.jsonl` is durable too; only then may the caller answer.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::disk;
use super::error::SimError;
use super::id::Id;
use super::intake::{self, Scan};
use super::row::{Row, each_line};
use super::shelf::{DatasetRecord, DatasetState, Decoding, JobRecord, Kind};
use super::workshop::{SCHEMA_VERSION, Standing, Workshop, lock};
use crate::domain::Digest;

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
    /// Records accepted jobs that a kill kept out of `accepted.jsonl`, and remembers which rows were tried.
    pub(super) fn settle(&self) -> Result<(), SimError> {
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

    pub(super) fn files(&self, dataset: &Id, shards: usize) -> Vec<PathBuf> {
        (0..shards).map(|n| self.shelf.shard(dataset, n)).collect()
    }

    /// The `custom_id`s that a job and those it continues have answered; `None` unless all of them are over.
    pub(super) fn answered_by(&self, job: &Id) -> Result<Option<HashSet<String>>, SimError> {
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
}
