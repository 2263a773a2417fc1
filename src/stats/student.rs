//! Student's t interval of a mean difference.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::error::StatsError;
use super::tally::{Moments, real};

/// The standard t distribution with `n - 1` degrees of freedom.
pub(crate) fn student(n: u64) -> Result<StudentsT, StatsError> {
    StudentsT::new(0.0, 1.0, real(n) - 1.0).map_err(|_error| StatsError::Distribution {
        what: format!("Student's t of {n} differences"),
    })
}

/// A t interval in the unit of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Confidence level, 0.95.
    pub level: f64,
    /// Degrees of freedom.
    pub df: u64,
    /// The t statistic against no difference; absent where all differences are equal.
    pub t: Option<f64>,
    /// Its two-sided p-value.
    pub p_value: Option<f64>,
}

/// The interval `mean -+ t(1 - alpha/2; n - 1) * sd / sqrt(n)` of paired differences; `None` below two of them.
///
/// Where all differences are equal it has no width. It treats items as independent. Source: Student, "The probable error
/// of a mean", Biometrika 6 (1908); equals `scipy.stats.ttest_1samp(d, 0).confidence_interval(level)`.
pub fn t_interval(differences: Moments, level: f64) -> Result<Option<TInterval>, StatsError> {
    let (Some(mean), Some(se)) = (differences.mean, differences.se()) else {
        return Ok(None);
    };
    let student = student(differences.n)?;
    let half = if se > 0.0 {
        student.inverse_cdf(0.5 + level / 2.0) * se
    } else {
        0.0
    };
    let t = (se > 0.0).then(|| mean / se);
    Ok(Some(TInterval {
        low: mean - half,
        high: mean + half,
        level,
        df: differences.n - 1,
        t,
        p_value: t.map(|t| 2.0 * student.sf(t.abs())),
    }))
}
