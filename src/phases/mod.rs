//! (room of phases)
