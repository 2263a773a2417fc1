//! `ledger.jsonl`: the truth about parts and jobs, one JSON fact a line, numbered from 1 without gaps.
//!
//! Appending costs the same whatever the ledger holds: one write, and one fdatasync where the protocol needs it. After a
//! failed write or fsync nothing more is written in this process, because what is on the disk is not known (P3, P4).

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{CWD, OFlags};
use serde::Serialize;

use self::scan::{Scan, Tail};
use super::atomic::{self, FILE_MODE};
use super::error::{Result, StoreError};
use super::tail::LineTail;
use super::{RunLock, RunPaths, TailState};
use crate::domain::{Event, Recorded};

mod scan;

/// When an append returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After the bytes are on the disk, those of earlier lazy appends included.
    Fsync,
    /// After the system has them: they survive a kill, not a power cut.
    Lazy,
}

/// What was found in the ledger on opening.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// The facts in order; empty where they were handed over one by one.
    pub recorded: Vec<Recorded>,
    /// A torn last line was dropped. Nobody was told that it is durable.
    pub torn_tail: bool,
    /// Numbers of whole damaged lines at the end that were cut off.
    pub damaged: Vec<u64>,
    /// Where the bytes of damaged lines were kept.
    pub kept_as: Option<PathBuf>,
}

/// The ledger, open for appending by the holder of the lock.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    seq: u64,
    poisoned: bool,
}

impl Ledger {
    /// Opens (or begins) the ledger and reads all of it.
    ///
    /// A torn last line is cut off. Damaged lines at the very end are cut off and kept beside. Damage before a sound
    /// line is [`StoreError::Corrupt`] and nothing is touched: [`atomic::set_aside`] and
    /// [`recover`](super::recover) are the way on. A sound line of an unknown kind is [`StoreError::UnknownFact`].
    pub fn open(lock: &RunLock, paths: &RunPaths) -> Result<(Self, Replay)> {
        let mut recorded = Vec::new();
        let (ledger, mut replay) = Self::open_with(lock, paths, &mut |fact| recorded.push(fact))?;
        replay.recorded = recorded;
        Ok((ledger, replay))
    }

    /// Like [`Self::open`], but hands each fact to `take` as it is read instead of keeping it. On an error the facts
    /// taken so far do not count.
    pub fn open_with(
        lock: &RunLock,
        paths: &RunPaths,
        take: &mut dyn FnMut(Recorded),
    ) -> Result<(Self, Replay)> {
        lock.check()?;
        let path = paths.ledger();
        let file = open_for_append(&path)?;
        let reader = BufReader::with_capacity(1 << 16, atomic::open_regular(&path)?);
        let scan = Scan::read(reader, &path, take)?;
        let mut replay = Replay::default();
        if let Some(tail) = &scan.tail {
            replay = cut_off(&file, &path, &scan, tail)?;
        }
        // Lines that a killed process wrote lazily, and the name of a new file, become durable before they are built on.
        file.sync_all().map_err(StoreError::io("sync", &path))?;
        atomic::sync_dir(paths.root())?;
        let ledger = Self {
            path,
            file,
            seq: scan.seq,
            poisoned: false,
        };
        Ok((ledger, replay))
    }

    /// The last fact's number; 0 where there is none.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Appends facts as one write: either a prefix of them or all survive a crash.
    pub fn append(
        &mut self,
        at: Timestamp,
        events: Vec<Event>,
        durability: Durability,
    ) -> Result<Vec<Recorded>> {
        let dated = events.into_iter().map(|event| (at, event)).collect();
        self.record(dated, durability)
    }

    /// Appends facts that happened at different times, durably; for what [`recover`](super::recover) gives.
    pub fn append_dated(&mut self, events: Vec<(Timestamp, Event)>) -> Result<Vec<Recorded>> {
        self.record(events, Durability::Fsync)
    }

    /// Makes earlier lazy appends durable.
    pub fn sync(&mut self) -> Result<()> {
        self.refuse_poisoned()?;
        self.file.sync_data().map_err(|error| self.poison(error))
    }

    fn record(
        &mut self,
        events: Vec<(Timestamp, Event)>,
        durability: Durability,
    ) -> Result<Vec<Recorded>> {
        self.refuse_poisoned()?;
        let mut bytes = Vec::with_capacity(256 * events.len());
        let mut recorded = Vec::with_capacity(events.len());
        for (seq, (at, event)) in (self.seq + 1..).zip(events) {
            let fact = Recorded { seq, at, event };
            write_line(&mut bytes, &fact, &self.path)?;
            recorded.push(fact);
        }
        self.file
            .write_all(&bytes)
            .map_err(|error| self.poison(error))?;
        if durability == Durability::Fsync {
            self.file.sync_data().map_err(|error| self.poison(error))?;
        }
        self.seq += recorded.len() as u64;
        Ok(recorded)
    }

    fn refuse_poisoned(&self) -> Result<()> {
        if self.poisoned {
            return Err(StoreError::Poisoned {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    fn poison(&mut self, error: std::io::Error) -> StoreError {
        self.poisoned = true;
        StoreError::io("append to", &self.path)(error)
    }
}

fn write_line(bytes: &mut Vec<u8>, value: &impl Serialize, path: &Path) -> Result<()> {
    serde_json::to_writer(&mut *bytes, value).map_err(|source| StoreError::Json {
        path: path.to_path_buf(),
        source,
    })?;
    bytes.push(b'\n');
    Ok(())
}

fn open_for_append(path: &Path) -> Result<File> {
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::APPEND
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, FILE_MODE)
        .map(File::from)
        .map_err(|errno| StoreError::io("open", path)(errno.into()))
}

/// Cuts off what follows the last sound line, after keeping it where it is more than a torn line.
fn cut_off(file: &File, path: &Path, scan: &Scan, tail: &Tail) -> Result<Replay> {
    let mut replay = Replay {
        torn_tail: tail.torn,
        damaged: tail.damaged.clone(),
        ..Replay::default()
    };
    if !tail.damaged.is_empty() {
        let kept = atomic::corrupt_name(path);
        let all = atomic::read(path)?;
        let from = usize::try_from(scan.sound_bytes).unwrap_or(usize::MAX);
        atomic::write(&kept, all.get(from..).unwrap_or_default())?;
        replay.kept_as = Some(kept);
    }
    file.set_len(scan.sound_bytes)
        .map_err(StoreError::io("cut", path))?;
    Ok(replay)
}

/// Follows the ledger of a run driven elsewhere; takes no lock.
#[derive(Debug)]
pub struct LedgerTail {
    lines: LineTail<Recorded>,
    seq: u64,
}

impl LedgerTail {
    /// Begins at the first line.
    pub fn new(path: PathBuf) -> Self {
        Self {
            lines: LineTail::new(path),
            seq: 0,
        }
    }

    /// Hands over the whole lines that came since the last poll.
    pub fn poll(&mut self, take: &mut dyn FnMut(Recorded)) -> Result<TailState> {
        let (mut seq, mut gap) = (self.seq, false);
        let state = self.lines.poll(&mut |fact| {
            // A gap means that lines were cut off and written anew between two polls.
            gap |= fact.seq != seq + 1;
            if !gap {
                seq = fact.seq;
                take(fact);
            }
        })?;
        if gap || state.restarted {
            self.seq = 0;
            return Ok(self.lines.restart());
        }
        self.seq = seq;
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
