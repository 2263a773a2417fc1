//! Spellings of the service: error bodies, request bodies, resource names, paging.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Parameters;
use crate::domain::text::{printable, shorten};
use crate::sim::error::SimError;
use crate::sim::exchange::{self, NotReceived};
use crate::sim::id::Id;
use crate::sim::server::ACCOUNT;

/// gRPC status codes (<https://grpc.io/docs/guides/status-codes/>) with their HTTP statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    InvalidArgument,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    FailedPrecondition,
    Unimplemented,
    Internal,
    TooLarge,
}

impl Code {
    fn number(self) -> u8 {
        match self {
            Self::InvalidArgument => 3,
            Self::NotFound => 5,
            Self::AlreadyExists => 6,
            Self::PermissionDenied => 7,
            Self::TooLarge => 8,
            Self::FailedPrecondition => 9,
            Self::Unimplemented => 12,
            Self::Internal => 13,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::AlreadyExists => StatusCode::CONFLICT,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// A refused call.
#[derive(Debug)]
pub(super) struct Fault {
    code: Code,
    message: String,
}

impl Fault {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(Code::NotFound, "resource not found")
    }

    pub(super) fn response(&self) -> Response {
        let body = json!({"code": self.code.number(), "message": self.message, "details": []});
        exchange::json(self.code.status(), &body)
    }
}

impl From<SimError> for Fault {
    fn from(error: SimError) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let text = match cause {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self::new(Code::Internal, printable(&text))
    }
}

impl From<NotReceived> for Fault {
    fn from(not: NotReceived) -> Self {
        match not {
            NotReceived::TooLarge => Self::new(Code::TooLarge, "the file is too large"),
            NotReceived::Broken(how) => Self::new(Code::InvalidArgument, how),
            NotReceived::Server(error) => error.into(),
        }
    }
}

/// The answer to a missing or wrong key.
pub(in crate::sim) fn unauthorized() -> Response {
    let error = json!({
        "message": "The API key you provided is invalid.", "param": "", "code": "UNAUTHORIZED", "type": "error",
    });
    let body = json!({"error": error, "request_id": "sim"});
    exchange::json(StatusCode::FORBIDDEN, &body)
}

/// Reads an id: 1 to 63 characters of `a-z 0-9 -`, neither beginning with a digit or hyphen nor ending with one.
pub(super) fn client_id(text: &str) -> Result<Id, Fault> {
    let plain = !text.contains('_') && !text.ends_with('-');
    Id::new(text).filter(|_| plain).ok_or_else(|| {
        let shown = shorten(&printable(text), 80);
        Fault::new(
            Code::InvalidArgument,
            format!("invalid resource id {shown:?}: use 1-63 characters of a-z, 0-9 and -, starting with a letter"),
        )
    })
}

/// Reads the name of a resource, in full or as a bare id.
pub(super) fn reference(collection: &str, text: &str) -> Result<Id, Fault> {
    let prefix = format!("accounts/{ACCOUNT}/{collection}/");
    client_id(text.strip_prefix(&prefix).unwrap_or(text))
}

/// The full name of a resource.
pub(super) fn name(collection: &str, id: &Id) -> String {
    format!("accounts/{ACCOUNT}/{collection}/{id}")
}

/// `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Body of a dataset's creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateDataset {
    pub(super) dataset_id: Option<String>,
    pub(super) dataset: Option<NewDataset>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewDataset {
    #[serde(default)]
    pub(super) display_name: String,
    pub(super) example_count: Option<String>,
    pub(super) user_uploaded: Option<Nothing>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted as on the wire, without effect")]
    format: Option<String>,
}

/// Body of `:getUploadEndpoint`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UploadEndpoint {
    pub(super) filename_to_size: std::collections::BTreeMap<String, String>,
}

/// Body of a job's creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateJob {
    pub(super) model: Option<String>,
    pub(super) input_dataset_id: Option<String>,
    pub(super) output_dataset_id: Option<String>,
    #[serde(default)]
    pub(super) display_name: String,
    pub(super) inference_parameters: Option<Map<String, Value>>,
    pub(super) system_prompt: Option<String>,
    pub(super) max_job_duration: Option<String>,
    pub(super) placement: Option<Map<String, Value>>,
    pub(super) precision: Option<String>,
    pub(super) continued_from_job_name: Option<String>,
}

/// The typed reading of `inferenceParameters`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InferenceParameters {
    pub(super) max_tokens: Option<u32>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    #[expect(
        dead_code,
        reason = "its type is checked, its value has no effect here"
    )]
    top_k: Option<i32>,
    pub(super) n: Option<u32>,
    /// A JSON object as a text.
    pub(super) extra_body: Option<String>,
}

/// The accounts that the key can see.
pub(super) fn accounts() -> Value {
    let account = json!({"name": format!("accounts/{ACCOUNT}"), "displayName": "embedded provider", "state": "READY"});
    json!({"accounts": [account], "nextPageToken": "", "totalSize": 1})
}

/// A page of a list, and where the next one begins.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    pub(super) next: String,
    pub(super) total: usize,
}

/// Cuts the wanted page out of all resources, ordered by creation (AIP-158: <https://google.aip.dev/158>).
pub(super) fn page<T>(
    mut all: Vec<T>,
    key: impl Fn(&T) -> (Timestamp, Id),
    parameters: &Parameters,
) -> Result<Page<T>, Fault> {
    let invalid = |what: &str| Fault::new(Code::InvalidArgument, format!("invalid {what}"));
    let text = |name: &str| parameters.get(name).map_or("", String::as_str);
    if !text("filter").is_empty() {
        return Err(invalid("filter: this server offers none"));
    }
    if !matches!(text("orderBy"), "" | "created_time" | "create_time") {
        return Err(invalid("orderBy: only created_time is offered"));
    }
    let size = match text("pageSize") {
        "" => 0,
        size => size
            .parse::<u32>()
            .ok()
            .ok_or_else(|| invalid("pageSize"))?,
    };
    let size = if size == 0 {
        50
    } else {
        size.min(200) as usize
    };
    all.sort_by_key(&key);
    let total = all.len();
    let from = match text("pageToken") {
        "" => 0,
        token => {
            let last = read_token(token).ok_or_else(|| invalid("pageToken"))?;
            all.partition_point(|row| key(row) <= last)
        }
    };
    let mut rows = all.split_off(from);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(&key);
    Ok(Page {
        next: next.map_or_else(String::new, |(at, id)| {
            format!("{}.{id}", at.as_nanosecond())
        }),
        rows,
        total,
    })
}

fn read_token(token: &str) -> Option<(Timestamp, Id)> {
    let (at, id) = token.split_once('.')?;
    let at = Timestamp::from_nanosecond(at.parse().ok()?).ok()?;
    Some((at, Id::new(id)?))
}
