//! (room of phases)

pub mod parse_kernel;
