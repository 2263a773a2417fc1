//! Equivalence (two one-sided tests) and non-inferiority of paired differences within a margin.

use serde::{Deserialize, Serialize};
use statrs::distribution::ContinuousCDF;

use super::error::StatsError;
use super::student::student;
use super::tally::Moments;
use super::verdict::Direction;

/// Non-inferiority: one-sided, against "worse by the margin or more".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NonInferiority {
    /// One-sided p-value.
    pub p_value: f64,
    /// Whether it is below the level.
    pub non_inferior: bool,
}

/// Equivalence: both one-sided tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Equivalence {
    /// Against a difference of `-margin` or less.
    pub p_lower: f64,
    /// Against a difference of `+margin` or more.
    pub p_upper: f64,
    /// The larger of the two.
    pub p_value: f64,
    /// Whether it is below the level.
    pub equivalent: bool,
}

/// Both tests of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tost {
    /// Margin in the unit of the metric.
    pub margin: f64,
    /// Level of each one-sided test.
    pub alpha: f64,
    /// Pairs.
    pub n: u64,
    /// Mean difference.
    pub delta: f64,
    /// Interval of level `1 - 2 alpha`: equivalence is claimed where it lies inside the margins.
    pub interval: [f64; 2],
    /// Absent where the metric has no better direction.
    pub non_inferiority: Option<NonInferiority>,
    /// Both sides.
    pub equivalence: Equivalence,
}

/// Tests differences against a margin; `None` below two of them or without a positive margin.
///
/// Where all differences are equal the p-values are 0 inside the margin and 1 outside. Sources: D. J. Schuirmann, "A
/// comparison of the two one-sided tests procedure and the power approach", J Pharmacokinet Biopharm 15 (1987), eq. 1
/// and 2; equals statsmodels' `ttost_paired`.
pub fn tost(
    differences: Moments,
    margin: f64,
    alpha: f64,
    direction: Direction,
) -> Result<Option<Tost>, StatsError> {
    let (Some(delta), Some(se)) = (differences.mean, differences.se()) else {
        return Ok(None);
    };
    if !(margin > 0.0 && margin.is_finite() && alpha > 0.0 && alpha < 0.5) {
        return Ok(None);
    }
    let student = student(differences.n)?;
    let upper_tail = |distance: f64| match (se > 0.0, distance > 0.0) {
        (true, _) => student.sf(distance / se),
        (false, true) => 0.0,
        (false, false) => 1.0,
    };
    let p_lower = upper_tail(delta + margin);
    let p_upper = upper_tail(margin - delta);
    let p_value = p_lower.max(p_upper);
    let half = if se > 0.0 {
        student.inverse_cdf(1.0 - alpha) * se
    } else {
        0.0
    };
    let one_sided = match direction {
        Direction::HigherIsBetter => Some(p_lower),
        Direction::LowerIsBetter => Some(p_upper),
        Direction::None => None,
    };
    Ok(Some(Tost {
        margin,
        alpha,
        n: differences.n,
        delta,
        interval: [delta - half, delta + half],
        non_inferiority: one_sided.map(|p_value| NonInferiority {
            p_value,
            non_inferior: p_value < alpha,
        }),
        equivalence: Equivalence {
            p_lower,
            p_upper,
            p_value,
            equivalent: p_value < alpha,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tally::Tally;

    fn test(numbers: &[f64], margin: f64, direction: Direction) -> Option<Tost> {
        let moments = Tally::of(numbers.iter().copied()).moments();
        tost(moments, margin, 0.05, direction).expect("a distribution")
    }

    #[test]
    fn one_side_is_non_inferiority_and_only_both_are_equivalence() {
        // Clearly better: not inferior, but not equivalent either.
        let better = test(&[0.4, 0.5, 0.6, 0.5], 0.1, Direction::HigherIsBetter).expect("a test");
        assert!(better.non_inferiority.expect("a direction").non_inferior);
        assert!(!better.equivalence.equivalent);
        let lower = test(&[0.4, 0.5, 0.6, 0.5], 0.1, Direction::LowerIsBetter).expect("a test");
        assert!(!lower.non_inferiority.expect("a direction").non_inferior);
        let same = test(&[0.01, -0.01, 0.0, 0.01, -0.01], 0.1, Direction::None).expect("a test");
        assert!(same.equivalence.equivalent && same.non_inferiority.is_none());
    }

    #[test]
    fn degenerate_inputs_have_documented_answers() {
        assert_eq!(test(&[], 0.1, Direction::None), None);
        assert_eq!(test(&[0.0], 0.1, Direction::None), None);
        assert_eq!(test(&[0.0, 0.1], 0.0, Direction::None), None);
        assert_eq!(test(&[0.0, 0.1], f64::NAN, Direction::None), None);
        let inside = test(&[0.0, 0.0], 0.1, Direction::None).expect("a test");
        assert!(inside.equivalence.equivalent && inside.equivalence.p_value.abs() < 1e-300);
        let edge = test(&[0.5, 0.5], 0.5, Direction::None).expect("a test");
        assert!(!edge.equivalence.equivalent);
    }
}
