//! Score: predictions beside prepared items, one row of `per_item_scores.csv` for each item, condition and temperature.

use std::io::{self, BufRead};
use std::path::PathBuf;

use super::ctx::{Ctx, Outcome, Sink, finish, open};
use super::error::PhaseError;
use crate::domain::text::thousands;
use crate::domain::{Condition, Digest, ItemType, LogLevel};
use crate::scoring::{ItemCursor, ScoreSettings, score_predictions};
use crate::snapshot::TrialView;
use crate::store::AtomicFile;

/// The files read.
pub fn needs(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    vec![
        ctx.trial_paths(&trial.trial.slug).predictions(),
        ctx.paths.closed_book(),
        ctx.paths.open_book(),
    ]
}

/// The files written.
pub fn makes(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    vec![ctx.trial_paths(&trial.trial.slug).per_item_scores()]
}

/// The rule for unsupported answers and the version of the scorers.
pub fn knobs(ctx: &Ctx) -> Digest {
    let unsupported = &ctx.config.unsupported;
    Digest::of_parts(&[
        "score/1",
        &unsupported.strategy,
        &unsupported.min_token_overlap.to_string(),
    ])
}

/// Scores a trial.
pub fn run(ctx: &Ctx, trial: &TrialView, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    let out_path = paths.per_item_scores();
    let (closed, open_book) = (ctx.paths.closed_book(), ctx.paths.open_book());
    let items = ItemCursor::new(|item_type| -> io::Result<Box<dyn BufRead>> {
        let path = match item_type {
            ItemType::Closed => &closed,
            ItemType::Open => &open_book,
        };
        Ok(Box::new(open(path).map_err(io::Error::other)?))
    });
    let settings = ScoreSettings {
        min_token_overlap: ctx.config.unsupported.min_token_overlap,
    };
    let mut out = AtomicFile::create(&out_path)?;
    let tally = score_predictions(open(&paths.predictions())?, items, settings, &mut out)?;
    for condition in Condition::ALL {
        let counts = tally.of(condition);
        if counts.failed > 0 || counts.missing_items > 0 {
            sink.say(
                LogLevel::Warn,
                &format!(
                    "{condition}: {} failed requests are in no mean, {} items have no score",
                    counts.failed, counts.missing_items
                ),
            );
        }
    }
    let made = finish(out, &out_path, Some(tally.rows()))?;
    let scored = tally.control.scored + tally.treatment.scored;
    Ok(Outcome {
        made: vec![made],
        message: format!(
            "{} answers scored, {} item rows",
            thousands(scored),
            thousands(tally.rows())
        ),
    })
}
