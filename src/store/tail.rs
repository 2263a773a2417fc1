//! Follows a growing file of JSON lines without a lock: only whole lines count, read from where the last poll ended.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::atomic;
use super::error::{Result, StoreError};

/// What a poll of a growing file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TailState {
    /// Whole lines delivered.
    pub lines: u64,
    /// Whole lines that could not be read; skipped.
    pub damaged: u64,
    /// The file was replaced or cut: forget what was delivered so far and poll again.
    pub restarted: bool,
}

/// The place reached in a file of JSON lines.
#[derive(Debug)]
pub(super) struct LineTail<T> {
    path: PathBuf,
    // Device, inode and the offset after the last whole line that was delivered.
    place: Option<(u64, u64, u64)>,
    line: Vec<u8>,
    lines_of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> LineTail<T> {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            place: None,
            line: Vec::new(),
            lines_of: PhantomData,
        }
    }

    /// Hands over the whole lines that came since the last poll. A file that is not there yet has none.
    pub(super) fn poll(&mut self, take: &mut dyn FnMut(T)) -> Result<TailState> {
        let file = match atomic::open_regular(&self.path) {
            Err(error) if error.is_not_found() && self.place.is_none() => {
                return Ok(TailState::default());
            }
            Err(error) if error.is_not_found() => return Ok(self.restart()),
            other => other?,
        };
        let meta = file
            .metadata()
            .map_err(StoreError::io("look at", &self.path))?;
        let from = match self.place {
            Some((device, inode, offset)) => {
                if (device, inode) != (meta.dev(), meta.ino()) || meta.size() < offset {
                    return Ok(self.restart());
                }
                offset
            }
            None => 0,
        };
        if meta.size() == from {
            self.place = Some((meta.dev(), meta.ino(), from));
            return Ok(TailState::default());
        }
        let (state, read) = self.deliver(file, from, take)?;
        self.place = Some((meta.dev(), meta.ino(), from + read));
        Ok(state)
    }

    /// Forgets the place.
    pub(super) fn restart(&mut self) -> TailState {
        self.place = None;
        TailState {
            restarted: true,
            ..TailState::default()
        }
    }

    fn deliver(
        &mut self,
        mut file: File,
        from: u64,
        take: &mut dyn FnMut(T),
    ) -> Result<(TailState, u64)> {
        let mut state = TailState::default();
        let mut read = 0;
        file.seek(SeekFrom::Start(from))
            .map_err(StoreError::io("read", &self.path))?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        loop {
            self.line.clear();
            let n = match reader.read_until(b'\n', &mut self.line) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.map_err(StoreError::io("read", &self.path))?,
            };
            // A line without its end is still being written.
            if self.line.last() != Some(&b'\n') {
                return Ok((state, read));
            }
            read += n as u64;
            match serde_json::from_slice(&self.line) {
                Ok(value) => {
                    state.lines += 1;
                    take(value);
                }
                Err(_) => state.damaged += 1,
            }
        }
    }
}
