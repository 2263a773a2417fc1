//! The paired percentile bootstrap of a mean difference.

use rand::RngExt;
use rand_distr::{Binomial, Distribution};
use serde::{Deserialize, Serialize};

use super::seed::Seed;
use super::tally::{Tally, real};
use crate::sys::random::Rng;

/// Drawing counts costs about this many index draws for each distinct value.
const COUNT_COST: u64 = 16;

/// How the interval was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootstrapMethod {
    /// Percentiles over resampled counts of the distinct values (a multinomial draw).
    PercentileCounts,
    /// Percentiles over resampled items.
    PercentileIndices,
    /// All differences are equal: the interval is that point.
    Constant,
}

/// An interval in the unit of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard deviation of the resampled means; absent below two resamples.
    pub se: Option<f64>,
    /// Resamples.
    pub resamples: u32,
    /// How it was reached.
    pub method: BootstrapMethod,
}

/// The interval of confidence `level` of the mean difference, items resampled as pairs; `None` without differences or
/// resamples.
///
/// Drawing n items with replacement is a multinomial draw over the distinct values, so for metrics that take few values
/// counts are drawn instead of indices: same distribution, at a cost that does not grow with n. It treats items as
/// independent. Sources: B. Efron, R. Tibshirani, "An introduction to the bootstrap" (1993), section 13.3; multinomial by
/// conditional binomials, L. Devroye, "Non-uniform random variate generation" (1986), p. 558. Percentiles interpolate
/// linearly, as NumPy's.
pub fn bootstrap(
    differences: &Tally,
    resamples: u32,
    level: f64,
    seed: &Seed,
) -> Option<BootstrapInterval> {
    if differences.n() == 0 || resamples == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let n = differences.n();
    let (mut means, method) = if differences.distinct() == 1 {
        let point = differences.values()[0];
        (vec![point], BootstrapMethod::Constant)
    } else if differences.distinct() as u64 * COUNT_COST < n {
        let cells = cells_of(differences);
        let draw = |rng: &mut Rng| count_sum(&cells, n, rng) / real(n);
        let means = seed.resample("bootstrap", resamples, draw);
        (means, BootstrapMethod::PercentileCounts)
    } else {
        let items = items_of(differences);
        let draw = |rng: &mut Rng| index_sum(&items, rng) / real(n);
        let means = seed.resample("bootstrap", resamples, draw);
        (means, BootstrapMethod::PercentileIndices)
    };
    means.sort_unstable_by(f64::total_cmp);
    Some(BootstrapInterval {
        low: percentile(&means, (1.0 - level) / 2.0)?,
        high: percentile(&means, f64::midpoint(1.0, level))?,
        se: if method == BootstrapMethod::Constant {
            Some(0.0)
        } else {
            Tally::of(means).moments().sd
        },
        resamples,
        method,
    })
}

/// The values with the chance of each among those not drawn yet, most frequent first.
fn cells_of(differences: &Tally) -> Vec<(f64, f64)> {
    let mut cells: Vec<(f64, u64)> = differences.iter().collect();
    // The most frequent value first leaves few draws for the long tail. The sort is stable, so the order is fixed.
    cells.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut left = differences.n();
    cells
        .into_iter()
        .map(|(value, count)| {
            let chance = real(count) / real(left);
            left -= count;
            (value, chance)
        })
        .collect()
}

/// The sum of `n` draws with replacement.
fn count_sum(cells: &[(f64, f64)], n: u64, rng: &mut Rng) -> f64 {
    let (mut left, mut sum) = (n, 0.0);
    for &(value, chance) in cells {
        if left == 0 {
            break;
        }
        // The last cell's chance is 1, which takes all that is left.
        let drawn = Binomial::new(left, chance.clamp(0.0, 1.0)).map_or(left, |b| b.sample(rng));
        sum += value * real(drawn);
        left -= drawn;
    }
    sum
}

/// All numbers, spelled out.
fn items_of(differences: &Tally) -> Vec<f64> {
    differences
        .iter()
        .flat_map(|(value, count)| (0..count).map(move |_| value))
        .collect()
}

/// The sum of as many draws with replacement as there are items.
fn index_sum(items: &[f64], rng: &mut Rng) -> f64 {
    let Ok(n) = u32::try_from(items.len()) else {
        return (0..items.len())
            .map(|_| items[rng.random_range(0..items.len())])
            .sum();
    };
    (0..n).map(|_| items[rng.random_range(0..n) as usize]).sum()
}

