//! One line of an input, and what a dialect does with lines: checks them and writes their results.

use std::borrow::Cow;
use std::fmt::Debug;
use std::io::BufReader;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::completion::Completion;
use super::error::SimError;
use crate::domain::json::read_line;

/// One request of an input.
#[derive(Debug, Deserialize)]
pub(super) struct Row<'a> {
    /// The row's name; unique in its input.
    #[serde(borrow, default)]
    pub custom_id: Option<Cow<'a, str>>,
    /// The chat-completions body.
    #[serde(borrow, default)]
    pub body: Option<RowBody<'a>>,
}

/// The body of a request, as far as this server reads it.
#[derive(Debug, Deserialize)]
pub(super) struct RowBody<'a> {
    /// The conversation.
    #[serde(borrow, default)]
    pub messages: Option<Vec<Message<'a>>>,
    /// The prompt as token ids, instead of messages.
    #[serde(default)]
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Longest answer in tokens.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// The newer name of the same.
    #[serde(default)]
    pub max_completion_tokens: Option<u32>,
    /// Never accepted inside a row.
    #[serde(borrow, default)]
    pub extra_body: Option<&'a RawValue>,
}

/// One message of a conversation.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    /// Who speaks.
    #[serde(borrow, default)]
    pub role: Cow<'a, str>,
    /// A text, or a list of parts of which the text ones count.
    #[serde(borrow, default)]
    pub content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

impl Message<'_> {
    /// The message's text; parts are joined, anything else is empty.
    pub(super) fn text(&self) -> String {
        let raw = self.content.map_or("null", RawValue::get);
        if let Ok(text) = serde_json::from_str::<String>(raw) {
            return text;
        }
        serde_json::from_str::<Vec<ContentPart<'_>>>(raw)
            .map(|parts| parts.iter().map(|p| p.text.as_ref()).collect())
            .unwrap_or_default()
    }

    /// Whether the message sets the rules of the conversation.
    pub(super) fn is_system(&self) -> bool {
        matches!(self.role.as_ref(), "system" | "developer")
    }
}

impl RowBody<'_> {
    /// The most tokens an answer may have: the row's own limit, else the job's.
    pub(super) fn limit(&self, job: Option<u32>) -> Option<u32> {
        self.max_tokens.or(self.max_completion_tokens).or(job)
    }
}

/// Why an input is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// A short code.
    pub code: String,
    /// A sentence, safe to print.
    pub message: String,
    /// The offending field, where there is one.
    pub param: Option<String>,
}

/// Why one row has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowFault {
    /// The HTTP status that a single request would have got.
    pub status: u16,
    /// A sentence.
    pub message: String,
}

impl RowFault {
    /// A row that can never be answered.
    pub(super) fn invalid(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// A row that may be sent again.
    pub(super) fn overloaded() -> Self {
        Self {
            status: 503,
            message: "the model is temporarily overloaded, please send the request again"
                .to_owned(),
        }
    }
}

/// What a dialect rejects in a row: code, message, field.
pub(super) type Objection = (&'static str, String, Option<&'static str>);

/// How one service spells rows and results.
pub(super) trait Dialect: Send + Sync + Debug {
    /// The name of the dialect's folder.
    fn name(&self) -> &'static str;

    /// Objects to a row that would fail the whole job.
    fn check(&self, row: &Row<'_>) -> Result<(), Objection>;

    /// Writes an answered row with its line feed.
    fn answered(&self, custom_id: &str, completion: &Completion<'_>, out: &mut Vec<u8>);

    /// Writes a row without an answer with its line feed.
    fn failed(&self, custom_id: &str, fault: &RowFault, out: &mut Vec<u8>);
}

/// Objections that all dialects share: the fields of the body.
pub(super) fn check_body(body: &RowBody<'_>) -> Result<(), Objection> {
    const ROLES: [&str; 6] = [
        "system",
        "developer",
        "user",
        "assistant",
        "tool",
        "function",
    ];
    let object = |code, message: &str, param| Err((code, message.to_owned(), Some(param)));
    let messages = match (&body.messages, &body.prompt_token_ids) {
        (Some(_), Some(_)) => {
            return object(
                "invalid_request",
                "messages and prompt_token_ids exclude each other",
                "body.messages",
            );
        }
        (None, Some(_)) => return Ok(()),
        (Some(messages), None) if !messages.is_empty() => messages,
        _ => {
            return object(
                "missing_required_parameter",
                "messages is missing or empty",
                "body.messages",
            );
        }
    };
    for message in messages {
        if !ROLES.contains(&message.role.as_ref()) {
            return object(
                "invalid_request",
                "a message has an unknown role",
                "body.messages.role",
            );
        }
        if message.content.is_none() && message.role != "assistant" {
            return object(
                "invalid_request",
                "a message has no content",
                "body.messages.content",
            );
        }
    }
    Ok(())
}

/// Calls `each` with the number (from 1) and the bytes of every line of the files, in order; blank lines are left out.
pub(super) fn each_line(
    files: &[PathBuf],
    mut each: impl FnMut(u64, &[u8]) -> Result<(), SimError>,
) -> Result<(), SimError> {
    let (mut line, mut number) = (Vec::new(), 0);
    for path in files {
        let file = std::fs::File::open(path).map_err(SimError::file("open", path))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        while read_line(&mut reader, &mut line).map_err(SimError::file("read", path))? {
            number += 1;
            if !line.iter().all(u8::is_ascii_whitespace) {
                each(number, &line)?;
            }
        }
    }
    Ok(())
}
