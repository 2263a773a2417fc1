//! Remote batch services behind one trait.
//!
//! An adapter supplies the smallest piece: one upload, one create, one look, one download. Loops, sleeping and retries
//! of a submission belong to `engine/queue`. The flow of one submission: `upload` -> `create` -> `poll`* -> `fetch`;
//! after anything uncertain, `find` is asked first and what it finds is adopted.
//!
//! Read in this order: the trait here, [`open`] (which adapter), [`fireworks`] (its calls), [`http`] (the one client),
//! [`failure`] and [`backoff`] (what a failure means, how long to wait), [`landing`] (how a download becomes a file),
//! [`contract`] (what every adapter keeps).

pub mod backoff;
pub mod contract;
pub mod error;
pub mod failure;
pub mod fireworks;
pub mod http;
pub mod landing;
#[cfg(test)]
mod mock_server;
pub mod open;
pub mod rows;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::domain::{JobCounts, JobState, RemoteId, SubmissionKey};

pub use crate::domain::job::JobParams;
pub use error::{ProviderError, ProviderErrorKind};

/// Limits and habits of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The service's name for people and for the work key, e.g. `fireworks`.
    pub name: String,
    /// Most requests in one input.
    pub max_requests: u64,
    /// Most bytes in one input.
    pub max_bytes: u64,
    /// Whether `find` can tell for certain that a submission does not exist.
    pub find_is_exact: bool,
    /// Shortest sensible time between two looks at one job, in milliseconds.
    pub min_poll_ms: u64,
}

/// One submission: bytes, settings and the key under which it can be found again.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The key; every remote name is derived from it.
    pub key: SubmissionKey,
    /// The input: one provider-neutral JSON line per request, `{"custom_id", "body": {"messages"}}`.
    pub input: PathBuf,
    /// Lines in the input.
    pub rows: u64,
    /// Bytes in the input.
    pub bytes: u64,
    /// Settings.
    pub params: JobParams,
    /// A label for people, e.g. `r42 gpt-oss-120b t0_control_p01 attempt 1`.
    pub label: String,
}

/// What a provider says of a job in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLook {
    /// The job's name at the provider.
    pub job: RemoteId,
    /// Its state.
    pub state: JobState,
    /// Its counts, where it gives any.
    pub counts: JobCounts,
    /// A message of the provider, already safe to print; empty where there is none.
    pub message: String,
    /// The name of its output at the provider, where there is one (`OUTPUT_DATASET_ID.txt`).
    pub output: Option<RemoteId>,
}

/// What `find` learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The provider has a job under the key.
    Job(JobLook),
    /// The provider certainly has none.
    Nothing,
    /// The provider cannot tell.
    CannotTell(String),
}

/// Where `fetch` puts the files of a job. Both are written under these exact names, whole or not at all.
#[derive(Debug, Clone, Copy)]
pub struct FetchTarget<'a> {
    /// Raw answer rows, as the provider gave them, one JSON object a line.
    pub results: &'a Path,
    /// Raw error rows.
    pub errors: &'a Path,
}

/// What `fetch` brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Bytes of the results file; 0 where the provider had none (then there is no file).
    pub result_bytes: u64,
    /// Bytes of the errors file; 0 where the provider had none.
    pub error_bytes: u64,
}

/// A batch service.
#[async_trait]
pub trait Provider: Send + Sync + Debug {
    /// Limits and habits.
    fn capabilities(&self) -> Capabilities;

    /// Brings the input to the service under a name derived from the key, and waits until it is usable.
    ///
    /// Safe to repeat: an input that is already there is reused. Costs nothing.
    async fn upload(&self, submission: &Submission) -> Result<RemoteId, ProviderError>;

    /// Creates the job. Never repeats the call by itself.
    ///
    /// An error of kind [`ProviderErrorKind::Uncertain`] means that the job may exist.
    async fn create(
        &self,
        submission: &Submission,
        input: &RemoteId,
    ) -> Result<JobLook, ProviderError>;

    /// Looks for a job made under the submission's key.
    async fn find(
        &self,
        submission: &Submission,
        input: Option<&RemoteId>,
    ) -> Result<Found, ProviderError>;

    /// Looks once at a job. A job that the service does not know has the state `Vanished`.
    async fn poll(&self, job: &RemoteId) -> Result<JobLook, ProviderError>;

    /// Downloads every file of an ended job, streamed to temporary names first.
    async fn fetch(
        &self,
        job: &RemoteId,
        target: FetchTarget<'_>,
    ) -> Result<Fetched, ProviderError>;

    /// Asks the service to end a job. The job's end is seen by `poll`.
    async fn cancel(&self, job: &RemoteId) -> Result<(), ProviderError>;
}
