//! One file for each screen: its own small state, and a pure `draw`. What a run looks like comes from the picture.

pub mod cockpit;
pub mod log;
pub mod plan;
pub mod queue;
pub mod runs;

#[cfg(test)]
mod tests;
