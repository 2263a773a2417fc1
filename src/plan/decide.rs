//! One decision for each phase and trial, and the minimal worklist, from facts gathered on disk.
//!
//! Rules, in order: outside the gate nothing is decided; what lacks an input that the gate does not make is blocked; what
//! follows work inside the gate is done; what holds by its stamp is skipped; the rest is done.

use std::collections::BTreeMap;

use crate::domain::decision::Action;
use crate::domain::{
    Decision, Freshness, Gate, PartKey, Phase, PhaseDecision, Plan, Quote, RunId, StaleReason,
    TrialDecision, TrialSlug, Usd, WorklistEntry,
};

/// What one part of a trial lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartNeed {
    /// Nothing: its results are here and whole.
    Nothing,
    /// Its results are here, in another trial's folder.
    Share,
    /// A job, for the first time or again; says why.
    Submit(String),
    /// To know whether a submission succeeded.
    Settle,
    /// The end of its job.
    Wait(String),
    /// The download of an ended job; says why.
    Download(String),
}

/// A part and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFacts {
    /// Where it belongs.
    pub part: PartKey,
    /// What it lacks.
    pub need: PartNeed,
    /// The most that a submission would cost; `None` where the price is unknown.
    pub estimate: Option<Usd>,
}

/// A trial's state on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialFacts {
    /// The trial.
    pub slug: TrialSlug,
    /// Its parts; empty before the build.
    pub parts: Vec<WorkFacts>,
    /// Freshness of its own phases.
    pub phases: BTreeMap<Phase, Freshness>,
}

/// A run's state on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The run; `None` where it does not exist yet.
    pub run_id: Option<RunId>,
    /// Freshness of prepare, build and archive.
    pub phases: BTreeMap<Phase, Freshness>,
    /// The trials in order.
    pub trials: Vec<TrialFacts>,
    /// Whether parts are known, i.e. the build was done once.
    pub built: bool,
    /// Requests, tokens and cost of what is left.
    pub quote: Option<Quote>,
    /// Differences to the recorded configuration.
    pub drift: Vec<String>,
}

/// Makes the plan for a gate. `redo` does fresh local phases of the gate again; jobs are never redone.
pub fn decide(facts: &Facts, gate: Gate, redo: Redo) -> Plan {
    let mut planner = Planner {
        facts,
        gate,
        redo,
        working: Vec::new(),
        blocked: Vec::new(),
        worklist: Vec::new(),
    };
    let phases = Phase::ALL
        .into_iter()
        .map(|phase| planner.phase(phase))
        .collect();
    Plan {
        run_id: facts.run_id.clone(),
        gate,
        trials: facts.trials.iter().map(|t| t.slug.clone()).collect(),
        phases,
        worklist: planner.worklist,
        quote: facts.quote,
        drift: facts.drift.clone(),
    }
}

/// Whether fresh local phases are done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redo {
    /// Only what is stale.
    Stale,
    /// Also what is fresh, from parse to report; never inputs and jobs.
    Local,
}

/// The phases whose artifacts a phase reads.
fn upstream(phase: Phase) -> &'static [Phase] {
    match phase {
        Phase::Prepare => &[],
        Phase::Build => &[Phase::Prepare],
        Phase::Submit => &[Phase::Build],
        Phase::Poll => &[Phase::Submit],
        Phase::Parse => &[Phase::Poll],
        Phase::Score => &[Phase::Parse],
        Phase::Stats | Phase::Costs => &[Phase::Score],
        Phase::Report => &[Phase::Parse, Phase::Score, Phase::Stats, Phase::Costs],
        Phase::Archive => &[Phase::Report],
    }
}

/// The nearest phase before `phase` that is in the set.
fn upstream_in(phase: Phase, set: &[Phase]) -> Option<Phase> {
    let mut queue = upstream(phase).to_vec();
    while let Some(before) = queue.pop() {
        if set.contains(&before) {
            return Some(before);
        }
        queue.extend_from_slice(upstream(before));
    }
    None
}

struct Planner<'a> {
    facts: &'a Facts,
    gate: Gate,
    redo: Redo,
    working: Vec<Phase>,
    blocked: Vec<Phase>,
    worklist: Vec<WorklistEntry>,
}

