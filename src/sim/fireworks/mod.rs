//! The Fireworks dialect: datasets and batch-inference jobs of the control plane, and signed storage URLs.
//!
//! Spelled after `batch-apis.md`, section 2. `route` reads the path, `datasets` and `jobs` answer, `signed` is the
//! storage that signed URLs point at, `wire` holds the spellings.

mod datasets;
mod jobs;
mod route;
mod signed;
mod wire;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::completion::Completion;
use super::error::SimError;
use super::exchange::{self, MAX_JSON_BYTES};
use super::row::{Dialect, Objection, Row, RowFault, check_body};
use super::workshop::{Desk, Workshop};
use crate::domain::text::printable;
use route::Call;
pub(super) use wire::unauthorized;
use wire::{Code, Fault};

/// How this service spells rows.
#[derive(Debug)]
pub(super) struct Spelling;

impl Dialect for Spelling {
    fn name(&self) -> &'static str {
        "fireworks"
    }

    fn check(&self, row: &Row<'_>) -> Result<(), Objection> {
        let Some(body) = &row.body else {
            let message = "body is missing".to_owned();
            return Err(("missing_required_parameter", message, Some("body")));
        };
        check_body(body)
    }

    fn answered(&self, custom_id: &str, completion: &Completion<'_>, out: &mut Vec<u8>) {
        #[derive(serde::Serialize)]
        struct Line<'a> {
            custom_id: &'a str,
            response: &'a Completion<'a>,
        }
        let response = completion;
        write_line(
            out,
            &Line {
                custom_id,
                response,
            },
        );
    }

    fn failed(&self, custom_id: &str, fault: &RowFault, out: &mut Vec<u8>) {
        let error = json!({"code": fault.status, "message": fault.message});
        write_line(out, &json!({"custom_id": custom_id, "error": error}));
    }
}

fn write_line(out: &mut Vec<u8>, line: &impl serde::Serialize) {
    // Writing plain structs to memory cannot fail.
    let written = serde_json::to_writer(&mut *out, line);
    debug_assert!(written.is_ok(), "a row is plain JSON");
    out.push(b'\n');
}

/// The service.
#[derive(Debug)]
pub(super) struct Fireworks {
    workshop: Workshop,
    base_url: String,
    secret: String,
}

type Parameters = HashMap<String, String>;

impl Fireworks {
    /// Opens the service's datasets and jobs under a folder. `secret` signs storage URLs.
    pub(super) fn open(
        folder: &Path,
        desk: Arc<Desk>,
        base_url: String,
        secret: String,
    ) -> Result<Self, SimError> {
        Ok(Self {
            workshop: Workshop::open(folder, &Spelling, desk)?,
            base_url,
            secret,
        })
    }

    /// Answers a call of the control plane whose key was found right.
    pub(super) async fn call(self: &Arc<Self>, request: Request) -> Response {
        self.try_call(request)
            .await
            .unwrap_or_else(|fault| fault.response())
    }

    /// Answers a call of the storage.
    pub(super) async fn storage(self: &Arc<Self>, request: Request) -> Response {
        signed::answer(self, request).await
    }

    async fn try_call(self: &Arc<Self>, request: Request) -> Result<Response, Fault> {
        let call = Call::parse(request.method(), request.uri().path())?;
        if let Call::Upload(id) = &call {
            return datasets::upload(self, id, request).await;
        }
        let Query(parameters) = Query::<Parameters>::try_from_uri(request.uri())
            .ok()
            .ok_or_else(|| Fault::new(Code::InvalidArgument, "the query cannot be read"))?;
        let body = to_bytes(request.into_body(), MAX_JSON_BYTES)
            .await
            .map_err(|error| {
                let text = error.to_string();
                Fault::new(
                    Code::InvalidArgument,
                    format!("the body cannot be read: {}", printable(&text)),
                )
            })?;
        let this = Arc::clone(self);
        let value = blocking(move || this.answer(call, &parameters, &body)).await?;
        Ok(exchange::json(StatusCode::OK, &value))
    }

    fn answer(&self, call: Call, parameters: &Parameters, body: &Bytes) -> Result<Value, Fault> {
        match call {
            Call::ListAccounts => Ok(wire::accounts()),
            Call::CreateDataset => datasets::create(self, parse(body)?),
            Call::ListDatasets => datasets::list(self, parameters),
            Call::GetDataset(id) => datasets::get(self, &id),
            Call::DeleteDataset(id) => datasets::delete(self, &id),
            // Streams its body; answered before.
            Call::Upload(_) => Err(Fault::new(Code::Unimplemented, "not a JSON call")),
            Call::GetUploadEndpoint(id) => datasets::upload_endpoint(self, &id, parse(body)?),
            Call::ValidateUpload(id) => {
                parse::<wire::Nothing>(body)?;
                datasets::validate_upload(self, &id)
            }
            Call::GetDownloadEndpoint(id) => {
                if !body.is_empty() {
                    return Err(Fault::new(
                        Code::InvalidArgument,
                        "a GET request must not have a body",
                    ));
                }
                datasets::download_endpoint(self, &id, parameters)
            }
            Call::CreateJob => jobs::create(self, parameters, parse(body)?),
            Call::ListJobs => jobs::list(self, parameters),
            Call::GetJob(id) => jobs::get(self, &id),
            Call::DeleteJob(id) => jobs::delete(self, &id),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        Fault::new(
            Code::InvalidArgument,
            format!("invalid request body: {}", printable(&text)),
        )
    })
}

/// Runs work that touches the disk away from the threads that serve connections.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Fault::new(Code::Internal, "the server's work broke off")))
}
