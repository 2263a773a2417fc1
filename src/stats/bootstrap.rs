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
