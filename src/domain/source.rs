//! Where questions come from: a file, its format and how its fields are named.

use serde::{Deserialize, Serialize};

use super::ids::DatasetName;
use super::item::ScorerName;
use super::request::ItemType;

/// The format of a dataset file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetFormat {
    /// SQuAD 2.0 official JSON.
    Squad,
    /// Natural Questions Open official JSONL.
    NqOpen,
    /// TriviaQA official JSON.
    #[serde(rename = "triviaqa")]
    TriviaQa,
    /// GSM8K official JSONL.
    Gsm8k,
    /// General JSONL with a field map.
    Jsonl,
    /// General CSV with a header and a field map.
    Csv,
}

impl DatasetFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::Squad,
        Self::NqOpen,
        Self::TriviaQa,
        Self::Gsm8k,
        Self::Jsonl,
        Self::Csv,
    ];

    /// The format's name in configs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Squad => "squad",
            Self::NqOpen => "nq_open",
            Self::TriviaQa => "triviaqa",
            Self::Gsm8k => "gsm8k",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// Names of the source's fields for the general formats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMap {
    /// Stable id of the item.
    pub id: String,
    /// The question.
    pub question: String,
    /// Accepted answers: a list, a single value, or in CSV a JSON list or a text with `|` between answers.
    pub answers: String,
    /// The passage; absent or empty makes the item closed.
    pub context: String,
    /// Options of a multiple-choice item: a list, or an object from letter to text.
    pub choices: String,
    /// The cluster, e.g. an article's title.
    pub cluster: String,
    /// Whether the item has no answer.
    pub is_unanswerable: String,
}

impl Default for FieldMap {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            id: name("id"),
            question: name("question"),
            answers: name("answers"),
            context: name("context"),
            choices: name("choices"),
            cluster: name("cluster"),
            is_unanswerable: name("is_unanswerable"),
        }
    }
}

/// One source of questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The dataset's name; the first field of its `custom_id`s.
    pub name: DatasetName,
    /// The file's format.
    pub format: DatasetFormat,
    /// The file, relative to the working folder.
    pub path: String,
    /// The most items to take; all where absent.
    pub max_items: Option<u64>,
    /// Forces open or closed for the general formats; derived from the context where absent.
    pub item_type: Option<ItemType>,
    /// The scorer; the format's usual one where absent (`numeric` for GSM8K, `choice` where there are choices).
    pub scorer: Option<ScorerName>,
    /// Field names of the general formats.
    pub fields: FieldMap,
}
