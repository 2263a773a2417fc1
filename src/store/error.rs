//! What can go wrong in the run directory. Every variant says where and keeps its cause.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::lock::Holder;
use crate::domain::RunId;
use crate::domain::ids::NameError;
use crate::domain::text::{printable, shorten};

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A failure in the run directory.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The system refused a call.
    #[error("cannot {action} {}: {source}", shown(.path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, e.g. `write`.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Another process drives the run.
    #[error("another process drives the run: {}", HolderText(.holder.as_deref()))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who, as the lock file tells; `None` where it does not.
        holder: Option<Box<Holder>>,
    },
    /// The file system has no working locks, so two processes could drive the run and pay twice.
    #[error("refusing to run without a lock: {} cannot be locked: {source}", shown(.path))]
    NoLocks {
        /// The file that could not be locked.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The lock file or the run folder was deleted or replaced while the lock was held.
    #[error("the lock {} was deleted or replaced; nothing more is submitted", shown(.path))]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// The file was written by a newer version; it is left as it is.
    #[error("{} has schema_version {found}; this version knows {known}: use a newer evaltui", shown(.path))]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest version known here.
        known: u64,
    },
    /// The file was written by an older version or by the predecessor.
    #[error("{} has schema_version {found}; this version writes {known}: migrate the run first", shown(.path))]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version written here.
        known: u64,
    },
    /// The ledger holds a fact of a kind that this version does not know; it is left as it is.
    #[error("{}, line {line}: a fact that this version does not know: use a newer evaltui", shown(.path))]
    UnknownFact {
        /// The ledger.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// The file is damaged: cut, empty, of the wrong shape, or with a hole.
    #[error("{} is damaged: {reason}{}", shown(.path), KeptText(.kept_as.as_deref()))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, safe to print.
        reason: String,
        /// Where its bytes were kept, if they were moved.
        kept_as: Option<PathBuf>,
    },
    /// An append failed earlier, so what the ledger holds on disk is not known; nothing more is written to it.
    #[error("{} could not be written earlier and takes nothing more in this process", shown(.path))]
    Poisoned {
        /// The ledger.
        path: PathBuf,
    },
    /// There is no run with this id.
    #[error("there is no run {run_id} in {}", shown(.dir))]
    NoSuchRun {
        /// The id.
        run_id: RunId,
        /// The experiments folder.
        dir: PathBuf,
    },
    /// A name that must be plain is not.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A value could not be written as JSON.
    #[error("cannot write {} as JSON: {source}", shown(.path))]
    Json {
        /// The file it was meant for.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
}

impl StoreError {
    /// Wraps a system error with its path and what was tried; made for `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    /// A damaged file that stays where it is. `reason` is made safe to print.
    pub fn corrupt(path: &Path, reason: &str) -> Self {
        Self::Corrupt {
            path: path.to_path_buf(),
            reason: shorten(&printable(reason), 300),
            kept_as: None,
        }
    }

    /// Whether the cause is that the file does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

struct HolderText<'a>(Option<&'a Holder>);

impl fmt::Display for HolderText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(holder) => write!(f, "{holder}"),
            None => f.write_str("it has not said who it is"),
        }
    }
}

struct KeptText<'a>(Option<&'a Path>);

impl fmt::Display for KeptText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, " (kept as {})", shown(path)),
            None => Ok(()),
        }
    }
}
