//! (room of scoring)
