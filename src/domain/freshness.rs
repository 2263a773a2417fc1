//! Stamps: what a phase read, made and was set to; and the typed answer to "is it still done?".

use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::ids::TrialSlug;
use super::phase::Phase;

/// A file as it was when a phase read or wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// Path relative to the run folder, with `/`; an absolute or working-folder path for sources outside it.
    pub path: String,
    /// Digest of the content.
    pub sha256: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Lines or data rows, where the file has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// What a phase recorded after success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The phase.
    pub phase: Phase,
    /// The trial, for phases that work on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialSlug>,
    /// Digest of the settings and code version that matter for this phase.
    pub knobs: Digest,
    /// Files read.
    pub inputs: Vec<FileMark>,
    /// Files written.
    pub outputs: Vec<FileMark>,
}

/// Whether a phase's work still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// Inputs, outputs and settings are those of the stamp.
    Fresh,
    /// Something differs.
    Stale(StaleReason),
}

/// Why a phase's work does not hold. One variant and one sentence for each reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaleReason {
    /// The phase has never succeeded.
    NeverDone,
    /// A setting that matters for this phase was changed.
    SettingsChanged,
    /// An input is not there.
    InputMissing(String),
    /// An input has other bytes than when the phase ran.
    InputChanged(String),
    /// The phase would now read other files than it did.
    InputsDiffer,
    /// An output is gone.
    OutputMissing(String),
    /// An output has other bytes than the phase wrote.
    OutputChanged(String),
    /// The operator asked for it.
    Forced,
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverDone => write!(f, "not done yet"),
            Self::SettingsChanged => write!(f, "its settings changed since it was done"),
            Self::InputMissing(path) => write!(f, "its input {path} is missing"),
            Self::InputChanged(path) => write!(f, "made from another {path} (sha256 differs)"),
            Self::InputsDiffer => write!(f, "the set of its input files changed"),
            Self::OutputMissing(path) => write!(f, "{path} is missing"),
            Self::OutputChanged(path) => {
                write!(f, "{path} is not as it was written (sha256 differs)")
            }
            Self::Forced => write!(f, "asked for with --force"),
        }
    }
}
