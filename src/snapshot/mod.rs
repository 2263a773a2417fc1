//! The immutable picture of a run and the one reducer that updates it.
//!
//! Flow: the driver applies each fact as it records it; a watcher applies the same facts read from `ledger.jsonl`. Both
//! end in the same [`RunView`], so a watched run cannot look different from a driven one. Screens and the headless
//! printer only ever read an `Arc<RunView>`.

pub mod reduce;
pub mod view;

pub use reduce::ReduceError;
pub use view::{DriverView, PartRef, PhaseView, RunView, Totals, TrialView, WorkView};
