//! Everything that is said about one group of paired items: McNemar on right and wrong, and each metric.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapMethod, bootstrap};
use super::effect;
use super::error::StatsError;
use super::mcnemar::{Discordance, McNemar, mcnemar};
use super::permutation::{PermutationMethod, permutation};
use super::scores::{Group, Selection};
use super::seed::Seed;
use super::settings::StatsConfig;
use super::student::{TInterval, t_interval};
use super::tally::{Moments, Tally};
use super::verdict::{Direction, Verdict};
use super::wilcoxon::{Wilcoxon, wilcoxon};

/// Confidence level of all intervals that do not say otherwise.
pub const LEVEL: f64 = 0.95;

/// One metric, treatment against control. Shares are 0 to 1; differences are treatment less control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricEstimate {
    /// Pairs with a score under both conditions.
    pub n: u64,
    /// Paired items to which the metric does not apply, or whose score is not a number.
    pub n_missing: u64,
    /// Which way the metric is good.
    pub direction: Direction,
    /// Mean under control.
    pub control_mean: Option<f64>,
    /// Standard deviation between items under control.
    pub control_sd: Option<f64>,
    /// Mean under treatment.
    pub treatment_mean: Option<f64>,
    /// Standard deviation between items under treatment.
    pub treatment_sd: Option<f64>,
    /// Mean of the paired differences.
    #[serde(rename = "delta_mean")]
    pub delta: Option<f64>,
    /// Standard deviation of the paired differences.
    pub sd: Option<f64>,
    /// Standard error of the mean difference.
    pub se: Option<f64>,
    /// 95% bootstrap interval of the mean difference: low, high.
    #[serde(rename = "ci_95")]
    pub ci95: Option<[f64; 2]>,
    /// How the interval was reached.
    pub ci_method: Option<BootstrapMethod>,
    /// 95% t interval of the mean difference.
    pub t_interval: Option<TInterval>,
    /// Two-sided p-value of the sign-flip permutation test.
    #[serde(rename = "perm_p_value")]
    pub permutation_p: Option<f64>,
    /// How the permutation p-value was reached.
    pub perm_method: Option<PermutationMethod>,
    /// Signed-rank test.
    pub wilcoxon: Wilcoxon,
    /// Cohen's d of the paired differences, `d_z`.
    #[serde(rename = "cohens_d")]
    pub cohens_dz: Option<f64>,
    /// Cohen's d with the pooled standard deviation of both conditions.
    pub cohens_d_pooled: Option<f64>,
    /// Dominance among the items that changed, as the predecessor defined `cliffs_delta`.
    #[serde(rename = "cliffs_delta")]
    pub dominance_changed: Option<f64>,
    /// Dominance among all paired items, Cliff's `d_w`.
    pub dominance_paired: Option<f64>,
    /// Cliff's delta between the two samples, pairs ignored.
    pub cliffs_delta_unpaired: Option<f64>,
    /// Hodges-Lehmann estimate of the difference.
    pub hodges_lehmann: Option<f64>,
    /// The p-value of the family `primary` after Benjamini-Hochberg; overall estimates only.
    pub p_adjusted: Option<f64>,
    /// The same after Holm.
    pub p_holm: Option<f64>,
    /// The one word; overall estimates only, subgroups are exploratory.
    pub verdict: Option<Verdict>,
}

/// One group of paired items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    /// Paired items.
    pub n_items: u64,
    /// Right and wrong by `em`.
    pub mcnemar: McNemar,
    /// Estimates by metric; metrics that apply to none of the items are left out.
    pub metrics: BTreeMap<String, MetricEstimate>,
}

/// What an estimate is made from.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The group.
    pub group: &'a Group,
    /// The items of it.
    pub selection: &'a Selection,
    /// Names of the group's metrics.
    pub metrics: &'a [String],
    /// What the group is, for the seeds: temperature, type and subgroup.
    pub label: &'a str,
}

/// Estimates everything about a group of paired items.
pub fn estimate(sample: Sample<'_>, config: &StatsConfig) -> Result<Subgroup, StatsError> {
    let mut table = Discordance::default();
    let mut metrics = BTreeMap::new();
    for (column, name) in sample.metrics.iter().enumerate() {
        let pairs = sample
            .group
            .pairs(sample.selection, column)
            .filter(|(c, t)| c.is_finite() && t.is_finite());
        if name == "em" {
            pairs.clone().for_each(|(c, t)| table.add(c, t));
        }
        let pairs = Pairs {
            control: Tally::of(pairs.clone().map(|(c, _)| c)),
            treatment: Tally::of(pairs.clone().map(|(_, t)| t)),
            differences: Tally::of(pairs.map(|(c, t)| t - c)),
        };
        if pairs.differences.n() == 0 {
            continue;
        }
        let seed = Seed {
            number: config.random_seed,
            label: format!("{}/{name}", sample.label),
        };
        let mut estimate = metric(&pairs, config, &seed)?;
        estimate.direction = Direction::of(name);
        estimate.n_missing = sample.selection.len() - estimate.n;
        metrics.insert(name.clone(), estimate);
    }
    Ok(Subgroup {
        n_items: sample.selection.len(),
        mcnemar: mcnemar(table)?,
        metrics,
    })
}

/// Scores of one metric: each condition and the paired differences.
struct Pairs {
    control: Tally,
    treatment: Tally,
    differences: Tally,
}

fn metric(pairs: &Pairs, config: &StatsConfig, seed: &Seed) -> Result<MetricEstimate, StatsError> {
    let differences = &pairs.differences;
    let (control, treatment) = (pairs.control.moments(), pairs.treatment.moments());
    let moments: Moments = differences.moments();
    let interval = bootstrap(differences, config.bootstrap_samples, LEVEL, seed);
    let flips = config
        .enable_permutation
        .then(|| permutation(differences, config.permutation_samples, seed))
        .flatten();
    Ok(MetricEstimate {
        n: moments.n,
        n_missing: 0,
        direction: Direction::None,
        control_mean: control.mean,
        control_sd: control.sd,
        treatment_mean: treatment.mean,
        treatment_sd: treatment.sd,
        delta: moments.mean,
        sd: moments.sd,
        se: moments.se(),
        ci95: interval.map(|i| [i.low, i.high]),
        ci_method: interval.map(|i| i.method),
        t_interval: t_interval(moments, LEVEL)?,
        permutation_p: flips.map(|p| p.p_value),
        perm_method: flips.map(|p| p.method),
        wilcoxon: wilcoxon(differences),
        cohens_dz: effect::cohens_dz(moments),
        cohens_d_pooled: effect::cohens_d_pooled(control, treatment),
        dominance_changed: effect::dominance_changed(differences),
        dominance_paired: effect::dominance_paired(differences),
        cliffs_delta_unpaired: effect::cliffs_delta(&pairs.control, &pairs.treatment),
        hodges_lehmann: effect::hodges_lehmann(differences),
        p_adjusted: None,
        p_holm: None,
        verdict: None,
    })
}
