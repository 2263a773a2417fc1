//! The plan of the fixed world's stopped run, as the code behind `evaltui plan` would make it.

use super::{Scene, run};
use crate::domain::decision::Action;
use crate::domain::{
    Decision, Gate, Phase, PhaseDecision, Plan, Quote, TrialDecision, Usd, WorkStatus,
    WorklistEntry,
};

/// The plan under a gate.
pub fn plan(gate: Gate) -> Plan {
    let view = run(Scene::Stopped);
    let with = |status| view.totals.with(status);
    let mut worklist: Vec<WorklistEntry> =
        view.works.iter().filter_map(|w| entry(w, gate)).collect();
    let trials: Vec<_> = view.trials.iter().map(|t| t.trial.slug.clone()).collect();
    let later = Phase::ALL
        .into_iter()
        .filter(|p| p.is_per_trial() && gate.contains(*p));
    worklist.extend(later.flat_map(|phase| {
        trials.iter().map(move |slug| WorklistEntry {
            phase,
            trial: Some(slug.clone()),
            part: None,
            action: Action::Run,
            reason: "not done yet".to_owned(),
            estimate: None,
        })
    }));
    let phases = Phase::ALL.map(|phase| {
        let (decision, reason) = match phase {
            Phase::Prepare => (
                Decision::Skip,
                "both files are as they were made (3,610 + 6,078 items)".to_owned(),
            ),
            Phase::Build => (Decision::Skip, "160 parts are as they were made".to_owned()),
            Phase::Submit => (
                Decision::Execute,
                format!("{} of 160 parts have no job", with(WorkStatus::Pending)),
            ),
            Phase::Poll => (
                Decision::Execute,
                format!(
                    "{} jobs run at the provider",
                    with(WorkStatus::Running) + with(WorkStatus::Submitted)
                ),
            ),
            Phase::Archive => (Decision::NotAsked, "only done when asked for".to_owned()),
            _ => (Decision::Execute, "not done yet".to_owned()),
        };
        let decision = if gate.contains(phase) || decision == Decision::NotAsked {
            decision
        } else {
            Decision::Outside
        };
        let reason = if decision == Decision::Outside {
            "outside the gate".to_owned()
        } else {
            reason
        };
        let per_trial = if phase.is_per_trial() && decision == Decision::Execute {
            &trials[..]
        } else {
            &[]
        };
        PhaseDecision {
            phase,
            decision,
            reason,
            trials: per_trial
                .iter()
                .map(|t| TrialDecision {
                    trial: t.clone(),
                    decision,
                    reason: "not done yet".to_owned(),
                })
                .collect(),
        }
    });
    Plan {
        run_id: Some(view.run_id.clone()),
        gate,
        trials,
        phases: phases.into(),
        worklist,
        quote: Some(Quote {
            requests: view.totals.requests,
            requests_left: view.totals.requests - view.totals.answered,
            ..Quote::default()
        }),
        drift: Vec::new(),
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
        _ => return None,
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
