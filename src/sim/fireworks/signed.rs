//! The storage behind signed URLs: no key, but a signature, an expiry and, for uploads, signed headers.
//!
//! URLs carry the query names of Google Cloud Storage's V4 signing
//! (<https://cloud.google.com/storage/docs/access-control/signed-urls>), which clients read.

use std::sync::Arc;

use axum::extract::{Query, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use jiff::Timestamp;

use super::{Fireworks, Parameters};
use crate::domain::Digest;
use crate::sim::disk;
use crate::sim::error::SimError;
use crate::sim::exchange::{self, NotReceived, Received, Receiver};
use crate::sim::id::Id;
use crate::sim::shelf::DatasetState;

/// What a URL allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// To read for ten minutes (batch-apis.md, 2.6).
    Get,
    /// To write for an hour (batch-apis.md, 2.2).
    Put,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
        }
    }

    fn seconds(self) -> i64 {
        match self {
            Self::Get => 599,
            Self::Put => 3600,
        }
    }

    fn headers(self) -> &'static str {
        match self {
            Self::Get => "host",
            Self::Put => "content-type%3Bhost%3Bx-goog-content-length-range",
        }
    }
}

/// Which file of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blob {
    /// An input file and its size.
    Shard { number: usize, bytes: u64 },
    /// The results of an output.
    Results,
    /// The errors of an output.
    Errors,
}

impl Blob {
    fn segment(self) -> String {
        match self {
            Self::Shard { number, bytes } => format!("{number}-{bytes}"),
            Self::Results => "BIJOutputSet.jsonl".to_owned(),
            Self::Errors => "error-data".to_owned(),
        }
    }

    fn parse(segment: &str) -> Option<Self> {
        match segment {
            "BIJOutputSet.jsonl" => Some(Self::Results),
            "error-data" => Some(Self::Errors),
            _ => {
                let (number, bytes) = segment.split_once('-')?;
                Some(Self::Shard {
                    number: number.parse().ok()?,
                    bytes: bytes.parse().ok()?,
                })
            }
        }
    }
}

/// A signed URL for one file, from now on.
pub(super) fn url(service: &Fireworks, verb: Verb, id: &Id, blob: Blob) -> String {
    let from = service.workshop.now().as_second();
    let path = format!("/signed/{}/{id}/{}", verb.word(), blob.segment());
    let signature = sign(service, &path, &from.to_string());
    format!(
        "{}{path}?X-Goog-Algorithm=SIM-SHA256&X-Goog-Date={from}&X-Goog-Expires={}&X-Goog-SignedHeaders={}\
         &X-Goog-Signature={signature}",
        service.base_url,
        verb.seconds(),
        verb.headers()
    )
}

fn sign(service: &Fireworks, path: &str, from: &str) -> Digest {
    Digest::of_parts(&["signed/1", &service.secret, path, from, &service.secret])
}

/// An answer of the storage that is no success, in the form of its XML errors.
struct Denied(StatusCode, &'static str, String);

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
    }
}

