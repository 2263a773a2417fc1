//! The plan: phases as a ruler with the gate as two brackets, what is decided and why, and the minimal worklist.
//!
//! The decisions come from the code behind `evaltui plan`; nothing is decided here.

use crate::domain::decision::Action as Work;
use crate::domain::text::printable;
use crate::domain::{Gate, Phase, Plan, Usd};
use crate::engine::{FleetError, Launch};
use crate::ui::event::Target;
use crate::ui::keymap::Action;

mod draw;
mod ruler;

/// A pane that can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlanPane {
    /// Decisions and reasons.
    #[default]
    Why,
    /// The worklist.
    Worklist,
}

impl PlanPane {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Why => Self::Worklist,
            Self::Worklist => Self::Why,
        }
    }
}

/// A row of the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyRow {
    /// A difference to the configuration of the run.
    Drift(usize),
    /// A phase.
    Phase(usize),
    /// A trial in a phase.
    Trial(usize, usize),
}

/// State of the screen.
#[derive(Debug, Clone)]
pub struct PlanScreen {
    /// What is planned.
    pub target: Target,
    /// The range of phases.
    pub gate: Gate,
    /// The phase that `f`, `t` and `o` mean.
    pub phase: Phase,
    /// The number of the newest question; other answers are late.
    pub asked: u64,
    /// The newest answer.
    pub answer: Option<Result<Plan, FleetError>>,
    /// The pane that has the keys.
    pub pane: PlanPane,
    /// Whether it has all the room.
    pub zoom: bool,
    /// Whether the reasons are shown.
    pub reasons: bool,
    /// The selected reason.
    pub why: usize,
    /// The selected line of the worklist.
    pub work: usize,
    /// Words that a line of the worklist must hold.
    pub filter: String,
    /// Positions of the worklist on screen.
    pub visible: Vec<usize>,
    answered: u64,
    sums: String,
}

impl PlanScreen {
    /// A plan of everything, not answered yet.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            gate: Gate::default(),
            phase: Phase::Prepare,
            asked: 0,
            answer: None,
            pane: PlanPane::default(),
            zoom: false,
            reasons: true,
            why: 0,
            work: 0,
            filter: String::new(),
            visible: Vec::new(),
            answered: 0,
            sums: String::new(),
        }
    }

    /// Takes the answer to the newest question.
    pub fn take(&mut self, answer: Result<Plan, FleetError>) {
        let first = self.answer.is_none();
        self.answer = Some(answer);
        self.answered = self.asked;
        self.arrange();
        // The ruler starts where there is something to do.
        if first && let Some(Ok(plan)) = &self.answer {
            let todo = |d: &&crate::domain::PhaseDecision| d.decision.is_work();
            self.phase = plan
                .phases
                .iter()
                .find(todo)
                .map_or(Phase::Prepare, |d| d.phase);
        }
    }

    /// Shows only lines of the worklist that hold these words.
    pub fn set_filter(&mut self, text: &str) {
        text.clone_into(&mut self.filter);
        self.pane = PlanPane::Worklist;
        self.arrange();
    }

    fn arrange(&mut self) {
        let words: Vec<String> = self
            .filter
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let Some(Ok(plan)) = &self.answer else {
            self.visible.clear();
            return;
        };
        self.visible = (0..plan.worklist.len())
            .filter(|i| {
                let entry = &plan.worklist[*i];
                let has = |text: &str, w: &str| text.to_lowercase().contains(w);
                words.iter().all(|w| {
                    has(entry.phase.as_str(), w)
                        || has(entry.action.as_str(), w)
                        || has(&entry.reason, w)
                        || entry.trial.as_ref().is_some_and(|t| has(t.as_str(), w))
                        || entry.part.is_some_and(|p| has(&p.to_string(), w))
                })
            })
            .collect();
        self.sums = sums(plan);
        self.work = self.work.min(self.visible.len().saturating_sub(1));
        self.why = self.why.min(self.why_rows().len().saturating_sub(1));
    }

    /// Goes a phase to the left or right.
    pub fn step_phase(&mut self, action: Action) {
        let index = self.phase.index();
        let to = if action == Action::Left {
            index.saturating_sub(1)
        } else {
            index + 1
        };
        self.put_phase(to);
    }

    /// Goes to a phase.
    pub fn put_phase(&mut self, index: usize) {
        self.phase = Phase::ALL[index.min(Phase::ALL.len() - 1)];
        let rows = self.why_rows();
        let here = |r: &WhyRow| *r == WhyRow::Phase(self.phase.index());
        self.why = rows.iter().position(here).unwrap_or(0);
    }

    /// The rows of the reasons: what drifted, each phase, and the trials of the phase under the ruler's mark.
    pub fn why_rows(&self) -> Vec<WhyRow> {
        let Some(Ok(plan)) = &self.answer else {
            return Vec::new();
        };
        let mut rows: Vec<WhyRow> = (0..plan.drift.len()).map(WhyRow::Drift).collect();
        for (index, decision) in plan.phases.iter().enumerate() {
            rows.push(WhyRow::Phase(index));
            if decision.phase == self.phase {
                rows.extend((0..decision.trials.len()).map(|t| WhyRow::Trial(index, t)));
            }
        }
        rows
    }

    /// What Enter would start; `None` without a plan.
    pub fn launch(&self) -> Option<Launch> {
        let Some(Ok(plan)) = &self.answer else {
            return None;
        };
        let (run_id, config) = match &self.target {
            Target::Run(run_id) => (Some(run_id.clone()), None),
            Target::New(config) => (None, Some(config.clone())),
        };
        Some(Launch {
            run_id,
            config,
            gate: self.gate,
            force: !plan.drift.is_empty(),
        })
    }

    /// The same on the command line.
    pub fn command_line(&self) -> String {
        let flags = self.gate.flags();
        let force = match &self.answer {
            Some(Ok(plan)) if !plan.drift.is_empty() => " --force",
            _ => "",
        };
        match &self.target {
            Target::Run(run_id) => format!("evaltui resume {run_id}{flags}{force}"),
            Target::New(config) => {
                let path = config.display().to_string();
                let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
                let path = if path.chars().all(plain) {
                    path
                } else {
                    format!("'{}'", path.replace('\'', r"'\''"))
                };
                format!("evaltui run --config {}{flags}", printable(&path))
            }
        }
    }

    /// What the rule above the worklist says.
    pub fn remark(&self) -> String {
        if self.filter.is_empty() {
            return self.sums.clone();
        }
        format!("filter {} · Esc clears", printable(&self.filter))
    }

    /// New spend if everything on the worklist is done; `None` where a price is unknown.
    pub fn spend(plan: &Plan) -> Option<Usd> {
        let mut sum = Usd::ZERO;
        for entry in plan.worklist.iter().filter(|e| e.action == Work::Submit) {
            sum += entry.estimate?;
        }
        Some(sum)
    }
}

/// How much of what is on the worklist.
fn sums(plan: &Plan) -> String {
    let count = |action: Work| plan.worklist.iter().filter(|e| e.action == action).count();
    let kinds = [
        Work::Submit,
        Work::Settle,
        Work::Wait,
        Work::Download,
        Work::Share,
        Work::Run,
        Work::Blocked,
    ];
    let mut words: Vec<String> = kinds
        .into_iter()
        .map(|action| (action, count(action)))
        .filter(|(_, n)| *n > 0)
        .map(|(action, n)| format!("{n} {}", action.as_str()))
        .collect();
    words.push(match PlanScreen::spend(plan) {
        Some(spend) => format!("new spend at most {spend}"),
        None => "new spend unknown".to_owned(),
    });
    words.join(" · ")
}
