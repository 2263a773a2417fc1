//! Which call a method and a path mean. Every id in a path is checked here, before anything else sees it.

use axum::http::Method;

use super::wire::{Code, Fault, client_id};
use crate::sim::id::Id;
use crate::sim::server::ACCOUNT;

/// A call of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    ListAccounts,
    CreateDataset,
    ListDatasets,
    GetDataset(Id),
    DeleteDataset(Id),
    Upload(Id),
    GetUploadEndpoint(Id),
    ValidateUpload(Id),
    GetDownloadEndpoint(Id),
    CreateJob,
    ListJobs,
    GetJob(Id),
    DeleteJob(Id),
}

impl Call {
    /// Reads a method and a path as they came: no path of this service needs percent-encoding, so none is decoded.
    pub(super) fn parse(method: &Method, path: &str) -> Result<Self, Fault> {
        let unknown = || Fault::new(Code::NotFound, "Not Found");
        let mut segments = path
            .strip_prefix("/v1/accounts")
            .ok_or_else(unknown)?
            .split('/');
        if segments.next() != Some("") {
            return Err(unknown());
        }
        let Some(account) = segments.next() else {
            let call = (method == Method::GET).then_some(Call::ListAccounts);
            return call.ok_or_else(not_allowed);
        };
        if account != ACCOUNT {
            return Err(Fault::new(
                Code::PermissionDenied,
                "the key has no access to this account",
            ));
        }
        let collection = segments.next().ok_or_else(unknown)?;
        let name = segments.next();
        if segments.next().is_some() {
            return Err(unknown());
        }
        let call = match (collection, name) {
            ("datasets", None) => match *method {
                Method::GET => Some(Call::ListDatasets),
                Method::POST => Some(Call::CreateDataset),
                _ => None,
            },
            ("batchInferenceJobs", None) => match *method {
                Method::GET => Some(Call::ListJobs),
                Method::POST => Some(Call::CreateJob),
                _ => None,
            },
            ("datasets", Some(name)) => dataset_call(method, name)?,
            ("batchInferenceJobs", Some(name)) => {
                let id = client_id(name)?;
                match *method {
                    Method::GET => Some(Call::GetJob(id)),
                    Method::DELETE => Some(Call::DeleteJob(id)),
                    _ => None,
                }
            }
            _ => return Err(unknown()),
        };
        call.ok_or_else(not_allowed)
    }
}

fn dataset_call(method: &Method, name: &str) -> Result<Option<Call>, Fault> {
    let (id, verb) = match name.split_once(':') {
        Some((id, verb)) => (client_id(id)?, Some(verb)),
        None => (client_id(name)?, None),
    };
    Ok(match (method, verb) {
        (&Method::GET, None) => Some(Call::GetDataset(id)),
        (&Method::DELETE, None) => Some(Call::DeleteDataset(id)),
        (&Method::POST, Some("upload")) => Some(Call::Upload(id)),
        (&Method::POST, Some("getUploadEndpoint")) => Some(Call::GetUploadEndpoint(id)),
        (&Method::POST, Some("validateUpload")) => Some(Call::ValidateUpload(id)),
        (&Method::GET, Some("getDownloadEndpoint")) => Some(Call::GetDownloadEndpoint(id)),
        _ => None,
    })
}

fn not_allowed() -> Fault {
    Fault::new(Code::Unimplemented, "Method Not Allowed")
}
