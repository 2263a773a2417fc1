//! skeleton
use super::error::Result;
use super::{RunPaths, TailState};
use crate::domain::LogLine;
use std::path::PathBuf;
/// The log for people.
#[derive(Debug)]
pub struct EventLog {}
impl EventLog {
    /// Opens it for appending.
    pub fn open(_paths: &RunPaths) -> Result<Self> {
        todo!()
    }
    /// Appends a line; not made durable.
    pub fn append(&mut self, _line: &LogLine) -> Result<()> {
        todo!()
    }
}
/// Follows the log.
#[derive(Debug)]
pub struct LogTail {}
impl LogTail {
    /// Begins at the first line.
    pub fn new(_path: PathBuf) -> Self {
        todo!()
    }
    /// Hands over the whole lines that came since the last poll.
    pub fn poll(&mut self, _take: &mut dyn FnMut(LogLine)) -> Result<TailState> {
        todo!()
    }
}
