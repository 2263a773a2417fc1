//! `significance.json`: every temperature and type of a trial, with subgroups, adjusted p-values and verdicts.

use std::collections::BTreeMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::error::StatsError;
use super::estimate::{LEVEL, MetricEstimate, Sample, Subgroup, estimate};
use super::mcnemar::McNemar;
use super::meta::{Meta, Study, meta};
use super::multiple::{benjamini_hochberg, holm};
use super::scores::{Answerability, Group, PairedScores, Selection};
use super::selective::{Answer, RiskCurve, selective_risk};
use super::settings::StatsConfig;
use super::tally::Moments;
use super::tost::{Tost, tost};
use super::verdict::{Evidence, verdict};
use super::wilson::{Proportion, wilson};
use crate::domain::{ItemType, Temperature};

/// Version of the file's shape.
pub const SCHEMA_VERSION: u32 = 2;

/// The statistics of one trial. Maps are sorted, numbers are not rounded, absent values are null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Significance {
    /// 2.
    pub schema_version: u32,
    /// Temperatures, ascending.
    pub temps: Vec<Temperature>,
    /// What the statistics were set to.
    pub stats_config: StatsConfig,
    /// The families over which p-values were adjusted, by name.
    pub families: BTreeMap<String, Family>,
    /// Results by temperature (as text, e.g. `0.0`) and type.
    pub results: BTreeMap<String, BTreeMap<String, TypeResult>>,
}

/// A declared family of hypotheses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// What belongs to it.
    pub members: String,
    /// How many p-values.
    pub m: u64,
    /// Where the adjusted values are.
    pub adjusted: String,
}

/// Results of one type at one temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypeResult {
    /// Items with a row under both conditions.
    pub n_items: u64,
    /// Items with a row under one condition only, left out.
    pub n_unpaired: u64,
    /// Right and wrong by `em`.
    pub mcnemar: McNemar,
    /// Share of right items by condition with Wilson's 95% interval; absent without items.
    pub accuracy: Option<Accuracy>,
    /// Estimates by metric.
    pub metrics: BTreeMap<String, MetricEstimate>,
    /// Risk at abstention thresholds.
    pub selective_risk: SelectiveRisk,
    /// The same estimates in parts of the items.
    pub subgroups: Subgroups,
    /// Meta-analysis over datasets by metric, where there are two or more.
    pub meta: BTreeMap<String, Meta>,
    /// Equivalence and non-inferiority by metric, where a margin is set.
    pub tost: BTreeMap<String, Tost>,
}

/// Share of right items by condition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Under control.
    pub control: Proportion,
    /// Under treatment.
    pub treatment: Proportion,
}

/// Risk curves of both conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectiveRisk {
    /// What confidence is.
    pub confidence: String,
    /// What loss is.
    pub loss: String,
    /// Under control.
    pub control: RiskCurve,
    /// Under treatment.
    pub treatment: RiskCurve,
}

/// Estimates in parts of the items. Exploratory: they carry no verdict.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Subgroups {
    /// By dataset.
    pub dataset: BTreeMap<String, Subgroup>,
    /// `answerable` and `unanswerable`, where the scores say which is which.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answerable: BTreeMap<String, Subgroup>,
}

/// Reads `per_item_scores.csv` and computes everything. Fails rather than giving an empty answer.
pub fn significance(scores: impl Read, config: &StatsConfig) -> Result<Significance, StatsError> {
    of_scores(&PairedScores::read(scores)?, config)
}

/// Computes everything about paired scores.
pub fn of_scores(scores: &PairedScores, config: &StatsConfig) -> Result<Significance, StatsError> {
    let mut results: BTreeMap<String, BTreeMap<String, TypeResult>> = BTreeMap::new();
    let mut temps = Vec::new();
    for (temp, item_type, group) in scores.groups() {
        let result = Slice {
            scores,
            group,
            temp,
            item_type,
            config,
        }
        .result()?;
        if temps.last() != Some(&temp) {
            temps.push(temp);
        }
        results
            .entry(temp.to_string())
            .or_default()
            .insert(item_type.to_string(), result);
    }
    let families = adjust(&mut results, config);
    decide(&mut results);
    Ok(Significance {
        schema_version: SCHEMA_VERSION,
        temps,
        stats_config: config.clone(),
        families,
        results,
    })
}

