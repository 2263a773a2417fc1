//! Datasets and jobs of one dialect on disk: `datasets/<id>.json` and `jobs/<id>.json`, with their files beside them.
//!
//! The disk is the only truth: nothing is remembered between two calls, so that a restarted server knows all. Every
//! record is whole at any instant, and a new one appears exactly once.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk;
use super::error::SimError;
use super::id::Id;
use super::row::Problem;
use crate::domain::Digest;

/// A dataset: an input that a client brought, or the output of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DatasetRecord {
    /// Version of this record.
    pub schema_version: u32,
    /// Its name.
    pub id: Id,
    /// A label of the client, or a file name.
    pub label: String,
    /// Rows as declared by the client; not checked.
    pub declared_rows: u64,
    /// When it was created.
    pub created: Timestamp,
    /// How far it is.
    pub state: DatasetState,
}

/// How far a dataset is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum DatasetState {
    /// Files are still to come; the announced ones with their sizes.
    Uploading {
        /// Files announced for signed upload.
        announced: Vec<Announced>,
    },
    /// Usable.
    Ready {
        /// Its files, in order.
        shards: Vec<Shard>,
    },
    /// Made by a job, and there once that job is done.
    Output {
        /// The job.
        job: Id,
    },
}

/// A file announced for signed upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announced {
    /// Its base name, as the client calls it. Never part of a path.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shard {
    /// Its base name, as the client calls it.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct JobRecord {
    /// Version of this record.
    pub schema_version: u32,
    /// Its name.
    pub id: Id,
    /// A label of the client.
    pub label: String,
    /// The model.
    pub model: String,
    /// The dataset it reads.
    pub input: Id,
    /// The dataset it writes.
    pub output: Id,
    /// Decoding settings that change answers.
    pub decoding: Decoding,
    /// When it was accepted.
    pub created: Timestamp,
    /// When it would expire.
    pub expires: Timestamp,
    /// Rows as the input's client declared them.
    pub declared_rows: u64,
    /// What its input holds.
    pub intake: Intake,
    /// The job that this one continues.
    pub parent: Option<Id>,
    /// When it was deleted or cancelled.
    pub ended: Option<Timestamp>,
    /// What the dialect echoes in its answers.
    pub echo: serde_json::Value,
}

/// Decoding settings of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Decoding {
    /// Longest answer in tokens, where the row does not say.
    pub max_tokens: Option<u32>,
    /// Answers per row.
    pub choices: u32,
    /// Texts before which an answer ends.
    pub stop: Vec<String>,
    /// Put in front of rows that have no system message.
    pub system_prompt: Option<String>,
}

/// What the input of a job holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intake {
    /// Digest of the input's bytes; of its files' digests where there are several.
    pub sha256: Digest,
    /// Rows that this job runs.
    pub rows: u64,
    /// Different `custom_id`s among them.
    pub custom_ids: u64,
    /// What makes the whole job fail.
    pub problem: Option<Problem>,
}

/// What came out of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Rows with an answer.
    pub succeeded: u64,
    /// Rows without.
    pub failed: u64,
    /// Input tokens.
    pub prompt_tokens: u64,
    /// Output tokens.
    pub completion_tokens: u64,
    /// Bytes of the results file.
    pub result_bytes: u64,
    /// Bytes of the errors file.
    pub error_bytes: u64,
    /// Why the job could not run at all, safe to print.
    pub failure: Option<String>,
}

/// The two kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Datasets.
    Datasets,
    /// Jobs.
    Jobs,
}

/// Folders of one dialect.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    datasets: PathBuf,
    jobs: PathBuf,
}

impl Shelf {
    /// Opens the shelf in a folder and makes what is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, SimError> {
        let shelf = Self {
            datasets: folder.join("datasets"),
            jobs: folder.join("jobs"),
        };
        disk::make_folder(&shelf.datasets)?;
        disk::make_folder(&shelf.jobs)?;
        Ok(shelf)
    }

    /// The file of a record.
    pub(super) fn record(&self, kind: Kind, id: &Id) -> PathBuf {
        self.folder(kind).join(format!("{id}.json"))
    }

    /// The n-th file of a dataset, from 0.
    pub(super) fn shard(&self, id: &Id, number: usize) -> PathBuf {
        self.datasets.join(format!("{id}.shard{number}"))
    }

    /// The results file of an output dataset.
    pub(super) fn results(&self, output: &Id) -> PathBuf {
        self.datasets.join(format!("{output}.results"))
    }

    /// The errors file of an output dataset.
    pub(super) fn errors(&self, output: &Id) -> PathBuf {
        self.datasets.join(format!("{output}.errors"))
    }

    /// What came out of a job.
    pub(super) fn outcome(&self, job: &Id) -> PathBuf {
        self.jobs.join(format!("{job}.outcome"))
    }

    /// The rows of a job that meet their first attempt and fail it.
    pub(super) fn first_failures(&self, job: &Id) -> PathBuf {
        self.jobs.join(format!("{job}.failures"))
    }

    /// A dataset's record.
    pub(super) fn dataset(&self, id: &Id) -> Result<Option<DatasetRecord>, SimError> {
        disk::read(&self.record(Kind::Datasets, id))
    }

    /// A job's record.
    pub(super) fn job(&self, id: &Id) -> Result<Option<JobRecord>, SimError> {
        disk::read(&self.record(Kind::Jobs, id))
    }

    /// All names of one kind, sorted.
    pub(super) fn ids(&self, kind: Kind) -> Result<Vec<Id>, SimError> {
        let folder = self.folder(kind);
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(SimError::file("list", folder))? {
            let entry = entry.map_err(SimError::file("list", folder))?;
            let name = entry.file_name();
            ids.extend(
                name.to_str()
                    .and_then(|n| n.strip_suffix(".json"))
                    .and_then(Id::new),
            );
        }
        ids.sort();
        Ok(ids)
    }

    /// Removes a dataset: its record first, so that no record points at missing files.
    pub(super) fn remove_dataset(&self, dataset: &DatasetRecord) -> Result<(), SimError> {
        let id = &dataset.id;
        disk::remove(&self.record(Kind::Datasets, id))?;
        let files = match &dataset.state {
            DatasetState::Uploading { announced } => announced.len(),
            DatasetState::Ready { shards } => shards.len(),
            DatasetState::Output { .. } => 0,
        };
        for number in 0..files {
            disk::remove(&self.shard(id, number))?;
        }
        disk::remove(&self.results(id))?;
        disk::remove(&self.errors(id))
    }

    /// Removes a job and what came out of it, but not its output dataset.
    pub(super) fn remove_job(&self, id: &Id) -> Result<(), SimError> {
        disk::remove(&self.record(Kind::Jobs, id))?;
        disk::remove(&self.outcome(id))?;
        disk::remove(&self.first_failures(id))
    }

    fn folder(&self, kind: Kind) -> &Path {
        match kind {
            Kind::Datasets => &self.datasets,
            Kind::Jobs => &self.jobs,
        }
    }
}
