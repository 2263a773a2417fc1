//! Text for terminals and pipes. A closed pipe ends the output, not the program with a panic.

use std::io::{self, Write};

use crate::domain::text::{printable, printable_lines, shorten, thousands};
use crate::domain::{Decision, Phase, PhaseStatus, Plan, RunId, Usd, WorkStatus};
use crate::engine::{RunSummary, Standing};
use crate::snapshot::RunView;

/// Writes a line of results to standard output.
pub(super) fn out(text: &str) {
    // Nobody listens any more: there is nobody to tell.
    writeln!(io::stdout().lock(), "{text}").ok();
}

/// Writes a line of diagnostics to standard error.
pub(super) fn note(text: &str) {
    writeln!(io::stderr().lock(), "{}", printable_lines(text)).ok();
}

/// Writes an error to standard error.
pub(super) fn error(text: &str) {
    note(&format!("error: {text}"));
}

/// Writes a value as indented JSON to standard output.
pub(super) fn json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => out(&text),
        Err(problem) => error(&format!("cannot write JSON: {problem}")),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// Worklist lines shown before the rest is counted.
const WORKLIST_SHOWN: usize = 40;

/// The plan for people.
pub(super) fn plan(plan: &Plan) {
    let of = plan
        .run_id
        .as_ref()
        .map_or_else(|| "a new run".to_owned(), |id| format!("run {id}"));
    out(&format!("plan for {of}, {}", plan.gate));
    for line in &plan.drift {
        out(&format!("  drift: {}", printable(line)));
    }
    out("");
    for decision in &plan.phases {
        out(&format!(
            "  {:<8}  {:<9}  {}",
            decision.phase,
            decision.decision,
            printable(&decision.reason)
        ));
        let trials_differ = decision
            .trials
            .windows(2)
            .any(|pair| pair[0].decision != pair[1].decision || pair[0].reason != pair[1].reason);
        if trials_differ {
            for trial in decision.trials.iter().take(WORKLIST_SHOWN) {
                out(&format!(
                    "              {:<9}  {}: {}",
                    trial.decision,
                    trial.trial,
                    printable(&trial.reason)
                ));
            }
        }
    }
    out("");
    worklist(plan);
    if let Some(quote) = &plan.quote {
        out(&format!(
            "requests: {} of {} to be answered; about {} tokens in, at most {} out; at most {}",
            thousands(quote.requests_left),
            thousands(quote.requests),
            thousands(quote.prompt_tokens),
            thousands(quote.max_completion_tokens),
            quote.max_cost.map_or_else(
                || "cost unknown (no price)".to_owned(),
                |usd| usd.to_string()
            ),
        ));
    }
}

fn worklist(plan: &Plan) {
    if plan.worklist.is_empty() {
        out(
            if plan.phases.iter().any(|p| p.decision == Decision::Blocked) {
                "worklist: blocked"
            } else {
                "worklist: empty, nothing to do"
            },
        );
        return;
    }
    out(&format!("worklist: {} entries", plan.worklist.len()));
    for entry in plan.worklist.iter().take(WORKLIST_SHOWN) {
        let scope = match (&entry.trial, entry.part) {
            (Some(trial), Some(part)) => format!("{trial} {part}"),
            (Some(trial), None) => trial.to_string(),
            (None, _) => "run".to_owned(),
        };
        let estimate = entry
            .estimate
            .map_or_else(String::new, |usd| format!("  (at most {usd})"));
        out(&format!(
            "  {:<8}  {:<8}  {scope}: {}{estimate}",
            entry.phase,
            entry.action.as_str(),
            printable(&entry.reason)
        ));
    }
    if plan.worklist.len() > WORKLIST_SHOWN {
        out(&format!(
            "  ... and {} more; --json shows all",
            plan.worklist.len() - WORKLIST_SHOWN
        ));
    }
}

/// One letter for each phase's status, e.g. `✓✓►·······`.
pub(super) fn strip(phases: &[PhaseStatus; 10]) -> String {
    phases
        .iter()
        .map(|status| match status {
            PhaseStatus::NotStarted => '·',
            PhaseStatus::InProgress => '►',
            PhaseStatus::Completed => '✓',
            PhaseStatus::Failed => '✗',
            PhaseStatus::Stopped => '■',
        })
        .collect()
}

/// The list of runs for people.
pub(super) fn runs(runs: &[RunSummary]) {
    if runs.is_empty() {
        out("no runs yet; `evaltui run` makes one");
        return;
    }
    out(&format!(
        "{:<26} {:<10} {:<10} {:>9} {:>17} {:>10} {:>10}",
        "RUN", "STATE", "PHASES", "PARTS", "REQUESTS", "SPENT", "BUDGET"
    ));
    for run in runs {
        let parts = format!("{}/{}", run.parts_done, run.parts);
        let requests = format!("{}/{}", thousands(run.answered), thousands(run.requests));
        let budget = or_dash(run.budget.map(|b| b.to_string()));
        let note = if run.note.is_empty() {
            String::new()
        } else {
            format!("  {}", shorten(&run.note, 80))
        };
        out(&format!(
            "{:<26} {:<10} {:<10} {parts:>9} {requests:>17} {:>10} {budget:>10}{note}",
            run.run_id,
            run.standing.as_str(),
            strip(&run.phases),
            run.spent
        ));
    }
}

