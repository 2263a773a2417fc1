//! What every adapter and every wrapper must keep, as one check that each of them passes.
//!
//! Costs one small job, so it is run against the embedded provider and servers of our own only.

use std::path::Path;
use std::time::Duration;

use super::{FetchTarget, Found, JobLook, Provider, ProviderError, Submission};
use crate::domain::{JobState, RemoteId};

/// How a provider broke the contract.
#[derive(Debug, thiserror::Error)]
pub enum Breach {
    /// A call failed that must not.
    #[error("a call failed")]
    Failed(#[from] ProviderError),
    /// A local file could not be read.
    #[error("cannot read what was fetched")]
    Unreadable(#[from] std::io::Error),
    /// A rule was broken.
    #[error("{0}")]
    Broken(String),
}

/// Runs a submission from upload to fetch, doing each step twice, and checks what must hold.
///
/// 1. An unknown job has vanished, and nothing is found before the create, for certain.
/// 2. Two uploads are one input; two creates under one key are one job; `find` finds it.
/// 3. A job ends; an ended job gives the same bytes each time, whole lines under exactly the names asked for.
/// 4. Cancelling an unknown job is no error.
///
/// `looks` and `pace` bound the waiting for the job's end.
pub async fn check(
    provider: &dyn Provider,
    submission: &Submission,
    folder: &Path,
    (looks, pace): (u32, Duration),
) -> Result<(), Breach> {
    let nobody = RemoteId("evt-nobody".to_owned());
    let state = provider.poll(&nobody).await?.state;
    demand(state == JobState::Vanished, || {
        format!("an unknown job is {state}, not vanished")
    })?;
    provider.cancel(&nobody).await?;
    let exact = provider.capabilities().find_is_exact;
    let before = provider.find(submission, None).await?;
    demand(!exact || before == Found::Nothing, || {
        format!("found before it was made: {before:?}")
    })?;
    let job = made_once(provider, submission).await?;
    let ended = waited_for(provider, &job, (looks, pace)).await?;
    demand(ended.state == JobState::Completed, || {
        format!("the job ended {}: {}", ended.state, ended.message)
    })?;
    let first = fetched(provider, &job, (folder, "first")).await?;
    let second = fetched(provider, &job, (folder, "second")).await?;
    demand(first == second, || {
        "two fetches brought different bytes".to_owned()
    })?;
    let rows = first.iter().filter(|b| **b == b'\n').count() as u64;
    demand(rows == submission.rows, || {
        format!("{rows} rows came back, not {}", submission.rows)
    })
}

/// Uploads twice and creates twice; gives the one job.
async fn made_once(provider: &dyn Provider, submission: &Submission) -> Result<RemoteId, Breach> {
    let input = provider.upload(submission).await?;
    let again = provider.upload(submission).await?;
    demand(input == again, || {
        format!("two uploads became {input} and {again}")
    })?;
    let job = provider.create(submission, &input).await?.job;
    let Found::Job(found) = provider.find(submission, Some(&input)).await? else {
        return Err(Breach::Broken("the job is not found".to_owned()));
    };
    demand(found.job == job, || {
        format!("created {job}, found {}", found.job)
    })?;
    let second = provider.create(submission, &input).await?.job;
    demand(second == job, || {
        format!("two creates under one key became {job} and {second}")
    })?;
    Ok(job)
}

async fn waited_for(
    provider: &dyn Provider,
    job: &RemoteId,
    (looks, pace): (u32, Duration),
) -> Result<JobLook, Breach> {
    for _ in 0..looks {
        let look = provider.poll(job).await?;
        if look.state.is_terminal() {
            return Ok(look);
        }
        tokio::time::sleep(pace).await;
    }
    Err(Breach::Broken(format!(
        "the job has not ended after {looks} looks"
    )))
}

/// Fetches into a folder; gives result and error rows together.
async fn fetched(
    provider: &dyn Provider,
    job: &RemoteId,
    (folder, name): (&Path, &str),
) -> Result<Vec<u8>, Breach> {
    let results = folder.join(format!("{name}.results"));
    let errors = folder.join(format!("{name}.errors"));
    let target = FetchTarget {
        results: &results,
        errors: &errors,
    };
    let told = provider.fetch(job, target).await?;
    let mut rows = Vec::new();
    for (path, bytes) in [(&results, told.result_bytes), (&errors, told.error_bytes)] {
        demand(path.exists() == (bytes > 0), || {
            format!("{}: told of {bytes} bytes", path.display())
        })?;
        let content = if bytes > 0 {
            tokio::fs::read(path).await?
        } else {
            Vec::new()
        };
        let is_whole = content.len() as u64 == bytes && content.last().is_none_or(|b| *b == b'\n');
        demand(is_whole, || format!("{} is not whole", path.display()))?;
        rows.extend(content);
    }
    Ok(rows)
}

fn demand(holds: bool, breach: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds {
        Ok(())
    } else {
        Err(Breach::Broken(breach()))
    }
}
