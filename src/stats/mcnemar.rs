//! McNemar's test on paired right/wrong answers: exact, mid-p, odds ratio.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

use super::error::StatsError;
use super::tally::real;

/// The two-by-two table of paired answers, in items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Discordance {
    /// Right under both.
    pub both_right: u64,
    /// Wrong under both.
    pub both_wrong: u64,
    /// Right under treatment only.
    pub treatment_only: u64,
    /// Right under control only.
    pub control_only: u64,
}

impl Discordance {
    /// Adds one item; with several samples an answer counts as right where their mean score is at least one half.
    pub fn add(&mut self, control: f64, treatment: f64) {
        *match (control >= 0.5, treatment >= 0.5) {
            (true, true) => &mut self.both_right,
            (false, false) => &mut self.both_wrong,
            (false, true) => &mut self.treatment_only,
            (true, false) => &mut self.control_only,
        } += 1;
    }
}

/// Why an odds ratio is missing or what it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddsNote {
    /// No item changed.
    NoDiscordantPairs,
    /// No item was right under control only: the ratio is infinite and left out.
    NoControlOnly,
}

/// McNemar's test. Serialises with the predecessor's letters: `b` counts right under treatment only, `c` right under
/// control only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Items with both answers.
    pub n: u64,
    /// Items right under both.
    pub both_right: u64,
    /// Items wrong under both.
    pub both_wrong: u64,
    /// `b`: items wrong under control and right under treatment.
    #[serde(rename = "b")]
    pub treatment_only: u64,
    /// `c`: items right under control and wrong under treatment.
    #[serde(rename = "c")]
    pub control_only: u64,
    /// Exact two-sided p-value; 1 without discordant items.
    pub p_exact: f64,
    /// Mid-p value, which does not overstate p as much as the exact one.
    pub p_mid: f64,
    /// Odds ratio `b / c` in favour of treatment.
    pub odds_ratio: Option<f64>,
    /// Why there is no odds ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odds_note: Option<OddsNote>,
    /// `p_exact` adjusted over the family `all_tests`.
    pub q_value: Option<f64>,
    /// How a score becomes right or wrong.
    pub rule: String,
}

/// The words for [`Discordance::add`]'s rule.
const RULE: &str = "an item is right where the mean of its samples is at least 0.5";

/// Tests whether right answers are as likely under both conditions.
///
/// Exact: twice the smaller binomial tail with p = 1/2, at most 1. Mid-p: that less the probability of the observed
/// table. Source: M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and
/// asymptotic are better than exact conditional", BMC Med Res Methodol 13:91 (2013), section "Methods"; the exact
/// p-value and the odds ratio are those of statsmodels' `mcnemar(exact=True)`.
pub fn mcnemar(table: Discordance) -> Result<McNemar, StatsError> {
    let (b, c) = (table.treatment_only, table.control_only);
    let (p_exact, p_mid) = if b + c == 0 {
        (1.0, 1.0)
    } else {
        let binomial = Binomial::new(0.5, b + c).map_err(|_error| StatsError::Distribution {
            what: format!("the binomial distribution of {} discordant items", b + c),
        })?;
        let tail = 2.0 * binomial.cdf(b.min(c));
        (
            tail.min(1.0),
            (tail - binomial.pmf(b.min(c))).clamp(0.0, 1.0),
        )
    };
    let odds_note = match (b, c) {
        (0, 0) => Some(OddsNote::NoDiscordantPairs),
        (_, 0) => Some(OddsNote::NoControlOnly),
        _ => None,
    };
    Ok(McNemar {
        n: table.both_right + table.both_wrong + b + c,
        both_right: table.both_right,
        both_wrong: table.both_wrong,
        treatment_only: b,
        control_only: c,
        p_exact,
        p_mid,
        odds_ratio: odds_note.is_none().then(|| real(b) / real(c)),
        odds_note,
        q_value: None,
        rule: RULE.to_owned(),
    })
}
