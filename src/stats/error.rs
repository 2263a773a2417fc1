//! What can go wrong between `per_item_scores.csv` and `significance.json`.

use thiserror::Error;

/// A problem with the scores; every variant says where.
#[derive(Debug, Error)]
pub enum StatsError {
    /// The CSV itself is malformed or could not be read.
    #[error("cannot read the per-item scores")]
    Csv(#[from] csv::Error),
    /// A column of the contract is not there.
    #[error("the per-item scores have no column {column:?}")]
    MissingColumn {
        /// The column's name.
        column: &'static str,
    },
    /// A cell does not hold what its column promises.
    #[error("line {line} of the per-item scores: {column} is {text:?}, expected {expected}")]
    BadCell {
        /// Line in the file, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell, made printable and shortened.
        text: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The same item, type, temperature and condition twice.
    #[error("line {line} of the per-item scores: a second row for {item} under {condition}")]
    DuplicateRow {
        /// Line in the file, from 1.
        line: u64,
        /// The item's key, made printable and shortened.
        item: String,
        /// The condition.
        condition: crate::domain::Condition,
    },
    /// Two metrics of the file have the same name, or there is none.
    #[error("the per-item scores have no metric: no column `x` with its `x_std`")]
    NoMetric,
    /// No row at all: statistics of nothing would look finished.
    #[error("the per-item scores hold no rows")]
    NoRows,
    /// More items than 32 bits can count.
    #[error("the per-item scores hold more than {max} items of one type at one temperature")]
    TooManyItems {
        /// The limit.
        max: u32,
    },
    /// A distribution of the statistics library refused its parameters.
    #[error("{what} could not be computed")]
    Distribution {
        /// Which one, with its parameters.
        what: String,
    },
}
