//! skeleton
use super::error::Result;
use super::{RunLock, RunPaths, TailState};
use crate::domain::{Event, Recorded};
use jiff::Timestamp;
use std::path::PathBuf;
/// When an append returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After the bytes are on the disk.
    Fsync,
    /// After the system has them: they survive a kill, not a power cut.
    Lazy,
}
/// What was found in the ledger on opening.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// The facts in order; empty where they were streamed.
    pub recorded: Vec<Recorded>,
    /// A torn last line was dropped.
    pub torn_tail: bool,
    /// Numbers of whole damaged lines at the end that were cut off and kept in `kept_as`.
    pub damaged: Vec<u64>,
    /// Where bytes that were more than a torn line were kept.
    pub kept_as: Option<PathBuf>,
}
/// The append-only truth about parts and jobs.
#[derive(Debug)]
pub struct Ledger {}
impl Ledger {
    /// Opens (or begins) the ledger and reads all of it.
    pub fn open(_lock: &RunLock, _paths: &RunPaths) -> Result<(Self, Replay)> {
        todo!()
    }
    /// Like `open`, but hands each fact to `take` instead of keeping it.
    pub fn open_with(
        _lock: &RunLock,
        _paths: &RunPaths,
        _take: &mut dyn FnMut(Recorded),
    ) -> Result<(Self, Replay)> {
        todo!()
    }
    /// The last fact's number; 0 where there is none.
    pub fn seq(&self) -> u64 {
        todo!()
    }
    /// Appends facts as one write.
    pub fn append(
        &mut self,
        _at: Timestamp,
        _events: Vec<Event>,
        _durability: Durability,
    ) -> Result<Vec<Recorded>> {
        todo!()
    }
    /// Appends facts that happened at different times, durably; for what `records::recover` gives.
    pub fn append_dated(&mut self, _events: Vec<(Timestamp, Event)>) -> Result<Vec<Recorded>> {
        todo!()
    }
    /// Makes lazy appends durable.
    pub fn sync(&mut self) -> Result<()> {
        todo!()
    }
}
/// Follows the ledger of a run driven elsewhere.
#[derive(Debug)]
pub struct LedgerTail {}
impl LedgerTail {
    /// Begins at the first line.
    pub fn new(_path: PathBuf) -> Self {
        todo!()
    }
    /// Hands over the whole lines that came since the last poll.
    pub fn poll(&mut self, _take: &mut dyn FnMut(Recorded)) -> Result<TailState> {
        todo!()
    }
}
