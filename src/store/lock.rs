//! skeleton
use super::RunPaths;
use super::error::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
/// Who drives a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}
impl Holder {
    /// This process on this machine.
    pub fn this_process(since: Timestamp) -> Self {
        Self {
            pid: std::process::id(),
            host: String::new(),
            since,
        }
    }
}
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}", self.pid)
    }
}
/// The right to drive a run; dropping it gives it back.
#[derive(Debug)]
pub struct RunLock {}
impl RunLock {
    /// Takes the lock or says at once who has it. The run's folder must exist.
    pub fn acquire(_paths: &RunPaths, _holder: &Holder) -> Result<Self> {
        todo!()
    }
    /// Whether the lock file and the run's folder are still the ones that were locked.
    pub fn still_held(&self) -> bool {
        todo!()
    }
    /// `still_held` as a result, for `?` before each submission.
    pub fn check(&self) -> Result<()> {
        todo!()
    }
}
/// Who the lock file names. It informs only; it may be outdated.
pub fn holder(_paths: &RunPaths) -> Option<Holder> {
    todo!()
}
/// Whether some process holds the lock, found without taking it; `None` where that cannot be known.
pub fn is_held(_paths: &RunPaths) -> Option<bool> {
    todo!()
}
