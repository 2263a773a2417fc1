//! Numbers as sorted distinct values with their counts, and their plain moments.
//!
//! Most metrics take few values, so everything that can works on the counts. Values are finite; `-0.0` counts as `0.0`.

use serde::{Deserialize, Serialize};

/// A count as a real number.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of items are far below 2^53"
)]
pub(crate) fn real(n: u64) -> f64 {
    n as f64
}

/// The number itself where it is finite.
pub(crate) fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// Distinct values in ascending order and how often each occurs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    values: Vec<f64>,
    counts: Vec<u64>,
    n: u64,
}

impl Tally {
    /// Counts the finite numbers of an iterator; the others are left out. O(n log n).
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = numbers
            .into_iter()
            .filter(|x| x.is_finite())
            .map(|x| x + 0.0)
            .collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut tally = Self {
            n: sorted.len() as u64,
            ..Self::default()
        };
        for run in sorted.chunk_by(|a, b| a.to_bits() == b.to_bits()) {
            tally.values.push(run[0]);
            tally.counts.push(run.len() as u64);
        }
        tally
    }

    /// How many numbers.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many distinct values.
    pub fn distinct(&self) -> usize {
        self.values.len()
    }

    /// The distinct values in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The count of each distinct value.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Values with their counts, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (f64, u64)> + '_ {
        self.values.iter().copied().zip(self.counts.iter().copied())
    }

    /// The sum of all numbers.
    pub fn sum(&self) -> f64 {
        self.iter().map(|(v, c)| v * real(c)).sum()
    }

    /// Absolute values of the numbers that are not zero.
    #[must_use]
    pub fn absolute_nonzero(&self) -> Self {
        let (mut below, mut above) = (
            self.iter().rev().skip_while(|(v, _)| *v >= 0.0).peekable(),
            self.iter().skip_while(|(v, _)| *v <= 0.0).peekable(),
        );
        let mut out = Self::default();
        loop {
            let (down, up) = (below.peek().copied(), above.peek().copied());
            let value = match (down, up) {
                (None, None) => return out,
                (Some((d, _)), None) => -d,
                (None, Some((u, _))) => u,
                (Some((d, _)), Some((u, _))) => u.min(-d),
            };
            let mut count = 0;
            if let Some((_, c)) = below.next_if(|(v, _)| (-v).to_bits() == value.to_bits()) {
                count += c;
            }
            if let Some((_, c)) = above.next_if(|(v, _)| v.to_bits() == value.to_bits()) {
                count += c;
            }
            out.values.push(value);
            out.counts.push(count);
            out.n += count;
        }
    }

    /// How many numbers are below, at and above zero.
    pub fn signs(&self) -> (u64, u64, u64) {
        self.iter().fold((0, 0, 0), |(neg, zero, pos), (v, c)| {
            if v < 0.0 {
                (neg + c, zero, pos)
            } else if v > 0.0 {
                (neg, zero, pos + c)
            } else {
                (neg, zero + c, pos)
            }
        })
    }

    /// Count, mean and standard deviation.
    pub fn moments(&self) -> Moments {
        let n = real(self.n);
        if self.n == 0 {
            return Moments::default();
        }
        let mean = if self.distinct() == 1 {
            self.values[0]
        } else {
            self.sum() / n
        };
        let squares: f64 = self
            .iter()
            .map(|(v, c)| real(c) * (v - mean) * (v - mean))
            .sum();
        Moments {
            n: self.n,
            mean: finite(mean),
            sd: (self.n > 1)
                .then(|| (squares / (n - 1.0)).sqrt())
                .and_then(finite),
        }
    }
}

/// Count, mean and standard deviation of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// How many.
    pub n: u64,
    /// Arithmetic mean; `None` of nothing.
    pub mean: Option<f64>,
    /// Standard deviation with `n - 1`; `None` below two numbers.
    pub sd: Option<f64>,
}

impl Moments {
    /// Standard error of the mean; `None` below two numbers.
    pub fn se(&self) -> Option<f64> {
        self.sd.map(|sd| sd / real(self.n).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_counted_and_what_is_not_finite_is_left_out() {
        let t = Tally::of([1.0, -0.0, 0.0, f64::NAN, 1.0, -2.0, f64::INFINITY]);
        assert_eq!(t.values(), [-2.0, 0.0, 1.0]);
        assert_eq!(t.counts(), [1, 2, 2]);
        assert_eq!((t.n(), t.signs()), (5, (1, 2, 2)));
    }

    #[test]
    fn absolute_values_merge_both_signs() {
        let t = Tally::of([1.0, -1.0, 0.0, 3.0, -2.0, 1.0]).absolute_nonzero();
        assert_eq!(t.values(), [1.0, 2.0, 3.0]);
        assert_eq!((t.counts(), t.n()), (&[3, 1, 1][..], 5));
        assert_eq!(Tally::of([0.0]).absolute_nonzero().n(), 0);
    }

    #[test]
    fn moments_of_nothing_and_of_one_number_are_absent() {
        assert_eq!(Tally::of([]).moments(), Moments::default());
        let one = Tally::of([2.5]).moments();
        assert_eq!((one.mean, one.sd), (Some(2.5), None));
        let constant = Tally::of([0.1; 7]).moments();
        assert_eq!((constant.mean, constant.sd), (Some(0.1), Some(0.0)));
    }

    #[test]
    fn moments_are_those_of_numpy() {
        // numpy: x = [1, 2, 2, 5.5, -3]; x.mean(), x.std(ddof=1)
        let m = Tally::of([1.0, 2.0, 2.0, 5.5, -3.0]).moments();
        assert!((m.mean.unwrap_or(0.0) - 1.5).abs() < 1e-15);
        assert!((m.sd.unwrap_or(0.0) - 3.041_381_265_149_11).abs() < 1e-14);
    }
}
