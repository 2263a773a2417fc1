//! Datasets: creation, the two ways of upload, download endpoints.

use std::sync::Arc;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::signed::{self, Blob, Verb};
use super::wire::{self, Code, CreateDataset, Fault, UploadEndpoint, client_id, name, page};
use super::{Fireworks, Parameters, blocking};
use crate::domain::Digest;
use crate::domain::text::printable;
use crate::sim::disk;
use crate::sim::error::SimError;
use crate::sim::exchange::{self, NotReceived, Received, Receiver};
use crate::sim::id::Id;
use crate::sim::shelf::{Announced, DatasetRecord, DatasetState, Kind, Shard};
use crate::sim::workshop::SCHEMA_VERSION;
use crate::sys::clock::rfc3339;

/// Most bytes of `:upload` (batch-apis.md, 2.2).
pub(in crate::sim) const MAX_UPLOAD_BYTES: u64 = 150 << 20;
/// Most bytes of one signed upload (batch-apis.md, 2.6: 80 GiB).
const MAX_SIGNED_BYTES: u64 = 80 << 30;
/// Most files of one dataset.
const MAX_FILES: usize = 10_000;

pub(super) fn create(service: &Fireworks, body: CreateDataset) -> Result<Value, Fault> {
    let invalid = |what: &str| Fault::new(Code::InvalidArgument, what);
    let id = client_id(
        &body
            .dataset_id
            .ok_or_else(|| invalid("dataset_id is required"))?,
    )?;
    let new = body.dataset.ok_or_else(|| invalid("dataset is required"))?;
    if new.user_uploaded.is_none() {
        return Err(invalid("one of user_uploaded, external_url is required"));
    }
    let count = new
        .example_count
        .ok_or_else(|| invalid("example_count is required for uploaded datasets"))?;
    let dataset = DatasetRecord {
        schema_version: SCHEMA_VERSION,
        label: new.display_name,
        declared_rows: count
            .parse()
            .ok()
            .ok_or_else(|| invalid("invalid example_count"))?,
        created: service.workshop.now(),
        state: DatasetState::Uploading {
            announced: Vec::new(),
        },
        id,
    };
    let _change = service.workshop.change();
    let path = service.workshop.shelf.record(Kind::Datasets, &dataset.id);
    if !disk::claim(&path, &dataset)? {
        let message = format!("dataset {} already exists", name("datasets", &dataset.id));
        return Err(Fault::new(Code::AlreadyExists, message));
    }
    Ok(view(&dataset))
}

pub(super) fn get(service: &Fireworks, id: &Id) -> Result<Value, Fault> {
    Ok(view(&find(service, id)?))
}

pub(super) fn list(service: &Fireworks, parameters: &Parameters) -> Result<Value, Fault> {
    let mut all = Vec::new();
    for id in service.workshop.shelf.ids(Kind::Datasets)? {
        all.extend(service.workshop.dataset(&id)?);
    }
    let page = page(all, |d| (d.created, d.id.clone()), parameters)?;
    let datasets: Vec<Value> = page.rows.iter().map(view).collect();
    Ok(json!({"datasets": datasets, "nextPageToken": page.next, "totalSize": page.total}))
}

pub(super) fn delete(service: &Fireworks, id: &Id) -> Result<Value, Fault> {
    let workshop = &service.workshop;
    let _change = workshop.change();
    let dataset = find(service, id)?;
    for job in workshop.shelf.ids(Kind::Jobs)? {
        if let Some(job) = workshop.shelf.job(&job)?
            && job.input == *id
            && !workshop.standing(&job)?.is_over()
        {
            let message = format!(
                "dataset is in use by {}",
                name("batchInferenceJobs", &job.id)
            );
            return Err(Fault::new(Code::FailedPrecondition, message));
        }
    }
    workshop.shelf.remove_dataset(&dataset)?;
    Ok(json!({}))
}

/// `:upload`: the whole dataset as one multipart field `file`, streamed to disk.
pub(super) async fn upload(
    service: &Arc<Fireworks>,
    id: &Id,
    request: Request,
) -> Result<Response, Fault> {
    let (this, wanted) = (Arc::clone(service), id.clone());
    blocking(move || uploading(&this, &wanted).map(drop)).await?;
    let (file_name, received) = receive_field(service, id, request).await?;
    let (this, wanted) = (Arc::clone(service), id.clone());
    let value = blocking(move || keep(&this, &wanted, file_name, received)).await?;
    Ok(exchange::json(StatusCode::OK, &value))
}

