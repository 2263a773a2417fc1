//! What can go wrong between us and a provider. Answers two questions: may this be tried again, and after how long?

use std::time::Duration;

use thiserror::Error;

/// The situation, from the caller's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderErrorKind {
    /// The call may or may not have taken effect: timeout, reset, 5xx after sending. Ask `find` before doing it again.
    Uncertain,
    /// The call did not take effect and may be made again after a while: refused connection, 429, 503 before sending.
    Transient,
    /// The provider's queue is full; try when another job has ended.
    QueueFull,
    /// The request is wrong and will stay wrong: 400, 404, 413, 422.
    Rejected,
    /// Key, plan, money or suspension: 401, 402, 403, 412. Nothing works until a person acts.
    Account,
    /// The answer could not be understood.
    Garbled,
    /// A local file could not be read or written.
    Local,
}

/// A failed call.
#[derive(Debug, Error)]
#[error("{context}: {message}")]
pub struct ProviderError {
    /// The situation.
    pub kind: ProviderErrorKind,
    /// What was being done, e.g. `create job evt-1f..`.
    pub context: String,
    /// What happened, safe to print and without secrets.
    pub message: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
    /// The cause, where there is one.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ProviderError {
    /// An error without an HTTP answer.
    pub fn new(
        kind: ProviderErrorKind,
        context: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            context: context.into(),
            message: message.into(),
            status: None,
            retry_after: None,
            source: None,
        }
    }

    /// Whether the same call may be made again later without asking first.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ProviderErrorKind::Transient | ProviderErrorKind::QueueFull
        )
    }
}
