//! skeleton
use super::error::Result;
use crate::domain::Digest;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a finished file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSum {
    /// Digest of the content.
    pub sha256: Digest,
    /// Size in bytes.
    pub bytes: u64,
}

/// Makes a folder (0700) and those above it, durably.
pub fn create_dir_all(_path: &Path) -> Result<()> {
    todo!()
}
/// Replaces a file by `bytes`, durably.
pub fn write(_path: &Path, _bytes: &[u8]) -> Result<FileSum> {
    todo!()
}
/// A file in the making; nothing has its final name before `finish`.
#[derive(Debug)]
pub struct AtomicFile {}
impl AtomicFile {
    /// Begins a file that will replace `path`.
    pub fn create(_path: &Path) -> Result<Self> {
        todo!()
    }
    /// Makes it durable and gives it its name.
    pub fn finish(self) -> Result<FileSum> {
        todo!()
    }
}
impl Write for AtomicFile {
    fn write(&mut self, _buffer: &[u8]) -> io::Result<usize> {
        todo!()
    }
    fn flush(&mut self) -> io::Result<()> {
        todo!()
    }
}
/// Removes temporary files left below `dir` by a dead process; call under the lock. Gives their number.
pub fn remove_stale_temps(_dir: &Path) -> Result<u64> {
    todo!()
}
/// Makes `to` the same content as `from`: a hard link, or a copy where links fail. Durable.
pub fn link_or_copy(_from: &Path, _to: &Path) -> Result<()> {
    todo!()
}
/// Opens a regular file for reading; links, folders, pipes and devices are refused.
pub fn open_regular(_path: &Path) -> Result<File> {
    todo!()
}
/// Removes a file durably; whether it was there.
pub fn remove(_path: &Path) -> Result<bool> {
    todo!()
}
/// Copies a file to `<path>.<suffix>` (with `.2`, `.3`, ... where that is taken), durably; gives the new path.
pub fn backup(_path: &Path, _suffix: &str) -> Result<PathBuf> {
    todo!()
}
/// Renames a damaged file to the first free `<path>.corrupt.N`, durably; gives the new path.
pub fn set_aside(_path: &Path) -> Result<PathBuf> {
    todo!()
}
/// Makes the names in a folder durable.
pub fn sync_dir(_dir: &Path) -> Result<()> {
    todo!()
}
