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

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        Seed {
            number: 11,
            label: "test".to_owned(),
        }
    }

    fn signs(plus: usize, minus: usize) -> Tally {
        Tally::of(std::iter::repeat_n(1.0, plus).chain(std::iter::repeat_n(-1.0, minus)))
    }

    #[test]
    fn the_p_value_is_never_zero() {
        let p = permutation(&signs(500, 0), 999, &seed()).expect("a test");
        assert_eq!(
            (p.p_value, p.method),
            (1.0 / 1000.0, PermutationMethod::MonteCarlo)
        );
        let continuous = Tally::of((1..200).map(f64::from));
        let p = permutation(&continuous, 99, &seed()).expect("a test");
        assert!((p.p_value - 0.01).abs() < 1e-15);
    }

    #[test]
    fn binary_differences_agree_with_the_binomial_tail() {
        // scipy.stats.binomtest(k, n).pvalue
        for (plus, minus, right) in [
            (34, 25, 0.297_595_208_3),
            (40, 22, 0.030_015_864_3),
            (30, 30, 1.0),
            (15, 6, 0.078_353_881_8),
        ] {
            let p = permutation(&signs(plus, minus), 40_000, &seed()).expect("a test");
            assert!(
                (p.p_value - right).abs() < 0.01,
                "{plus} {minus}: {}",
                p.p_value
            );
        }
        let exact = permutation(&signs(12, 3), 0, &seed()).expect("small enough");
        assert!((exact.p_value - 0.035_156_25).abs() < 1e-15);
    }

    #[test]
    fn bits_and_counts_and_binomials_draw_the_same_distribution() {
        let sizes = Tally::of((0..1500).map(|_| 1.0)).absolute_nonzero();
        let items = items_of(&sizes);
        let spread = |sums: Vec<f64>| Tally::of(sums).moments().sd.unwrap_or(0.0);
        let by_count = spread(seed().resample("a", 4_000, |rng| count_sum(&sizes, rng)));
        let by_bit = spread(seed().resample("b", 4_000, |rng| bit_sum(&items, rng)));
        let few = Tally::of([1.0; 100]).absolute_nonzero();
        let by_heads = spread(seed().resample("c", 4_000, |rng| count_sum(&few, rng)));
        // The standard deviation of a sum of n random signs is sqrt(n).
        let wide = 1500.0_f64.sqrt();
        assert!((by_count / wide - 1.0).abs() < 0.04 && (by_bit / wide - 1.0).abs() < 0.04);
        assert!((by_heads / 10.0 - 1.0).abs() < 0.04);
    }

    #[test]
    fn one_seed_gives_the_same_answer() {
        let d = Tally::of((0..300).map(|i| f64::from(i % 37) / 36.0 - 0.45));
        assert_eq!(permutation(&d, 500, &seed()), permutation(&d, 500, &seed()));
    }

    #[test]
    fn degenerate_inputs_have_documented_answers() {
        assert_eq!(permutation(&Tally::of([]), 100, &seed()), None);
        assert_eq!(permutation(&signs(30, 10), 0, &seed()), None);
        let zero = permutation(&Tally::of([0.0; 30]), 100, &seed()).expect("one pattern");
        assert_eq!((zero.p_value, zero.resamples), (1.0, 1));
        let one = permutation(&Tally::of([0.5]), 100, &seed()).expect("two patterns");
        assert_eq!((one.p_value, one.resamples), (1.0, 2));
        let even = permutation(&signs(5, 5), 100, &seed()).expect("exact");
        assert!((even.p_value - 1.0).abs() < 1e-15);
    }
}
