//! evaltui: the flight deck for LLM batch evaluations.
//!
//! The map of the rooms, in the order data flows; `ARCHITECTURE.md` tells the rest. Imports go down this list only
//! (`tests/it/architecture.rs` holds the table).

pub mod cli;
pub mod config;
pub mod datasets;
pub mod domain;
pub mod engine;
pub mod phases;
pub mod plan;
pub mod provider;
pub mod report;
pub mod scoring;
pub mod sim;
pub mod snapshot;
pub mod stats;
pub mod store;
pub mod sys;
pub mod ui;
