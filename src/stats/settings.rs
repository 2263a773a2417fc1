//! What the statistics were set to, as written to `stats_config`. The keys are those of the config's `stats` section.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings of all statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatsConfig {
    /// Bootstrap resamples; 0 leaves the bootstrap out.
    pub bootstrap_samples: u32,
    /// Random sign flips of the permutation test; 0 leaves it out where it is not exact.
    pub permutation_samples: u32,
    /// Seed of all resampling.
    pub random_seed: u64,
    /// Whether permutation tests are done.
    pub enable_permutation: bool,
    /// Whether p-values are adjusted (Benjamini-Hochberg).
    pub enable_fdr: bool,
    /// Thresholds of the selective risk, 0 to 1.
    pub risk_thresholds: Vec<f64>,
    /// Level of the equivalence and non-inferiority tests, 0 to 0.5.
    pub tost_alpha: f64,
    /// Equivalence margins by metric, in the metric's unit.
    pub tost_margins: BTreeMap<String, f64>,
}

impl Default for StatsConfig {
    /// The predecessor's defaults.
    fn default() -> Self {
        Self {
            bootstrap_samples: 5_000,
            permutation_samples: 5_000,
            random_seed: 1_337,
            enable_permutation: true,
            enable_fdr: true,
            risk_thresholds: vec![0.0, 0.25, 0.5, 0.75, 1.0],
            tost_alpha: 0.05,
            tost_margins: [("em".to_owned(), 0.01), ("f1".to_owned(), 0.01)].into(),
        }
    }
}
