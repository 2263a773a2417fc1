//! Puts right what can be put right without money before the queue starts: shared copies, damaged results, given-up parts.

use std::sync::Arc;

use super::error::EngineError;
use super::facts::{self, Holds, holds};
use super::queue::{Allow, Allowed, share, shared_folders, tidy};
use super::recorder::{About, Recorder};
use crate::domain::work::WorkEvent;
use crate::domain::{Event, LogLevel, Phase, WorkState};
use crate::phases::Ctx;
use crate::snapshot::WorkView;
use crate::store::{Digests, Durability, PartPaths, atomic};

/// Checks every finished part's files and queues again what was given up.
pub(super) fn before_queue(
    recorder: &mut Recorder,
    ctx: &Ctx,
    digests: &Digests,
    allowed: Allowed,
) -> Result<(), EngineError> {
    let mut events = Vec::new();
    let shared = shared_folders(&ctx.view, &ctx.paths);
    for (index, work) in ctx
        .view
        .works
        .iter()
        .enumerate()
        .filter(|(_, w)| w.used_by > 0)
    {
        match &work.state {
            WorkState::Done { .. } if allowed.collect == Allow::Yes => {
                let owner = || vec![ctx.trial_paths(&work.owner).part(work.part.key)];
                let folders = shared.get(&index).cloned().unwrap_or_else(owner);
                if let Some(event) = repair_done(recorder, ctx, digests, (work, folders))? {
                    events.push(event);
                }
            }
            WorkState::Failed { reason, .. }
                if allowed.submit == Allow::Yes && !facts::is_accepted_loss(&ctx.view) =>
            {
                let reason = format!("queued again by resume (was: {reason})");
                events.push(Event::Work {
                    work: work.key,
                    event: WorkEvent::Requeued { reason },
                });
            }
            WorkState::Pending
            | WorkState::Intended { .. }
            | WorkState::Uploaded { .. }
            | WorkState::Submitted { .. }
            | WorkState::Collected { .. }
            | WorkState::Done { .. }
            | WorkState::Failed { .. } => {}
        }
    }
    recorder.record(events, Durability::Fsync)
}

/// Removes the raw files of finished parts that a process did not live to remove.
pub(super) fn tidy_finished(ctx: &Ctx) -> Result<(), EngineError> {
    for work in ctx.view.works.iter().filter(|w| w.used_by > 0) {
        if matches!(work.state, WorkState::Done { .. }) {
            let numbers: Vec<u32> = work.jobs.iter().map(|(a, _)| a.number).collect();
            tidy(&ctx.trial_paths(&work.owner).part(work.part.key), &numbers)?;
        }
    }
    Ok(())
}

fn repair_done(
    recorder: &mut Recorder,
    ctx: &Ctx,
    digests: &Digests,
    (work, mut folders): (&Arc<WorkView>, Vec<PartPaths>),
) -> Result<Option<Event>, EngineError> {
    let WorkState::Done { results, .. } = &work.state else {
        return Ok(None);
    };
    let mut whole = Vec::new();
    for folder in &folders {
        whole.push(holds(&folder.results(), *results, digests)?);
    }
    if whole.iter().all(|h| *h == Holds::Yes) {
        return Ok(None);
    }
    let about = About {
        phase: Some(Phase::Poll),
        trial: Some(&work.owner),
        part: Some(work.part.key),
    };
    // A damaged file is evidence: it is set aside, not overwritten.
    for (folder, held) in folders.iter().zip(&whole) {
        if *held == Holds::Other {
            let kept = atomic::set_aside(&folder.results())?;
            recorder.say(
                LogLevel::Warn,
                about,
                &format!(
                    "results.jsonl is not as downloaded; kept as {}",
                    ctx.paths.relative(&kept)
                ),
            );
        }
        digests.forget(&folder.results());
    }
    if let Some(good) = whole.iter().position(|h| *h == Holds::Yes) {
        folders.swap(0, good);
        share(&folders)?;
        recorder.say(
            LogLevel::Info,
            about,
            "copied again from another trial that shares the part",
        );
        return Ok(None);
    }
    let Some((attempt, job)) = work.jobs.last().cloned() else {
        let reason = "its results are gone and no job is recorded".to_owned();
        return Ok(Some(Event::Work {
            work: work.key,
            event: WorkEvent::Requeued { reason },
        }));
    };
    recorder.say(LogLevel::Warn, about, "results.jsonl is missing or damaged: downloaded again from the provider, nothing is submitted");
    let reason = "results.jsonl was missing or damaged".to_owned();
    Ok(Some(Event::Work {
        work: work.key,
        event: WorkEvent::Reopened {
            job,
            attempt,
            reason,
        },
    }))
}
