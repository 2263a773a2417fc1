//! Fetches what an ended job left, reconciles it row by row and, when no attempt follows, puts the part's files in place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

use super::Writing;
use crate::domain::event::PlannedPart;
use crate::domain::work::{Attempt, RowTally};
use crate::domain::{Digest, JobState, RemoteId, TokenUsage};
use crate::engine::reconcile::{AttemptFiles, Reconciled, reconcile};
use crate::provider::{FetchTarget, JobLook, Provider, ProviderError, ProviderErrorKind};
use crate::snapshot::RunView;
use crate::store::{PartPaths, RunPaths, StoreError, atomic};

/// What a collection needs to know.
#[derive(Debug)]
pub(super) struct CollectJob {
    pub provider: Arc<dyn Provider>,
    pub provider_name: String,
    pub input: PathBuf,
    /// Held until the files are written, by a thread that no abort reaches.
    pub writing: Writing,
    /// Part folders of all trials that use the work, the owner's first.
    pub folders: Vec<PartPaths>,
    pub part: PlannedPart,
    pub jobs: Vec<(Attempt, RemoteId)>,
    /// Whether no further attempt is allowed.
    pub last_attempt: bool,
}

/// What a collection brought.
#[derive(Debug)]
pub(super) struct Collected {
    pub attempt: Attempt,
    pub rows: RowTally,
    pub retryable: u64,
    pub usage: TokenUsage,
    pub foreign: u64,
    pub duplicated: u64,
    pub malformed: u64,
    pub commonest_error: Option<(String, u64)>,
    /// The provider's last word on the job.
    pub message: String,
    /// Whether the part ends here.
    pub ending: Ending,
}

/// How a collection leaves its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `results.jsonl` is in place; its digest.
    InPlace(Digest),
    /// The last job failed and no attempt brought an answer.
    Gone,
    /// Another attempt follows.
    Open,
}

/// A collection that did not succeed.
#[derive(Debug, Error)]
pub(super) enum CollectError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the work has no job to collect from")]
    NoJob,
    #[error("internal task died: {0}")]
    Died(String),
}

fn attempt_files(folder: &PartPaths, jobs: &[(Attempt, RemoteId)]) -> Vec<AttemptFiles> {
    jobs.iter()
        .map(|(attempt, _)| AttemptFiles {
            results: folder.attempt_results(attempt.number),
            errors: folder.attempt_errors(attempt.number),
        })
        .collect()
}

/// The input of a later attempt, made from what the attempts before it left; gives digest, lines and bytes.
pub(super) fn retry_input(
    folder: &PartPaths,
    input: &Path,
    number: u32,
) -> Result<(Digest, u64, u64), StoreError> {
    let files: Vec<AttemptFiles> = (1..number)
        .map(|n| AttemptFiles {
            results: folder.attempt_results(n),
            errors: folder.attempt_errors(n),
        })
        .collect();
    reconcile(input, &files)?.write_retry_input(input, &folder.attempt_input(number))
}

/// Fetches the files of every attempt that are not here yet, reconciles, and finishes the part where nothing follows.
pub(super) async fn collect(job: CollectJob) -> Result<Collected, CollectError> {
    let Some((attempt, last)) = job.jobs.last().cloned() else {
        return Err(CollectError::NoJob);
    };
    let folder = job.folders[0].clone();
    atomic::create_dir_all(folder.dir())?;
    let look = job.provider.poll(&last).await?;
    for (earlier, id) in &job.jobs {
        let files = (
            folder.attempt_results(earlier.number),
            folder.attempt_errors(earlier.number),
        );
        // Results land last: where they are, the attempt is whole. Without them the errors may be half of it.
        if files.0.exists() {
            continue;
        }
        fetch(job.provider.as_ref(), id, &look, (&files.0, &files.1)).await?;
    }
    let writing = job.writing.clone();
    let finish = move || {
        let outcome = finish_blocking(&job, attempt, &look);
        drop(writing);
        outcome
    };
    tokio::task::spawn_blocking(finish)
        .await
        .map_err(|error| CollectError::Died(error.to_string()))?
}

