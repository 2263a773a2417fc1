//! What a phase may use: the configuration, the run's files, the picture of the run, and a sink for progress.

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::PhaseError;
use crate::config::Config;
use crate::domain::{LogLevel, StopLevel, TrialSlug};
use crate::snapshot::{RunView, TrialView};
use crate::store::{AtomicFile, FileSum, RunPaths, TrialPaths, atomic};

/// What a phase works with.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The configuration.
    pub config: Arc<Config>,
    /// The run's files.
    pub paths: RunPaths,
    /// The picture of the run when the phase began.
    pub view: Arc<RunView>,
}

impl Ctx {
    /// The files of a trial.
    pub fn trial_paths(&self, slug: &TrialSlug) -> TrialPaths {
        self.paths.trial(slug)
    }
}

/// What a phase works on.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The whole run.
    Run,
    /// One trial.
    Trial(Arc<TrialView>),
}

impl Scope {
    /// The trial; an error for phases that cannot work on the whole run.
    pub fn trial(&self) -> Result<&TrialView, PhaseError> {
        match self {
            Self::Trial(trial) => Ok(trial),
            Self::Run => Err(PhaseError::NoTrial),
        }
    }

    /// The trial's name, where there is one.
    pub fn slug(&self) -> Option<&TrialSlug> {
        match self {
            Self::Trial(trial) => Some(&trial.trial.slug),
            Self::Run => None,
        }
    }
}

/// Where a phase reports to, and learns of a stop.
pub trait Sink: Send + Sync + Debug {
    /// Says how far the phase has come; `total` is 0 where unknown.
    fn progress(&self, done: u64, total: u64);

    /// Says something worth a line in the log.
    fn say(&self, level: LogLevel, message: &str);

    /// The stop asked for, if any.
    fn stop(&self) -> Option<StopLevel>;

    /// Ends the phase where an urgent stop was asked for. Called between rows; what is half written is thrown away.
    fn heed(&self) -> Result<(), PhaseError> {
        match self.stop() {
            Some(StopLevel::Now) => Err(PhaseError::Stopped(StopLevel::Now)),
            Some(StopLevel::Soft) | None => Ok(()),
        }
    }
}

/// A file that a phase wrote.
#[derive(Debug, Clone)]
pub struct Made {
    /// The file.
    pub path: PathBuf,
    /// Its lines or data rows, where it has them.
    pub rows: Option<u64>,
    /// Its digest and size as written.
    pub sum: FileSum,
}

/// What a phase did.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Files written.
    pub made: Vec<Made>,
    /// One sentence for people.
    pub message: String,
}

/// Opens a file for reading line by line.
pub(super) fn open(path: &Path) -> Result<impl BufRead + use<>, PhaseError> {
    Ok(BufReader::with_capacity(
        1 << 16,
        atomic::open_regular(path)?,
    ))
}

/// Ends an atomic file and notes what it holds.
pub(super) fn finish(file: AtomicFile, path: &Path, rows: Option<u64>) -> Result<Made, PhaseError> {
    Ok(Made {
        path: path.to_path_buf(),
        rows,
        sum: file.finish()?,
    })
}

/// Writes a value as indented JSON with a closing line feed, atomically.
pub(super) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<Made, PhaseError> {
    let mut file = AtomicFile::create(path)?;
    let fail = |source: std::io::Error| PhaseError::Write {
        path: path.to_path_buf(),
        source,
    };
    serde_json::to_writer_pretty(&mut file, value).map_err(|error| fail(error.into()))?;
    file.write_all(b"\n").map_err(fail)?;
    finish(file, path, None)
}

/// Writes a text atomically.
pub(super) fn write_text(path: &Path, text: &str) -> Result<Made, PhaseError> {
    Ok(Made {
        path: path.to_path_buf(),
        rows: None,
        sum: atomic::write(path, text.as_bytes())?,
    })
}
