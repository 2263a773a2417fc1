//! Runs a local phase on a thread of its own, hands its progress on, and stamps it after success.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::error::EngineError;
use super::recorder::{About, Recorder};
use super::stop::StopWatch;
use crate::domain::{Event, LogLevel, Phase, Stamp, StopLevel};
use crate::phases::{self, Ctx, Outcome, PhaseError, Scope, Sink};
use crate::store::stamp::mark;
use crate::store::{Digests, Durability};

/// What a phase says while it runs.
#[derive(Debug)]
enum Word {
    Progress(u64, u64),
    Line(LogLevel, String),
}

#[derive(Debug)]
struct ChannelSink {
    words: mpsc::UnboundedSender<Word>,
    stop: StopWatch,
}

impl Sink for ChannelSink {
    fn progress(&self, done: u64, total: u64) {
        // The receiver lives as long as the phase; without it there is nobody to tell.
        self.words.send(Word::Progress(done, total)).ok();
    }

    fn say(&self, level: LogLevel, message: &str) {
        self.words.send(Word::Line(level, message.to_owned())).ok();
    }

    fn stop(&self) -> Option<StopLevel> {
        self.stop.level()
    }
}

/// Runs one phase in one scope and records its stamp.
pub(super) async fn run(
    recorder: &mut Recorder,
    phase: Phase,
    ctx: &Ctx,
    scope: &Scope,
    with: (&StopWatch, &Arc<Digests>),
) -> Result<(), EngineError> {
    let (stop, digests) = with;
    let (words, mut heard) = mpsc::unbounded_channel();
    let sink = ChannelSink {
        words,
        stop: stop.clone(),
    };
    let (thread_ctx, thread_scope, thread_digests) =
        (ctx.clone(), scope.clone(), Arc::clone(digests));
    let task = tokio::task::spawn_blocking(move || {
        work(phase, &thread_ctx, &thread_scope, &sink, &thread_digests)
    });
    let about = About {
        phase: Some(phase),
        trial: scope.slug(),
        part: None,
    };
    // The channel closes when the phase ends, because the sink moves into its thread.
    while let Some(word) = heard.recv().await {
        match word {
            Word::Progress(done, total) => {
                recorder.transient(&Event::Progress { phase, done, total });
            }
            Word::Line(level, message) => recorder.say(level, about, &message),
        }
    }
    let (stamp, message) = task
        .await
        .map_err(|error| EngineError::TaskDied(error.to_string()))??;
    recorder.record(vec![Event::Stamped { stamp }], Durability::Fsync)?;
    recorder.say(LogLevel::Info, about, &message);
    Ok(())
}

fn work(
    phase: Phase,
    ctx: &Ctx,
    scope: &Scope,
    sink: &ChannelSink,
    digests: &Digests,
) -> Result<(Stamp, String), PhaseError> {
    // Inputs are marked before they are read: if one changes meanwhile, the stamp is stale rather than wrong.
    let mut inputs = Vec::new();
    for path in phases::needs(phase, ctx, scope)? {
        inputs.push(mark(&ctx.paths, &path, None, digests)?);
    }
    let knobs = phases::knobs(phase, ctx, scope)?;
    let Outcome { made, message } = phases::run(phase, ctx, scope, sink)?;
    let outputs = made
        .into_iter()
        .map(|made| {
            digests.forget(&made.path);
            crate::domain::FileMark {
                path: ctx.paths.relative(&made.path),
                sha256: made.sum.sha256,
                bytes: made.sum.bytes,
                rows: made.rows,
            }
        })
        .collect();
    Ok((
        Stamp {
            phase,
            trial: scope.slug().cloned(),
            knobs,
            inputs,
            outputs,
        },
        message,
    ))
}
