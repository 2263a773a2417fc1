//! What will happen, as values: parts and their work keys, and one decision for each phase and trial.
//!
//! Pure. The engine gathers [`Facts`] from disk, [`decide()`] makes the plan from them, and the same plan is printed,
//! shown and followed.

pub mod decide;
pub mod parts;

pub use decide::{Facts, PartNeed, Redo, TrialFacts, WorkFacts, decide};
pub use parts::{BuildManifest, Shard, plan_parts};
