//! The plan of the fixed world's stopped run, as the code behind `evaltui plan` would make it.

use super::{Scene, run};
use crate::domain::decision::Action;
use crate::domain::{
    Decision, Gate, Phase, PhaseDecision, Plan, Quote, TrialDecision, TrialSlug, Usd, WorkStatus,
    WorklistEntry,
};
use crate::snapshot::RunView;

/// The plan under a gate.
pub fn plan(gate: Gate) -> Plan {
    let view = run(Scene::Stopped);
    let mut worklist: Vec<WorklistEntry> =
        view.works.iter().filter_map(|w| entry(w, gate)).collect();
    let trials: Vec<TrialSlug> = view.trials.iter().map(|t| t.trial.slug.clone()).collect();
    let later = Phase::ALL
        .into_iter()
        .filter(|p| p.is_per_trial() && gate.contains(*p));
    worklist.extend(later.flat_map(|phase| trials.iter().map(move |slug| later_work(phase, slug))));
    Plan {
        run_id: Some(view.run_id.clone()),
        gate,
        phases: Phase::ALL
            .map(|phase| decide(phase, gate, (&view, &trials)))
            .into(),
        trials,
        worklist,
        quote: Some(Quote {
            requests: view.totals.requests,
            requests_left: view.totals.requests - view.totals.answered,
            ..Quote::default()
        }),
        drift: Vec::new(),
    }
}

fn later_work(phase: Phase, slug: &TrialSlug) -> WorklistEntry {
    WorklistEntry {
        phase,
        trial: Some(slug.clone()),
        part: None,
        action: Action::Run,
        reason: "not done yet".to_owned(),
        estimate: None,
    }
}

fn decide(phase: Phase, gate: Gate, (view, trials): (&RunView, &[TrialSlug])) -> PhaseDecision {
    let with = |status| view.totals.with(status);
    let (decision, reason) = match phase {
        _ if !gate.contains(phase) && phase != Phase::Archive => {
            (Decision::Outside, "outside the gate".to_owned())
        }
        Phase::Prepare => {
            let reason = "both files are as they were made (3,610 + 6,078 items)";
            (Decision::Skip, reason.to_owned())
        }
        Phase::Build => (Decision::Skip, "160 parts are as they were made".to_owned()),
        Phase::Submit => {
            let n = with(WorkStatus::Pending);
            (Decision::Execute, format!("{n} of 160 parts have no job"))
        }
        Phase::Poll => {
            let n = with(WorkStatus::Running) + with(WorkStatus::Submitted);
            (Decision::Execute, format!("{n} jobs run at the provider"))
        }
        Phase::Archive => (Decision::NotAsked, "only done when asked for".to_owned()),
        Phase::Parse | Phase::Score | Phase::Stats | Phase::Costs | Phase::Report => {
            (Decision::Execute, "not done yet".to_owned())
        }
    };
    let per_trial = phase.is_per_trial() && decision == Decision::Execute;
    let trial = |trial: &TrialSlug| TrialDecision {
        trial: trial.clone(),
        decision,
        reason: reason.clone(),
    };
    PhaseDecision {
        phase,
        decision,
        trials: if per_trial {
            trials.iter().map(trial).collect()
        } else {
            Vec::new()
        },
        reason,
    }
}

fn entry(work: &crate::snapshot::WorkView, gate: Gate) -> Option<WorklistEntry> {
    let (phase, action, reason, estimate) = match work.state.status() {
        WorkStatus::Pending if !gate.contains(Phase::Submit) => (
            Phase::Submit,
            Action::Blocked,
            "no job yet, and submit is outside the gate".to_owned(),
            None,
        ),
        WorkStatus::Pending => (
            Phase::Submit,
            Action::Submit,
            format!("{} requests were never sent", work.part.rows),
            Some(Usd::from_nanos(341_000_000)),
        ),
        WorkStatus::Submitted | WorkStatus::Running => {
            let job = work.state.job()?;
            (
                Phase::Poll,
                Action::Wait,
                format!("job {job} runs at the provider"),
                None,
            )
        }
        WorkStatus::Completed => (
            Phase::Poll,
            Action::Download,
            "ended, results are not here".to_owned(),
            None,
        ),
        WorkStatus::InDoubt | WorkStatus::Downloaded | WorkStatus::Failed | WorkStatus::Expired => {
            return None;
        }
    };
    Some(WorklistEntry {
        phase,
        trial: Some(work.owner.clone()),
        part: Some(work.part.key),
        action,
        reason,
        estimate,
    })
}
