//! skeleton
use super::RunPaths;
use super::error::Result;
use crate::domain::{Digest, Event, TrialSlug};
use crate::snapshot::{RunView, TrialView};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
/// `run_state.json`.
#[derive(Debug, Clone)]
pub struct RunStateRecord {}
impl RunStateRecord {
    /// The record of a picture.
    pub fn from_view(_view: &RunView) -> Self {
        todo!()
    }
    /// Reads and checks `run_state.json`.
    pub fn read(_paths: &RunPaths) -> Result<Self> {
        todo!()
    }
}
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
/// `trial_manifest.json`.
#[derive(Debug, Clone)]
pub struct TrialManifestRecord {}
impl TrialManifestRecord {
    /// The record of a trial in a picture.
    pub fn from_view(
        _view: &RunView,
        _trial: &TrialView,
        _prompts: &BTreeMap<String, PromptMark>,
    ) -> Self {
        todo!()
    }
    /// Reads and checks a trial's manifest.
    pub fn read(_paths: &RunPaths, _slug: &TrialSlug) -> Result<Self> {
        todo!()
    }
}
/// Rewrites the faces that changed.
#[derive(Debug)]
pub struct Faces {}
impl Faces {
    /// Begins to write the faces of a run.
    pub fn new(_paths: RunPaths, _prompts: Prompts) -> Self {
        todo!()
    }
    /// Rewrites `run_state.json` and the manifests of trials that changed since the last call; gives how many files.
    pub fn write(&mut self, _view: &Arc<RunView>) -> Result<u64> {
        todo!()
    }
}
/// The facts, with their times, that rebuild the picture that the faces show; for a run whose ledger is missing.
pub fn recover(_paths: &RunPaths) -> Result<Vec<(Timestamp, Event)>> {
    todo!()
}
