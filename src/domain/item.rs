//! One question of a dataset, in the form of the prepared files.

use serde::{Deserialize, Serialize};

use super::ids::ItemKey;
use super::request::ItemType;

/// One question. Serialises to one line of `open_book.jsonl` or `closed_book.jsonl`.
///
/// The field order is the predecessor's; keys that it did not know come last and are left out when empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Item {
    /// The dataset's name.
    pub dataset: String,
    /// Stable id inside the dataset.
    pub id: String,
    /// The passage of an open item; absent for closed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The question.
    pub question: String,
    /// Accepted answers; empty for an unanswerable item.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Whether the passage does not hold the answer. Written for open items only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_unanswerable: Option<bool>,
    /// Options of a multiple-choice item, in order; the answer is an option's letter or text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The larger unit the item was drawn from, e.g. an article's title; items that share it are not independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The smaller unit inside the cluster, e.g. the digest of the passage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<String>,
    /// The scorer for this item; `em_f1` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scorer: Option<ScorerName>,
}

impl Item {
    /// The item's name across datasets.
    pub fn key(&self) -> ItemKey {
        ItemKey {
            dataset: self.dataset.clone(),
            id: self.id.clone(),
        }
    }

    /// `Open` where the item has a passage.
    pub fn item_type(&self) -> ItemType {
        if self.context.is_some() {
            ItemType::Open
        } else {
            ItemType::Closed
        }
    }

    /// Whether the right answer is to abstain.
    pub fn unanswerable(&self) -> bool {
        self.is_unanswerable.unwrap_or(false)
    }
}

/// How an answer is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScorerName {
    /// Exact match and token F1 after SQuAD normalisation.
    #[default]
    EmF1,
    /// The last boxed or last number of the answer against the gold number.
    Numeric,
    /// The chosen option of a multiple-choice item.
    Choice,
}

impl ScorerName {
    /// All scorers.
    pub const ALL: [Self; 3] = [Self::EmF1, Self::Numeric, Self::Choice];

    /// The scorer's name in configs and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmF1 => "em_f1",
            Self::Numeric => "numeric",
            Self::Choice => "choice",
        }
    }
}