/// One type at one temperature, with what is needed to estimate it.
struct Slice<'a> {
    scores: &'a PairedScores,
    group: &'a Group,
    temp: Temperature,
    item_type: ItemType,
    config: &'a StatsConfig,
}

impl Slice<'_> {
    fn result(&self) -> Result<TypeResult, StatsError> {
        let all = self.group.all();
        let overall = self.estimate(&all, "overall")?;
        let subgroups = self.subgroups(&all, &overall)?;
        let meta = over_datasets(&overall, &subgroups.dataset)?;
        let mut equivalence = BTreeMap::new();
        for (name, margin) in &self.config.tost_margins {
            let Some(estimate) = overall.metrics.get(name) else {
                continue;
            };
            let moments = Moments {
                n: estimate.n,
                mean: estimate.delta,
                sd: estimate.sd,
            };
            let test = tost(moments, *margin, self.config.tost_alpha, estimate.direction)?;
            equivalence.extend(test.map(|t| (name.clone(), t)));
        }
        Ok(TypeResult {
            n_items: all.len(),
            n_unpaired: self.group.unpaired(),
            accuracy: accuracy(&overall.mcnemar),
            mcnemar: overall.mcnemar,
            metrics: overall.metrics,
            selective_risk: self.selective_risk(&all),
            subgroups,
            meta,
            tost: equivalence,
        })
    }

    fn estimate(&self, selection: &Selection, scope: &str) -> Result<Subgroup, StatsError> {
        let sample = Sample {
            group: self.group,
            selection,
            metrics: self.scores.metrics(),
            label: &format!("{}/{}/{scope}", self.temp, self.item_type),
        };
        estimate(sample, self.config)
    }

    fn subgroups(&self, all: &Selection, overall: &Subgroup) -> Result<Subgroups, StatsError> {
        let mut subgroups = Subgroups::default();
        for (index, name) in self.scores.datasets().iter().enumerate() {
            let selection = self.group.of_dataset(index);
            if selection.is_empty() {
                continue;
            }
            // A single dataset is the whole: the same items have the same estimate.
            let part = if selection == *all {
                overall.clone()
            } else {
                self.estimate(&selection, &format!("dataset={name}"))?
            };
            subgroups.dataset.insert(name.clone(), part);
        }
        for answerability in Answerability::ALL {
            let selection = self.group.of_answerability(answerability);
            if selection.is_empty() || selection == *all {
                continue;
            }
            let name = answerability.as_str();
            let part = self.estimate(&selection, name)?;
            subgroups.answerable.insert(name.to_owned(), part);
        }
        Ok(subgroups)
    }

    fn selective_risk(&self, all: &Selection) -> SelectiveRisk {
        let column = |name: &str| self.scores.metrics().iter().position(|m| m == name);
        let curve = |side: fn((f64, f64)) -> f64| {
            let (Some(em), Some(abstain)) = (column("em"), column("abstain_rate")) else {
                return RiskCurve::default();
            };
            let losses = self.group.pairs(all, em).map(side);
            let abstained = self.group.pairs(all, abstain).map(side);
            let answers = losses.zip(abstained).map(|(em, abstain)| Answer {
                confidence: 1.0 - abstain,
                loss: 1.0 - em,
            });
            selective_risk(answers.collect(), &self.config.risk_thresholds)
        };
        SelectiveRisk {
            confidence: "1 - abstain_rate: the share of an item's samples that answered".to_owned(),
            loss: "1 - em".to_owned(),
            control: curve(|(control, _)| control),
            treatment: curve(|(_, treatment)| treatment),
        }
    }
}

fn accuracy(table: &McNemar) -> Option<Accuracy> {
    let share = |right| wilson(right, table.n, LEVEL);
    Some(Accuracy {
        control: share(table.both_right + table.control_only)?,
        treatment: share(table.both_right + table.treatment_only)?,
    })
}