async fn receive_field(
    service: &Fireworks,
    id: &Id,
    request: Request,
) -> Result<(String, Received), Fault> {
    let broken = |error: &dyn std::fmt::Display| {
        let message = format!("invalid multipart body: {}", printable(&error.to_string()));
        Fault::new(Code::InvalidArgument, message)
    };
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|e| broken(&e.body_text()))?;
    while let Some(mut field) = parts.next_field().await.map_err(|e| of_multipart(&e))? {
        if field.name() != Some("file") {
            continue;
        }
        let file_name = field.file_name().unwrap_or("file").to_owned();
        let target = service.workshop.shelf.shard(id, 0);
        let mut receiver = Receiver::beside(&target, MAX_UPLOAD_BYTES)?;
        while let Some(piece) = field.chunk().await.map_err(|e| of_multipart(&e))? {
            receiver.take(&piece).await?;
        }
        return Ok((file_name, receiver.finish().await?));
    }
    Err(Fault::new(
        Code::InvalidArgument,
        "the multipart field \"file\" is missing",
    ))
}

fn of_multipart(error: &axum::extract::multipart::MultipartError) -> Fault {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return NotReceived::TooLarge.into();
    }
    let text = error.body_text();
    NotReceived::Broken(format!("invalid multipart body: {}", printable(&text))).into()
}

fn keep(
    service: &Fireworks,
    id: &Id,
    file_name: String,
    received: Received,
) -> Result<Value, Fault> {
    if received.bytes == 0 {
        return Err(Fault::new(Code::InvalidArgument, "the file is empty"));
    }
    let _change = service.workshop.change();
    let dataset = uploading(service, id)?;
    disk::put(received.file, &service.workshop.shelf.shard(id, 0))?;
    let answer = json!({
        "id": name("datasets", id), "object": "file", "filename": file_name, "bytes": received.bytes,
        "created_at": dataset.created.as_second(), "purpose": "dataset",
    });
    let shard = Shard {
        name: file_name,
        bytes: received.bytes,
        sha256: received.sha256,
    };
    set_state(
        service,
        dataset,
        DatasetState::Ready {
            shards: vec![shard],
        },
    )?;
    Ok(answer)
}

/// `:getUploadEndpoint`: registers the whole set of files anew and signs a URL for each.
pub(super) fn upload_endpoint(
    service: &Fireworks,
    id: &Id,
    body: UploadEndpoint,
) -> Result<Value, Fault> {
    let _change = service.workshop.change();
    let dataset = uploading(service, id)?;
    if body.filename_to_size.is_empty() || body.filename_to_size.len() > MAX_FILES {
        return Err(Fault::new(
            Code::InvalidArgument,
            "filename_to_size needs 1 to 10000 files",
        ));
    }
    let mut announced: Vec<Announced> = Vec::new();
    for (name, size) in body.filename_to_size {
        let invalid = |what: &str| {
            let message = format!("{what}: {:?}", printable(&name));
            Fault::new(Code::InvalidArgument, message)
        };
        let base = name.rsplit('/').next().unwrap_or_default();
        if matches!(base, "" | "." | "..") || base.len() > 255 {
            return Err(invalid("not a file name"));
        }
        if announced.iter().any(|a| a.name == base) {
            return Err(invalid("two files have this name"));
        }
        let bytes = size
            .parse()
            .ok()
            .filter(|n| (1..=MAX_SIGNED_BYTES).contains(n))
            .ok_or_else(|| invalid("invalid file size"))?;
        announced.push(Announced {
            name: base.to_owned(),
            bytes,
        });
    }
    let urls: Map<String, Value> = announced
        .iter()
        .enumerate()
        .map(|(number, file)| {
            let blob = Blob::Shard {
                number,
                bytes: file.bytes,
            };
            let url = signed::url(service, Verb::Put, id, blob);
            (file.name.clone(), Value::from(url))
        })
        .collect();
    set_state(service, dataset, DatasetState::Uploading { announced })?;
    Ok(json!({"filenameToSignedUrls": urls}))
}

