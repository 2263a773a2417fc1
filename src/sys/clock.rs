//! The wall clock as a value that is handed in, and its one text form.

use std::fmt::Debug;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// Tells the wall-clock time. Waiting uses monotonic time (tokio's timers) instead.
pub trait Clock: Send + Sync + Debug {
    /// The present instant in UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door to the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// A clock that stands at `at`.
    pub fn new(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }

    /// Moves the clock forward (or back, as a laptop's clock may) by `by`.
    pub fn advance(&self, by: SignedDuration) {
        if let Ok(mut at) = self.0.lock() {
            *at = at.saturating_add(by).unwrap_or(*at);
        }
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0.lock().map_or(Timestamp::UNIX_EPOCH, |at| *at)
    }
}

/// Writes an instant as RFC 3339 in UTC with whole seconds, e.g. `2026-11-21T03:22:01Z`.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes an instant in the compact form used in run ids and backup names, e.g. `20261121T032201Z`.
pub fn compact(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
