//! The plan as a value: one decision for each phase and trial, the worklist and the quote.
//!
//! Printed by `plan`, shown by the console, followed by the engine. Made in `plan/`.

use std::fmt;

use serde::Serialize;

use super::ids::{PartKey, RunId, TrialSlug};
use super::phase::{Gate, Phase};
use super::units::Usd;

/// What happens to a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Done already and still right.
    Skip,
    /// Done in part, or damaged: only what is missing is done.
    Repair,
    /// To be done.
    Execute,
    /// Wanted, but something outside the gate would have to be done first.
    Blocked,
    /// Outside the selected range.
    Outside,
    /// Only done when asked for.
    NotAsked,
}

impl Decision {
    /// The word in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Repair => "repair",
            Self::Execute => "execute",
            Self::Blocked => "blocked",
            Self::Outside => "outside",
            Self::NotAsked => "not asked",
        }
    }

    /// Whether the engine has something to do.
    pub fn is_work(self) -> bool {
        matches!(self, Self::Repair | Self::Execute)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The decision for one trial in a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialDecision {
    /// The trial.
    pub trial: TrialSlug,
    /// What happens.
    pub decision: Decision,
    /// Why, as a sentence fragment.
    pub reason: String,
}

/// The decision for one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseDecision {
    /// The phase.
    pub phase: Phase,
    /// What happens.
    pub decision: Decision,
    /// Why, as a sentence fragment.
    pub reason: String,
    /// For phases that work on one trial at a time: each trial's decision.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<TrialDecision>,
}

/// What is done to one thing on the worklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Run the phase for this scope.
    Run,
    /// Submit a part as a new job. The only action that costs money.
    Submit,
    /// Ask the provider for a submission whose outcome is not known.
    Settle,
    /// Wait for a job that runs.
    Wait,
    /// Fetch the results of an ended job.
    Download,
    /// Copy or link results that another trial shares.
    Share,
    /// Impossible under this gate.
    Blocked,
}

impl Action {
    /// The word in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Submit => "submit",
            Self::Settle => "settle",
            Self::Wait => "wait",
            Self::Download => "download",
            Self::Share => "share",
            Self::Blocked => "blocked",
        }
    }
}

/// One thing still to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorklistEntry {
    /// The phase it belongs to.
    pub phase: Phase,
    /// The trial, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialSlug>,
    /// The part, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<PartKey>,
    /// What is done.
    pub action: Action,
    /// Why, as a sentence fragment.
    pub reason: String,
    /// Expected new cost; `None` where the price is unknown or nothing is spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Usd>,
}

/// What the run would cost and hold, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Quote {
    /// Requests in all parts, shared ones once.
    pub requests: u64,
    /// Requests not answered yet.
    pub requests_left: u64,
    /// Estimated input tokens of what is left.
    pub prompt_tokens: u64,
    /// Highest possible output tokens of what is left (every answer at its limit).
    pub max_completion_tokens: u64,
    /// Highest possible cost of what is left; `None` where a price is unknown.
    pub max_cost: Option<Usd>,
}

/// What would be done and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The run; `None` where it does not exist yet.
    pub run_id: Option<RunId>,
    /// The selected range.
    pub gate: Gate,
    /// Trials of the run, in order.
    pub trials: Vec<TrialSlug>,
    /// One decision for each phase, in order.
    pub phases: Vec<PhaseDecision>,
    /// The minimal list of things to do.
    pub worklist: Vec<WorklistEntry>,
    /// Requests, tokens and cost; `None` before the parts are built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The differences to the configuration the run was made with; empty where there is none.
    pub drift: Vec<String>,
}

impl Plan {
    /// The decision for a phase.
    pub fn phase(&self, phase: Phase) -> Option<&PhaseDecision> {
        self.phases.iter().find(|d| d.phase == phase)
    }

    /// Whether nothing is to be done.
    pub fn is_done(&self) -> bool {
        self.phases
            .iter()
            .all(|d| !d.decision.is_work() && d.decision != Decision::Blocked)
    }
}
