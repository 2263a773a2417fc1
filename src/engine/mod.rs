//! Drives runs: launch, drive (gate, run, stamp), queue, stop, outlets, and the catalogue of past runs.
//!
//! One run, one writer, many readers. The flow: `launch` finds or makes a run and takes its lock, `session` drives it to an
//! exit code, `drive` goes through the phases, `queue` submits and collects, `recorder` writes every fact. Front ends read
//! pictures: through a [`Fleet`] (console) or the outlets of a session (headless).

mod announce;
pub mod catalogue;
pub mod drive;
pub mod error;
pub mod facts;
pub mod fleet;
pub mod launch;
pub mod local;
mod local_phase;
pub mod migrate;
pub mod queue;
pub mod reconcile;
pub mod recorder;
mod repair;
pub mod session;
pub mod stop;
pub mod watch;

pub use drive::ProviderSource;
pub use error::EngineError;
pub use fleet::{Fleet, FleetError, Launch, RunSummary, Standing, WatchHandle};
pub use launch::{Force, Host, Request, Which};
pub use local::LocalFleet;
pub use recorder::Outlets;
pub use session::Ended;
pub use stop::StopSwitch;
