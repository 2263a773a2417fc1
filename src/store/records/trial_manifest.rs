//! `trial_manifest.json`, version 2: one trial's parts, jobs and stages, in the contract's keys, and with `works`
//! and `stamps` all that is needed to go on without the ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PromptMark, read_record};
use crate::domain::event::PlannedPart;
use crate::domain::{
    Digest, FileMark, PartKey, Phase, PhaseStatus, RemoteId, Restored, RunId, Stage, Stamp,
    Temperature, Trial, TrialSlug, WorkKey, WorkState, WorkStatus,
};
use crate::snapshot::{RunView, TrialView, WorkView};
use crate::store::RunPaths;
use crate::store::error::Result;

/// When the trial was made and changed. No clock is read: both come from recorded facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamps {
    /// When its run was made.
    pub created_at: Option<Timestamp>,
    /// When one of its parts or stages changed last.
    pub updated_at: Option<Timestamp>,
}

/// A file that a stage made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    /// Path relative to the run's folder.
    pub path: String,
    /// Digest of its content.
    pub sha256: Digest,
    /// Size in bytes, where it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Lines or rows, where it has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A stage of the trial.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StageRecord {
    /// How far it has come.
    pub status: PhaseStatus,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
    /// What it made.
    pub artifacts: Vec<ArtifactRecord>,
}

/// A part of the trial and where its work stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRecord {
    /// Where it belongs in this trial.
    pub part: PartKey,
    /// What it is.
    pub work: WorkKey,
    /// File name of its input below `batch_inputs/`.
    pub input: String,
    /// Requests in it.
    pub rows: u64,
    /// Size of its input in bytes.
    pub bytes: u64,
    /// Digest of its input.
    pub sha256: Digest,
    /// The trial that owns the work's files, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<TrialSlug>,
    /// Where the work stands.
    #[serde(flatten)]
    pub standing: Restored,
}

impl WorkRecord {
    fn of(key: PartKey, work: &WorkView, trial: &TrialSlug) -> Self {
        Self {
            part: key,
            work: work.key,
            input: work.part.input.clone(),
            rows: work.part.rows,
            bytes: work.part.bytes,
            sha256: work.part.sha256,
            shared_with: (work.owner != *trial).then(|| work.owner.clone()),
            standing: Restored {
                state: work.state.clone(),
                since: work.since,
                submitted_at: work.submitted_at,
                attempts_ended: work.attempts_ended,
                accepted: work.jobs.clone(),
                tally: work.rows,
                remote_input: work.remote_input.clone(),
                usage: work.usage,
                cost: work.cost,
                unpriced: work.unpriced,
                note: work.note.clone(),
            },
        }
    }

    /// The part as it was planned.
    pub fn planned(&self) -> PlannedPart {
        PlannedPart {
            key: self.part,
            work: self.work,
            input: self.input.clone(),
            rows: self.rows,
            bytes: self.bytes,
            sha256: self.sha256,
        }
    }
}

/// `trial_manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialManifestRecord {
    /// [`TrialManifestRecord::VERSION`].
    pub schema_version: u64,
    /// When it was made and changed.
    pub timestamps: Timestamps,
    /// The run.
    pub run_id: RunId,
    /// The trial's definition.
    pub trial: Trial,
    /// Its temperatures.
    pub temps: Vec<Temperature>,
    /// Samples per item by temperature, e.g. `"0.0": 1`.
    pub samples_per_item: BTreeMap<String, u32>,
    /// Its prompts by role.
    pub prompts: BTreeMap<String, PromptMark>,
    /// The provider's name of each part's input, by `t0_control`.
    pub datasets: BTreeMap<String, Vec<Option<RemoteId>>>,
    /// The provider's name of each part's job, by `t0_control`.
    pub jobs: BTreeMap<String, Vec<Option<RemoteId>>>,
    /// Each part's status, by `t0_control_p01`. A submission in doubt shows as pending here and in full in `works`.
    pub job_status: BTreeMap<String, WorkStatus>,
    /// Each stage.
    pub stage_status: BTreeMap<Stage, StageRecord>,
    /// Parts in order.
    #[serde(default)]
    pub works: Vec<WorkRecord>,
    /// Stamps of the phases that work on this trial.
    #[serde(default)]
    pub stamps: Vec<Stamp>,
}

impl TrialManifestRecord {
    /// The version written and read here.
    pub const VERSION: u64 = 2;

