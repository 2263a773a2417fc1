//! The phases of a run, the gate over them, and the stages of a trial.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A step of a run, in the order of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Sources to normalised items.
    Prepare,
    /// Items to parts of batch input.
    Build,
    /// Parts to jobs.
    Submit,
    /// Jobs to results.
    Poll,
    /// Results to predictions.
    Parse,
    /// Predictions to scores.
    Score,
    /// Scores to estimates.
    Stats,
    /// Tokens to money.
    Costs,
    /// Everything to a report.
    Report,
    /// A manifest of every artifact; only when asked for.
    Archive,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Self; 10] = [
        Self::Prepare,
        Self::Build,
        Self::Submit,
        Self::Poll,
        Self::Parse,
        Self::Score,
        Self::Stats,
        Self::Costs,
        Self::Report,
        Self::Archive,
    ];

    /// The phase's name in commands and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Build => "build",
            Self::Submit => "submit",
            Self::Poll => "poll",
            Self::Parse => "parse",
            Self::Score => "score",
            Self::Stats => "stats",
            Self::Costs => "costs",
            Self::Report => "report",
            Self::Archive => "archive",
        }
    }

    /// The place in the order, from 0.
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|p| *p == self).unwrap_or(0)
    }

    /// Whether the phase works on one trial at a time (from parse to report).
    pub fn is_per_trial(self) -> bool {
        matches!(
            self,
            Self::Parse | Self::Score | Self::Stats | Self::Costs | Self::Report
        )
    }

    /// The stage of the trial manifest that this phase fills, if any.
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::Prepare | Self::Build | Self::Submit => None,
            Self::Poll => Some(Stage::Downloaded),
            Self::Parse => Some(Stage::Parsed),
            Self::Score => Some(Stage::Scored),
            Self::Stats => Some(Stage::Stats),
            Self::Costs => Some(Stage::Costs),
            Self::Report => Some(Stage::Report),
            Self::Archive => Some(Stage::Archived),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no phase; displays the allowed ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown step {given:?}; allowed are {}{}", allowed_steps(), nearest_step(.given))]
pub struct UnknownPhase {
    /// What was given.
    pub given: String,
}

fn allowed_steps() -> String {
    Phase::ALL.map(Phase::as_str).join(", ")
}

fn nearest_step(given: &str) -> String {
    super::text::nearest(given, Phase::ALL.map(Phase::as_str))
        .map_or_else(String::new, |word| format!(" (did you mean {word}?)"))
}

impl FromStr for Phase {
    type Err = UnknownPhase;
    fn from_str(text: &str) -> Result<Self, UnknownPhase> {
        Self::ALL
            .into_iter()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| UnknownPhase {
                given: text.chars().take(80).collect(),
            })
    }
}

/// How far a phase of a run has come; the words of `run_state.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseStatus {
    /// Never begun.
    #[default]
    NotStarted,
    /// Begun and not ended.
    InProgress,
    /// Done.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended because a stop was asked for.
    Stopped,
}

impl PhaseStatus {
    /// The status as written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// The per-trial view of progress; the keys of `stage_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Every part's results are here.
    Downloaded,
    /// Predictions are made.
    Parsed,
    /// Scores are made.
    Scored,
    /// Statistics are made.
    Stats,
    /// Costs are made.
    Costs,
    /// The report is written.
    Report,
    /// The archive manifest is written.
    Archived,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 7] = [
        Self::Downloaded,
        Self::Parsed,
        Self::Scored,
        Self::Stats,
        Self::Costs,
        Self::Report,
        Self::Archived,
    ];

    /// The stage's key in `stage_status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Downloaded => "downloaded",
            Self::Parsed => "parsed",
            Self::Scored => "scored",
            Self::Stats => "stats",
            Self::Costs => "costs",
            Self::Report => "report",
            Self::Archived => "archived",
        }
    }
}

/// The selected range of phases, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The first phase to do.
    pub from: Phase,
    /// The last phase to do.
    pub to: Phase,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            from: Phase::Prepare,
            to: Phase::Report,
        }
    }
}

impl Gate {
    /// The range from `from` to `to`; `None` where it would be empty.
    pub fn new(from: Phase, to: Phase) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// A single phase.
    pub fn only(phase: Phase) -> Self {
        Self {
            from: phase,
            to: phase,
        }
    }

    /// Whether the phase lies in the range.
    pub fn contains(self, phase: Phase) -> bool {
        self.from <= phase && phase <= self.to
    }

    /// Whether this is the whole run as it is without gates.
    pub fn is_whole(self) -> bool {
        self == Self::default()
    }

    /// The phases in the range, in order.
    pub fn phases(self) -> impl Iterator<Item = Phase> {
        Phase::ALL.into_iter().filter(move |p| self.contains(*p))
    }

    /// The command-line flags that select this range; empty for the whole run.
    pub fn flags(self) -> String {
        match (self.is_whole(), self.from == self.to) {
            (true, _) => String::new(),
            (false, true) => format!(" --only-step {}", self.from),
            (false, false) => {
                let from = if self.from == Phase::Prepare {
                    String::new()
                } else {
                    format!(" --from-step {}", self.from)
                };
                let to = if self.to == Phase::Report {
                    String::new()
                } else {
                    format!(" --to-step {}", self.to)
                };
                from + &to
            }
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "only {}", self.from)
        } else {
            write!(f, "from {} to {}", self.from, self.to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_lists_the_allowed_ones() {
        let text = "prase"
            .parse::<Phase>()
            .expect_err("no such step")
            .to_string();
        assert!(
            text.contains("prepare, build, submit") && text.contains("did you mean parse?"),
            "{text}"
        );
    }

    #[test]
    fn the_whole_run_stops_before_archive() {
        assert!(!Gate::default().contains(Phase::Archive));
        assert_eq!(Gate::default().flags(), "");
        assert_eq!(Gate::only(Phase::Parse).flags(), " --only-step parse");
        assert_eq!(
            Gate::new(Phase::Stats, Phase::Report)
                .map(Gate::flags)
                .as_deref(),
            Some(" --from-step stats")
        );
        assert_eq!(Gate::new(Phase::Report, Phase::Stats), None);
    }
}
