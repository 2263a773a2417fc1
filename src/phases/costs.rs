//! Costs: tokens of the predictions and the configured price to `costs.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ctx::{Ctx, Outcome, Sink, open, write_json};
use super::error::PhaseError;
use crate::domain::{Condition, Digest};
use crate::report::costs::correct_answers;
use crate::report::{CostInput, PriceUsed, costs};
use crate::snapshot::TrialView;

/// The files read.
pub fn needs(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    vec![paths.predictions(), paths.per_item_scores()]
}

/// The files written.
pub fn makes(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    vec![ctx.trial_paths(&trial.trial.slug).costs()]
}

/// The price, the rows that other trials pay for, and the version of the method.
pub fn knobs(ctx: &Ctx, trial: &TrialView) -> Digest {
    let price = serde_json::to_value(price(ctx, trial)).unwrap_or_default();
    let shared = serde_json::to_value(shared_rows(ctx, trial)).unwrap_or_default();
    Digest::of_json(&serde_json::json!({"version": "costs/1", "price": price, "shared": shared}))
}

fn price(ctx: &Ctx, trial: &TrialView) -> Option<PriceUsed> {
    let price = ctx.config.pricing.of(&trial.trial.model)?;
    Some(PriceUsed {
        input_per_million: price.input_per_million,
        output_per_million: price.output_per_million,
        batch_discount: price.batch_discount,
    })
}

/// Rows of the trial that another one submitted and pays for.
pub(super) fn shared_rows(ctx: &Ctx, trial: &TrialView) -> BTreeMap<Condition, u64> {
    let mut shared = BTreeMap::new();
    for part in &trial.parts {
        let work = &ctx.view.works[part.work];
        if work.owner != trial.trial.slug {
            *shared.entry(part.key.condition).or_default() += work.rows.answered;
        }
    }
    shared
}

/// Prices a trial.
pub fn run(ctx: &Ctx, trial: &TrialView, _sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    let correct = correct_answers(open(&paths.per_item_scores())?)?;
    let input = CostInput {
        price: price(ctx, trial),
        shared_rows: shared_rows(ctx, trial),
        correct,
    };
    let result = costs(open(&paths.predictions())?, &input)?;
    let message = result.usd.map_or_else(
        || "tokens counted; the price of the model is unknown".to_owned(),
        |usd| format!("${usd:.4}"),
    );
    Ok(Outcome {
        made: vec![write_json(&paths.costs(), &result)?],
        message,
    })
}
