//! skeleton
/// What a poll of a growing file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TailState {
    /// Whole lines delivered.
    pub lines: u64,
    /// Whole lines that could not be read; skipped.
    pub damaged: u64,
    /// The file was replaced or cut: nothing was delivered; forget what was read and poll again.
    pub restarted: bool,
}
