//! From an answer to its score, and from scores of samples to one row per item. Pure: readers and writers are handed in.
//!
//! `predictions.csv` ([`predictions`]) streams through [`score_predictions`], which walks the prepared items beside it
//! ([`cursor`]), judges each answer ([`scorer`], with one file per way of judging) and writes `per_item_scores.csv`
//! ([`per_item`]). Memory does not grow with the number of rows.

pub mod abstain;
pub mod choice;
pub mod cursor;
pub mod em_f1;
pub mod error;
pub mod normalize;
pub mod numeric;
pub mod per_item;
pub mod predictions;
pub mod run;
pub mod scorer;
pub mod unsupported;
pub mod vocabulary;

pub use cursor::ItemCursor;
pub use error::ScoreError;
pub use per_item::{ItemRow, PerItemWriter};
pub use predictions::{Prediction, PredictionReader, PredictionWriter};
pub use run::{ConditionTally, ScoreTally, score_predictions};
pub use scorer::{Gold, ItemScore, ScoreSettings, Scorer};
