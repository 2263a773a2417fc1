//! (room of report)
