//! What can end a drive, each with its exit code.

use thiserror::Error;

use crate::domain::{ExitCode, StopLevel};
use crate::phases::PhaseError;
use crate::provider::ProviderError;
use crate::store::StoreError;

/// A drive that did not reach its end.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The run's files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A local phase.
    #[error(transparent)]
    Phase(#[from] PhaseError),
    /// The provider, for good.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The configuration has problems; lists all of them.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigErrors),
    /// A stop was asked for.
    #[error("stopped as asked; `evaltui resume` continues")]
    Stopped(StopLevel),
    /// Too many requests are missing.
    #[error("{message}")]
    LowCoverage {
        /// The list, for people.
        message: String,
    },
    /// A phase could not be finished; the message says why and what to do.
    #[error("{message}")]
    Incomplete {
        /// For people.
        message: String,
    },
    /// The operator has to decide; the message says which flag does.
    #[error("{message}")]
    NeedsDecision {
        /// For people.
        message: String,
    },
    /// The request makes no sense.
    #[error("{message}")]
    Usage {
        /// For people.
        message: String,
    },
    /// A fact that does not follow what is recorded; a fault of ours. Nothing was written.
    #[error("refused to record a fact that does not fit ({0}); please report this")]
    Refused(String),
    /// A task of this program died; a fault of ours.
    #[error("an internal task died: {0}")]
    TaskDied(String),
}

impl EngineError {
    /// The exit code of a drive that ends like this.
    pub fn exit(&self) -> ExitCode {
        match self {
            Self::Store(StoreError::Locked { .. }) => ExitCode::Locked,
            Self::Store(StoreError::NoSuchRun { .. }) | Self::Usage { .. } | Self::Config(_) => {
                ExitCode::Usage
            }
            Self::Stopped(_) | Self::Phase(PhaseError::Stopped(_)) => ExitCode::Stopped,
            Self::LowCoverage { .. } => ExitCode::LowCoverage,
            Self::NeedsDecision { .. } => ExitCode::NeedsDecision,
            Self::Store(_)
            | Self::Phase(_)
            | Self::Provider(_)
            | Self::Incomplete { .. }
            | Self::Refused(_)
            | Self::TaskDied(_) => ExitCode::Failed,
        }
    }
}
