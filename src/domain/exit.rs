//! The documented exit codes (contract, section 3).

use serde::{Deserialize, Serialize};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done,
    /// A phase failed; state is saved.
    Failed,
    /// Bad usage, bad configuration, unknown step, `--resume` without state.
    Usage,
    /// Stopped as asked.
    Stopped,
    /// Needs a decision of the operator.
    NeedsDecision,
    /// Another process drives the run.
    Locked,
    /// Finished, with more requests missing than allowed.
    LowCoverage,
    /// A gate that was asked for failed.
    GateFailed,
    /// Interrupted a second time.
    Interrupted,
}

impl ExitCode {
    /// The process's exit status.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Stopped => 3,
            Self::NeedsDecision => 4,
            Self::Locked => 5,
            Self::LowCoverage => 6,
            Self::GateFailed => 7,
            Self::Interrupted => 130,
        }
    }
}
