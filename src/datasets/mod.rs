//! (room of datasets)
