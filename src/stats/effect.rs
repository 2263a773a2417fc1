//! Effect sizes: Cohen's d, dominance (Cliff's delta), Hodges-Lehmann.

use super::tally::{Moments, Tally, finite, real};

/// Cohen's d of paired differences, `d_z`: mean difference over the standard deviation of the differences.
///
/// 0 where all differences are zero; `None` where they are all equal but not zero, or fewer than two. Source: J. Cohen,
/// "Statistical power analysis for the behavioral sciences" (1988), eq. 2.3.5; D. Lakens, Front Psychol 4:863 (2013),
/// eq. 6.
pub fn cohens_dz(differences: Moments) -> Option<f64> {
    let (mean, sd) = (differences.mean?, differences.sd?);
    if sd > 0.0 {
        finite(mean / sd)
    } else {
        (mean.abs() <= 0.0).then_some(0.0)
    }
}

/// Cohen's d with the pooled standard deviation of both conditions, `d_av`: comparable with unpaired studies.
///
/// 0 where the means are equal and nothing varies; `None` where only the means differ, or below two items. Source:
/// J. Cohen (1988), eq. 2.5.1 and 2.5.2 with equal group sizes.
pub fn cohens_d_pooled(control: Moments, treatment: Moments) -> Option<f64> {
    let delta = treatment.mean? - control.mean?;
    let pooled = f64::midpoint(control.sd?.powi(2), treatment.sd?.powi(2)).sqrt();
    if pooled > 0.0 {
        finite(delta / pooled)
    } else {
        (delta.abs() <= 0.0).then_some(0.0)
    }
}

/// Paired dominance among the items that changed: `(better - worse) / (better + worse)`, -1 to 1; 0 where none changed.
///
/// What the predecessor wrote as `cliffs_delta` (a matched-pairs rank-free measure; compare [`cliffs_delta`]).
/// `None` without items. Source: N. Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions",
/// Psychol Bull 114 (1993), within-pair dominance `d_w`, with ties left out of the denominator.
pub fn dominance_changed(differences: &Tally) -> Option<f64> {
    let (worse, _, better) = differences.signs();
    if differences.n() == 0 {
        None
    } else if better + worse == 0 {
        Some(0.0)
    } else {
        Some((real(better) - real(worse)) / real(better + worse))
    }
}

/// Paired dominance among all items, Cliff's `d_w`: `(better - worse) / n`, -1 to 1. `None` without items.
///
/// Source: N. Cliff (1993), eq. 9.
pub fn dominance_paired(differences: &Tally) -> Option<f64> {
    let (worse, _, better) = differences.signs();
    finite((real(better) - real(worse)) / real(differences.n()))
}