/// The quantile of sorted numbers with linear interpolation (R. J. Hyndman, Y. Fan, Am Stat 50 (1996), definition 7).
pub(crate) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * real(last as u64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to the last index"
    )]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let weight = place - place.floor();
    Some(sorted[below] + (sorted[above] - sorted[below]) * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(number: u64) -> Seed {
        Seed {
            number,
            label: "test".to_owned(),
        }
    }

    /// 400 differences of three values: 40 better, 20 worse.
    fn binary() -> Tally {
        Tally::of((0..400).map(|i| match i % 20 {
            0 | 1 => 1.0,
            2 => -1.0,
            _ => 0.0,
        }))
    }

    fn continuous(n: u32) -> Tally {
        Tally::of((0..n).map(|i| f64::from(i * 7919 % n) / f64::from(n) - 0.4))
    }

    #[test]
    fn counts_and_indices_give_the_same_distribution() {
        let d = binary();
        let counts = bootstrap(&d, 20_000, 0.95, &seed(1)).expect("an interval");
        assert_eq!(counts.method, BootstrapMethod::PercentileCounts);
        let items = items_of(&d);
        let mut means = seed(2).resample("bootstrap", 20_000, |rng| index_sum(&items, rng) / 400.0);
        means.sort_unstable_by(f64::total_cmp);
        // Theory: mean 0.05, standard error sqrt(0.15 - 0.0025) / 20 = 0.0192.
        assert!((counts.se.unwrap_or(0.0) - 0.019_203).abs() < 4e-4);
        assert!((counts.low - percentile(&means, 0.025).unwrap_or(0.0)).abs() < 0.0026);
        assert!((counts.high - percentile(&means, 0.975).unwrap_or(0.0)).abs() < 0.0026);
        assert!((counts.low - 0.0125).abs() < 0.0026 && (counts.high - 0.0875).abs() < 0.0026);
    }

    #[test]
    fn one_seed_gives_the_same_bits_and_another_one_others() {
        for d in [binary(), continuous(90)] {
            let a = bootstrap(&d, 700, 0.95, &seed(7));
            assert_eq!(a, bootstrap(&d, 700, 0.95, &seed(7)));
            assert_ne!(a, bootstrap(&d, 700, 0.95, &seed(8)));
        }
    }

    #[test]
    fn the_interval_of_a_continuous_metric_is_near_the_normal_one() {
        let d = continuous(500);
        let interval = bootstrap(&d, 10_000, 0.95, &seed(3)).expect("an interval");
        assert_eq!(interval.method, BootstrapMethod::PercentileIndices);
        let m = d.moments();
        let (mean, se) = (m.mean.unwrap_or(0.0), m.se().unwrap_or(0.0));
        assert!((interval.low - (mean - 1.96 * se)).abs() < 0.1 * se);
        assert!((interval.high - (mean + 1.96 * se)).abs() < 0.1 * se);
    }

    #[test]
    fn degenerate_inputs_have_documented_answers() {
        assert_eq!(bootstrap(&Tally::of([]), 100, 0.95, &seed(1)), None);
        assert_eq!(bootstrap(&binary(), 0, 0.95, &seed(1)), None);
        assert_eq!(bootstrap(&binary(), 100, f64::NAN, &seed(1)), None);
        let constant = bootstrap(&Tally::of([0.25; 40]), 100, 0.95, &seed(1)).expect("a point");
        assert_eq!((constant.low, constant.high), (0.25, 0.25));
        assert_eq!(constant.method, BootstrapMethod::Constant);
        let two = bootstrap(&Tally::of([0.0, 1.0]), 1, 0.95, &seed(1)).expect("one resample");
        assert!(two.low >= 0.0 && two.high <= 1.0 && two.se.is_none());
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        let x = [1.0, 2.0, 4.0, 8.0];
        // numpy.percentile([1, 2, 4, 8], [0, 2.5, 50, 97.5, 100])
        for (share, right) in [
            (0.0, 1.0),
            (0.025, 1.075),
            (0.5, 3.0),
            (0.975, 7.7),
            (1.0, 8.0),
        ] {
            assert!((percentile(&x, share).unwrap_or(0.0) - right).abs() < 1e-12);
        }
        assert_eq!(percentile(&[], 0.5), None);
    }
}
