//! Drives a run through its gate: decide, run, stamp, phase by phase. Knows the order of phases and nothing of their insides.

use std::sync::Arc;

use async_trait::async_trait;

use super::announce;
use super::error::EngineError;
use super::facts;
use super::launch::Force;
use super::local_phase;
use super::queue::{Allowed, Queue, QueueEnd, QueueParts};
use super::recorder::{About, Recorder};
use super::repair;
use super::stop::StopWatch;
use crate::config::Config;
use crate::domain::{
    Condition, Decision, Event, ExitCode, Freshness, Gate, LogLevel, PartKey, Phase, PhaseStatus,
    StaleReason, StopLevel, WorkState,
};
use crate::phases::{Ctx, PhaseError, Scope, build};
use crate::plan::Redo;
use crate::provider::{Provider, ProviderError};
use crate::store::{Digests, Durability, RunPaths};

/// Opens the provider of a configuration. Implemented where the program is put together, so that no phase knows a service.
#[async_trait]
pub trait ProviderSource: Send + Sync + std::fmt::Debug {
    /// Opens the provider for a run.
    async fn open(
        &self,
        config: &Config,
        paths: &RunPaths,
    ) -> Result<Arc<dyn Provider>, ProviderError>;

    /// The provider's name as it enters the work key; known without opening it.
    fn name(&self, config: &Config) -> String;
}

/// A run that is being driven.
#[derive(Debug)]
pub struct Drive {
    /// The single writer.
    pub recorder: Recorder,
    /// The configuration.
    pub config: Arc<Config>,
    /// The run's files.
    pub paths: RunPaths,
    /// Digests known in this process.
    pub digests: Arc<Digests>,
    /// The stop.
    pub stop: StopWatch,
    /// Where the provider comes from.
    pub providers: Arc<dyn ProviderSource>,
    /// The range.
    pub gate: Gate,
    /// Whether fresh local phases are done again.
    pub redo: Redo,
    /// Submit this condition only, where one is named.
    pub condition: Option<Condition>,
}

impl Drive {
    /// Does everything the gate asks for. The error says what ended it early; all state is recorded either way.
    pub async fn run(&mut self) -> Result<(), EngineError> {
        for phase in self.gate.phases() {
            match phase {
                Phase::Submit if self.gate.contains(Phase::Poll) => {}
                Phase::Submit | Phase::Poll => {
                    self.queue().await?;
                    if self.left_out() > 0 {
                        return self.leave_rest();
                    }
                }
                Phase::Prepare | Phase::Build | Phase::Archive => {
                    self.before(phase)?;
                    self.local(phase, vec![Scope::Run]).await?;
                }
                Phase::Parse | Phase::Score | Phase::Stats | Phase::Costs | Phase::Report => {
                    self.before(phase)?;
                    let mut scopes = self.trial_scopes();
                    if phase == Phase::Report {
                        scopes.push(Scope::Run);
                    }
                    self.local(phase, scopes).await?;
                }
            }
            if phase == Phase::Build {
                let force = if self.redo == Redo::Local {
                    Force::Yes
                } else {
                    Force::No
                };
                let ctx = self.ctx();
                announce::parts(
                    &mut self.recorder,
                    &ctx,
                    &self.providers.name(&self.config),
                    force,
                )?;
            }
        }
        Ok(())
    }

    /// Parts without results that `condition` keeps out of this drive.
    fn left_out(&self) -> usize {
        let Some(only) = self.condition else { return 0 };
        let open =
            |state: &WorkState| !matches!(state, WorkState::Done { .. } | WorkState::Failed { .. });
        self.recorder
            .view()
            .works
            .iter()
            .filter(|w| w.used_by > 0 && w.part.key.condition != only && open(&w.state))
            .count()
    }

    fn leave_rest(&mut self) -> Result<(), EngineError> {
        let message = format!(
            "{} parts of the other condition were not asked for; the comparison waits for them",
            self.left_out()
        );
        self.recorder
            .say(LogLevel::Warn, About::phase(Phase::Submit), &message);
        self.recorder.face()
    }

    fn ctx(&self) -> Ctx {
        Ctx {
            config: Arc::clone(&self.config),
            paths: self.paths.clone(),
            view: Arc::new(self.recorder.view().clone()),
        }
    }

