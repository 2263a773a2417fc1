//! Stop files: how another process, or a person with `touch`, asks for a stop.
//!
//! Existence decides, never a file's time or content (guarantees, P17); no link is followed (P20).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::RunPaths;
use super::atomic;
use super::error::{Result, StoreError};
use crate::domain::StopLevel;

fn file(paths: &RunPaths, level: StopLevel) -> PathBuf {
    match level {
        StopLevel::Soft => paths.stop_requested(),
        StopLevel::Now => paths.stop_now(),
    }
}

fn exists(path: &Path) -> bool {
    // What cannot be looked at, e.g. a name that is too long, is no request; anything with the name is one.
    path.symlink_metadata().is_ok()
}

/// Asks for a stop, durably. Asking twice is asking once.
pub fn request(paths: &RunPaths, level: StopLevel) -> Result<()> {
    let path = file(paths, level);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(_) => atomic::sync_dir(paths.root()),
        Err(error) if std::io::Error::from(error).kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::io("create", &path)(error.into())),
    }
}

/// The most urgent stop that is asked for.
pub fn read(paths: &RunPaths) -> Option<StopLevel> {
    [StopLevel::Now, StopLevel::Soft]
        .into_iter()
        .find(|level| exists(&file(paths, *level)))
}

/// Takes back every request, durably; whether there was one.
pub fn clear(paths: &RunPaths) -> Result<bool> {
    let now = atomic::remove(&paths.stop_now())?;
    let soft = atomic::remove(&paths.stop_requested())?;
    Ok(now || soft)
}
