//! The embedded provider: a real HTTP server on loopback that keeps datasets and jobs on disk.
//!
//! The flow of one job: a dialect (`fireworks`, `openai`) reads the call, `intake` checks the input's rows, `shelf`
//! makes the job durable before the answer goes out, `pace` derives its state from the clock, and `work` writes its
//! result files from an answer book (`answers`) when they are first needed. Shares no wire type with `provider/`, so
//! that each checks the other. Sees `sys` and `domain` only.

mod acceptance;
pub mod answers;
mod completion;
mod disk;
mod draw;
pub mod error;
mod exchange;
mod fireworks;
mod id;
mod intake;
mod pace;
mod row;
pub mod server;
mod shelf;
mod work;
mod workshop;

pub use answers::{Accuracy, Answers, OracleSettings, ReplaySettings, SystemPrompt};
pub use error::SimError;
pub use server::{ACCOUNT, SimConfig, SimHandle, SimServer};

#[cfg(test)]
mod tests;
