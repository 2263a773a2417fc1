//! Facts for the plan, gathered from disk: freshness of each phase, and what each part lacks. Reads only.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::EngineError;
use crate::config::Config;
use crate::domain::{
    Digest, Freshness, Phase, PhaseStatus, Quote, StaleReason, TrialSlug, Usd, WorkState,
};
use crate::phases::{self, Ctx, Scope};
use crate::plan::{Facts, PartNeed, TrialFacts, WorkFacts};
use crate::snapshot::{RunView, TrialView, WorkView};
use crate::store::stamp::{self, Wanted};
use crate::store::{Digests, StoreError};

/// Characters of English text per token, for estimates before a provider has counted.
const BYTES_PER_TOKEN: u64 = 4;

/// The facts of a run that does not exist yet: nothing is done.
pub fn of_new_run(config: &Config) -> Facts {
    let trials = config.trials.iter().map(|trial| TrialFacts {
        slug: trial.slug.clone(),
        parts: Vec::new(),
        phases: BTreeMap::new(),
    });
    Facts {
        run_id: None,
        phases: BTreeMap::new(),
        trials: trials.collect(),
        built: false,
        quote: None,
        drift: Vec::new(),
    }
}

/// Gathers the facts of a run.
pub fn gather(ctx: &Ctx, digests: &Digests, drift: Vec<String>) -> Result<Facts, EngineError> {
    let mut phases = BTreeMap::new();
    for phase in [Phase::Prepare, Phase::Build, Phase::Archive] {
        phases.insert(phase, freshness(phase, ctx, &Scope::Run, digests)?);
    }
    let mut trials = Vec::new();
    let mut built = false;
    for wanted in &ctx.config.trials {
        let Some(trial) = ctx.view.trial(&wanted.slug) else {
            trials.push(TrialFacts {
                slug: wanted.slug.clone(),
                parts: Vec::new(),
                phases: BTreeMap::new(),
            });
            continue;
        };
        built |= !trial.parts.is_empty();
        let mut of_trial = BTreeMap::new();
        for phase in Phase::ALL.into_iter().filter(|p| p.is_per_trial()) {
            of_trial.insert(
                phase,
                freshness(
                    phase,
                    ctx,
                    &Scope::Trial(std::sync::Arc::clone(trial)),
                    digests,
                )?,
            );
        }
        // The aggregate over the trials belongs to the report; where it is stale, so is the last trial's.
        if let Some(report) = of_trial.get_mut(&Phase::Report)
            && *report == Freshness::Fresh
        {
            *report = freshness(Phase::Report, ctx, &Scope::Run, digests)?;
        }
        trials.push(TrialFacts {
            slug: wanted.slug.clone(),
            parts: parts(ctx, trial, digests)?,
            phases: of_trial,
        });
    }
    let quote = built.then(|| quote(ctx));
    Ok(Facts {
        run_id: Some(ctx.view.run_id.clone()),
        phases,
        trials,
        built,
        quote,
        drift,
    })
}

/// Compares a phase's stamp with what is on disk and configured now.
pub fn freshness(
    phase: Phase,
    ctx: &Ctx,
    scope: &Scope,
    digests: &Digests,
) -> Result<Freshness, EngineError> {
    let stamp = ctx.view.stamp(phase, scope.slug());
    let inputs = phases::needs(phase, ctx, scope)?;
    if let Some(missing) = inputs.iter().find(|path| !path.exists()) {
        return Ok(Freshness::Stale(StaleReason::InputMissing(
            ctx.paths.relative(missing),
        )));
    }
    if stamp.is_none() {
        return Ok(Freshness::Stale(StaleReason::NeverDone));
    }
    let outputs = phases::makes(phase, ctx, scope)?;
    let wanted = Wanted {
        knobs: phases::knobs(phase, ctx, scope)?,
        inputs: &inputs,
        outputs: &outputs,
    };
    Ok(stamp::check(stamp, &wanted, &ctx.paths, digests)?)
}

fn parts(ctx: &Ctx, trial: &TrialView, digests: &Digests) -> Result<Vec<WorkFacts>, EngineError> {
    let mut facts = Vec::with_capacity(trial.parts.len());
    for part in &trial.parts {
        let work = &ctx.view.works[part.work];
        let mut need = need(work, ctx);
        if need == PartNeed::Nothing {
            need = need_of_files(ctx, &trial.trial.slug, part.key, work, digests)?;
        }
        let pays = matches!(need, PartNeed::Submit(_)) && work.owner == trial.trial.slug;
        let estimate = if pays { most_cost(ctx, work) } else { None };
        facts.push(WorkFacts {
            part: part.key,
            need,
            estimate,
        });
    }
    Ok(facts)
}

