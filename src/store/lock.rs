//! The right to drive a run: one exclusive flock on `.state.lock` and one on the run's folder, held while driving.
//!
//! The kernel's lock decides and ends with the process; the text in the file only informs (guarantees, P5-P9). The
//! file is never deleted. The only door to fs2.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{CWD, Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::RunPaths;
use super::atomic::{self, FILE_MODE};
use super::error::{Result, StoreError};
use crate::domain::text::{printable, shorten};
use crate::sys::clock::rfc3339;

/// More is no text of ours.
const HOLDER_BYTES_MAX: u64 = 4096;

/// How often a lock file that is replaced under our hands is tried again.
const TRIES: u32 = 8;

/// Who drives a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process on this machine.
    pub fn this_process(since: Timestamp) -> Self {
        Self {
            pid: std::process::id(),
            host: hostname(),
            since,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = shorten(&printable(&self.host), 80);
        write!(
            f,
            "pid {} on {host} since {}",
            self.pid,
            rfc3339(self.since)
        )
    }
}

/// The name of this machine.
pub fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The right to drive a run. Dropping it gives it back; so does the end of the process, however it comes.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    file: File,
    root: PathBuf,
    folder: File,
}

impl RunLock {
    /// Takes the lock or says at once who has it. The run's folder must exist.
    pub fn acquire(paths: &RunPaths, holder: &Holder) -> Result<Self> {
        let path = paths.lock();
        let folder_flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, paths.root(), folder_flags, Mode::empty())
            .map(File::from)
            .map_err(|errno| StoreError::io("open the folder", paths.root())(errno.into()))?;
        // With the file alone, deleting it would let a second process lock a new file of the same name.
        try_lock(&folder, paths, paths.root())?;
        for _ in 0..TRIES {
            let file = open_lock(&path)?;
            try_lock(&file, paths, &path)?;
            let folder = folder
                .try_clone()
                .map_err(StoreError::io("open the folder", paths.root()))?;
            // Only now: dropping a `RunLock` empties the file, which is its holder's to do.
            let lock = Self {
                path: path.clone(),
                file,
                root: paths.root().to_path_buf(),
                folder,
            };
            // The file may have been replaced between opening and locking; then the lock is on a file without a name.
            if lock.still_held() {
                lock.name_holder(holder)?;
                return Ok(lock);
            }
        }
        Err(StoreError::LockLost { path })
    }

    /// Whether the lock file and the run's folder are still the ones that were locked. To be asked again before each
    /// submission.
    pub fn still_held(&self) -> bool {
        same_file(&self.file, &self.path) && same_file(&self.folder, &self.root)
    }

    /// [`Self::still_held`] as a result.
    pub fn check(&self) -> Result<()> {
        if self.still_held() {
            return Ok(());
        }
        Err(StoreError::LockLost {
            path: self.path.clone(),
        })
    }

    fn name_holder(&self, holder: &Holder) -> Result<()> {
        let text = serde_json::to_vec(holder).map_err(|source| StoreError::Json {
            path: self.path.clone(),
            source,
        })?;
        // In place, because the lock is on this file; a reader that meets half a text takes it as none.
        let mut file = &self.file;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&text))
            .map_err(StoreError::io("write", &self.path))
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // An empty file says that the holder left in order.
        self.file.set_len(0).ok();
        // Closing gives the locks back, but not while a child between fork and exec still has the files open.
        fs2::FileExt::unlock(&self.file).ok();
        fs2::FileExt::unlock(&self.folder).ok();
    }
}

fn open_lock(path: &Path) -> Result<File> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, FILE_MODE)
        .map(File::from)
        .map_err(|errno| StoreError::io("open", path)(errno.into()))?;
    let meta = file.metadata().map_err(StoreError::io("look at", path))?;
    if meta.is_file() {
        return Ok(file);
    }
    let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
    Err(StoreError::io("lock", path)(source))
}

fn try_lock(file: &File, paths: &RunPaths, path: &Path) -> Result<()> {
    match fs2::FileExt::try_lock_exclusive(file) {
        Ok(()) => Ok(()),
        Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {
            Err(StoreError::Locked {
                path: paths.lock(),
                holder: holder(paths).map(Box::new),
            })
        }
        Err(source) => Err(StoreError::NoLocks {
            path: path.to_path_buf(),
            source,
        }),
    }
}

fn same_file(open: &File, path: &Path) -> bool {
    let id = |meta: Metadata| (meta.dev(), meta.ino());
    match (open.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

/// Who the lock file names; `None` where its holder left in order. It informs only: the holder may have died.
pub fn holder(paths: &RunPaths) -> Option<Holder> {
    let mut text = Vec::new();
    atomic::open_regular(&paths.lock())
        .ok()?
        .take(HOLDER_BYTES_MAX)
        .read_to_end(&mut text)
        .ok()?;
    serde_json::from_slice(&text).ok()
}

/// Whether some process holds the lock, found without taking it; `None` where that cannot be known from here.
///
/// 1. The kernel lists a lock on the file (`/proc/locks`): held.
/// 2. Nobody is named in the file: not held.
/// 3. Named on another machine: unknown.
/// 4. No process with the id, or one that began later: not held.
/// 5. Else held, because a holder that lives on after leaving has emptied the file.
pub fn is_held(paths: &RunPaths) -> Option<bool> {
    let Ok(meta) = paths.lock().symlink_metadata() else {
        return Some(false);
    };
    if kernel_lists_lock(meta.ino()) {
        return Some(true);
    }
    let Some(holder) = holder(paths) else {
        return Some(false);
    };
    if holder.host != hostname() {
        return None;
    }
    match process_began(holder.pid) {
        Process::Gone => Some(false),
        // The kernel counts in hundredths since boot, and `since` is taken after the process began.
        Process::Began(at) => Some(at <= holder.since + SignedDuration::from_secs(2)),
        Process::Unknown => None,
    }
}

/// Looks for `1: FLOCK  ADVISORY  WRITE 4242 08:01:123456 0 EOF` (`man 5 proc_locks`). The device is left out, because some
/// file systems show another one here than in stat; two locked files with one inode number are no danger to a display.
fn kernel_lists_lock(inode: u64) -> bool {
    std::fs::read_to_string("/proc/locks").is_ok_and(|text| {
        text.lines().any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields.len() > 5
                && fields[1] == "FLOCK"
                && fields[3] == "WRITE"
                && fields[5].rsplit(':').next() == Some(&inode.to_string())
        })
    })
}

enum Process {
    Gone,
    Began(Timestamp),
    Unknown,
}

/// When a process of this machine began: field 22 of `/proc/<pid>/stat` in ticks since boot, and `btime` of
/// `/proc/stat` (`man 5 proc_pid_stat`, `man 5 proc_stat`).
fn process_began(pid: u32) -> Process {
    let Ok(stat) = std::fs::read_to_string("/proc/stat") else {
        return Process::Unknown;
    };
    let Ok(own) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Process::Gone;
    };
    let boot: Option<i64> = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))
        .and_then(|text| text.trim().parse().ok());
    // The name in parentheses may hold blanks; field 3 follows the last parenthesis.
    let ticks: Option<u64> = own
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(19))
        .and_then(|text| text.parse().ok());
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    boot.zip(ticks)
        .and_then(|(boot, ticks)| {
            let up = i64::try_from(ticks / per_second).ok()?;
            Timestamp::from_second(boot.checked_add(up)?).ok()
        })
        .map_or(Process::Unknown, Process::Began)
}

#[cfg(test)]
mod tests;
