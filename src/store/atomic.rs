//! Whole and durable files: temporary file beside, write, fsync, rename, fsync of the folder (guarantees, P1-P4, P20).
//!
//! A reader sees the old file or the new one. A failed fsync fails the operation and is never repeated on the same
//! file. The folder of a written file is opened without following links and names are resolved below it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::error::{Result, StoreError};
use crate::domain::Digest;
use crate::domain::digest::HashingWriter;

const BUFFER_BYTES: usize = 1 << 16;

/// Read and write for the owner only (guarantees, G22).
pub(super) const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

const TEMP_MARK: &str = ".tmp-";

/// What a finished file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSum {
    /// Digest of the content.
    pub sha256: Digest,
    /// Size in bytes.
    pub bytes: u64,
}

/// An open folder. Names are resolved below it, so it cannot be exchanged for a link between two calls.
#[derive(Debug)]
struct Folder {
    handle: File,
    path: PathBuf,
}

impl Folder {
    /// The folder of a file, and the file's name in it.
    fn of(path: &Path) -> Result<(Self, &OsStr)> {
        let name = path.file_name().ok_or_else(|| {
            StoreError::io("write", path)(io::Error::new(ErrorKind::InvalidInput, "no file name"))
        })?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok((Self::open(parent, OFlags::NOFOLLOW)?, name))
    }

    fn open(path: &Path, links: OFlags) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | links;
        let handle = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|errno| {
            let link = links.contains(OFlags::NOFOLLOW)
                && path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
            let source = if link {
                io::Error::new(
                    ErrorKind::InvalidInput,
                    "it is a symbolic link, and no link is followed for writing",
                )
            } else {
                errno.into()
            };
            StoreError::io("open the folder", path)(source)
        })?;
        Ok(Self {
            handle: handle.into(),
            path: path.to_path_buf(),
        })
    }

    fn sync(&self) -> Result<()> {
        match self.handle.sync_all() {
            // Some file systems keep names durable by themselves and answer EINVAL for folders.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            other => other.map_err(StoreError::io("sync the folder", &self.path)),
        }
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> Result<()> {
        rustix::fs::renameat(&self.handle, from, &self.handle, to)
            .map_err(|errno| StoreError::io("replace", &self.path.join(to))(errno.into()))
    }

    /// Removes a name; whether it was there.
    fn unlink(&self, name: &OsStr) -> Result<bool> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(StoreError::io("remove", &self.path.join(name))(
                errno.into(),
            )),
        }
    }
}

fn temp_name(name: &OsStr) -> OsString {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut temp = OsString::from(".");
    temp.push(name);
    temp.push(format!("{TEMP_MARK}{}-{number}", std::process::id()));
    temp
}

fn is_temp_name(name: &OsStr) -> bool {
    let Some((front, back)) = name.to_str().and_then(|n| n.rsplit_once(TEMP_MARK)) else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    front.len() > 1
        && front.starts_with('.')
        && back
            .split_once('-')
            .is_some_and(|(pid, n)| number(pid) && number(n))
}

/// A file in the making. Nothing has the final name before [`AtomicFile::finish`]; dropped earlier, it leaves nothing.
#[derive(Debug)]
#[must_use = "a file that is not finished is removed again"]
pub struct AtomicFile {
    // `None` only after `finish` has taken it.
    writer: Option<BufWriter<HashingWriter<File>>>,
    folder: Folder,
    name: OsString,
    temp: OsString,
}

impl AtomicFile {
    /// Begins a file (0600) that will replace whatever has the name `path`, a link included. Its folder must exist.
    pub fn create(path: &Path) -> Result<Self> {
        let (folder, name) = Folder::of(path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let temp = temp_name(name);
            match rustix::fs::openat(&folder.handle, &temp, flags, FILE_MODE) {
                // Left by an earlier process with this id; the next number is free.
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(StoreError::io("create", path)(errno.into())),
                Ok(file) => {
                    let file = HashingWriter::new(File::from(file));
                    return Ok(Self {
                        writer: Some(BufWriter::with_capacity(BUFFER_BYTES, file)),
                        name: name.to_os_string(),
                        folder,
                        temp,
                    });
                }
            }
        }
    }

    /// Makes the content durable and gives it its name. On failure the old file stands and the new one is gone.
    pub fn finish(mut self) -> Result<FileSum> {
        let path = self.path();
        let Some(writer) = self.writer.take() else {
            return Err(StoreError::io("write", &path)(closed()));
        };
        let (file, sha256, bytes) = writer
            .into_inner()
            .map_err(|error| StoreError::io("write", &path)(error.into_error()))?
            .finish();
        file.sync_all().map_err(StoreError::io("sync", &path))?;
        self.folder.rename(&self.temp, &self.name)?;
        self.temp.clear();
        self.folder.sync()?;
        Ok(FileSum { sha256, bytes })
    }

    fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "the file is closed")
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().ok_or_else(closed)?.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().ok_or_else(closed)?.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // What is buffered is not wanted any more; a plain drop would write it.
            drop(writer.into_parts());
        }
        if !self.temp.is_empty() {
            // Best effort: what stays is removed by `remove_stale_temps`.
            self.folder.unlink(&self.temp).ok();
        }
    }
}

/// Replaces a file by `bytes`, durably.
pub fn write(path: &Path, bytes: &[u8]) -> Result<FileSum> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)
        .map_err(StoreError::io("write", path))?;
    file.finish()
}

