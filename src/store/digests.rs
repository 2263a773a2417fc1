//! Digests of files, each file read once per process as long as it looks the same.
//!
//! Size, inode and times only spare a second reading inside this process; across processes the bytes decide.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{CWD, Mode, OFlags};

use super::error::{Result, StoreError};
use crate::domain::Digest;

/// What a file looks like without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A cache of the digests of files.
#[derive(Debug, Default)]
pub struct Digests {
    known: Mutex<HashMap<PathBuf, (Look, Digest)>>,
}

impl Digests {
    /// Digest and size in bytes of a regular file; links are followed, because inputs may be linked.
    pub fn digest(&self, path: &Path) -> Result<(Digest, u64)> {
        let file = open_followed(path)?;
        let look = |file: &File| {
            let meta = file.metadata().map_err(StoreError::io("look at", path))?;
            if meta.is_file() {
                return Ok(Look::of(&meta));
            }
            let source = io::Error::new(ErrorKind::InvalidInput, "it is not a regular file");
            Err(StoreError::io("read", path)(source))
        };
        let before = look(&file)?;
        if let Some((known, digest)) = self.known().get(path)
            && *known == before
        {
            return Ok((*digest, before.bytes));
        }
        let (digest, bytes) = Digest::of_reader(&file).map_err(StoreError::io("read", path))?;
        // A file that changed while it was read is not remembered.
        if look(&file)? == before && bytes == before.bytes {
            self.known().insert(path.to_path_buf(), (before, digest));
        }
        Ok((digest, bytes))
    }

    /// Forgets a file, so that its bytes are read again.
    pub fn forget(&self, path: &Path) {
        self.known().remove(path);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Look, Digest)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_followed(path: &Path) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
        .map(File::from)
        .map_err(|errno| StoreError::io("open", path)(errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_read_again_and_an_untouched_one_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        let digests = Digests::default();
        assert!(digests.digest(&path).expect_err("missing").is_not_found());
        crate::store::atomic::write(&path, b"one").expect("written");
        assert_eq!(
            digests.digest(&path).expect("read"),
            (Digest::of(b"one"), 3)
        );
        assert_eq!(
            digests.digest(&path).expect("known"),
            (Digest::of(b"one"), 3)
        );
        crate::store::atomic::write(&path, b"two").expect("written");
        assert_eq!(
            digests.digest(&path).expect("read"),
            (Digest::of(b"two"), 3)
        );
        digests.forget(&path);
        assert_eq!(digests.known().len(), 0);
    }

    #[test]
    fn folders_have_no_digest() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(Digests::default().digest(dir.path()).is_err());
    }
}
