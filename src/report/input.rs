//! Everything a report is made from. The report phase fills it; nothing here is read from a file.

use std::collections::BTreeMap;

use super::costs::Costs;
use super::estimates::Estimates;
use super::examples::{Example, Flips};
use super::outcomes::Outcomes;
use crate::domain::{Condition, Digest, RunId, Trial};

/// Where the numbers of a trial come from.
#[derive(Debug, Clone)]
pub struct Provenance<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// The trial.
    pub trial: &'a Trial,
    /// The service, as named in the config.
    pub provider: &'a str,
    /// Models as the provider reported them; empty where it did not.
    pub reported_models: &'a [String],
    /// Prompts and instructions.
    pub prompts: &'a [Source<'a>],
    /// Datasets.
    pub datasets: &'a [Source<'a>],
    /// Digest of the effective config.
    pub config_hash: Digest,
    /// Seed of the choice of items.
    pub sampling_seed: u64,
    /// Version of evaltui.
    pub version: &'a str,
}

/// A file that the trial depends on.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// What it is, e.g. `control prompt`, `squad_v2`.
    pub label: &'a str,
    /// Its path, as configured.
    pub path: &'a str,
    /// Its digest, where known.
    pub sha256: Option<Digest>,
    /// Items taken from it, for datasets.
    pub items: Option<u64>,
}

/// Everything about one trial.
#[derive(Debug, Clone)]
pub struct TrialReport<'a> {
    /// Where the numbers come from.
    pub provenance: Provenance<'a>,
    /// `significance.json`.
    pub estimates: &'a Estimates,
    /// `costs.json`.
    pub costs: &'a Costs,
    /// How rows ended, by condition, with failed and missing ones.
    pub outcomes: &'a BTreeMap<Condition, Outcomes>,
    /// Items that changed: counts, and which were picked.
    pub flips: &'a Flips,
    /// The picked items with their texts: gains first, then losses.
    pub examples: &'a [Example],
}

impl TrialReport<'_> {
    /// Rows that are failed or missing, and rows that were asked for.
    pub fn lost_rows(&self) -> (u64, u64) {
        self.outcomes.values().fold((0, 0), |(lost, all), o| {
            (lost + o.failed + o.missing, all + o.requested())
        })
    }
}
