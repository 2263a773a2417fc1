//! (room of sim)