fn over_datasets(
    overall: &Subgroup,
    datasets: &BTreeMap<String, Subgroup>,
) -> Result<BTreeMap<String, Meta>, StatsError> {
    let mut out = BTreeMap::new();
    for name in overall.metrics.keys() {
        let studies: Vec<Study> = datasets
            .values()
            .filter_map(|part| part.metrics.get(name))
            .map(|m| Study {
                delta: m.delta.unwrap_or(f64::NAN),
                se: m.se.unwrap_or(f64::NAN),
            })
            .collect();
        out.extend(meta(&studies)?.map(|pooled| (name.clone(), pooled)));
    }
    Ok(out)
}

type Results = BTreeMap<String, BTreeMap<String, TypeResult>>;

/// Adjusts over both families, and says what they are.
///
/// `primary` decides verdicts: one p-value for each temperature, type and metric, the permutation test's where it was
/// done and Wilcoxon's otherwise. The other one is the predecessor's: McNemar and Wilcoxon, overall and by dataset.
fn adjust(results: &mut Results, config: &StatsConfig) -> BTreeMap<String, Family> {
    let mut primary: Vec<&mut MetricEstimate> = types(results)
        .flat_map(|r| r.metrics.values_mut())
        .collect();
    let p_values: Vec<_> = primary.iter().map(|m| Some(raw_p(m))).collect();
    let m = p_values.len() as u64;
    if config.enable_fdr {
        let adjusted = benjamini_hochberg(&p_values);
        for ((estimate, q), h) in primary.iter_mut().zip(adjusted).zip(holm(&p_values)) {
            estimate.p_adjusted = q;
            estimate.p_holm = h;
        }
    }
    let mut tests: Vec<(f64, &mut Option<f64>)> = Vec::new();
    for result in types(results) {
        tests.push((result.mcnemar.p_exact, &mut result.mcnemar.q_value));
        tests.extend(wilcoxons(&mut result.metrics));
        for part in result.subgroups.dataset.values_mut() {
            tests.push((part.mcnemar.p_exact, &mut part.mcnemar.q_value));
            tests.extend(wilcoxons(&mut part.metrics));
        }
    }
    let p_values: Vec<_> = tests.iter().map(|(p, _)| Some(*p)).collect();
    if config.enable_fdr {
        for ((_, slot), q) in tests.iter_mut().zip(benjamini_hochberg(&p_values)) {
            **slot = q;
        }
    }
    let family = |members: &str, m, adjusted: &str| Family {
        members: members.to_owned(),
        m,
        adjusted: adjusted.to_owned(),
    };
    [
        (
            "primary".to_owned(),
            family(
                "each temperature, type and metric overall: the permutation p-value, or Wilcoxon's where there is none",
                m,
                "p_adjusted (Benjamini-Hochberg), p_holm (Holm)",
            ),
        ),
        (
            "all_tests".to_owned(),
            family(
                "McNemar exact and Wilcoxon of each temperature, type and metric, overall and by dataset",
                p_values.len() as u64,
                "q_value (Benjamini-Hochberg)",
            ),
        ),
    ]
    .into()
}

fn types(results: &mut Results) -> impl Iterator<Item = &mut TypeResult> {
    results.values_mut().flat_map(BTreeMap::values_mut)
}

fn wilcoxons(
    metrics: &mut BTreeMap<String, MetricEstimate>,
) -> impl Iterator<Item = (f64, &mut Option<f64>)> {
    metrics
        .values_mut()
        .map(|m| (m.wilcoxon.p_value, &mut m.wilcoxon.q_value))
}

/// The p-value that the family `primary` holds for a metric.
fn raw_p(estimate: &MetricEstimate) -> f64 {
    estimate.permutation_p.unwrap_or(estimate.wilcoxon.p_value)
}

/// Gives every overall metric its word.
fn decide(results: &mut Results) {
    for result in types(results) {
        for (name, estimate) in &mut result.metrics {
            estimate.verdict = Some(verdict(Evidence {
                interval: estimate
                    .ci95
                    .or(estimate.t_interval.map(|t| [t.low, t.high])),
                p: estimate.p_adjusted.or(Some(raw_p(estimate))),
                equivalent: result.tost.get(name).map(|t| t.equivalence.equivalent),
                direction: estimate.direction,
            }));
        }
    }
}

#[cfg(test)]
mod tests;
