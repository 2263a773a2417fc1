//! Stats: per-item scores to paired estimates, `significance.json`. Fails rather than writing an empty file.

use std::path::PathBuf;

use super::ctx::{Ctx, Outcome, Sink, open, write_json};
use super::error::PhaseError;
use crate::domain::Digest;
use crate::snapshot::TrialView;
use crate::stats::{StatsConfig, significance};

/// The files read.
pub fn needs(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    vec![ctx.trial_paths(&trial.trial.slug).per_item_scores()]
}

/// The files written.
pub fn makes(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    vec![ctx.trial_paths(&trial.trial.slug).significance()]
}

/// The settings of the statistics and the version of the method.
pub fn knobs(ctx: &Ctx) -> Digest {
    let settings = serde_json::to_value(settings(ctx)).unwrap_or_default();
    Digest::of_json(&serde_json::json!({"version": "stats/1", "settings": settings}))
}

fn settings(ctx: &Ctx) -> StatsConfig {
    let stats = &ctx.config.stats;
    StatsConfig {
        bootstrap_samples: stats.bootstrap_samples,
        permutation_samples: stats.permutation_samples,
        random_seed: stats.random_seed,
        enable_permutation: stats.enable_permutation,
        enable_fdr: stats.enable_fdr,
        risk_thresholds: stats.risk_thresholds.clone(),
        tost_alpha: stats.tost_alpha,
        tost_margins: stats.tost_margins.clone(),
    }
}

/// Estimates a trial.
pub fn run(ctx: &Ctx, trial: &TrialView, _sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    let result = significance(open(&paths.per_item_scores())?, &settings(ctx))?;
    let groups: usize = result
        .results
        .values()
        .map(std::collections::BTreeMap::len)
        .sum();
    let made = write_json(&paths.significance(), &result)?;
    Ok(Outcome {
        made: vec![made],
        message: format!("paired estimates for {groups} groups of items"),
    })
}
