//! What can go wrong while predictions are read, items are found and scores are written.

use std::io;

use thiserror::Error;

use crate::domain::ItemType;
use crate::domain::ids::NameError;

/// Why predictions could not be scored.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// `predictions.csv` could not be read or is no CSV.
    #[error("cannot read predictions")]
    ReadPredictions(#[source] csv::Error),
    /// The header of `predictions.csv` is not the contract's.
    #[error("predictions do not start with the columns {expected}")]
    Header {
        /// The columns of the contract.
        expected: String,
    },
    /// A row of `predictions.csv` is not UTF-8.
    #[error("predictions record {record}: not UTF-8")]
    NotUtf8 {
        /// The record, from 1, the header not counted.
        record: u64,
        /// The cause.
        #[source]
        source: std::str::Utf8Error,
    },
    /// A token count of `predictions.csv` is no number.
    #[error("predictions record {record}: a token count is no number")]
    TokenCount {
        /// The record, from 1, the header not counted.
        record: u64,
        /// The cause.
        #[source]
        source: std::num::ParseIntError,
    },
    /// A row of `predictions.csv` names no request.
    #[error("predictions record {record}")]
    CustomId {
        /// The record, from 1, the header not counted.
        record: u64,
        /// What is wrong with the name.
        #[source]
        source: NameError,
    },
    /// The prepared items could not be read.
    #[error("cannot read the prepared {item_type} items")]
    ReadItems {
        /// Which file.
        item_type: ItemType,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A line of the prepared items is no item.
    #[error("prepared {item_type} items, line {line}: not an item")]
    Item {
        /// Which file.
        item_type: ItemType,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A prediction names an item that the prepared items do not have.
    #[error("item {key} is not among the prepared {item_type} items")]
    UnknownItem {
        /// The item, safe to print.
        key: String,
        /// Where it was looked for.
        item_type: ItemType,
    },
    /// A prediction comes after one of a later item: the file is not in the order of the prepared items.
    #[error("predictions of {key} are out of order: one row per item would be written twice")]
    OutOfOrder {
        /// The item or the group, safe to print.
        key: String,
    },
    /// The scores could not be written.
    #[error("cannot write scores")]
    WriteScores(#[source] csv::Error),
    /// The predictions could not be written.
    #[error("cannot write predictions")]
    WritePredictions(#[source] csv::Error),
}