impl From<SimError> for Denied {
    fn from(error: SimError) -> Self {
        drop(error);
        let message = "the server cannot use its disk".to_owned();
        Self(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }
}

fn denied<T>(status: StatusCode, code: &'static str, message: &str) -> Result<T, Denied> {
    Err(Denied(status, code, message.to_owned()))
}

/// Answers a request to a signed URL.
pub(super) async fn answer(service: &Arc<Fireworks>, request: Request) -> Response {
    let done = match check(service, &request) {
        Ok((Verb::Get, id, blob)) => send(service, id, blob).await,
        Ok((Verb::Put, id, Blob::Shard { number, bytes })) => {
            store(service, id, (number, bytes), request).await
        }
        Ok((Verb::Put, _, _)) => denied(StatusCode::FORBIDDEN, "AccessDenied", "not writable"),
        Err(denied) => Err(denied),
    };
    done.unwrap_or_else(IntoResponse::into_response)
}

fn check(service: &Fireworks, request: &Request) -> Result<(Verb, Id, Blob), Denied> {
    let path = request.uri().path();
    let mut segments = path.split('/').skip(2);
    let (verb, id, blob) = (segments.next(), segments.next(), segments.next());
    let verb = match (request.method(), verb) {
        (&Method::GET, Some("get")) => Verb::Get,
        (&Method::PUT, Some("put")) => Verb::Put,
        _ => {
            return denied(
                StatusCode::FORBIDDEN,
                "SignatureDoesNotMatch",
                "another method was signed",
            );
        }
    };
    let (Some(id), Some(blob), None) = (
        id.and_then(Id::new),
        blob.and_then(Blob::parse),
        segments.next(),
    ) else {
        return denied(StatusCode::NOT_FOUND, "NoSuchKey", "no such object");
    };
    let query = Query::<Parameters>::try_from_uri(request.uri())
        .map(|q| q.0)
        .unwrap_or_default();
    let value = |name: &str| query.get(name).map_or("", String::as_str);
    let from = value("X-Goog-Date");
    if value("X-Goog-Signature") != sign(service, path, from).to_string() {
        return denied(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            "the signature does not match",
        );
    }
    let until = from
        .parse()
        .ok()
        .and_then(|s: i64| Timestamp::from_second(s.saturating_add(verb.seconds())).ok());
    if until.is_none_or(|until| service.workshop.now() > until) {
        return denied(
            StatusCode::FORBIDDEN,
            "ExpiredToken",
            "the signed URL has expired",
        );
    }
    if request.headers().contains_key(header::AUTHORIZATION) {
        let why = "only one authentication method is allowed: send no key to a signed URL";
        return denied(StatusCode::BAD_REQUEST, "InvalidArgument", why);
    }
    Ok((verb, id, blob))
}

async fn send(service: &Fireworks, id: Id, blob: Blob) -> Result<Response, Denied> {
    let shelf = &service.workshop.shelf;
    let path = match blob {
        Blob::Shard { number, .. } => shelf.shard(&id, number),
        Blob::Results => shelf.results(&id),
        Blob::Errors => shelf.errors(&id),
    };
    match exchange::file(&path).await {
        Ok(response) => Ok(response),
        Err(_) => denied(StatusCode::NOT_FOUND, "NoSuchKey", "no such object"),
    }
}

async fn store(
    service: &Arc<Fireworks>,
    id: Id,
    (number, bytes): (usize, u64),
    request: Request,
) -> Result<Response, Denied> {
    check_headers(request.headers(), bytes)?;
    let target = service.workshop.shelf.shard(&id, number);
    let mut receiver = Receiver::beside(&target, bytes)?;
    let mut pieces = request.into_body().into_data_stream();
    while let Some(piece) = pieces.next().await {
        let taken = match piece {
            Ok(piece) => receiver.take(&piece).await,
            Err(error) => Err(NotReceived::Broken(error.to_string())),
        };
        taken.map_err(not_received)?;
    }
    let received = receiver.finish().await.map_err(not_received)?;
    if received.bytes != bytes {
        return denied(
            StatusCode::BAD_REQUEST,
            "EntityTooSmall",
            "the body is smaller than announced",
        );
    }
    let service = Arc::clone(service);
    let kept = tokio::task::spawn_blocking(move || keep(&service, &id, number, received)).await;
    kept.unwrap_or_else(|_| {
        denied(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "broke off",
        )
    })
}

fn check_headers(headers: &HeaderMap, bytes: u64) -> Result<(), Denied> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    };
    let range = format!("{bytes},{bytes}");
    if header("content-type") != "application/octet-stream"
        || header("x-goog-content-length-range") != range
    {
        return denied(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            "a signed header is missing or differs",
        );
    }
    match header("content-length").parse::<u64>() {
        Ok(length) if length > bytes => denied(
            StatusCode::BAD_REQUEST,
            "EntityTooLarge",
            "the body is too large",
        ),
        Ok(length) if length < bytes => denied(
            StatusCode::BAD_REQUEST,
            "EntityTooSmall",
            "the body is too small",
        ),
        _ => Ok(()),
    }
}

fn not_received(not: NotReceived) -> Denied {
    match not {
        NotReceived::TooLarge => Denied(
            StatusCode::BAD_REQUEST,
            "EntityTooLarge",
            "the body is larger than announced".to_owned(),
        ),
        NotReceived::Broken(_) => Denied(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "the body broke off".to_owned(),
        ),
        NotReceived::Server(error) => error.into(),
    }
}

fn keep(
    service: &Fireworks,
    id: &Id,
    number: usize,
    received: Received,
) -> Result<Response, Denied> {
    let workshop = &service.workshop;
    let _change = workshop.change();
    let awaited = match workshop.dataset(id)?.map(|d| d.state) {
        Some(DatasetState::Uploading { announced }) => announced.get(number).map(|a| a.bytes),
        _ => None,
    };
    if awaited != Some(received.bytes) {
        return denied(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "no such file is awaited",
        );
    }
    disk::put(received.file, &workshop.shelf.shard(id, number))?;
    Ok(StatusCode::OK.into_response())
}
