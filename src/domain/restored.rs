//! What is known of a piece of work whose ledger was lost: its whole standing as one fact, taken from the faces.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::RemoteId;
use super::units::{TokenUsage, Usd};
use super::work::{Attempt, RowTally, WorkState};

/// The standing of a piece of work at the time its face was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restored {
    /// Where it stood.
    pub state: WorkState,
    /// When the state changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When the present attempt's intent was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// Attempts that had ended at the provider.
    #[serde(default)]
    pub attempts_ended: u32,
    /// Every accepted attempt and its job, oldest first: without them nothing could be fetched again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<(Attempt, RemoteId)>,
    /// Rows after the last collection.
    #[serde(default)]
    pub tally: RowTally,
    /// The provider's name of the last input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_input: Option<RemoteId>,
    /// Tokens of all attempts.
    #[serde(default)]
    pub usage: TokenUsage,
    /// Money of the attempts with a known price, in billionths of a dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Usd>,
    /// Whether an attempt used tokens whose price is not known.
    #[serde(default)]
    pub unpriced: bool,
    /// The last thing worth saying about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