/// Cliff's delta of two samples without regard to pairs: P(treatment > control) - P(treatment < control), -1 to 1.
///
/// `None` where a sample is empty. O(k) on sorted distinct values. Source: N. Cliff (1993), eq. 1; equals
/// `2 U / (n m) - 1` with SciPy's `mannwhitneyu(treatment, control)`.
pub fn cliffs_delta(control: &Tally, treatment: &Tally) -> Option<f64> {
    let (n, m) = (control.n(), treatment.n());
    if n == 0 || m == 0 {
        return None;
    }
    let mut below = 0_u64;
    let mut dominance = 0_i128;
    let mut controls = control.iter().peekable();
    for (value, count) in treatment.iter() {
        while let Some((_, c)) = controls.next_if(|(v, _)| *v < value) {
            below += c;
        }
        let equal = controls
            .peek()
            .filter(|(v, _)| v.to_bits() == value.to_bits())
            .map_or(0, |(_, c)| *c);
        let above = n - below - equal;
        dominance += i128::from(count) * (i128::from(below) - i128::from(above));
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
    let share = dominance as f64 / (real(n) * real(m));
    Some(share)
}

/// Hodges-Lehmann estimate: the median of the Walsh averages `(d_i + d_j) / 2`, i <= j, in the unit of the metric.
///
/// For any n: the middle of the n (n + 1) / 2 sums is found by bisection over the bits of a double, each step counting
/// the sums below in one pass over the distinct values; after sorting, O(64 k). `None` without differences. Source:
/// J. L. Hodges, E. L. Lehmann, "Estimates of location based on rank tests", Ann Math Stat 34 (1963), eq. 4.2.
pub fn hodges_lehmann(differences: &Tally) -> Option<f64> {
    let n = u128::from(differences.n());
    let pairs = n * (n + 1) / 2;
    if pairs == 0 {
        return None;
    }
    let lower = sum_of_rank(differences, pairs.div_ceil(2));
    let upper = if pairs % 2 == 1 {
        lower
    } else {
        sum_of_rank(differences, pairs / 2 + 1)
    };
    finite(f64::midpoint(lower / 2.0, upper / 2.0))
}

/// The `rank`-th smallest sum of two numbers (a number with itself included), from 1.
fn sum_of_rank(differences: &Tally, rank: u128) -> f64 {
    let (values, last) = (differences.values(), differences.distinct() - 1);
    let (mut low, mut high) = (ordered(2.0 * values[0]), ordered(2.0 * values[last]));
    while low < high {
        let middle = low + (high - low) / 2;
        if sums_up_to(differences, unordered(middle)) >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    unordered(low)
}

/// How many sums of two numbers are at most `bound`.
fn sums_up_to(differences: &Tally, bound: f64) -> u128 {
    let (values, counts) = (differences.values(), differences.counts());
    // Ordered pairs by two pointers: as the first value grows, the largest partner shrinks.
    let (mut partners, mut partner) = (differences.n(), values.len());
    let (mut ordered_pairs, mut doubles) = (0_u128, 0_u128);
    for (value, count) in differences.iter() {
        while partner > 0 && value + values[partner - 1] > bound {
            partner -= 1;
            partners -= counts[partner];
        }
        ordered_pairs += u128::from(count) * u128::from(partners);
        if value + value <= bound {
            doubles += u128::from(count);
        }
    }
    u128::midpoint(ordered_pairs, doubles)
}

/// A double's bits as an integer in the order of the numbers.
fn ordered(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 {
        bits & !(1 << 63)
    } else {
        !bits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brute(numbers: &[f64]) -> f64 {
        let mut sums: Vec<f64> = numbers
            .iter()
            .enumerate()
            .flat_map(|(i, a)| numbers[i..].iter().map(move |b| f64::midpoint(*a, *b)))
            .collect();
        sums.sort_unstable_by(f64::total_cmp);
        f64::midpoint(sums[(sums.len() - 1) / 2], sums[sums.len() / 2])
    }

    #[test]
    fn hodges_lehmann_is_the_median_of_all_walsh_averages() {
        let mut state = 1_u32;
        for n in [1, 2, 3, 4, 7, 50, 333] {
            for values in [2, 5, 1_000_003] {
                let numbers: Vec<f64> = (0..n)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        f64::from((state >> 8) % values) / 3.0 - 0.4
                    })
                    .collect();
                let ours = hodges_lehmann(&Tally::of(numbers.iter().copied()));
                assert_eq!(ours, Some(brute(&numbers)), "n={n} values={values}");
            }
        }
    }

    #[test]
    fn hodges_lehmann_does_not_become_the_median_for_many_items() {
        // 5,001 skewed items: the median is 0, the Hodges-Lehmann estimate is not.
        let numbers = (0..5_001).map(|i| if i % 10 < 6 { 0.0 } else { f64::from(i) });
        let d = Tally::of(numbers);
        let estimate = hodges_lehmann(&d).expect("an estimate");
        assert!(estimate > 500.0, "{estimate}");
    }

    #[test]
    fn cohens_d_of_known_numbers() {
        let d = Tally::of([1.0, 2.0, 3.0]).moments();
        assert_eq!(cohens_dz(d), Some(2.0));
        assert_eq!(cohens_dz(Tally::of([0.0, 0.0]).moments()), Some(0.0));
        assert_eq!(cohens_dz(Tally::of([0.5, 0.5]).moments()), None);
        assert_eq!(cohens_dz(Tally::of([0.5]).moments()), None);
        let (a, b) = (
            Tally::of([1.0, 2.0, 3.0]).moments(),
            Tally::of([2.0, 4.0, 6.0]).moments(),
        );
        // (4 - 2) / sqrt((1 + 4) / 2)
        assert!((cohens_d_pooled(a, b).unwrap_or(0.0) - 1.264_911_064_067_351_8).abs() < 1e-15);
        let flat = Tally::of([1.0, 1.0]).moments();
        assert_eq!(cohens_d_pooled(flat, flat), Some(0.0));
        assert_eq!(cohens_d_pooled(a, Tally::of([1.0]).moments()), None);
    }

    #[test]
    fn dominance_says_whether_unchanged_items_count() {
        let d = Tally::of([1.0, 1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(dominance_changed(&d), Some(0.5));
        assert_eq!(dominance_paired(&d), Some(0.25));
        assert_eq!(dominance_changed(&Tally::of([0.0])), Some(0.0));
        let none = Tally::of([]);
        assert_eq!(
            (dominance_changed(&none), dominance_paired(&none)),
            (None, None)
        );
        assert_eq!(cliffs_delta(&none, &d), None);
        assert_eq!(
            cliffs_delta(&Tally::of([1.0]), &Tally::of([2.0])),
            Some(1.0)
        );
    }
}