    /// The record of a trial in a picture; `prompts` by role.
    pub fn from_view(
        view: &RunView,
        trial: &TrialView,
        prompts: &BTreeMap<String, PromptMark>,
    ) -> Self {
        let definition = &trial.trial;
        let mut record = Self {
            schema_version: Self::VERSION,
            timestamps: Timestamps {
                created_at: view.created_at,
                updated_at: view.created_at,
            },
            run_id: view.run_id.clone(),
            trial: definition.clone(),
            temps: definition.temps.clone(),
            samples_per_item: definition
                .temps
                .iter()
                .map(|t| (t.to_string(), definition.samples_at(*t)))
                .collect(),
            prompts: prompts.clone(),
            datasets: BTreeMap::new(),
            jobs: BTreeMap::new(),
            job_status: BTreeMap::new(),
            stage_status: Stage::ALL
                .map(|stage| (stage, stage_record(view, trial, stage)))
                .into(),
            works: Vec::with_capacity(trial.parts.len()),
            stamps: trial.stamps.values().cloned().collect(),
        };
        for part in &trial.parts {
            if let Some(work) = view.works.get(part.work) {
                record.add(part.key, work);
            }
        }
        let stages = record.stage_status.values().map(|s| s.updated_at);
        let moves = record.works.iter().map(|w| w.standing.since);
        record.timestamps.updated_at = stages.chain(moves).max().flatten().max(view.created_at);
        record
    }

    fn add(&mut self, key: PartKey, work: &WorkView) {
        let group = key.group();
        let datasets = self.datasets.entry(group.clone()).or_default();
        datasets.push(work.remote_input.clone());
        let jobs = self.jobs.entry(group).or_default();
        jobs.push(work.state.job().cloned());
        let status = match work.state.status() {
            // The contract has no word for it. What is in doubt is not known to be submitted.
            WorkStatus::InDoubt => WorkStatus::Pending,
            status @ (WorkStatus::Pending
            | WorkStatus::Submitted
            | WorkStatus::Running
            | WorkStatus::Completed
            | WorkStatus::Downloaded
            | WorkStatus::Failed
            | WorkStatus::Expired) => status,
        };
        self.job_status.insert(key.to_string(), status);
        self.works.push(WorkRecord::of(key, work, &self.trial.slug));
    }

    /// Reads and checks a trial's manifest.
    pub fn read(paths: &RunPaths, slug: &TrialSlug) -> Result<Self> {
        read_record(&paths.trial(slug).trial_manifest(), Self::VERSION)
    }
}

fn stage_record(view: &RunView, trial: &TrialView, stage: Stage) -> StageRecord {
    if stage == Stage::Downloaded {
        return downloaded(view, trial);
    }
    let Some(phase) = Phase::ALL.into_iter().find(|p| p.stage() == Some(stage)) else {
        return StageRecord::default();
    };
    let run = view.phase(phase);
    let stamp = trial.stamps.get(&phase).or_else(|| view.stamps.get(&phase));
    StageRecord {
        status: match stamp {
            Some(_) => PhaseStatus::Completed,
            // Without a stamp the trial is not done, even where the phase is for the others.
            None if run.status == PhaseStatus::Completed => PhaseStatus::NotStarted,
            None => run.status,
        },
        updated_at: run.updated_at,
        artifacts: stamp
            .map(|stamp| stamp.outputs.iter().map(artifact).collect())
            .unwrap_or_default(),
    }
}

fn artifact(mark: &FileMark) -> ArtifactRecord {
    ArtifactRecord {
        path: mark.path.clone(),
        sha256: mark.sha256,
        bytes: Some(mark.bytes),
        rows: mark.rows,
    }
}

/// The stage of the parts' results: derived from the works, because poll is done for a trial when its parts are here.
fn downloaded(view: &RunView, trial: &TrialView) -> StageRecord {
    let works = || {
        trial
            .parts
            .iter()
            .filter_map(|part| Some((part.key, view.works.get(part.work)?)))
    };
    let artifacts: Vec<_> = works()
        .filter_map(|(key, work)| match &work.state {
            WorkState::Done { rows, results, .. } => Some(ArtifactRecord {
                path: RunPaths::results_name(&trial.trial.slug, key),
                sha256: *results,
                bytes: None,
                rows: Some(rows.answered),
            }),
            WorkState::Pending
            | WorkState::Intended { .. }
            | WorkState::Uploaded { .. }
            | WorkState::Submitted { .. }
            | WorkState::Collected { .. }
            | WorkState::Failed { .. } => None,
        })
        .collect();
    let poll = view.phase(Phase::Poll).status;
    let begun = works().any(|(_, work)| work.since.is_some());
    let status = if !trial.parts.is_empty() && artifacts.len() == trial.parts.len() {
        PhaseStatus::Completed
    } else if matches!(poll, PhaseStatus::Failed | PhaseStatus::Stopped) {
        poll
    } else if begun {
        PhaseStatus::InProgress
    } else {
        PhaseStatus::NotStarted
    };
    StageRecord {
        status,
        updated_at: works().filter_map(|(_, work)| work.since).max(),
        artifacts,
    }
}
