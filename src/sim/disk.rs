//! Files that survive a kill and a power cut: written beside, synced, renamed in, and the folder synced after.
//!
//! The server's own few lines, because this room does not see `store`.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use super::error::SimError;
use crate::domain::text::printable;

/// Makes a folder and its parents, for this user only.
pub(super) fn make_folder(path: &Path) -> Result<(), SimError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(SimError::file("make", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// A temporary file in the folder of `target`; removed unless one of the functions below puts it in place.
pub(super) fn beside(target: &Path) -> Result<NamedTempFile, SimError> {
    let folder = target.parent().unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".tmp-")
        .tempfile_in(folder)
        .map_err(SimError::file("write in", folder))
}

/// Puts a written file in place of whatever has the name; whole and durable when this returns.
pub(super) fn put(file: NamedTempFile, target: &Path) -> Result<(), SimError> {
    file.as_file()
        .sync_all()
        .map_err(SimError::file("sync", target))?;
    file.persist(target)
        .map_err(|e| SimError::file("write", target)(e.error))?;
    sync_parent(target)
}

/// Writes a record under a name that must be free; `false` where it is taken.
///
/// The name appears with its whole content or not at all, and exactly one of several callers gets `true`.
pub(super) fn claim(target: &Path, record: &impl Serialize) -> Result<bool, SimError> {
    let mut file = beside(target)?;
    write_record(&mut file, target, record)?;
    file.as_file()
        .sync_all()
        .map_err(SimError::file("sync", target))?;
    match file.persist_noclobber(target) {
        Ok(_) => sync_parent(target).map(|()| true),
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(SimError::file("write", target)(e.error)),
    }
}

/// Writes a record over its older version.
pub(super) fn replace(target: &Path, record: &impl Serialize) -> Result<(), SimError> {
    let mut file = beside(target)?;
    write_record(&mut file, target, record)?;
    put(file, target)
}

/// Reads a record; `None` where there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SimError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SimError::file("read", path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| SimError::Content {
            path: path.to_owned(),
            line: error.line() as u64,
            problem: printable(&error.to_string()).into_owned(),
        })
}

/// Removes a file; it may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), SimError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(SimError::file("remove", path)(error))
        }
        _ => sync_parent(path),
    }
}

/// Adds one line to a record that only grows; durable when this returns.
pub(super) fn append(path: &Path, record: &impl Serialize) -> Result<(), SimError> {
    let mut line = serde_json::to_vec(record)
        .map_err(io::Error::from)
        .map_err(SimError::file("write", path))?;
    line.push(b'\n');
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(SimError::file("open", path))?;
    file.write_all(&line)
        .and_then(|()| file.sync_all())
        .map_err(SimError::file("write", path))?;
    sync_parent(path)
}

/// Reads a record that only grows. A last line that a power cut has torn is cut off.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, SimError> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(SimError::file("open", path)(error)),
    };
    let (mut records, mut line, mut whole) = (Vec::new(), Vec::new(), 0_u64);
    let mut reader = BufReader::new(&file);
    loop {
        line.clear();
        let n = reader
            .read_until(b'\n', &mut line)
            .map_err(SimError::file("read", path))?;
        if line.last() != Some(&b'\n') {
            break;
        }
        records.push(
            serde_json::from_slice(&line).map_err(|error| SimError::Content {
                path: path.to_owned(),
                line: records.len() as u64 + 1,
                problem: printable(&error.to_string()).into_owned(),
            })?,
        );
        whole += n as u64;
    }
    if !line.is_empty() {
        file.set_len(whole)
            .and_then(|()| file.sync_all())
            .map_err(SimError::file("repair", path))?;
    }
    Ok(records)
}

fn write_record(
    file: &mut NamedTempFile,
    target: &Path,
    record: &impl Serialize,
) -> Result<(), SimError> {
    let mut bytes = serde_json::to_vec_pretty(record)
        .map_err(io::Error::from)
        .map_err(SimError::file("write", target))?;
    bytes.push(b'\n');
    file.write_all(&bytes)
        .map_err(SimError::file("write", target))
}

fn sync_parent(path: &Path) -> Result<(), SimError> {
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), SimError> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(SimError::file("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_claimed_once_and_keeps_its_first_content() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.json");
        assert!(claim(&path, &1).expect("written"));
        assert!(!claim(&path, &2).expect("refused"));
        assert_eq!(read::<u32>(&path).expect("read"), Some(1));
        assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 1);
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_rest_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("log.jsonl");
        append(&path, &1).expect("appended");
        append(&path, &2).expect("appended");
        let mut file = OpenOptions::new().append(true).open(&path).expect("open");
        file.write_all(b"3").expect("torn");
        assert_eq!(read_lines::<u32>(&path).expect("read"), [1, 2]);
        append(&path, &4).expect("appended");
        assert_eq!(read_lines::<u32>(&path).expect("read"), [1, 2, 4]);
    }
}
