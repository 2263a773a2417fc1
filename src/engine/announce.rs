//! Announces the built parts of every trial in the ledger. Paid work is never dropped from a run without a word.

use std::collections::HashSet;

use super::error::EngineError;
use super::launch::Force;
use super::recorder::{About, Recorder};
use crate::domain::event::PlannedPart;
use crate::domain::{Event, LogLevel, Phase, TrialSlug, WorkKey, WorkState};
use crate::phases::{Ctx, build};
use crate::plan::plan_parts;
use crate::snapshot::{RunView, WorkView};
use crate::store::Durability;

/// Parts announced in one ledger line.
const PARTS_PER_FACT: usize = 500;

/// Records the parts of every trial as built, where they differ from what is recorded.
///
/// Parts that have, or may have, a job and that no trial would use any more are a decision of the operator: without
/// `force` nothing is recorded.
pub(super) fn parts(
    recorder: &mut Recorder,
    ctx: &Ctx,
    provider: &str,
    force: Force,
) -> Result<(), EngineError> {
    let manifest = build::read_manifest(ctx)?;
    let planned: Vec<(TrialSlug, Vec<PlannedPart>)> = ctx
        .config
        .trials
        .iter()
        .map(|trial| {
            let parts = plan_parts(&ctx.view.run_id, provider, trial, &manifest);
            (trial.slug.clone(), parts)
        })
        .collect();
    let left_behind = left_behind(&ctx.view, &planned);
    if !left_behind.is_empty() {
        speak_of(recorder, &left_behind, force)?;
    }
    let is_gone = |slug: &TrialSlug| planned.iter().all(|(kept, _)| kept != slug);
    let differs = planned
        .iter()
        .any(|(slug, parts)| !holds(&ctx.view, slug, parts))
        || ctx
            .view
            .trials
            .iter()
            .any(|t| !t.parts.is_empty() && is_gone(&t.trial.slug));
    if !differs {
        return Ok(());
    }
    let mut events = Vec::new();
    // All lists are emptied before the new ones are announced: a work whose owner has other parts now gets an owner, and an
    // input, that still is what it says; and a trial that is no longer configured keeps nothing that would be submitted.
    for trial in ctx.view.trials.iter().filter(|t| !t.parts.is_empty()) {
        announce(&trial.trial.slug, &[], &mut events);
    }
    for (slug, parts) in &planned {
        announce(slug, parts, &mut events);
    }
    recorder.record(events, Durability::Fsync)?;
    // The faces know every part before the first is submitted: a lost ledger then loses no job.
    recorder.face()
}

fn announce(slug: &TrialSlug, parts: &[PlannedPart], events: &mut Vec<Event>) {
    let chunks: Vec<&[PlannedPart]> = if parts.is_empty() {
        vec![&[]]
    } else {
        parts.chunks(PARTS_PER_FACT).collect()
    };
    for (i, chunk) in chunks.into_iter().enumerate() {
        events.push(Event::PartsPlanned {
            trial: slug.clone(),
            first: i == 0,
            parts: chunk.to_vec(),
        });
    }
}

/// Works in use that have, or may have, a job and that the new plan does not use.
fn left_behind(view: &RunView, planned: &[(TrialSlug, Vec<PlannedPart>)]) -> Vec<String> {
    let kept: HashSet<WorkKey> = planned
        .iter()
        .flat_map(|(_, parts)| parts.iter().map(|part| part.work))
        .collect();
    view.works
        .iter()
        .filter(|work| work.used_by > 0 && !kept.contains(&work.key) && may_be_paid(work))
        .map(|work| {
            format!(
                "{} {} ({})",
                work.owner,
                work.part.key,
                work.state.status().as_str()
            )
        })
        .collect()
}

fn may_be_paid(work: &WorkView) -> bool {
    !work.jobs.is_empty()
        || match &work.state {
            WorkState::Pending => false,
            WorkState::Failed { job, .. } => job.is_some(),
            WorkState::Intended { .. }
            | WorkState::Uploaded { .. }
            | WorkState::Submitted { .. }
            | WorkState::Collected { .. }
            | WorkState::Done { .. } => true,
        }
}

fn speak_of(recorder: &mut Recorder, left: &[String], force: Force) -> Result<(), EngineError> {
    let shown: Vec<&str> = left.iter().take(20).map(String::as_str).collect();
    let list = shown.join("\n  ");
    let count = left.len();
    if force == Force::Yes {
        let message = format!(
            "{count} parts that have jobs do not belong to the new build and are left behind (--force):\n  {list}"
        );
        recorder.say(LogLevel::Warn, About::phase(Phase::Build), &message);
        return Ok(());
    }
    let message = format!(
        "the new build no longer has {count} parts that have, or may have, jobs:\n  {list}\nput the inputs of the build back and `--only-step build` it again, or leave these parts behind by --force (the new ones are paid for)"
    );
    Err(EngineError::NeedsDecision { message })
}

/// Whether a trial's recorded parts are the planned ones. The key of a work holds its bytes and parameters.
fn holds(view: &RunView, slug: &TrialSlug, planned: &[PlannedPart]) -> bool {
    let Some(trial) = view.trial(slug) else {
        return planned.is_empty();
    };
    let recorded = trial.parts.iter().map(|p| (p.key, view.works[p.work].key));
    recorded.eq(planned.iter().map(|p| (p.key, p.work)))
}