impl Planner<'_> {
    fn phase(&mut self, phase: Phase) -> PhaseDecision {
        let decision = match phase {
            _ if !self.gate.contains(phase) && phase == Phase::Archive => {
                (Decision::NotAsked, "only on request".to_owned(), Vec::new())
            }
            _ if !self.gate.contains(phase) => (
                Decision::Outside,
                format!("outside the gate ({})", self.gate),
                Vec::new(),
            ),
            Phase::Submit => self.submit(),
            Phase::Poll => self.poll(),
            Phase::Prepare | Phase::Build | Phase::Archive => self.run_phase(phase),
            Phase::Parse | Phase::Score | Phase::Stats | Phase::Costs | Phase::Report => {
                self.trial_phase(phase)
            }
        };
        let (decision, reason, trials) = decision;
        if decision.is_work() {
            self.working.push(phase);
        }
        if decision == Decision::Blocked {
            self.blocked.push(phase);
        }
        PhaseDecision {
            phase,
            decision,
            reason,
            trials,
        }
    }

    fn judge(&self, phase: Phase, freshness: Option<&Freshness>) -> (Decision, String) {
        if let Some(before) = upstream_in(phase, &self.blocked) {
            return (Decision::Blocked, format!("{before} is blocked"));
        }
        if let Some(before) = upstream_in(phase, &self.working) {
            return (Decision::Execute, format!("follows {before}"));
        }
        match freshness {
            None => (Decision::Execute, StaleReason::NeverDone.to_string()),
            Some(Freshness::Stale(StaleReason::InputMissing(path))) => (
                Decision::Blocked,
                format!("needs {path}{}", self.way_on(phase)),
            ),
            Some(Freshness::Fresh) if self.redo == Redo::Local && phase.is_per_trial() => {
                (Decision::Execute, StaleReason::Forced.to_string())
            }
            Some(Freshness::Fresh) => (
                Decision::Skip,
                "inputs, outputs and settings are as recorded".to_owned(),
            ),
            Some(Freshness::Stale(reason)) => (Decision::Execute, reason.to_string()),
        }
    }

    fn way_on(&self, phase: Phase) -> String {
        match upstream(phase).first() {
            Some(before) if !self.gate.contains(*before) => {
                format!("; --from-step {before} makes it")
            }
            _ => String::new(),
        }
    }

    fn run_phase(&mut self, phase: Phase) -> (Decision, String, Vec<TrialDecision>) {
        let (decision, reason) = self.judge(phase, self.facts.phases.get(&phase));
        self.list_run(phase, None, decision, &reason);
        (decision, reason, Vec::new())
    }

    fn list_run(
        &mut self,
        phase: Phase,
        trial: Option<&TrialSlug>,
        decision: Decision,
        reason: &str,
    ) {
        let action = match decision {
            Decision::Repair | Decision::Execute => Action::Run,
            Decision::Blocked => Action::Blocked,
            Decision::Skip | Decision::Outside | Decision::NotAsked => return,
        };
        self.worklist.push(WorklistEntry {
            phase,
            trial: trial.cloned(),
            part: None,
            action,
            reason: reason.to_owned(),
            estimate: None,
        });
    }

    fn trial_phase(&mut self, phase: Phase) -> (Decision, String, Vec<TrialDecision>) {
        let mut trials = Vec::with_capacity(self.facts.trials.len());
        for trial in &self.facts.trials {
            let (decision, reason) = self.judge(phase, trial.phases.get(&phase));
            self.list_run(phase, Some(&trial.slug), decision, &reason);
            trials.push(TrialDecision {
                trial: trial.slug.clone(),
                decision,
                reason,
            });
        }
        let count = |wanted: Decision| trials.iter().filter(|t| t.decision == wanted).count();
        let (work, skipped) = (count(Decision::Execute), count(Decision::Skip));
        let first_reason = |wanted: Decision| {
            trials
                .iter()
                .find(|t| t.decision == wanted)
                .map_or_else(String::new, |t| t.reason.clone())
        };
        let of_all = |n: usize| {
            if trials.len() == 1 {
                String::new()
            } else {
                format!("{n} of {} trials: ", trials.len())
            }
        };
        let (decision, reason) = if count(Decision::Blocked) > 0 {
            (Decision::Blocked, first_reason(Decision::Blocked))
        } else if work == 0 {
            (Decision::Skip, first_reason(Decision::Skip))
        } else if skipped > 0 {
            (
                Decision::Repair,
                of_all(work) + &first_reason(Decision::Execute),
            )
        } else {
            (
                Decision::Execute,
                of_all(work) + &first_reason(Decision::Execute),
            )
        };
        (decision, reason, trials)
    }

    fn parts(&self) -> impl Iterator<Item = (&TrialSlug, &WorkFacts)> {
        self.facts
            .trials
            .iter()
            .flat_map(|t| t.parts.iter().map(move |p| (&t.slug, p)))
    }

    /// Both queue phases need the parts; says why there are none, if so.
    fn before_parts(&self, phase: Phase) -> Option<(Decision, String, Vec<TrialDecision>)> {
        // Submit and poll overlap: what submit does is no reason for poll; part by part it is.
        let without_submit = |set: &[Phase]| {
            set.iter()
                .copied()
                .filter(|p| *p != Phase::Submit)
                .collect::<Vec<_>>()
        };
        if let Some(before) = upstream_in(phase, &without_submit(&self.blocked)) {
            return Some((
                Decision::Blocked,
                format!("{before} is blocked"),
                Vec::new(),
            ));
        }
        if let Some(before) = upstream_in(phase, &without_submit(&self.working)) {
            return Some((Decision::Execute, format!("follows {before}"), Vec::new()));
        }
        (!self.facts.built).then(|| {
            (
                Decision::Blocked,
                "no part is built; --from-step build makes them".to_owned(),
                Vec::new(),
            )
        })
    }

    fn submit(&mut self) -> (Decision, String, Vec<TrialDecision>) {
        if let Some(early) = self.before_parts(Phase::Submit) {
            self.list_run(Phase::Submit, None, early.0, &early.1);
            return early;
        }
        let total = self.parts().count();
        let mut entries = Vec::new();
        let mut doubtful = 0;
        for (trial, part) in self.parts() {
            let (action, reason, estimate) = match &part.need {
                PartNeed::Submit(why) => (Action::Submit, why.clone(), part.estimate),
                PartNeed::Settle => (
                    Action::Settle,
                    "its submission was interrupted; the provider is asked first".to_owned(),
                    None,
                ),
                PartNeed::Nothing | PartNeed::Share | PartNeed::Wait(_) | PartNeed::Download(_) => {
                    continue;
                }
            };
            doubtful += usize::from(action == Action::Settle);
            entries.push(WorklistEntry {
                phase: Phase::Submit,
                trial: Some(trial.clone()),
                part: Some(part.part),
                action,
                reason,
                estimate,
            });
        }
        let open = entries.len();
        self.worklist.extend(entries);
        let in_doubt = if doubtful > 0 {
            format!(", {doubtful} in doubt")
        } else {
            String::new()
        };
        match open {
            0 => (
                Decision::Skip,
                format!("{total} of {total} parts have a recorded job or results"),
                Vec::new(),
            ),
            n if n == total => (
                Decision::Execute,
                format!("none of {total} parts has a job{in_doubt}"),
                Vec::new(),
            ),
            n => (
                Decision::Repair,
                format!("{n} of {total} parts have no job{in_doubt}"),
                Vec::new(),
            ),
        }
    }

    fn poll(&mut self) -> (Decision, String, Vec<TrialDecision>) {
        if let Some(early) = self.before_parts(Phase::Poll) {
            self.list_run(Phase::Poll, None, early.0, &early.1);
            return early;
        }
        let submits = self.gate.contains(Phase::Submit);
        let total = self.parts().count();
        let mut entries = Vec::new();
        let mut missing = 0;
        for (trial, part) in self.parts() {
            let (action, reason) = match &part.need {
                PartNeed::Nothing => continue,
                PartNeed::Share => (
                    Action::Share,
                    "equal part of another trial is here".to_owned(),
                ),
                PartNeed::Wait(job) => (
                    Action::Wait,
                    format!("job {job} is not known to have ended"),
                ),
                PartNeed::Download(why) => (Action::Download, why.clone()),
                PartNeed::Settle | PartNeed::Submit(_) if submits => {
                    missing += 1;
                    continue;
                }
                PartNeed::Settle => (
                    Action::Settle,
                    "its submission was interrupted; the provider is asked first".to_owned(),
                ),
                PartNeed::Submit(_) => (
                    Action::Blocked,
                    "has no job; --from-step submit would make one".to_owned(),
                ),
            };
            missing += 1;
            entries.push(WorklistEntry {
                phase: Phase::Poll,
                trial: Some(trial.clone()),
                part: Some(part.part),
                action,
                reason,
                estimate: None,
            });
        }
        let blocked = entries
            .iter()
            .filter(|e| e.action == Action::Blocked)
            .count();
        self.worklist.extend(entries);
        let (decision, reason) = judge_results(total, missing, blocked);
        (decision, reason, Vec::new())
    }
}

