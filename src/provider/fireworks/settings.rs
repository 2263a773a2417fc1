//! What the adapter is told: address, account, key, and how patient it is.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::wire;
use crate::provider::backoff::Schedule;
use crate::provider::http::Limits;
use crate::provider::{ProviderError, ProviderErrorKind};
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
    /// Bounds on each call.
    pub limits: Limits,
    /// Larger inputs go through a signed address. The form takes up to 150 MB (batch-apis, 2.2).
    pub form_bytes: u64,
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
            limits: Limits::default(),
            form_bytes: 140_000_000,
            clock,
        }
    }
}

/// The account's slug, without the `accounts/` that users put before it.
pub(super) fn checked_account(text: &str) -> Result<String, ProviderError> {
    let fail = |problem: &str| {
        let shown = crate::domain::text::printable(text);
        let message = format!("the account id {shown:?} {problem}; `GET /v1/accounts` lists yours");
        Err(ProviderError::new(
            ProviderErrorKind::Account,
            "open fireworks",
            message,
        ))
    };
    let trimmed = text.trim();
    let slug = trimmed.strip_prefix("accounts/").unwrap_or(trimmed);
    if slug.contains('@') {
        fail("is an e-mail address, not the account's slug")
    } else if slug == "fireworks" {
        fail("is the vendor's own account")
    } else if !wire::is_id(slug) {
        fail("is not a slug of letters, digits and hyphens")
    } else {
        Ok(slug.to_owned())
    }
}
