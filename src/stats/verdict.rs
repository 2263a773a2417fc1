//! The one word about a difference, and which way a metric is good.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Level of adjusted p-values below which a difference counts.
pub const ALPHA: f64 = 0.05;

/// Which way a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    HigherIsBetter,
    /// Less is better.
    LowerIsBetter,
    /// Neither: more abstaining may be caution or refusal.
    None,
}

impl Direction {
    /// The direction of a metric by its column's name; unknown metrics are scores, of which more is better.
    pub fn of(metric: &str) -> Self {
        match metric {
            "false_answer_rate" | "unsupported_rate" => Self::LowerIsBetter,
            "abstain_rate" => Self::None,
            _ => Self::HigherIsBetter,
        }
    }
}

/// What can be said about treatment against control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Treatment is better.
    Better,
    /// Treatment is worse.
    Worse,
    /// The difference lies within the margin.
    Equivalent,
    /// None of these is shown.
    Undecided,
}

impl Verdict {
    /// The word in files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Equivalent => "equivalent",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the word is decided from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The 95% interval of the difference.
    pub interval: Option<[f64; 2]>,
    /// The p-value after adjustment, or the raw one where adjustment is off.
    pub p: Option<f64>,
    /// Whether equivalence was shown; `None` where there is no margin.
    pub equivalent: Option<bool>,
    /// Which way the metric is good.
    pub direction: Direction,
}

/// Says better or worse where the 95% interval leaves zero out and the adjusted p-value is below 0.05, equivalent where
/// both one-sided tests hold, undecided otherwise.
///
/// A metric without a direction is never better or worse. Being better by less than the margin is still better.
pub fn verdict(evidence: Evidence) -> Verdict {
    let sign = match (evidence.interval, evidence.p) {
        (Some([low, _]), Some(p)) if low > 0.0 && p < ALPHA => 1,
        (Some([_, high]), Some(p)) if high < 0.0 && p < ALPHA => -1,
        _ => 0,
    };
    match (evidence.direction, sign) {
        (Direction::HigherIsBetter, 1) | (Direction::LowerIsBetter, -1) => Verdict::Better,
        (Direction::HigherIsBetter, -1) | (Direction::LowerIsBetter, 1) => Verdict::Worse,
        _ if evidence.equivalent == Some(true) => Verdict::Equivalent,
        _ => Verdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(interval: [f64; 2], p: f64, equivalent: Option<bool>, direction: Direction) -> Verdict {
        verdict(Evidence {
            interval: Some(interval),
            p: Some(p),
            equivalent,
            direction,
        })
    }

    #[test]
    fn better_needs_both_the_interval_and_the_adjusted_p() {
        use Direction::{HigherIsBetter as H, LowerIsBetter as L, None as N};
        assert_eq!(say([0.01, 0.03], 0.01, None, H), Verdict::Better);
        assert_eq!(say([0.01, 0.03], 0.06, None, H), Verdict::Undecided);
        assert_eq!(say([-0.01, 0.03], 0.01, None, H), Verdict::Undecided);
        assert_eq!(say([0.01, 0.03], 0.01, None, L), Verdict::Worse);
        assert_eq!(say([-0.03, -0.01], 0.01, None, L), Verdict::Better);
        assert_eq!(say([-0.03, -0.01], 0.01, None, H), Verdict::Worse);
        assert_eq!(say([0.01, 0.03], 0.01, None, N), Verdict::Undecided);
        assert_eq!(say([-0.01, 0.01], 0.5, Some(true), H), Verdict::Equivalent);
        assert_eq!(say([-0.01, 0.01], 0.5, Some(false), H), Verdict::Undecided);
        assert_eq!(say([0.001, 0.002], 0.01, Some(true), H), Verdict::Better);
    }

    #[test]
    fn without_numbers_nothing_is_decided() {
        let none = Evidence {
            interval: None,
            p: None,
            equivalent: None,
            direction: Direction::HigherIsBetter,
        };
        assert_eq!(verdict(none), Verdict::Undecided);
    }
}
