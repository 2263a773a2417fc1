//! The run directory: paths, durable files, the lock, the ledger, stamps, the faces and stop files.
//!
//! Flow: [`layout`] says where a file is and [`atomic`] makes it whole and durable. Whoever drives a run holds a
//! [`RunLock`]; with it the [`Ledger`] opens, is replayed, and takes one line for each fact. [`Faces`] rewrites
//! `run_state.json` and the trial manifests from the picture of the run; [`records::recover`] goes the other way.
//! [`stamp`] compares what a phase read, made and was set to. Readers take no lock: they see whole files only.

pub mod atomic;
pub mod digests;
pub mod error;
pub mod layout;
pub mod ledger;
pub mod lock;
pub mod log;
pub mod records;
pub mod sentinel;
pub mod stamp;
pub mod tail;

#[cfg(test)]
mod fixture;

pub use atomic::{AtomicFile, FileSum};
pub use digests::Digests;
pub use error::{Result, StoreError};
pub use layout::{ExperimentsDir, PartPaths, RunPaths, TrialPaths, batch_input_name};
pub use ledger::{Durability, Ledger, LedgerTail, Replay};
pub use lock::{Holder, RunLock};
pub use log::{EventLog, LogTail};
pub use records::{Faces, RunStateRecord, TrialManifestRecord, recover};
pub use stamp::Wanted;
pub use tail::TailState;
