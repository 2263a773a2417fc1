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

/// Ends the check with a breach unless a rule holds.
macro_rules! demand {
    ($holds:expr, $($breach:tt)+) => {
        if !$holds {
            return Err(Breach::Broken(format!($($breach)+)));
        }
    };
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
    demand!(state == JobState::Vanished, "an unknown job is {state}");
    provider.cancel(&nobody).await?;
    let may_be_unsure = !provider.capabilities().find_is_exact;
    let before = provider.find(submission, None).await?;
    demand!(
        may_be_unsure || before == Found::Nothing,
        "found before it was made: {before:?}"
    );
    let job = made_once(provider, submission).await?;
    let ended = waited_for(provider, &job, (looks, pace)).await?;
    let (state, message) = (ended.state, ended.message);
    demand!(
        state == JobState::Completed,
        "the job ended {state}: {message}"
    );
    let first = fetched(provider, &job, (folder, "first")).await?;
    let second = fetched(provider, &job, (folder, "second")).await?;
    demand!(first == second, "two fetches brought different bytes");
    let (rows, sent) = (first.split(|b| *b == b'\n').count() - 1, submission.rows);
    demand!(rows as u64 == sent, "{rows} rows came back of {sent}");
    Ok(())
}

/// Uploads twice and creates twice; gives the one job.
async fn made_once(provider: &dyn Provider, submission: &Submission) -> Result<RemoteId, Breach> {
    let input = provider.upload(submission).await?;
    let again = provider.upload(submission).await?;
    demand!(input == again, "two uploads became {input} and {again}");
    let job = provider.create(submission, &input).await?.job;
    let found = match provider.find(submission, Some(&input)).await? {
        Found::Job(look) => look.job,
        other @ (Found::Nothing | Found::CannotTell(_)) => {
            return Err(Breach::Broken(format!("created {job}, but {other:?}")));
        }
    };
    demand!(found == job, "created {job}, found {found}");
    let second = provider.create(submission, &input).await?.job;
    demand!(second == job, "two creates became {job} and {second}");
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
        let content = if path.exists() {
            tokio::fs::read(path).await?
        } else {
            Vec::new()
        };
        let found = content.len() as u64;
        let name = path.display();
        demand!(found == bytes, "{name} has {found} bytes, told {bytes}");
        demand!(path.exists() == (bytes > 0), "{name} is there and empty");
        let ends_well = content.last().is_none_or(|b| *b == b'\n');
        demand!(ends_well, "{name} ends in the middle of a line");
        rows.extend(content);
    }
    Ok(rows)
}
