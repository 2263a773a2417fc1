//! The sign-flip permutation test of a mean difference.

use rand::{Rng as _, RngExt};
use rand_distr::{Binomial, Distribution};
use serde::{Deserialize, Serialize};

use super::seed::Seed;
use super::tally::{Tally, real};
use crate::sys::random::Rng;

/// Up to this many non-zero differences all sign patterns are counted.
pub const EXACT_UP_TO: u64 = 20;
/// Above this many equal differences a binomial draw is cheaper than counting random bits.
const BITS_UP_TO: u64 = 1024;
/// Drawing counts costs about this many single sign flips for each distinct value.
const COUNT_COST: u64 = 8;

/// How the p-value was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermutationMethod {
    /// All sign patterns.
    Exact,
    /// Random sign patterns.
    MonteCarlo,
}

/// A permutation test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Permutation {
    /// Two-sided p-value; never 0.
    pub p_value: f64,
    /// How it was reached.
    pub method: PermutationMethod,
    /// Sign patterns looked at.
    pub resamples: u64,
}

/// Tests whether differences are symmetric about zero; `None` without differences, or without resamples where there are
/// more than 20 that are not zero.
///
/// Monte Carlo: `p = (b + 1) / (R + 1)` with b patterns at least as extreme among R (B. Phipson, G. K. Smyth, Stat Appl
/// Genet Mol Biol 9:39 (2010), eq. 2), so it is never 0. Exact: the share of all `2^m` patterns; equals
/// `scipy.stats.permutation_test(permutation_type="samples")`. Flipping the signs of equal differences is a binomial
/// draw, so metrics that take few values cost nothing per item.
pub fn permutation(differences: &Tally, resamples: u32, seed: &Seed) -> Option<Permutation> {
    if differences.n() == 0 {
        return None;
    }
    let sizes = differences.absolute_nonzero();
    let total = sizes.sum();
    // Sums in another order differ in their last bits; a tie with the observed sum must still count as one.
    let bar = differences.sum().abs() - total * 1e-13;
    if sizes.n() <= EXACT_UP_TO {
        let items = items_of(&sizes);
        return Some(exact(&items, bar));
    }
    if resamples == 0 {
        return None;
    }
    let extreme = |sum: f64| f64::from(u8::from(sum.abs() >= bar));
    let hits = if sizes.distinct() as u64 * COUNT_COST < sizes.n() {
        seed.resample("permutation", resamples, |rng| {
            extreme(count_sum(&sizes, rng))
        })
    } else {
        let items = items_of(&sizes);
        seed.resample("permutation", resamples, |rng| {
            extreme(bit_sum(&items, rng))
        })
    };
    let b: f64 = hits.iter().sum();
    Some(Permutation {
        p_value: (b + 1.0) / (f64::from(resamples) + 1.0),
        method: PermutationMethod::MonteCarlo,
        resamples: u64::from(resamples),
    })
}

/// Counts the sign patterns of at most 20 items whose sum reaches the bar, by halves: 2 * 2^10 sums instead of 2^20.
fn exact(items: &[f64], bar: f64) -> Permutation {
    let (left, right) = items.split_at(items.len() / 2);
    let left = signed_sums(left);
    let mut right = signed_sums(right);
    right.sort_unstable_by(f64::total_cmp);
    let patterns = left.len() as u64 * right.len() as u64;
    let hits: u64 = if bar <= 0.0 {
        patterns
    } else {
        left.iter()
            .map(|a| {
                let low = right.partition_point(|b| a + b <= -bar);
                let high = right.len() - right.partition_point(|b| a + b < bar);
                (low + high) as u64
            })
            .sum()
    };
    Permutation {
        p_value: real(hits) / real(patterns),
        method: PermutationMethod::Exact,
        resamples: patterns,
    }
}

fn signed_sums(items: &[f64]) -> Vec<f64> {
    items.iter().fold(vec![0.0], |sums, item| {
        sums.iter().flat_map(|s| [s - item, s + item]).collect()
    })
}

fn items_of(sizes: &Tally) -> Vec<f64> {
    sizes
        .iter()
        .flat_map(|(value, count)| (0..count).map(move |_| value))
        .collect()
}

/// The sum under random signs, drawn as counts of plus signs.
fn count_sum(sizes: &Tally, rng: &mut Rng) -> f64 {
    sizes
        .iter()
        .map(|(value, count)| value * (2.0 * real(heads(count, rng)) - real(count)))
        .sum()
}

/// Heads among `count` fair coins.
fn heads(count: u64, rng: &mut Rng) -> u64 {
    if count > BITS_UP_TO {
        return Binomial::new(count, 0.5).map_or(0, |b| b.sample(rng));
    }
    let whole: u64 = (0..count / 64)
        .map(|_| u64::from(rng.next_u64().count_ones()))
        .sum();
    match count % 64 {
        0 => whole,
        rest => whole + u64::from((rng.random::<u64>() >> (64 - rest)).count_ones()),
    }
}

/// The sum under random signs, one bit for each item.
fn bit_sum(items: &[f64], rng: &mut Rng) -> f64 {
    items
        .chunks(64)
        .map(|chunk| {
            let mut bits = rng.next_u64();
            let mut sum = 0.0;
            for item in chunk {
                sum += f64::from_bits(item.to_bits() ^ (bits << 63));
                bits >>= 1;
            }
            sum
        })
        .sum()
}
