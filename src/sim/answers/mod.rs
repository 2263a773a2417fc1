//! Where answers come from: made up from gold answers (`oracle`) or recorded earlier (`replay`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::Condition;
use crate::domain::ids::PromptSetName;

/// Share of right answers by condition, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Under the control prompt.
    pub control: f64,
    /// Under the treatment prompt.
    pub treatment: f64,
}

impl Accuracy {
    /// The share under one condition.
    pub fn of(self, condition: Condition) -> f64 {
        match condition {
            Condition::Control => self.control,
            Condition::Treatment => self.treatment,
        }
    }
}

/// How answers are made up.
#[derive(Debug, Clone, PartialEq)]
pub struct OracleSettings {
    /// Files of prepared items (`open_book.jsonl`, `closed_book.jsonl`). Opened when the first job needs an answer, so
    /// they may be written after the server has started; one that does not exist counts as empty.
    pub items: Vec<PathBuf>,
    /// Share of right answers.
    pub accuracy: Accuracy,
    /// Share of right answers of single models, by full name or last path segment.
    pub accuracy_by_model: BTreeMap<String, Accuracy>,
    /// Share of the wrong answers to answerable open items that abstain instead of being made up, 0 to 1.
    pub abstain_when_wrong: f64,
}

/// One row of the table that tells which recording belongs to a request: requests carry the system prompt's text only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemPrompt {
    /// The system prompt; white space around it does not count.
    pub text: String,
    /// The prompt set it belongs to.
    pub prompt_set: PromptSetName,
    /// The condition it stands for.
    pub condition: Condition,
}

/// Which recorded answers are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaySettings {
    /// Folder of `<prompt_set>.<condition>.jsonl` with lines `{item_id, sample_index, response_text}`.
    pub dir: PathBuf,
    /// All system prompts in use. Where two sets share a text, the first is used.
    pub prompts: Vec<SystemPrompt>,
}

/// Where the server's answers come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// Made up from the gold answers.
    Oracle(OracleSettings),
    /// Recorded earlier.
    Replay(ReplaySettings),
}
