//! What can go wrong in a local phase.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::datasets::SourceError;
use crate::domain::StopLevel;
use crate::store::StoreError;

/// A phase that did not succeed.
#[derive(Debug, Error)]
pub enum PhaseError {
    /// The run's files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A dataset.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An artifact does not have the expected form.
    #[error("{} is not as expected: {reason}; {hint}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, safe to print.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// Settings that cannot be built together.
    #[error("{0}")]
    Conflict(String),
    /// There is nothing to work on.
    #[error("{0}")]
    Nothing(String),
    /// Results could not be parsed.
    #[error(transparent)]
    Parse(#[from] super::parse_kernel::ParseError),
    /// Predictions could not be written or scored.
    #[error(transparent)]
    Score(#[from] crate::scoring::ScoreError),
    /// Scores could not be estimated.
    #[error(transparent)]
    Stats(#[from] crate::stats::StatsError),
    /// A report could not be made.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// A stop was asked for.
    #[error("stopped as asked")]
    Stopped(StopLevel),
    /// A phase of trials was called without one; a fault of this program.
    #[error("the phase works on one trial at a time")]
    NoTrial,
}
