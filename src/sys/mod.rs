//! Clock, seeded randomness and the names of environment variables.
//!
//! The only room that reads the wall clock. Everything above gets a [`Clock`] handed in, so that tests and
//! reproducible artifacts never depend on when they were made.

pub mod clock;
pub mod env;
pub mod random;

pub use clock::{Clock, FixedClock, SystemClock};
pub use env::Environment;
