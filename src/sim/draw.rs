//! Seeded draws for one question: what is drawn depends on the labels and on nothing else.

use rand::Rng as _;

use crate::domain::Digest;
use crate::sys::random::{self, Rng};

/// A stream of draws.
#[derive(Debug)]
pub(super) struct Draw(Rng);

/// The first 64 bits of the digest of a list of texts: a short name for what they name together.
pub(super) fn mark(parts: &[&str]) -> u64 {
    Digest::of_parts(parts)
        .bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Draw {
    /// The stream named by a seed and labels; other labels give an independent stream.
    pub(super) fn named(labels: &[&str]) -> Self {
        Self(random::rng(Digest::of_parts(labels).bytes()))
    }

    /// A number from 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let bits = (self.0.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// Whether an event of probability `p` happens.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A number from 0 to below `n`; 0 where `n` is 0. The bias of the remainder is below 2^-40 for the sizes used here.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        usize::try_from(self.0.next_u64().checked_rem(n).unwrap_or(0)).unwrap_or(0)
    }

    /// One of several; `None` where there are none.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A standard normal number (G. E. P. Box and M. E. Muller, 1958, "A note on the generation of random normal
    /// deviates", equation 1).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Shuffles in place (Durstenfeld, 1964, algorithm 235).
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}
