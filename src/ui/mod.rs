//! (room of ui)