    fn trial_scopes(&self) -> Vec<Scope> {
        let view = self.recorder.view();
        self.config
            .trials
            .iter()
            .filter_map(|t| view.trial(&t.slug))
            .map(|t| Scope::Trial(Arc::clone(t)))
            .collect()
    }

    /// Ends the drive before a phase where a stop was asked for.
    fn before(&mut self, phase: Phase) -> Result<(), EngineError> {
        let Some((level, source)) = self.stop.get() else {
            return Ok(());
        };
        self.recorder.record(
            vec![Event::StopRequested {
                level,
                source: source.to_owned(),
            }],
            Durability::Fsync,
        )?;
        self.recorder.say(
            LogLevel::Warn,
            About::phase(phase),
            &format!("stopped before {phase} (asked for by {source})"),
        );
        Err(EngineError::Stopped(level))
    }

    /// Runs a local phase over its scopes, skipping what holds.
    async fn local(&mut self, phase: Phase, scopes: Vec<Scope>) -> Result<(), EngineError> {
        let mut begun = false;
        for scope in scopes {
            let ctx = self.ctx();
            let about = About {
                phase: Some(phase),
                trial: scope.slug(),
                part: None,
            };
            let Some(why) = self.judge(phase, &ctx, &scope)? else {
                let skip = "skip: inputs, outputs and settings are as recorded";
                self.recorder.say(LogLevel::Info, about, skip);
                continue;
            };
            if !begun {
                self.recorder
                    .record(vec![Event::PhaseStarted { phase }], Durability::Lazy)?;
                begun = true;
            }
            self.recorder
                .say(LogLevel::Info, about, &format!("execute: {why}"));
            let outcome = if let StaleReason::InputMissing(path) = why {
                Err(missing_input(phase, &path))
            } else {
                let with = (&self.stop, &self.digests);
                local_phase::run(&mut self.recorder, phase, &ctx, &scope, with).await
            };
            if let Err(error) = outcome {
                return Err(self.phase_failed(phase, error));
            }
        }
        self.phase_done(phase, if begun { Ran::Yes } else { Ran::No })
    }

    /// Why a phase has to run, or `None` where it holds. The same rule that the plan shows.
    fn judge(
        &self,
        phase: Phase,
        ctx: &Ctx,
        scope: &Scope,
    ) -> Result<Option<StaleReason>, EngineError> {
        Ok(match facts::freshness(phase, ctx, scope, &self.digests)? {
            Freshness::Stale(reason) => Some(reason),
            Freshness::Fresh if self.redo == Redo::Local && phase.is_per_trial() => {
                Some(StaleReason::Forced)
            }
            Freshness::Fresh => None,
        })
    }

    fn phase_done(&mut self, phase: Phase, ran: Ran) -> Result<(), EngineError> {
        if ran == Ran::Yes || self.recorder.view().phase(phase).status != PhaseStatus::Completed {
            self.recorder.record(
                vec![Event::PhaseEnded {
                    phase,
                    status: PhaseStatus::Completed,
                    error: None,
                }],
                Durability::Fsync,
            )?;
        }
        self.recorder.face()
    }

    /// Records how a phase ended early and gives the error back.
    fn phase_failed(&mut self, phase: Phase, error: EngineError) -> EngineError {
        let stopped = matches!(error.exit(), ExitCode::Stopped);
        let status = if stopped {
            PhaseStatus::Stopped
        } else {
            PhaseStatus::Failed
        };
        let mut events = Vec::new();
        if let (true, Some((level, source))) = (stopped, self.stop.get()) {
            events.push(Event::StopRequested {
                level,
                source: source.to_owned(),
            });
        }
        events.push(Event::PhaseEnded {
            phase,
            status,
            error: (!stopped).then(|| error.to_string()),
        });
        let level = if stopped {
            LogLevel::Warn
        } else {
            LogLevel::Error
        };
        self.recorder
            .say(level, About::phase(phase), &error.to_string());
        match self
            .recorder
            .record(events, Durability::Fsync)
            .and_then(|()| self.recorder.face())
        {
            Ok(()) => error,
            // The disk is the more urgent problem: the first error is in the log.
            Err(worse) => worse,
        }
    }