/// Whether what was given up stays so: the phase ended within the coverage that was asked for, and a finished run sends
/// nothing (contract, section 9).
pub fn is_accepted_loss(view: &RunView) -> bool {
    view.phase(Phase::Poll).status == PhaseStatus::Completed
}

fn need(work: &WorkView, ctx: &Ctx) -> PartNeed {
    let next = work.next_attempt();
    match &work.state {
        WorkState::Pending if next == 1 => PartNeed::Submit("has no job yet".into()),
        WorkState::Pending => PartNeed::Submit(format!("attempt {next} is due")),
        WorkState::Failed { .. } if is_accepted_loss(&ctx.view) => PartNeed::Nothing,
        WorkState::Failed { reason, .. } => PartNeed::Submit(format!("was given up: {reason}")),
        WorkState::Intended { .. } | WorkState::Uploaded { .. } => PartNeed::Settle,
        WorkState::Submitted { state, .. } if state.is_terminal() => {
            PartNeed::Download(format!("job ended ({state}), results not downloaded"))
        }
        WorkState::Submitted { job, .. } => PartNeed::Wait(job.to_string()),
        WorkState::Collected { retryable, .. }
            if *retryable > 0 && next <= ctx.config.execution.max_item_retries + 1 =>
        {
            PartNeed::Submit(format!(
                "{retryable} rows failed or are missing; attempt {next} is due"
            ))
        }
        WorkState::Collected { .. } => {
            PartNeed::Download("downloaded, not put in place yet".into())
        }
        WorkState::Done { .. } => PartNeed::Nothing,
    }
}

fn need_of_files(
    ctx: &Ctx,
    slug: &TrialSlug,
    key: crate::domain::PartKey,
    work: &WorkView,
    digests: &Digests,
) -> Result<PartNeed, EngineError> {
    let WorkState::Done { results, .. } = &work.state else {
        return Ok(PartNeed::Nothing);
    };
    let mine = ctx.trial_paths(slug).part(key).results();
    let why = match holds(&mine, *results, digests)? {
        Holds::Yes => return Ok(PartNeed::Nothing),
        Holds::Missing => "results.jsonl is missing",
        Holds::Other => "results.jsonl is not as downloaded (sha256 differs)",
    };
    let owners = ctx.trial_paths(&work.owner).part(work.part.key).results();
    if owners != mine && holds(&owners, *results, digests)? == Holds::Yes {
        return Ok(PartNeed::Share);
    }
    Ok(PartNeed::Download(why.into()))
}

/// Whether a file has the wanted bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It has.
    Yes,
    /// It is not there.
    Missing,
    /// It has others.
    Other,
}

/// Compares a file with a digest.
pub fn holds(path: &Path, wanted: Digest, digests: &Digests) -> Result<Holds, StoreError> {
    match digests.digest(path) {
        Ok((found, _)) if found == wanted => Ok(Holds::Yes),
        Ok(_) => Ok(Holds::Other),
        Err(error) if error.is_not_found() => Ok(Holds::Missing),
        Err(error) => Err(error),
    }
}

/// The most a part can cost: its bytes as input, every answer at its limit.
fn most_cost(ctx: &Ctx, work: &WorkView) -> Option<Usd> {
    let trial = ctx.view.trial(&work.owner)?;
    let price = ctx.config.pricing.of(&trial.trial.model)?;
    let (prompt_tokens, completion_tokens) = most_tokens(work, &trial.trial);
    Some(price.cost(crate::domain::TokenUsage {
        prompt_tokens,
        completion_tokens,
        cached_tokens: 0,
    }))
}

fn most_tokens(work: &WorkView, trial: &crate::domain::Trial) -> (u64, u64) {
    let most = trial
        .max_new_tokens
        .closed_book
        .max(trial.max_new_tokens.open_book);
    let left = work.part.rows.saturating_sub(work.rows.answered);
    (
        work.part.bytes / BYTES_PER_TOKEN * left / work.part.rows.max(1),
        left * u64::from(most),
    )
}

fn quote(ctx: &Ctx) -> Quote {
    let mut quote = Quote {
        max_cost: Some(Usd::ZERO),
        ..Quote::default()
    };
    for work in ctx.view.works.iter().filter(|w| w.used_by > 0) {
        let Some(trial) = ctx.view.trial(&work.owner) else {
            continue;
        };
        quote.requests += work.part.rows;
        if matches!(work.state, WorkState::Done { .. }) {
            continue;
        }
        quote.requests_left += work.part.rows.saturating_sub(work.rows.answered);
        let (prompt, completion) = most_tokens(work, &trial.trial);
        quote.prompt_tokens += prompt;
        quote.max_completion_tokens += completion;
        quote.max_cost = quote
            .max_cost
            .zip(most_cost(ctx, work))
            .map(|(sum, cost)| sum + cost);
    }
    quote
}
