//! How the rows of a trial ended: answered, refused, truncated, empty, missing. Never a silent 0.

use std::collections::BTreeMap;
use std::io::Read;

use super::error::{ReportError, Table};
use crate::domain::Condition;

/// How one answered row ended, by its `finish_reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Ended by itself (`stop`, `end_turn`, `stop_sequence`, `eos`).
    Answered,
    /// Cut at its output limit (`length`, `max_tokens`).
    Truncated,
    /// Withheld (`content_filter`, `refusal`, `safety`).
    Refused,
    /// Nothing in it.
    Empty,
    /// Another reason, or none was given.
    Other,
}

impl Outcome {
    /// All, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Answered,
        Self::Truncated,
        Self::Refused,
        Self::Empty,
        Self::Other,
    ];

    /// The outcome of a row.
    ///
    /// A refusal or a cut explains an empty text, so the finish reason is asked first.
    pub fn of(finish_reason: &str, response_text: &str) -> Self {
        match finish_reason.to_ascii_lowercase().as_str() {
            "length" | "max_tokens" | "max_output_tokens" => Self::Truncated,
            "content_filter" | "refusal" | "safety" => Self::Refused,
            _ if response_text.trim().is_empty() => Self::Empty,
            "stop" | "end_turn" | "stop_sequence" | "eos" => Self::Answered,
            _ => Self::Other,
        }
    }

    /// The words in the report.
    pub fn label(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Truncated => "truncated at the output limit",
            Self::Refused => "refused or filtered",
            Self::Empty => "empty answer",
            Self::Other => "other or unknown finish reason",
        }
    }
}

/// Rows of one condition by how they ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Rows in `predictions.csv` by outcome.
    pub rows: BTreeMap<Outcome, u64>,
    /// Rows that came back as errors and were given up.
    pub failed: u64,
    /// Rows that never came back.
    pub missing: u64,
}

impl Outcomes {
    /// Rows that were asked for.
    pub fn requested(&self) -> u64 {
        self.came_back() + self.failed + self.missing
    }

    /// Rows in `predictions.csv`.
    pub fn came_back(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Counts the rows of `predictions.csv` by condition and outcome; failed and missing ones are the caller's to add.
pub fn outcomes(predictions: impl Read) -> Result<BTreeMap<Condition, Outcomes>, ReportError> {
    let mut table = Table::new("predictions.csv", predictions);
    let [condition_at, finish_at, text_at] =
        table.columns(["condition", "finish_reason", "response_text"])?;
    let mut by_condition: BTreeMap<Condition, Outcomes> = BTreeMap::new();
    while table.advance()? {
        let condition = table.value(condition_at, "condition")?;
        let outcome = Outcome::of(
            table.text(finish_at, "finish_reason")?,
            table.text(text_at, "response_text")?,
        );
        let counts = by_condition.entry(condition).or_default();
        *counts.rows.entry(outcome).or_default() += 1;
    }
    Ok(by_condition)
}