/// What is to be done about the results of all parts: how many there are, lack results, and cannot get any in this gate.
fn judge_results(total: usize, missing: usize, blocked: usize) -> (Decision, String) {
    match missing {
        0 => (
            Decision::Skip,
            format!("{total} of {total} parts have whole results"),
        ),
        n if blocked == n => (
            Decision::Blocked,
            format!("{n} of {total} parts have no job; --from-step submit makes them"),
        ),
        n if n == total => (
            Decision::Execute,
            format!("none of {total} parts has results"),
        ),
        n => (
            Decision::Repair,
            format!("{n} of {total} parts lack whole results"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(needs: &[PartNeed], local: &Freshness) -> Facts {
        let parts = needs
            .iter()
            .enumerate()
            .map(|(i, need)| WorkFacts {
                part: format!("t0_control_p{:02}", i + 1)
                    .parse()
                    .expect("a part key"),
                need: need.clone(),
                estimate: None,
            })
            .collect();
        let phases = [
            Phase::Parse,
            Phase::Score,
            Phase::Stats,
            Phase::Costs,
            Phase::Report,
        ]
        .map(|p| (p, local.clone()))
        .into();
        Facts {
            run_id: None,
            phases: [
                (Phase::Prepare, Freshness::Fresh),
                (Phase::Build, Freshness::Fresh),
            ]
            .into(),
            trials: vec![TrialFacts {
                slug: TrialSlug::new("t").expect("plain"),
                parts,
                phases,
            }],
            built: true,
            quote: None,
            drift: Vec::new(),
        }
    }

    fn decisions(plan: &Plan) -> Vec<&'static str> {
        plan.phases.iter().map(|p| p.decision.as_str()).collect()
    }

    #[test]
    fn a_finished_run_has_an_empty_worklist() {
        let plan = decide(
            &facts(&[PartNeed::Nothing], &Freshness::Fresh),
            Gate::default(),
            Redo::Stale,
        );
        assert!(plan.is_done() && plan.worklist.is_empty());
    }

    #[test]
    fn everything_after_work_is_work() {
        let needs = [PartNeed::Nothing, PartNeed::Wait("j".into())];
        let plan = decide(
            &facts(&needs, &Freshness::Fresh),
            Gate::default(),
            Redo::Stale,
        );
        assert_eq!(
            decisions(&plan),
            [
                "skip",
                "skip",
                "skip",
                "repair",
                "execute",
                "execute",
                "execute",
                "execute",
                "execute",
                "not asked"
            ]
        );
        assert_eq!(plan.worklist.len(), 6);
    }

    #[test]
    fn what_the_gate_cannot_reach_is_blocked_and_says_what_frees_it() {
        let stale = Freshness::Stale(StaleReason::InputMissing("results.jsonl".into()));
        let plan = decide(
            &facts(&[PartNeed::Submit("new".into())], &stale),
            Gate::only(Phase::Parse),
            Redo::Stale,
        );
        let parse = plan.phase(Phase::Parse).expect("decided");
        assert_eq!(parse.decision, Decision::Blocked);
        assert!(
            parse.reason.contains("--from-step poll"),
            "{}",
            parse.reason
        );

        let plan = decide(
            &facts(&[PartNeed::Submit("new".into())], &stale),
            Gate::only(Phase::Poll),
            Redo::Stale,
        );
        assert_eq!(
            plan.phase(Phase::Poll).map(|p| p.decision),
            Some(Decision::Blocked)
        );
    }

    #[test]
    fn a_new_run_does_everything_in_order() {
        let nothing = Facts {
            built: false,
            phases: BTreeMap::new(),
            ..facts(&[], &Freshness::Stale(StaleReason::NeverDone))
        };
        let plan = decide(&nothing, Gate::default(), Redo::Stale);
        assert!(
            decisions(&plan)[..9].iter().all(|d| *d == "execute"),
            "{:?}",
            decisions(&plan)
        );
    }

    #[test]
    fn redo_never_touches_jobs() {
        let plan = decide(
            &facts(&[PartNeed::Nothing], &Freshness::Fresh),
            Gate::default(),
            Redo::Local,
        );
        assert_eq!(
            plan.phase(Phase::Submit).map(|p| p.decision),
            Some(Decision::Skip)
        );
        assert_eq!(
            plan.phase(Phase::Stats).map(|p| p.decision),
            Some(Decision::Execute)
        );
    }
}
