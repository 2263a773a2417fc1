//! Drives runs: launch, drive (gate, run, stamp), queue, stop, outlets, and the catalogue of past runs.
//!
//! One run, one writer, many readers. The console and the headless mode use the same [`Fleet`].

pub mod fleet;

pub use fleet::{Fleet, FleetError, Launch, RunSummary, Standing, WatchHandle};
