//! Result and error rows of all chat-completion dialects, read into one borrowed shape.
//!
//! One line in, one [`Row`] out. A value of an unexpected type reads as absent, so that no quirk of a provider turns a
//! paid answer into a malformed line; only text that is no JSON (or has no `custom_id`) is an error. Shapes:
//! `batch-apis.md` 2.5, 3.3, 5, 6 and 11. Which rows are kept, retried or counted is decided elsewhere.

mod class;
mod wire;

use std::borrow::Cow;

use thiserror::Error;

pub use class::RowErrorClass;
pub use wire::MAX_TOKENS;

use wire::{Envelope, ErrorBody, Id};

/// One line of a results or errors file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The request's name, as it was sent.
    pub custom_id: Cow<'a, str>,
    /// What became of the request.
    pub outcome: RowOutcome<'a>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome<'a> {
    /// The model answered, maybe with an empty text.
    Answer {
        /// The provider's name for the call.
        request_id: Option<Cow<'a, str>>,
        /// Why the model stopped, in the provider's words.
        finish_reason: Option<Cow<'a, str>>,
        /// The answer as it came, not trimmed; reasoning is left out.
        text: Cow<'a, str>,
        /// Tokens, where the provider reported any.
        usage: Option<Usage>,
        /// The model's refusal, where the provider reports it apart from the text.
        refusal: Option<Cow<'a, str>>,
        /// The model that answered.
        model: Option<Cow<'a, str>>,
    },
    /// The request was not answered.
    Error {
        /// What to do about it.
        class: RowErrorClass,
        /// The provider's name for the call.
        request_id: Option<Cow<'a, str>>,
        /// The provider's code or type, untrusted.
        code: Option<Cow<'a, str>>,
        /// The provider's message, untrusted; empty where there is none.
        message: Cow<'a, str>,
        /// The HTTP status of the single request.
        status: Option<u16>,
    },
}

/// Tokens of one request. A count that is negative, above [`MAX_TOKENS`], no whole number or no number is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens, cached ones included.
    pub prompt: Option<u64>,
    /// Output tokens, reasoning included.
    pub completion: Option<u64>,
    /// Both together, as the provider says.
    pub total: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cached: u64,
}

/// A line that is no row.
#[derive(Debug, Error)]
pub enum RowError {
    /// The line is not UTF-8.
    #[error("not UTF-8 at byte {column}")]
    NotUtf8 {
        /// The offending byte, from 1.
        column: usize,
    },
    /// The line is not JSON.
    #[error("not JSON at byte {column}")]
    Json {
        /// The offending byte, from 1.
        column: usize,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The line is JSON, but names no request.
    #[error("no custom_id")]
    NoCustomId,
}

impl RowError {
    fn json(source: serde_json::Error) -> Self {
        Self::Json {
            column: source.column(),
            source,
        }
    }
}

impl Row<'_> {
    /// Whether the model answered.
    pub fn is_answer(&self) -> bool {
        matches!(self.outcome, RowOutcome::Answer { .. })
    }
}

/// Reads one line, without its line end. Blank lines are the caller's to skip.
pub fn parse_row(line: &[u8]) -> Result<Row<'_>, RowError> {
    let text = as_text(line)?;
    match wire::read::<Envelope<'_>>(text) {
        Ok(envelope) => row(envelope),
        Err(error) => match wire::mend_surrogates(text) {
            // An answer cut inside a surrogate pair was paid all the same: the half character reads as U+FFFD.
            Some(mended) => {
                let envelope = wire::read::<Envelope<'_>>(&mended).map_err(RowError::json)?;
                row(envelope).map(Row::into_owned)
            }
            None => Err(RowError::json(error)),
        },
    }
}

/// Reads only the name of a row, but checks that the whole line is JSON: a line cut short is no row.
pub fn custom_id(line: &[u8]) -> Result<Cow<'_, str>, RowError> {
    wire::read::<Id<'_>>(as_text(line)?)
        .map_err(RowError::json)?
        .get()
        .ok_or(RowError::NoCustomId)
}

fn as_text(line: &[u8]) -> Result<&str, RowError> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    std::str::from_utf8(line).map_err(|error| RowError::NotUtf8 {
        column: error.valid_up_to() + 1,
    })
}

/// Decides between answer and error: status 2xx (or none), no error, and something that can hold an answer.
fn row(envelope: Envelope<'_>) -> Result<Row<'_>, RowError> {
    let custom_id = envelope.id.get().ok_or(RowError::NoCustomId)?;
    let response = envelope.response;
    let request_id = response
        .request_id
        .or(response.direct.id.clone())
        .or(response.body.id.clone());
    let usage = response.direct.usage.or(response.body.usage);
    let mut payload = if response.body.seen {
        response.body
    } else {
        response.direct
    };
    let succeeded = response.status.is_none_or(|s| (200..300).contains(&s));
    let answer = if succeeded && envelope.error.is_empty() {
        payload.answer.take()
    } else {
        None
    };
    let outcome = match answer {
        Some(answer) => RowOutcome::Answer {
            request_id,
            finish_reason: answer.finish_reason,
            text: answer.text.unwrap_or_default(),
            usage,
            refusal: answer.refusal,
            model: payload.model,
        },
        None => failure(
            request_id,
            response.status,
            envelope.error.or(payload.error),
        ),
    };
    Ok(Row { custom_id, outcome })
}

fn failure<'a>(
    request_id: Option<Cow<'a, str>>,
    status: Option<u16>,
    error: ErrorBody<'a>,
) -> RowOutcome<'a> {
    let status = status.or_else(|| error.status());
    let class = class::classify(status, error.code.as_deref(), error.kind.as_deref());
    RowOutcome::Error {
        class,
        request_id,
        code: error.code.or(error.kind),
        message: error.message.unwrap_or_default(),
        status,
    }
}

impl Row<'_> {
    fn into_owned(self) -> Row<'static> {
        let outcome = match self.outcome {
            RowOutcome::Answer {
                request_id,
                finish_reason,
                text,
                usage,
                refusal,
                model,
            } => RowOutcome::Answer {
                request_id: wire::own(request_id),
                finish_reason: wire::own(finish_reason),
                text: Cow::Owned(text.into_owned()),
                usage,
                refusal: wire::own(refusal),
                model: wire::own(model),
            },
            RowOutcome::Error {
                class,
                request_id,
                code,
                message,
                status,
            } => RowOutcome::Error {
                class,
                request_id: wire::own(request_id),
                code: wire::own(code),
                message: Cow::Owned(message.into_owned()),
                status,
            },
        };
        Row {
            custom_id: Cow::Owned(self.custom_id.into_owned()),
            outcome,
        }
    }
}

#[cfg(test)]
mod tests;
