//! One difference out of several datasets: fixed-effect and random-effects meta-analysis.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use super::error::StatsError;
use super::tally::real;

/// The difference in one dataset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Study {
    /// Mean difference, in the unit of the metric.
    pub delta: f64,
    /// Its standard error.
    pub se: f64,
}

/// A pooled difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// Estimate, in the unit of the metric.
    pub delta: f64,
    /// Its standard error.
    pub se: f64,
    /// 95% interval.
    pub ci_95: [f64; 2],
    /// Two-sided p-value.
    pub p_value: f64,
}

/// Both models over the same datasets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Datasets used.
    pub k: u64,
    /// Datasets left out because all their differences are equal or there are fewer than two.
    pub left_out: u64,
    /// One true difference for all datasets.
    pub fixed: Pooled,
    /// A true difference of its own for each dataset.
    pub random: Pooled,
    /// Cochran's Q.
    pub q: f64,
    /// p-value of Q against equal differences.
    pub q_p_value: f64,
    /// Variance between datasets, in the squared unit of the metric.
    pub tau2: f64,
    /// Share of the variation that is between datasets, 0 to 1.
    pub i2: f64,
}

/// Pools datasets by inverse variance; `None` with fewer than two usable ones.
///
/// Sources: R. DerSimonian, N. Laird, "Meta-analysis in clinical trials", Control Clin Trials 7 (1986), eq. 6 to 9; I2
/// of J. P. T. Higgins, S. G. Thompson, Stat Med 21 (2002), eq. 10. Equals statsmodels' `combine_effects(method_re="dl")`.
pub fn meta(studies: &[Study]) -> Result<Option<Meta>, StatsError> {
    let usable: Vec<Study> = studies
        .iter()
        .copied()
        .filter(|s| s.delta.is_finite() && s.se.is_finite() && s.se > 0.0)
        .collect();
    let k = usable.len() as u64;
    if k < 2 {
        return Ok(None);
    }
    let fixed = pool(&usable, 0.0);
    let weights: f64 = usable.iter().map(|s| s.se.powi(-2)).sum();
    let squares: f64 = usable.iter().map(|s| s.se.powi(-4)).sum();
    let q: f64 = usable
        .iter()
        .map(|s| (s.delta - fixed.delta).powi(2) / (s.se * s.se))
        .sum();
    let df = real(k - 1);
    let tau2 = ((q - df) / (weights - squares / weights)).max(0.0);
    let chi2 = ChiSquared::new(df).map_err(|_error| StatsError::Distribution {
        what: format!("the chi-squared distribution of {k} datasets"),
    })?;
    Ok(Some(Meta {
        k,
        left_out: studies.len() as u64 - k,
        fixed,
        random: pool(&usable, tau2),
        q,
        q_p_value: chi2.sf(q),
        tau2,
        i2: if q > df { (q - df) / q } else { 0.0 },
    }))
}

/// The inverse-variance mean with `tau2` added to each variance.
fn pool(studies: &[Study], tau2: f64) -> Pooled {
    let weight = |s: &Study| 1.0 / (s.se * s.se + tau2);
    let weights: f64 = studies.iter().map(weight).sum();
    let delta = studies.iter().map(|s| weight(s) * s.delta).sum::<f64>() / weights;
    let se = weights.sqrt().recip();
    let normal = Normal::standard();
    let half = normal.inverse_cdf(0.975) * se;
    Pooled {
        delta,
        se,
        ci_95: [delta - half, delta + half],
        p_value: 2.0 * normal.sf((delta / se).abs()),
    }
}
