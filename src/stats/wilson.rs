//! Wilson's score interval of a proportion.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::tally::real;

/// A proportion with its interval, both as shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Proportion {
    /// The share.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The interval of `successes` out of `n` at a confidence `level` (0.95); `None` where `n` is 0, `successes` exceed it,
/// or the level is not inside 0 to 1.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), p. 209;
/// equals `scipy.stats.binomtest(k, n).proportion_ci(method="wilson")`.
pub fn wilson(successes: u64, n: u64, level: f64) -> Option<Proportion> {
    if n == 0 || successes > n || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let (k, n) = (real(successes), real(n));
    let share = k / n;
    let z2 = z * z;
    let middle = (k + z2 / 2.0) / (n + z2);
    let half = z / (n + z2) * (k * (n - k) / n + z2 / 4.0).sqrt();
    // At the ends the bound is the end itself; rounding must not push it past.
    let low = if successes == 0 { 0.0 } else { middle - half };
    let high = if k >= n { 1.0 } else { middle + half };
    Some(Proportion { share, low, high })
}