/// `:validateUpload`: makes the dataset usable once every registered file is there in its size.
pub(super) fn validate_upload(service: &Fireworks, id: &Id) -> Result<Value, Fault> {
    let _change = service.workshop.change();
    let dataset = uploading(service, id)?;
    let DatasetState::Uploading { announced } = &dataset.state else {
        return Err(already_uploaded());
    };
    let missing = |name: &str| {
        let message = format!("file {:?} has not been uploaded", printable(name));
        Fault::new(Code::FailedPrecondition, message)
    };
    if announced.is_empty() {
        return Err(missing(""));
    }
    let mut shards = Vec::new();
    for (number, file) in announced.iter().enumerate() {
        let path = service.workshop.shelf.shard(id, number);
        let opened = std::fs::File::open(&path)
            .ok()
            .ok_or_else(|| missing(&file.name))?;
        let (sha256, bytes) = Digest::of_reader(opened).map_err(SimError::file("read", &path))?;
        if bytes != file.bytes {
            return Err(missing(&file.name));
        }
        shards.push(Shard {
            name: file.name.clone(),
            bytes,
            sha256,
        });
    }
    set_state(service, dataset, DatasetState::Ready { shards })?;
    Ok(json!({}))
}

/// `:getDownloadEndpoint`: fresh URLs of a dataset's files, on request also of the outputs that it continues.
pub(super) fn download_endpoint(
    service: &Fireworks,
    id: &Id,
    parameters: &Parameters,
) -> Result<Value, Fault> {
    let dataset = find(service, id)?;
    let mut urls = Map::new();
    let mut add = |owner: &Id, file: &str, blob| {
        let url = signed::url(service, Verb::Get, owner, blob);
        urls.insert(format!("dataset/{owner}/{file}"), Value::from(url));
    };
    match &dataset.state {
        DatasetState::Uploading { .. } => {
            return Err(Fault::new(
                Code::FailedPrecondition,
                "the dataset is not ready",
            ));
        }
        DatasetState::Ready { shards } => {
            for (number, shard) in shards.iter().enumerate() {
                let bytes = shard.bytes;
                add(id, &shard.name, Blob::Shard { number, bytes });
            }
        }
        DatasetState::Output { job } => {
            let whole = parameters
                .get("downloadLineage")
                .is_some_and(|v| v == "true");
            let mut owners = vec![id.clone()];
            if whole {
                let chain = service.workshop.lineage(job)?;
                owners.extend(chain.into_iter().map(|j| j.output).filter(|o| o != id));
            }
            for owner in owners {
                if service.workshop.dataset(&owner)?.is_some() {
                    add(&owner, "BIJOutputSet.jsonl", Blob::Results);
                    add(&owner, "error-data", Blob::Errors);
                }
            }
        }
    }
    Ok(json!({"filenameToSignedUrls": urls}))
}

fn find(service: &Fireworks, id: &Id) -> Result<DatasetRecord, Fault> {
    service.workshop.dataset(id)?.ok_or_else(Fault::not_found)
}

fn uploading(service: &Fireworks, id: &Id) -> Result<DatasetRecord, Fault> {
    let dataset = find(service, id)?;
    match dataset.state {
        DatasetState::Uploading { .. } => Ok(dataset),
        DatasetState::Ready { .. } | DatasetState::Output { .. } => Err(already_uploaded()),
    }
}

fn already_uploaded() -> Fault {
    Fault::new(Code::FailedPrecondition, "dataset is already uploaded")
}

fn set_state(
    service: &Fireworks,
    mut dataset: DatasetRecord,
    state: DatasetState,
) -> Result<(), SimError> {
    dataset.state = state;
    let path = service.workshop.shelf.record(Kind::Datasets, &dataset.id);
    disk::replace(&path, &dataset)
}

fn view(dataset: &DatasetRecord) -> Value {
    let mut view = json!({
        "name": name("datasets", &dataset.id), "displayName": dataset.label,
        "createTime": rfc3339(dataset.created), "createdBy": "sim@localhost",
        "status": {"code": "OK", "message": ""}, "exampleCount": dataset.declared_rows.to_string(),
        "format": "FORMAT_UNSPECIFIED", "externalUrl": "", "estimatedTokenCount": "0",
    });
    match &dataset.state {
        DatasetState::Uploading { .. } => {
            view["state"] = "UPLOADING".into();
            view["userUploaded"] = json!({});
        }
        DatasetState::Ready { .. } => {
            view["state"] = "READY".into();
            view["userUploaded"] = json!({});
        }
        DatasetState::Output { job } => {
            view["state"] = "READY".into();
            view["sourceJobName"] = wire::name("batchInferenceJobs", job).into();
        }
    }
    view
}