/// Makes a folder (0700) and the missing ones above it, durably. Links above it are followed.
///
/// The parent of the deepest folder that existed is synced too: its maker may have been killed before it did.
pub fn create_dir_all(path: &Path) -> Result<()> {
    let mut missing = Vec::new();
    let mut existing = path;
    while !existing.as_os_str().is_empty() {
        match existing.metadata() {
            Ok(meta) if meta.is_dir() => break,
            Ok(_) => {
                let source = io::Error::new(ErrorKind::NotADirectory, "it is not a folder");
                return Err(StoreError::io("use as a folder", existing)(source));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(existing),
            Err(error) => return Err(StoreError::io("look at", existing)(error)),
        }
        let Some(parent) = existing.parent() else {
            break;
        };
        existing = parent;
    }
    if let Some(parent) = existing.parent() {
        match sync_dir(parent) {
            // A folder above the experiments that may be passed through but not read was not made here.
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    for folder in missing.into_iter().rev() {
        match rustix::fs::mkdir(folder, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(StoreError::io("create the folder", folder)(errno.into())),
        }
        sync_dir(folder.parent().unwrap_or(Path::new("")))?;
    }
    Ok(())
}

/// Makes the names in a folder durable. The empty path is the working folder.
pub fn sync_dir(dir: &Path) -> Result<()> {
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    Folder::open(dir, OFlags::empty())?.sync()
}

/// Removes temporary files left in `dir` and below by a dead process; gives their number. Call it under the lock.
pub fn remove_stale_temps(dir: &Path) -> Result<u64> {
    let mut removed = 0;
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let list = StoreError::io;
        for entry in std::fs::read_dir(&folder).map_err(list("list", &folder))? {
            let entry = entry.map_err(list("list", &folder))?;
            // Links are not followed.
            let kind = entry.file_type().map_err(list("look at", &folder))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if is_temp_name(&entry.file_name()) {
                removed += u64::from(remove(&entry.path())?);
            }
        }
    }
    Ok(removed)
}

/// Opens a regular file for reading; a link, folder, pipe or device is refused.
pub fn open_regular(path: &Path) -> Result<File> {
    // Without NONBLOCK a pipe with the name would be waited on for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty())
        .map(File::from)
        .map_err(|errno| StoreError::io("open", path)(errno.into()))?;
    let meta = file.metadata().map_err(StoreError::io("look at", path))?;
    if meta.is_file() {
        Ok(file)
    } else {
        let source = io::Error::new(ErrorKind::InvalidInput, "it is not a regular file");
        Err(StoreError::io("open", path)(source))
    }
}

/// Reads a whole regular file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .read_to_end(&mut bytes)
        .map_err(StoreError::io("read", path))?;
    Ok(bytes)
}

/// Gives `to` the content of `from`, durably: as a hard link, or as a copy where links fail.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    let source = open_regular(from)?;
    let (from_folder, from_name) = Folder::of(from)?;
    let (folder, name) = Folder::of(to)?;
    let temp = temp_name(name);
    let linked = rustix::fs::linkat(
        &from_folder.handle,
        from_name,
        &folder.handle,
        &temp,
        AtFlags::empty(),
    );
    if linked.is_err() {
        // Another file system, one without links, or too many of them: the copy shows whether anything else is wrong.
        return copy(source, from, to);
    }
    let renamed = folder.rename(&temp, name);
    // Where both names were one file already, rename does nothing and leaves the first (POSIX, rename).
    folder.unlink(&temp)?;
    renamed?;
    folder.sync()
}

fn copy(mut source: File, from: &Path, to: &Path) -> Result<()> {
    let mut file = AtomicFile::create(to)?;
    let mut buffer = vec![0_u8; BUFFER_BYTES];
    loop {
        let n = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(StoreError::io("read", from)(error)),
        };
        file.write_all(&buffer[..n])
            .map_err(StoreError::io("write", to))?;
    }
    file.finish().map(drop)
}

/// Removes a file (or a link itself) durably; whether it was there.
pub fn remove(path: &Path) -> Result<bool> {
    let (folder, name) = match Folder::of(path) {
        Err(error) if error.is_not_found() => return Ok(false),
        other => other?,
    };
    let was_there = folder.unlink(name)?;
    if was_there {
        folder.sync()?;
    }
    Ok(was_there)
}

/// Copies a file to `<path>.<suffix>`, durably, with a number before the last dot of the suffix where that is taken.
pub fn backup(path: &Path, suffix: &str) -> Result<PathBuf> {
    let to = free_name(path, |n| match (n, suffix.rsplit_once('.')) {
        (1, _) => suffix.to_owned(),
        (n, Some((front, end))) => format!("{front}.{n}.{end}"),
        (n, None) => format!("{suffix}.{n}"),
    });
    copy(open_regular(path)?, path, &to)?;
    Ok(to)
}

/// Renames a damaged file to the first free `<path>.corrupt.N`, durably; gives the new path.
pub fn set_aside(path: &Path) -> Result<PathBuf> {
    let to = corrupt_name(path);
    let (folder, name) = Folder::of(path)?;
    folder.rename(name, to.file_name().unwrap_or_default())?;
    folder.sync()?;
    Ok(to)
}

/// The first free `<path>.corrupt.N`.
pub(super) fn corrupt_name(path: &Path) -> PathBuf {
    free_name(path, |n| format!("corrupt.{n}"))
}

fn free_name(path: &Path, suffix: impl Fn(u32) -> String) -> PathBuf {
    let named = |n| {
        let mut text = path.as_os_str().to_os_string();
        text.push(".");
        text.push(suffix(n));
        PathBuf::from(text)
    };
    let mut n = 1;
    while named(n).symlink_metadata().is_ok() {
        n += 1;
    }
    named(n)
}

#[cfg(test)]
mod tests;