/// Fetches one job's files. A job that left nothing is no error unless it claims to be complete.
async fn fetch(
    provider: &dyn Provider,
    id: &RemoteId,
    look: &JobLook,
    files: (&Path, &Path),
) -> Result<(), ProviderError> {
    let target = FetchTarget {
        results: files.0,
        errors: files.1,
    };
    match provider.fetch(id, target).await {
        Ok(_) => Ok(()),
        Err(error)
            if error.kind == ProviderErrorKind::Rejected
                && (look.job != *id || look.state != JobState::Completed) =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn finish_blocking(
    job: &CollectJob,
    attempt: Attempt,
    look: &JobLook,
) -> Result<Collected, CollectError> {
    let folder = &job.folders[0];
    let files = attempt_files(folder, &job.jobs);
    let work = reconcile(&job.input, &files)?;
    let ending = if work.retryable > 0 && !job.last_attempt {
        Ending::Open
    } else if look.state == JobState::Failed && work.rows.answered == 0 {
        work.write_errors(&folder.errors())?;
        Ending::Gone
    } else {
        Ending::InPlace(put_in_place(job, &work, look)?)
    };
    Ok(Collected {
        attempt,
        rows: work.rows,
        retryable: work.retryable,
        usage: work.usage,
        foreign: work.foreign,
        duplicated: work.duplicated,
        malformed: work.malformed,
        commonest_error: work.commonest_error,
        message: look.message.clone(),
        ending,
    })
}

/// The record of a part's jobs, `job.json`. Holds no time, so that it is the same however the run went.
#[derive(Serialize)]
struct JobRecord<'a> {
    schema_version: u32,
    provider: &'a str,
    part: String,
    work: String,
    input: &'a str,
    input_sha256: Digest,
    job_id: &'a str,
    output_dataset_id: Option<&'a str>,
    state: &'a str,
    rows: RowTally,
    results_sha256: Digest,
    attempts: Vec<AttemptRecord<'a>>,
}

#[derive(Serialize)]
struct AttemptRecord<'a> {
    attempt: u32,
    submission: String,
    job_id: &'a str,
    rows: u64,
    input_sha256: Digest,
}

fn put_in_place(job: &CollectJob, work: &Reconciled, look: &JobLook) -> Result<Digest, StoreError> {
    let folder = &job.folders[0];
    let results = work.write_results(&folder.results())?;
    let has_errors = work.write_errors(&folder.errors())?;
    if !has_errors {
        atomic::remove(&folder.errors())?;
    }
    let record = JobRecord {
        schema_version: 1,
        provider: &job.provider_name,
        part: job.part.key.to_string(),
        work: job.part.work.0.to_string(),
        input: &job.part.input,
        input_sha256: job.part.sha256,
        job_id: &look.job.0,
        output_dataset_id: look.output.as_ref().map(|o| o.0.as_str()),
        state: look.state.as_str(),
        rows: work.rows,
        results_sha256: results,
        attempts: job
            .jobs
            .iter()
            .map(|(a, id)| AttemptRecord {
                attempt: a.number,
                submission: a.submission.0.to_string(),
                job_id: &id.0,
                rows: a.rows,
                input_sha256: a.bytes,
            })
            .collect(),
    };
    let mut text = serde_json::to_vec_pretty(&record).map_err(|error| StoreError::Json {
        path: folder.job_json(),
        source: error,
    })?;
    text.push(b'\n');
    atomic::write(&folder.job_json(), &text)?;
    if let Some(output) = &look.output {
        atomic::write(
            &folder.output_dataset_id(),
            format!("{output}\n").as_bytes(),
        )?;
    }
    share(&job.folders)?;
    Ok(results)
}

/// Removes what the attempts of a finished part left: raw files and the inputs of later attempts.
pub(in crate::engine) fn tidy(folder: &PartPaths, attempts: &[u32]) -> Result<(), StoreError> {
    for &number in attempts {
        let files = [
            folder.attempt_results(number),
            folder.attempt_errors(number),
            folder.attempt_input(number),
        ];
        for file in files.iter().filter(|file| file.exists()) {
            atomic::remove(file)?;
        }
    }
    Ok(())
}

/// The part folders of every work that several trials use, the owner's first.
pub(in crate::engine) fn shared_folders(
    view: &RunView,
    paths: &RunPaths,
) -> HashMap<usize, Vec<PartPaths>> {
    let mut folders: HashMap<usize, Vec<PartPaths>> = HashMap::new();
    for trial in &view.trials {
        for part in &trial.parts {
            let work = &view.works[part.work];
            if work.used_by > 1 || work.owner != trial.trial.slug {
                let of_work = folders
                    .entry(part.work)
                    .or_insert_with(|| vec![paths.trial(&work.owner).part(work.part.key)]);
                let folder = paths.trial(&trial.trial.slug).part(part.key);
                if !of_work.iter().any(|known| known.dir() == folder.dir()) {
                    of_work.push(folder);
                }
            }
        }
    }
    folders
}

/// Gives every other trial that uses the work the owner's files.
pub(in crate::engine) fn share(folders: &[PartPaths]) -> Result<(), StoreError> {
    let Some((owner, others)) = folders.split_first() else {
        return Ok(());
    };
    for other in others {
        atomic::create_dir_all(other.dir())?;
        let pairs = [
            (owner.results(), other.results()),
            (owner.errors(), other.errors()),
            (owner.job_json(), other.job_json()),
            (owner.output_dataset_id(), other.output_dataset_id()),
        ];
        for (from, to) in pairs {
            if from.exists() {
                atomic::link_or_copy(&from, &to)?;
            } else {
                atomic::remove(&to)?;
            }
        }
    }
    Ok(())
}
