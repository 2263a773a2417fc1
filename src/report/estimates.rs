//! What a report shows of `significance.json`. Unknown keys are left alone, so that the file may gain some.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::ReportError;
use crate::domain::Temperature;

/// The statistics of one trial.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Estimates {
    /// Temperatures, ascending.
    pub temps: Vec<Temperature>,
    /// What the statistics were set to.
    pub stats_config: Settings,
    /// Families of adjusted p-values.
    #[serde(default)]
    pub families: BTreeMap<String, Family>,
    /// Results by temperature (as text) and type.
    pub results: BTreeMap<String, BTreeMap<String, TypeResult>>,
}

/// Settings named in the methods paragraph.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Settings {
    /// Bootstrap resamples.
    pub bootstrap_samples: u32,
    /// Permutation resamples.
    pub permutation_samples: u32,
    /// Seed of all resampling.
    pub random_seed: u64,
    /// Whether p-values are adjusted.
    pub enable_fdr: bool,
    /// Level of the equivalence tests.
    pub tost_alpha: f64,
}

/// A declared family of hypotheses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Family {
    /// How many p-values.
    pub m: u64,
}

/// One type at one temperature.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TypeResult {
    /// Items with a row under both conditions.
    pub n_items: u64,
    /// Items with a row under one condition only.
    #[serde(default)]
    pub n_unpaired: u64,
    /// Right and wrong.
    pub mcnemar: McNemar,
    /// By metric.
    pub metrics: BTreeMap<String, Metric>,
    /// By dataset.
    #[serde(default)]
    pub subgroups: Subgroups,
    /// Over datasets, by metric.
    #[serde(default)]
    pub meta: BTreeMap<String, Meta>,
    /// Within a margin, by metric.
    #[serde(default)]
    pub tost: BTreeMap<String, Tost>,
}

/// The discordant table. `b` counts right under treatment only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct McNemar {
    /// Right under both.
    pub both_right: u64,
    /// Wrong under both.
    pub both_wrong: u64,
    /// Right under treatment only.
    #[serde(rename = "b")]
    pub treatment_only: u64,
    /// Right under control only.
    #[serde(rename = "c")]
    pub control_only: u64,
    /// Exact p-value.
    pub p_exact: f64,
    /// Mid-p value.
    pub p_mid: f64,
    /// In favour of treatment.
    pub odds_ratio: Option<f64>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Metric {
    /// Pairs.
    pub n: u64,
    /// Mean under control.
    pub control_mean: Option<f64>,
    /// Mean under treatment.
    pub treatment_mean: Option<f64>,
    /// Mean difference.
    #[serde(rename = "delta_mean")]
    pub delta: Option<f64>,
    /// 95% interval.
    pub ci_95: Option<[f64; 2]>,
    /// Permutation p-value.
    #[serde(rename = "perm_p_value")]
    pub permutation_p: Option<f64>,
    /// Signed-rank test.
    pub wilcoxon: Wilcoxon,
    /// `d_z`.
    #[serde(rename = "cohens_d")]
    pub cohens_dz: Option<f64>,
    /// Cliff's delta between the samples.
    pub cliffs_delta_unpaired: Option<f64>,
    /// Hodges-Lehmann estimate.
    pub hodges_lehmann: Option<f64>,
    /// p-value after adjustment.
    pub p_adjusted: Option<f64>,
    /// The one word.
    pub verdict: Option<String>,
}

/// A signed-rank test.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Wilcoxon {
    /// Two-sided p-value.
    pub p_value: f64,
}

/// Parts of the items.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Subgroups {
    /// By dataset.
    #[serde(default)]
    pub dataset: BTreeMap<String, Subgroup>,
    /// By whether there is an answer.
    #[serde(default)]
    pub answerable: BTreeMap<String, Subgroup>,
}

/// A part of the items.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Subgroup {
    /// Paired items.
    pub n_items: u64,
    /// By metric.
    pub metrics: BTreeMap<String, Metric>,
}

/// A meta-analysis.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Meta {
    /// Datasets.
    pub k: u64,
    /// Fixed effect.
    pub fixed: Pooled,
    /// Random effects.
    pub random: Pooled,
    /// Share of variation between datasets.
    pub i2: f64,
}

/// A pooled difference.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Pooled {
    /// Estimate.
    pub delta: f64,
    /// 95% interval.
    pub ci_95: [f64; 2],
    /// Two-sided p-value.
    pub p_value: f64,
}

/// Equivalence and non-inferiority.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Tost {
    /// Margin.
    pub margin: f64,
    /// One-sided.
    pub non_inferiority: Option<NonInferiority>,
    /// Both sides.
    pub equivalence: Equivalence,
}

/// One-sided test.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NonInferiority {
    /// p-value.
    pub p_value: f64,
    /// Whether it is shown.
    pub non_inferior: bool,
}

/// Both one-sided tests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Equivalence {
    /// The larger p-value.
    pub p_value: f64,
    /// Whether it is shown.
    pub equivalent: bool,
}

impl Metric {
    /// The p-value that was adjusted: the permutation test's, or Wilcoxon's where there is none.
    pub fn p(&self) -> f64 {
        self.permutation_p.unwrap_or(self.wilcoxon.p_value)
    }
}

impl Estimates {
    /// Reads `significance.json`.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Results in order: temperature, then type.
    pub fn slices(&self) -> impl Iterator<Item = (String, &str, &TypeResult)> {
        self.temps.iter().flat_map(|temp| {
            let temp = temp.to_string();
            let types = self.results.get(&temp);
            types
                .into_iter()
                .flatten()
                .map(move |(item_type, result)| (temp.clone(), item_type.as_str(), result))
        })
    }
}
