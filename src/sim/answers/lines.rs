//! Files of JSON lines that are read in any order: an index of keys to places, 16 bytes a line.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::domain::text::printable;
use crate::sim::draw::mark;
use crate::sim::error::SimError;

/// Files that were indexed, with what tells that they have changed.
#[derive(Debug, Default)]
pub(super) struct LineIndex {
    files: Vec<File>,
    /// Key, then place; sorted.
    places: Vec<(u64, Place)>,
}

/// Where a line begins: the file's number in the upper 8 bits, the offset in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64);

const OFFSET_BITS: u32 = 56;

/// The key of a line: the first 64 bits of a digest of what names it.
pub(super) fn key(parts: &[&str]) -> u64 {
    mark(parts)
}

/// What tells two versions of files apart, cheaply: sizes and times, `None` for a missing file.
pub(super) type Marks = Vec<Option<(u64, Option<SystemTime>)>>;

/// The present marks of files.
pub(super) fn marks(paths: &[PathBuf]) -> Marks {
    paths
        .iter()
        .map(|path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.len(), meta.modified().ok()))
        })
        .collect()
}

impl LineIndex {
    /// Reads files whole and keeps the key that `key_of` finds in each line; a missing file counts as empty.
    ///
    /// Where two lines have one key, the first is found.
    pub(super) fn build(
        paths: &[PathBuf],
        mut key_of: impl FnMut(&[u8]) -> Result<u64, serde_json::Error>,
    ) -> Result<Self, SimError> {
        let mut index = Self::default();
        for path in paths {
            match File::open(path) {
                Ok(file) => index.add(path, file, &mut key_of)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(SimError::file("open", path)(error)),
            }
        }
        index.places.sort_unstable();
        Ok(index)
    }

    fn add(
        &mut self,
        path: &Path,
        file: File,
        key_of: &mut impl FnMut(&[u8]) -> Result<u64, serde_json::Error>,
    ) -> Result<(), SimError> {
        let number = (self.files.len() as u64) << OFFSET_BITS;
        let mut reader = BufReader::with_capacity(1 << 18, &file);
        let (mut line, mut offset, mut count) = (Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            let n = reader
                .read_until(b'\n', &mut line)
                .map_err(SimError::file("read", path))?;
            if n == 0 {
                break;
            }
            count += 1;
            if !line.iter().all(u8::is_ascii_whitespace) {
                let key = key_of(&line).map_err(|error| SimError::Content {
                    path: path.to_owned(),
                    line: count,
                    problem: printable(&error.to_string()).into_owned(),
                })?;
                self.places.push((key, Place(number | offset)));
            }
            offset += n as u64;
        }
        drop(reader);
        self.files.push(file);
        Ok(())
    }

    /// Where the line with a key begins.
    pub(super) fn find(&self, key: u64) -> Option<Place> {
        let at = self.places.partition_point(|(k, _)| *k < key);
        self.places
            .get(at)
            .filter(|(k, _)| *k == key)
            .map(|(_, place)| *place)
    }

    /// Reads the line at a place into `line`, without its line feed.
    pub(super) fn read(&self, place: Place, line: &mut Vec<u8>) -> std::io::Result<()> {
        const STEP: usize = 4096;
        let file = usize::try_from(place.0 >> OFFSET_BITS)
            .ok()
            .and_then(|n| self.files.get(n))
            .ok_or(ErrorKind::NotFound)?;
        let offset = place.0 & ((1 << OFFSET_BITS) - 1);
        line.clear();
        loop {
            let have = line.len();
            line.resize(have + STEP, 0);
            let n = file.read_at(&mut line[have..], offset + have as u64)?;
            line.truncate(have + n);
            if let Some(end) = line[have..].iter().position(|b| *b == b'\n') {
                line.truncate(have + end);
                return Ok(());
            }
            if n == 0 {
                return Ok(());
            }
        }
    }
}