    /// Submit and poll, which overlap: one queue does both, as far as the gate allows.
    async fn queue(&mut self) -> Result<(), EngineError> {
        let phases: Vec<Phase> = [Phase::Submit, Phase::Poll]
            .into_iter()
            .filter(|p| self.gate.contains(*p))
            .collect();
        if let Some(first) = phases.first() {
            self.before(*first)?;
        }
        let allowed = Allowed {
            submit: self.gate.contains(Phase::Submit).into(),
            collect: self.gate.contains(Phase::Poll).into(),
            doubtful: (self.redo == Redo::Local).into(),
            condition: self.condition,
        };
        let plan = crate::plan::decide(
            &facts::gather(&self.ctx(), &self.digests, Vec::new())?,
            self.gate,
            Redo::Stale,
        );
        let work = phases
            .iter()
            .any(|p| plan.phase(*p).is_some_and(|d| d.decision != Decision::Skip));
        if !work {
            if phases.contains(&Phase::Poll) && !facts::is_accepted_loss(self.recorder.view()) {
                repair::tidy_finished(&self.ctx())?;
            }
            for phase in phases {
                let reason = plan
                    .phase(phase)
                    .map_or_else(String::new, |d| d.reason.clone());
                self.recorder.say(
                    LogLevel::Info,
                    About::phase(phase),
                    &format!("skip: {reason}"),
                );
                self.phase_done(phase, Ran::No)?;
            }
            return Ok(());
        }
        let started = phases
            .iter()
            .map(|phase| Event::PhaseStarted { phase: *phase })
            .collect();
        self.recorder.record(started, Durability::Lazy)?;
        let outcome = self.run_queue(allowed).await;
        let outcome = outcome.and_then(|end| self.judge_queue(end, &phases));
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => {
                let mut error = error;
                for phase in phases {
                    if self.recorder.view().phase(phase).status == PhaseStatus::InProgress {
                        error = self.phase_failed(phase, error);
                    }
                }
                Err(error)
            }
        }
    }

    async fn run_queue(&mut self, allowed: Allowed) -> Result<QueueEnd, EngineError> {
        let ctx = self.ctx();
        let built = ctx.paths.build_manifest();
        if !built.exists() {
            return Err(missing_input(Phase::Submit, &ctx.paths.relative(&built)));
        }
        let manifest = Arc::new(build::read_manifest(&ctx)?);
        if self.gate.contains(Phase::Poll) {
            repair::tidy_finished(&ctx)?;
        }
        repair::before_queue(&mut self.recorder, &ctx, &self.digests, allowed)?;
        let provider = self.providers.open(&self.config, &self.paths).await?;
        let parts = QueueParts {
            recorder: &mut self.recorder,
            provider,
            config: Arc::clone(&self.config),
            paths: self.paths.clone(),
            manifest,
            stop: self.stop.clone(),
        };
        Queue::new(parts, allowed).run().await
    }

    /// Whether submit and poll are done, and what to say if not.
    fn judge_queue(&mut self, end: QueueEnd, phases: &[Phase]) -> Result<(), EngineError> {
        let tally = self.tally();
        if phases.contains(&Phase::Submit)
            && tally.unsubmitted == 0
            && tally.in_doubt == 0
            && self.left_out() == 0
        {
            self.phase_done(Phase::Submit, Ran::Yes)?;
        }
        if !end.undecided.is_empty() {
            let message = format!(
                "{} submissions are in doubt and the provider cannot settle them:\n  {}\nlook at the provider's own list of jobs: where the job is not there, `evaltui resume {} --force` submits again and may pay twice if it is",
                end.undecided.len(),
                end.undecided.join("\n  "),
                self.recorder.view().run_id,
            );
            return Err(EngineError::NeedsDecision { message });
        }
        let left = tally.unsubmitted
            + tally.in_doubt
            + if phases.contains(&Phase::Poll) {
                tally.unfinished
            } else {
                0
            };
        if let (Some(level), true) = (end.stopped, left > 0) {
            return Err(EngineError::Stopped(level));
        }
        if left > 0 {
            let counts = format!(
                "{} parts have no job, {} are in doubt, {} have no results; {}",
                tally.unsubmitted,
                tally.in_doubt,
                tally.unfinished,
                self.way_on()
            );
            let lines: Vec<String> = std::iter::once(counts).chain(end.parked).collect();
            let message = lines.join("\n  ");
            return Err(EngineError::Incomplete { message });
        }
        if self.left_out() > 0 {
            // A phase of which a part was not asked for is neither done nor failed.
            let paused = phases
                .iter()
                .map(|phase| Event::PhaseEnded {
                    phase: *phase,
                    status: PhaseStatus::Stopped,
                    error: None,
                })
                .collect();
            return self.recorder.record(paused, Durability::Fsync);
        }
        if phases.contains(&Phase::Poll) {
            self.judge_coverage(&tally)?;
            self.phase_done(Phase::Poll, Ran::Yes)?;
        }
        Ok(())
    }

    fn way_on(&self) -> String {
        let run_id = &self.recorder.view().run_id;
        if self.gate.contains(Phase::Submit) {
            format!("`evaltui resume {run_id}` goes on")
        } else {
            format!("`evaltui resume {run_id} --from-step submit` submits them")
        }
    }

    fn tally(&self) -> QueueTally {
        let mut tally = QueueTally::default();
        let wanted = |part: PartKey| self.condition.is_none_or(|only| only == part.condition);
        for work in self
            .recorder
            .view()
            .works
            .iter()
            .filter(|w| w.used_by > 0 && wanted(w.part.key))
        {
            tally.rows += work.part.rows;
            match &work.state {
                WorkState::Pending => tally.unsubmitted += 1,
                WorkState::Intended { .. } | WorkState::Uploaded { .. } => tally.in_doubt += 1,
                WorkState::Submitted { .. } | WorkState::Collected { .. } => tally.unfinished += 1,
                WorkState::Done { rows, .. } => {
                    tally.answered += rows.answered;
                    if rows.answered < rows.total() {
                        tally.lossy.push(format!(
                            "{} {}: {} failed, {} missing",
                            work.owner, work.part.key, rows.failed, rows.missing
                        ));
                    }
                }
                WorkState::Failed { reason, .. } => tally.lossy.push(format!(
                    "{} {}: given up ({reason})",
                    work.owner, work.part.key
                )),
            }
        }
        tally
    }

    fn judge_coverage(&mut self, tally: &QueueTally) -> Result<(), EngineError> {
        let missing = tally.rows.saturating_sub(tally.answered);
        if missing == 0 {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "row counts stay far below 2^52")]
        let coverage = tally.answered as f64 / tally.rows.max(1) as f64;
        let floor = self.config.execution.min_coverage;
        let list = tally
            .lossy
            .iter()
            .take(20)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n  ");
        let message = format!(
            "{missing} of {} requests have no answer (coverage {:.2} %, floor {:.2} %):\n  {list}",
            tally.rows,
            coverage * 100.0,
            floor * 100.0
        );
        if coverage < floor {
            let hint = "see errors.jsonl in the parts' folders; `evaltui resume` tries given-up parts again, a lower execution.min_coverage accepts the loss";
            return Err(EngineError::LowCoverage {
                message: format!("{message}\n{hint}"),
            });
        }
        self.recorder
            .say(LogLevel::Warn, About::phase(Phase::Poll), &message);
        Ok(())
    }
}

/// Whether a phase had anything to do in this drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ran {
    Yes,
    No,
}

#[derive(Debug, Default)]
struct QueueTally {
    rows: u64,
    answered: u64,
    unsubmitted: u64,
    in_doubt: u64,
    unfinished: u64,
    lossy: Vec<String>,
}

fn missing_input(phase: Phase, path: &str) -> EngineError {
    let before = Phase::ALL[phase.index().saturating_sub(1)];
    EngineError::Incomplete {
        message: format!(
            "{phase} needs {path}, which is not there; run with --from-step {before} (or earlier) to make it"
        ),
    }
}

/// A soft or urgent stop as the exit it leads to.
pub fn is_stop(error: &EngineError) -> Option<StopLevel> {
    if let EngineError::Stopped(level) | EngineError::Phase(PhaseError::Stopped(level)) = error {
        Some(*level)
    } else {
        None
    }
}
