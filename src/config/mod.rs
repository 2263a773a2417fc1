//! From file, environment and flags to one validated [`Config`].
//!
//! Two layers: what was written (a tree with line and column for every node) and what was validated ([`settings`]). Only
//! the second reaches the rest of the program.

pub mod settings;

pub use settings::Config;
