//! The faces of a run, `run_state.json` and `trial_manifest.json`: documented records made from the picture of the run,
//! and read back into facts where the ledger is lost. Records are not domain values; each carries its version.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::RunPaths;
use super::atomic;
use super::error::{Result, StoreError};
use crate::domain::{Digest, TrialSlug};
use crate::snapshot::RunView;

mod faces;
mod recover;
mod run_state;
mod trial_manifest;

pub use faces::Faces;
pub use recover::recover;
pub use run_state::{
    Checkpoint, DriftRecord, LedgerMark, PhaseRecord, RunStateRecord, TotalsRecord, WriterRecord,
};
pub use trial_manifest::{
    ArtifactRecord, StageRecord, Timestamps, TrialManifestRecord, WorkRecord,
};

/// One prompt text of a trial, as its manifest shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptMark {
    /// The file as configured.
    pub path: String,
    /// Digest of its text.
    pub sha256: Digest,
}

/// The prompts of each trial by role, e.g. `control`.
pub type Prompts = BTreeMap<TrialSlug, BTreeMap<String, PromptMark>>;

/// The one thing that is read of a file of any version.
#[derive(Deserialize)]
struct Version {
    schema_version: Option<u64>,
}

/// Reads a record of version `known`; another version, or a shape that does not fit, is an error naming the file.
fn read_record<T: DeserializeOwned>(path: &Path, known: u64) -> Result<T> {
    let bytes = atomic::read(path)?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(StoreError::corrupt(path, "it is empty"));
    }
    let damaged = |error: serde_json::Error| StoreError::corrupt(path, &error.to_string());
    let Version { schema_version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    let path_buf = path.to_path_buf();
    match schema_version {
        None => Err(StoreError::corrupt(path, "it has no schema_version")),
        Some(found) if found > known => Err(StoreError::NewerSchema {
            path: path_buf,
            found,
            known,
        }),
        Some(found) if found < known => Err(StoreError::OlderSchema {
            path: path_buf,
            found,
            known,
        }),
        Some(_) => serde_json::from_slice(&bytes).map_err(damaged),
    }
}

/// What is wrong with the faces of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaceFaults {
    /// Whether one is not there.
    pub missing: bool,
    /// Those that cannot be read as what they are.
    pub damaged: Vec<PathBuf>,
}

/// Reads every face that a picture should have. A face of a newer version is an error: it must not be rewritten.
pub fn face_faults(paths: &RunPaths, view: &RunView) -> Result<FaceFaults> {
    let state = (paths.run_state(), RunStateRecord::read(paths).err());
    let trials = view.trials.iter().map(|trial| {
        let slug = &trial.trial.slug;
        let path = paths.trial(slug).trial_manifest();
        (path, TrialManifestRecord::read(paths, slug).err())
    });
    let mut faults = FaceFaults::default();
    for (path, error) in std::iter::once(state).chain(trials) {
        match error {
            Some(error) if error.is_not_found() => faults.missing = true,
            Some(StoreError::Corrupt { .. }) => faults.damaged.push(path),
            Some(error @ StoreError::NewerSchema { .. }) => return Err(error),
            Some(_) | None => {}
        }
    }
    Ok(faults)
}

/// A record's text: indented, keys in the order of the struct, a closing line feed.
fn text_of<T: Serialize>(path: &Path, record: &T) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(record).map_err(|source| StoreError::Json {
        path: path.to_path_buf(),
        source,
    })?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests;
