//! Scores to estimates: paired statistics of control against treatment. Pure functions, no files, no clock.
//!
//! One file per statistic: an input, a result with units, one function, its source. [`scores`] reads
//! `per_item_scores.csv` row by row and pairs it, [`estimate`] asks every statistic about one group of pairs, and
//! [`mod@significance`] puts the groups together as `significance.json`. Values that do not exist (a standard deviation of
//! one number, an interval of nothing) are `None` and JSON `null`, never NaN. All resampling is seeded by
//! [`seed::Seed`] block by block, so the bytes do not depend on the number of threads.

pub mod error;
pub mod estimate;
pub mod scores;
pub mod settings;
pub mod significance;
pub mod verdict;

pub mod bootstrap;
pub mod effect;
pub mod mcnemar;
pub mod meta;
pub mod multiple;
pub mod permutation;
pub mod selective;
pub mod student;
pub mod tost;
pub mod wilcoxon;
pub mod wilson;

pub mod seed;
pub mod tally;

pub use error::StatsError;
pub use scores::PairedScores;
pub use settings::StatsConfig;
pub use significance::{Significance, significance};

#[cfg(test)]
mod tests;
