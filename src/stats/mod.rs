//! (room of stats)
