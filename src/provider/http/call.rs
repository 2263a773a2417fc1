//! What is asked of the HTTP client: settings, bounds, calls, files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use crate::provider::backoff::Schedule;
use crate::provider::failure::Effect;
use crate::sys::Clock;
use crate::sys::random::Rng;

/// Bounds on one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for a call from its start to the last byte of its answer.
    pub call: Duration,
    /// The same for a call that carries a file.
    pub transfer: Duration,
    /// Time between two pieces of an answer.
    pub idle: Duration,
    /// Bytes of an answer that is not a file.
    pub answer_bytes: u64,
    /// Bytes of a downloaded file. Fireworks' outputs end at 8 GB (batch-apis, 2.6).
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(60),
            transfer: Duration::from_secs(4 * 3600),
            idle: Duration::from_secs(120),
            answer_bytes: 8 << 20,
            file_bytes: 16 << 30,
        }
    }
}

/// What a client is made of.
#[derive(Debug)]
pub struct HttpSettings {
    /// The service's address, without a path below which nothing is added.
    pub base_url: String,
    /// The key, sent as `Authorization: Bearer`.
    pub api_key: SecretString,
    /// Bounds.
    pub limits: Limits,
    /// Repetitions of repeatable calls.
    pub retry: Schedule,
    /// Where jitter comes from.
    pub rng: Rng,
    /// The wall clock, against which dates in `Retry-After` are read.
    pub clock: Arc<dyn Clock>,
}

/// The method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Read.
    Get,
    /// Make or do.
    Post,
    /// Remove.
    Delete,
}

/// One call of an API.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its method.
    pub verb: Verb,
    /// Its path below the base, made of checked ids only.
    pub path: &'a str,
    /// A query parameter.
    pub query: Option<(&'a str, &'a str)>,
    /// Its JSON body.
    pub body: Option<&'a Value>,
    /// What a second one would do.
    pub effect: Effect,
    /// What is being done, for messages.
    pub what: &'a str,
}

/// A file to send.
#[derive(Debug, Clone, Copy)]
pub struct Cargo<'a> {
    /// Where it is.
    pub file: &'a Path,
    /// Its size, which it must still have.
    pub bytes: u64,
    /// Its name at the service.
    pub name: &'a str,
}
