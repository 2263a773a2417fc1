//! Run folders for the tests of this room.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;

use super::{ExperimentsDir, Holder, RunPaths, atomic};
use crate::domain::RunId;

/// The id of the run.
pub(super) fn run_id() -> RunId {
    RunId::new("r1").expect("a plain id")
}

/// An empty run folder. In memory where that is possible: the tests sync thousands of times.
pub(super) fn run() -> (TempDir, RunPaths) {
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder");
    let paths = ExperimentsDir::new(dir.path().to_path_buf()).run(&run_id());
    atomic::create_dir_all(paths.root()).expect("made");
    (dir, paths)
}

/// This process as a holder.
pub(super) fn me() -> Holder {
    Holder::this_process(Timestamp::UNIX_EPOCH)
}

/// Writes a file in place, as a careless hand or a crash would.
pub(super) fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    File::create(path)
        .and_then(|mut file| file.write_all(bytes.as_ref()))
        .expect("written");
}
