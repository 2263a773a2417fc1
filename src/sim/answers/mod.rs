//! Where answers come from: made up from gold answers (`oracle`) or recorded earlier (`replay`).

mod lines;
mod oracle;
mod replay;
mod wording;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::SimError;
use super::row::RowFault;
use crate::domain::ids::PromptSetName;
use crate::domain::{Condition, CustomId};

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

impl Answers {
    /// Checks what can be checked before the first job: shares, and that recordings have a folder.
    pub(super) fn check(&self) -> Result<(), SimError> {
        match self {
            Self::Replay(settings) => std::fs::read_dir(&settings.dir)
                .map(drop)
                .map_err(SimError::file("read", &settings.dir)),
            Self::Oracle(settings) => {
                let all = settings.accuracy_by_model.values();
                let shares = all
                    .chain([&settings.accuracy])
                    .flat_map(|a| [("accuracy", a.control), ("accuracy", a.treatment)])
                    .chain([("abstain_when_wrong", settings.abstain_when_wrong)]);
                for (what, value) in shares {
                    if !(0.0..=1.0).contains(&value) {
                        return Err(SimError::OutOfRange { what, value });
                    }
                }
                Ok(())
            }
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The row's name.
    pub custom_id: &'a str,
    /// The model.
    pub model: &'a str,
    /// The system prompt; empty where there is none.
    pub system: &'a str,
    /// Which of several answers to one row, from 0.
    pub choice: u32,
}

/// The source of all answers of a server.
#[derive(Debug)]
pub(super) enum AnswerBook {
    /// Made up.
    Oracle(oracle::Oracle),
    /// Recorded.
    Replay(replay::Replay),
}

impl AnswerBook {
    /// A book for the settings; its files are opened when the first session begins.
    pub(super) fn new(answers: Answers, seed: u64) -> Self {
        match answers {
            Answers::Oracle(settings) => Self::Oracle(oracle::Oracle::new(settings, seed)),
            Answers::Replay(settings) => Self::Replay(replay::Replay::new(settings)),
        }
    }

    /// Begins to answer the rows of a job.
    pub(super) fn session(&self) -> Result<Session<'_>, SimError> {
        Ok(match self {
            Self::Oracle(oracle) => Session::Oracle(oracle.session()?),
            Self::Replay(replay) => Session::Replay(replay.session()?),
        })
    }
}

/// Answers the rows of one job.
#[derive(Debug)]
pub(super) enum Session<'a> {
    /// Made up.
    Oracle(oracle::OracleSession<'a>),
    /// Recorded.
    Replay(replay::ReplaySession<'a>),
}

impl Session<'_> {
    /// Answers one row, or says why the row has no answer.
    pub(super) fn answer(&mut self, ask: &Ask<'_>) -> Result<Result<String, RowFault>, SimError> {
        let Ok(id) = CustomId::parse(ask.custom_id) else {
            let what = "custom_id names no item, so there is nothing to answer with";
            return Ok(Err(RowFault::invalid(400, what)));
        };
        match self {
            Self::Oracle(session) => session.answer(&id, ask),
            Self::Replay(session) => session.answer(&id, ask),
        }
    }
}
