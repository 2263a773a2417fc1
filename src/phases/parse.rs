//! Parse: the results of a trial's parts, in order, to `results_combined.jsonl` and `predictions.csv`, in one pass.

use std::path::PathBuf;

use super::ctx::{Ctx, Outcome, Sink, finish, open};
use super::error::PhaseError;
use super::parse_kernel::{ParseTally, write_predictions};
use crate::domain::text::thousands;
use crate::domain::{Digest, LogLevel, WorkState};
use crate::scoring::PredictionWriter;
use crate::snapshot::{PartRef, TrialView};
use crate::store::AtomicFile;

/// The parts that have, or will have, results.
fn parts<'a>(ctx: &'a Ctx, trial: &'a TrialView) -> impl Iterator<Item = &'a PartRef> {
    trial
        .parts
        .iter()
        .filter(|part| !matches!(ctx.view.works[part.work].state, WorkState::Failed { .. }))
}

/// The files read: the results of every part that was not given up, in order.
pub fn needs(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    let results: Vec<PathBuf> = parts(ctx, trial)
        .map(|part| paths.part(part.key).results())
        .collect();
    // Without any part there is nothing to parse; the build's manifest stands for what is missing.
    if results.is_empty() {
        vec![ctx.paths.build_manifest()]
    } else {
        results
    }
}

/// The files written.
pub fn makes(ctx: &Ctx, trial: &TrialView) -> Vec<PathBuf> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    vec![paths.results_combined(), paths.predictions()]
}

/// The version of the method.
pub fn knobs() -> Digest {
    Digest::of_parts(&["parse/1"])
}

/// Parses every part of the trial.
pub fn run(ctx: &Ctx, trial: &TrialView, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    let (combined_path, predictions_path) = (paths.results_combined(), paths.predictions());
    let mut combined = AtomicFile::create(&combined_path)?;
    let mut predictions = PredictionWriter::new(AtomicFile::create(&predictions_path)?)?;
    let mut total = ParseTally::default();
    let count = trial.parts.len() as u64;
    let mut read = 0_u64;
    for part in parts(ctx, trial) {
        let path = paths.part(part.key).results();
        let tally = write_predictions(open(&path)?, &mut predictions, &mut combined)?;
        let odd = tally.malformed + tally.foreign + tally.duplicates;
        if odd > 0 {
            sink.say(
                LogLevel::Warn,
                &format!(
                    "{}: {odd} lines left out ({} unreadable, {} foreign, {} repeated)",
                    part.key, tally.malformed, tally.foreign, tally.duplicates
                ),
            );
        }
        total.add(&tally);
        read += 1;
        sink.progress(read, count);
        sink.heed()?;
    }
    if total.rows() == 0 {
        return Err(PhaseError::Nothing(format!(
            "no part of {} has a result row; see errors.jsonl in the parts' folders",
            trial.trial.slug
        )));
    }
    let combined = finish(combined, &combined_path, Some(total.rows()))?;
    let predictions = finish(predictions.finish()?, &predictions_path, Some(total.rows()))?;
    Ok(Outcome {
        made: vec![combined, predictions],
        message: format!("{} predictions from {read} parts", thousands(total.rows())),
    })
}
