//! skeleton
use super::error::Result;
use super::{Digests, RunPaths};
use crate::domain::{Digest, FileMark, Freshness, Stamp};
use std::path::{Path, PathBuf};
/// What a phase would be set to, read and make now.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Digest of the settings that matter.
    pub knobs: Digest,
    /// Files it would read.
    pub inputs: &'a [PathBuf],
    /// Files it would write.
    pub outputs: &'a [PathBuf],
}
/// Marks a file as it is now.
pub fn mark(
    _paths: &RunPaths,
    _file: &Path,
    _rows: Option<u64>,
    _digests: &Digests,
) -> Result<FileMark> {
    todo!()
}
/// Whether what the stamp says still holds.
pub fn check(
    _stamp: Option<&Stamp>,
    _wanted: &Wanted<'_>,
    _paths: &RunPaths,
    _digests: &Digests,
) -> Result<Freshness> {
    todo!()
}
