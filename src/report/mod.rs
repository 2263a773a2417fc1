//! Estimates to text: costs and the Markdown reports. Pure functions: readers, records and numbers in, text out.
//!
//! [`outcomes`] and [`mod@costs`] read `predictions.csv`, [`examples`] picks the flips worth reading, [`estimates`] is what a
//! report shows of `significance.json`, [`markdown`] writes `report.md` and [`aggregate`] `aggregate_report.md`.
//! Everything from models, servers and configs passes [`inert`] before it reaches a page (guarantees, G21).

pub mod aggregate;
pub mod closing;
pub mod costs;
pub mod error;
pub mod estimates;
pub mod examples;
pub mod inert;
pub mod input;
pub mod markdown;
pub mod numbers;
pub mod outcomes;
pub mod sections;
pub mod sketch;

pub use aggregate::aggregate_report;
pub use costs::{CostInput, Costs, PriceUsed, costs};
pub use error::ReportError;
pub use estimates::Estimates;
pub use input::{Provenance, Source, TrialReport};
pub use markdown::trial_report;

#[cfg(test)]
mod tests;
