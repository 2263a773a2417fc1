//! What to do about a failed request, decided from its status, code and type.
//!
//! Sources: `batch-apis.md` 3.3 and 8; `https://platform.openai.com/docs/guides/error-codes`; gRPC status codes 1 to 16.

use std::fmt;

/// The class of a failed request. Its text form follows `error:` in the finish reason of `predictions.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowErrorClass {
    /// The provider was busy or broke: 408, 409, 425, 429, 5xx. The same request may succeed.
    Retryable,
    /// The request is wrong and will stay wrong: 400 and its kin.
    InvalidRequest,
    /// The window closed before the request ran.
    Expired,
    /// The job was cancelled before the request ran.
    Cancelled,
    /// Anything else, trouble with the account included.
    ProviderError,
}

impl RowErrorClass {
    /// All classes.
    pub const ALL: [Self; 5] = [
        Self::Retryable,
        Self::InvalidRequest,
        Self::Expired,
        Self::Cancelled,
        Self::ProviderError,
    ];

    /// The class's name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::InvalidRequest => "invalid_request",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::ProviderError => "provider_error",
        }
    }

    /// Whether the same request may be sent again: all but wrong requests.
    pub fn is_retryable(self) -> bool {
        self != Self::InvalidRequest
    }
}

impl fmt::Display for RowErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Classifies a failed request. The words decide before the status, because `batch_expired` may come with any.
pub(super) fn classify(
    status: Option<u16>,
    code: Option<&str>,
    kind: Option<&str>,
) -> RowErrorClass {
    let mut words = [code, kind].into_iter().flatten();
    if let Some(class) = words.clone().find_map(of_ending) {
        return class;
    }
    match status {
        Some(408 | 409 | 425 | 429 | 500..=599) => RowErrorClass::Retryable,
        Some(401 | 402 | 403 | 412) => RowErrorClass::ProviderError,
        Some(400..=499) => RowErrorClass::InvalidRequest,
        _ => words
            .find_map(of_word)
            .unwrap_or(RowErrorClass::ProviderError),
    }
}

fn of_ending(word: &str) -> Option<RowErrorClass> {
    let word = word.to_ascii_lowercase();
    if word.ends_with("expired") {
        Some(RowErrorClass::Expired)
    } else if word.ends_with("cancelled") || word.ends_with("canceled") || word == "1" {
        Some(RowErrorClass::Cancelled)
    } else {
        None
    }
}

fn of_word(word: &str) -> Option<RowErrorClass> {
    const BUSY: [&str; 13] = [
        "server_error",
        "servererror",
        "internal",
        "rate_limit",
        "ratelimit",
        "too_many_requests",
        "overloaded",
        "unavailable",
        "timeout",
        "deadline",
        "exhausted",
        "api_error",
        "aborted",
    ];
    const WRONG: [&str; 12] = [
        "invalid",
        "bad_request",
        "badrequest",
        "context_length",
        "not_found",
        "notfound",
        "content_filter",
        "content_policy",
        "unsupported",
        "missing_required",
        "too_large",
        "out_of_range",
    ];
    let word = word.to_ascii_lowercase();
    match word.as_str() {
        "4" | "8" | "10" | "13" | "14" => return Some(RowErrorClass::Retryable),
        "3" | "5" | "6" | "9" | "11" | "12" => return Some(RowErrorClass::InvalidRequest),
        _ => {}
    }
    if BUSY.iter().any(|w| word.contains(w)) {
        Some(RowErrorClass::Retryable)
    } else if WRONG.iter().any(|w| word.contains(w)) {
        Some(RowErrorClass::InvalidRequest)
    } else {
        None
    }
}
