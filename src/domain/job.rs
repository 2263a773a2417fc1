//! A remote batch job as every provider's adapter reports it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::units::Temperature;

/// What a job is doing, over all providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Its input is being checked.
    Validating,
    /// It waits for capacity.
    Queued,
    /// It runs.
    Running,
    /// Its results are being written.
    Finalizing,
    /// It ended by itself; rows may still have failed.
    Completed,
    /// It ended without results.
    Failed,
    /// Its window closed; finished rows can be fetched.
    Expired,
    /// The provider ended it early; finished rows can be fetched.
    EarlyStopped,
    /// It is being cancelled.
    Cancelling,
    /// It was cancelled; finished rows may be fetched.
    Cancelled,
    /// The provider does not know it (any more).
    Vanished,
    /// A word that this version does not know; polling goes on.
    Unknown(String),
}

impl JobState {
    /// Whether the job will not change any more.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed
                | Self::Failed
                | Self::Expired
                | Self::EarlyStopped
                | Self::Cancelled
                | Self::Vanished
        )
    }

    /// One word for people and files.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Validating => "validating",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finalizing => "finalizing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::EarlyStopped => "early_stopped",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Vanished => "vanished",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Unknown(word) = self {
            let word = super::text::shorten(&super::text::printable(word), 40);
            return write!(f, "unknown ({word})");
        }
        f.pad(self.as_str())
    }
}

/// Rows of a job as the provider counts them while it runs. Shown, never trusted: rows are counted from the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobCounts {
    /// Rows with an answer.
    pub succeeded: u64,
    /// Rows that failed.
    pub failed: u64,
}

/// Decoding settings of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobParams {
    /// The model as the service names it.
    pub model: String,
    /// Temperature.
    pub temp: Temperature,
    /// Nucleus sampling threshold.
    pub top_p: f64,
    /// Top-k sampling.
    pub top_k: Option<u32>,
    /// Longest answer, in tokens. All rows of a part share it.
    pub max_tokens: u32,
    /// Stop sequences.
    pub stop: Vec<String>,
}

impl JobParams {
    /// The settings as canonical JSON, e.g. for the work key.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "max_tokens": self.max_tokens, "model": self.model, "stop": self.stop,
            "temperature": self.temp, "top_k": self.top_k, "top_p": self.top_p,
        })
    }
}