/// One run for people.
pub(super) fn run(view: &RunView, standing: Standing, root: &str) {
    let phases = Phase::ALL.map(|p| view.phase(p).status);
    out(&format!("run {} ({})", view.run_id, standing.as_str()));
    out(&format!("  folder    {root}"));
    out(&format!(
        "  config    {}  {}",
        printable(&view.config_path),
        view.config_hash.map_or_else(String::new, |h| h.short())
    ));
    out(&format!("  phases    {}", strip(&phases)));
    for phase in Phase::ALL {
        let of = view.phase(phase);
        if of.status != PhaseStatus::NotStarted {
            out(&format!(
                "    {:<8}  {}{}",
                phase,
                of.status.as_str(),
                of.last_error
                    .as_ref()
                    .map_or_else(String::new, |e| format!(": {}", printable(e)))
            ));
        }
    }
    totals(view);
    for trial in &view.trials {
        out(&format!(
            "  trial     {} ({} parts)",
            trial.trial.slug,
            trial.parts.len()
        ));
    }
    for (at, changes) in &view.drift {
        out(&format!(
            "  drift     {at}: {}",
            printable(&changes.join("; "))
        ));
    }
}

/// Parts, requests, tokens and money of a run.
fn totals(view: &RunView) {
    let totals = &view.totals;
    let states: Vec<String> = WorkStatus::ALL
        .into_iter()
        .filter(|s| totals.with(*s) > 0)
        .map(|s| format!("{} {}", totals.with(s), s.as_str()))
        .collect();
    out(&format!(
        "  parts     {} ({})",
        totals.all(),
        states.join(", ")
    ));
    out(&format!(
        "  requests  {} of {} answered, {} failed or missing",
        thousands(totals.answered),
        thousands(totals.requests),
        thousands(totals.failed)
    ));
    out(&format!(
        "  tokens    {} in, {} out",
        thousands(totals.usage.prompt_tokens),
        thousands(totals.usage.completion_tokens)
    ));
    let spent = if totals.unpriced {
        format!("{} (some prices are unknown)", totals.spent)
    } else {
        totals.spent.to_string()
    };
    out(&format!(
        "  spent     {spent}{}",
        view.budget.map_or_else(String::new, |b| format!(" of {b}"))
    ));
    out(&format!(
        "  jobs      {} accepted, {} of them adopted",
        totals.jobs, totals.adopted
    ));
}

/// A run as `show --json` and `list --json` give it.
#[derive(Debug, serde::Serialize)]
pub(super) struct RunJson<'a> {
    run_id: &'a RunId,
    state: &'static str,
    phases: std::collections::BTreeMap<&'static str, &'static str>,
    created_at: Option<String>,
    parts: u64,
    parts_done: u64,
    requests: u64,
    answered: u64,
    spent_usd: f64,
    budget_usd: Option<f64>,
    trials: Vec<String>,
    note: &'a str,
}

impl<'a> RunJson<'a> {
    /// From a line of the list.
    pub(super) fn of_summary(run: &'a RunSummary) -> Self {
        Self {
            run_id: &run.run_id,
            state: run.standing.as_str(),
            phases: Phase::ALL
                .iter()
                .map(|p| (p.as_str(), run.phases[p.index()].as_str()))
                .collect(),
            created_at: run.created_at.map(crate::sys::clock::rfc3339),
            parts: run.parts,
            parts_done: run.parts_done,
            requests: run.requests,
            answered: run.answered,
            spent_usd: run.spent.dollars(),
            budget_usd: run.budget.map(Usd::dollars),
            trials: Vec::new(),
            note: &run.note,
        }
    }

    /// From a picture.
    pub(super) fn of_view(view: &'a RunView, standing: Standing) -> Self {
        Self {
            run_id: &view.run_id,
            state: standing.as_str(),
            phases: Phase::ALL
                .iter()
                .map(|p| (p.as_str(), view.phase(*p).status.as_str()))
                .collect(),
            created_at: view.created_at.map(crate::sys::clock::rfc3339),
            parts: view.totals.all(),
            parts_done: view.totals.with(WorkStatus::Downloaded),
            requests: view.totals.requests,
            answered: view.totals.answered,
            spent_usd: view.totals.spent.dollars(),
            budget_usd: view.budget.map(Usd::dollars),
            trials: view
                .trials
                .iter()
                .map(|t| t.trial.slug.to_string())
                .collect(),
            note: "",
        }
    }
}
