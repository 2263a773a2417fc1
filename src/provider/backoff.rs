//! How long to wait before doing something again: exponential steps with jitter, and what `Retry-After` says.
//!
//! No clock and no chance of its own: both are handed in.

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;

use crate::sys::random::Rng;

/// The longest wait a server can ask for; more is clamped (guarantees, P12).
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A bounded series of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The first wait, before jitter.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// How many waits there are.
    pub waits: u32,
}

impl Schedule {
    /// The wait before repetition number `n` (from 0): doubled each time, between half and all of it by chance, so
    /// that clients that failed together do not come back together. `None` where the series has ended.
    pub fn wait(&self, n: u32, rng: &mut Rng) -> Option<Duration> {
        if n >= self.waits {
            return None;
        }
        let full = self
            .first
            .saturating_mul(2_u32.saturating_pow(n))
            .min(self.longest);
        Some(full.mul_f64(rng.random_range(0.5..=1.0)))
    }
}

/// Reads a `Retry-After` header: seconds (whole or not) or an HTTP date (RFC 9110, section 10.2.3).
///
/// Negative, past and unreadable values say nothing (`None` or zero); long ones are clamped to
/// [`LONGEST_RETRY_AFTER`]. `now` is the time a date is compared to.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return if seconds.is_nan() || seconds < 0.0 {
            None
        } else {
            Some(
                Duration::try_from_secs_f64(seconds)
                    .map_or(LONGEST_RETRY_AFTER, |d| d.min(LONGEST_RETRY_AFTER)),
            )
        };
    }
    let until = http_date(header)?;
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// Reads an HTTP date in its one current form, e.g. `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
pub fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|z| z.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::random;

    fn now() -> Timestamp {
        "2026-11-21T03:22:01Z".parse().unwrap()
    }

    #[test]
    fn waits_double_up_to_the_longest_and_then_end() {
        let schedule = Schedule {
            first: Duration::from_millis(100),
            longest: Duration::from_millis(250),
            waits: 3,
        };
        let mut rng = random::rng([7; 32]);
        let waits: Vec<_> = (0..5).map(|n| schedule.wait(n, &mut rng)).collect();
        for (wait, full) in waits.iter().zip([100, 200, 250]) {
            let wait = wait.unwrap().as_millis();
            assert!((full / 2..=full).contains(&wait), "{wait} of {full}");
        }
        assert_eq!(waits[3..], [None, None]);
        let mut again = random::rng([7; 32]);
        let same: Vec<_> = (0..5).map(|n| schedule.wait(n, &mut again)).collect();
        assert_eq!(waits, same, "one seed, one series");
    }

    #[test]
    fn a_late_repetition_does_not_overflow() {
        let schedule = Schedule {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(8),
            waits: u32::MAX,
        };
        let wait = schedule.wait(4_000_000, &mut random::rng([0; 32])).unwrap();
        assert!(wait <= Duration::from_secs(8));
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_clamped() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(retry_after("7", now()), seconds(7));
        assert_eq!(
            retry_after(" 1.5 ", now()),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(retry_after("0", now()), seconds(0));
        assert_eq!(retry_after("-3", now()), None);
        assert_eq!(retry_after("NaN", now()), None);
        assert_eq!(retry_after("soon", now()), None);
        assert_eq!(retry_after("", now()), None);
        assert_eq!(retry_after("31536000", now()), seconds(3600));
        assert_eq!(retry_after("inf", now()), seconds(3600));
        assert_eq!(retry_after("1e300", now()), seconds(3600));
        assert_eq!(
            retry_after("Sat, 21 Nov 2026 03:22:11 GMT", now()),
            seconds(10)
        );
        assert_eq!(
            retry_after("Sat, 21 Nov 2020 03:22:11 GMT", now()),
            seconds(0)
        );
        assert_eq!(
            retry_after("Sun, 21 Nov 2027 03:22:11 GMT", now()),
            seconds(3600)
        );
    }
}
