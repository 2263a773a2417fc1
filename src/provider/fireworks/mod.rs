//! Fireworks batch inference: the calls. Spellings are in [`wire`].
//!
//! Every remote name is made from the submission's key, so each call can be asked about again and nothing is made twice
//! (`https://docs.fireworks.ai/guides/batch-inference`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::backoff::Schedule;
use super::{
    Capabilities, FetchTarget, Fetched, Found, JobLook, Provider, ProviderError, ProviderErrorKind,
    Submission,
};
use crate::domain::RemoteId;
use crate::sys::Clock;

/// Where the service lives unless the settings say otherwise.
pub const BASE_URL: &str = "https://api.fireworks.ai";

/// How long the adapter waits for what the service does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Repetitions of calls that may be repeated.
    pub retry: Schedule,
    /// Looks at an uploaded dataset until it is ready.
    pub ready: Schedule,
    /// Looks for the output of a job that says it has completed.
    pub output: Schedule,
}

impl Default for Pace {
    fn default() -> Self {
        let schedule = |first_ms, longest_s, waits| Schedule {
            first: Duration::from_millis(first_ms),
            longest: Duration::from_secs(longest_s),
            waits,
        };
        Self {
            retry: schedule(500, 8, 4),
            ready: schedule(200, 10, 60),
            output: schedule(200, 15, 10),
        }
    }
}

/// Everything the adapter needs to know.
#[derive(Debug, Clone)]
pub struct FireworksSettings {
    /// The service's name for people and for the work key: `fireworks`, or `sim` for the embedded provider.
    pub name: String,
    /// The address: https, or http on loopback.
    pub base_url: String,
    /// The account's slug, with or without `accounts/` before it.
    pub account_id: String,
    /// The key. Never shown.
    pub api_key: SecretString,
    /// Shortest sensible time between two looks at one job, in milliseconds.
    pub min_poll_ms: u64,
    /// How long it waits for what.
    pub pace: Pace,
    /// The wall clock, against which dates in `Retry-After` are read.
    pub clock: Arc<dyn Clock>,
}

impl FireworksSettings {
    /// Settings with the service's usual habits.
    pub fn new(
        base_url: &str,
        account_id: &str,
        api_key: SecretString,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            name: "fireworks".to_owned(),
            base_url: base_url.to_owned(),
            account_id: account_id.to_owned(),
            api_key,
            // States change on about one-minute ticks; looking more often is waste (batch-apis, 2.4).
            min_poll_ms: 30_000,
            pace: Pace::default(),
            clock,
        }
    }
}

/// The adapter.
#[derive(Debug)]
pub struct Fireworks {
    settings: FireworksSettings,
}

impl Fireworks {
    /// Checks the settings and makes the clients. Sends nothing.
    pub fn new(settings: FireworksSettings) -> Result<Self, ProviderError> {
        Ok(Self { settings })
    }
}

#[async_trait]
impl Provider for Fireworks {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: self.settings.name.clone(),
            max_requests: u64::from(u32::MAX),
            max_bytes: 475_000_000,
            find_is_exact: true,
            min_poll_ms: self.settings.min_poll_ms,
        }
    }
    async fn upload(&self, _: &Submission) -> Result<RemoteId, ProviderError> {
        Err(unfinished())
    }
    async fn create(&self, _: &Submission, _: &RemoteId) -> Result<JobLook, ProviderError> {
        Err(unfinished())
    }
    async fn find(&self, _: &Submission, _: Option<&RemoteId>) -> Result<Found, ProviderError> {
        Err(unfinished())
    }
    async fn poll(&self, _: &RemoteId) -> Result<JobLook, ProviderError> {
        Err(unfinished())
    }
    async fn fetch(&self, _: &RemoteId, _: FetchTarget<'_>) -> Result<Fetched, ProviderError> {
        Err(unfinished())
    }
    async fn cancel(&self, _: &RemoteId) -> Result<(), ProviderError> {
        Err(unfinished())
    }
}

fn unfinished() -> ProviderError {
    ProviderError::new(ProviderErrorKind::Rejected, "fireworks", "being written")
}
