//! (room of plan)
