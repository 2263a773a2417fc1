//! Stop files: how another process, or a person with `touch`, asks for a stop.
//!
//! Existence decides, never a file's time or content (guarantees, P17); no link is followed (P20).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::RunPaths;
use super::atomic;
use super::error::{Result, StoreError};
use crate::domain::StopLevel;

fn file(paths: &RunPaths, level: StopLevel) -> PathBuf {
    match level {
        StopLevel::Soft => paths.stop_requested(),
        StopLevel::Now => paths.stop_now(),
    }
}

fn exists(path: &Path) -> bool {
    // What cannot be looked at, e.g. a name that is too long, is no request; anything with the name is one.
    path.symlink_metadata().is_ok()
}

/// Asks for a stop, durably. Asking twice is asking once.
pub fn request(paths: &RunPaths, level: StopLevel) -> Result<()> {
    let path = file(paths, level);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(_) => atomic::sync_dir(paths.root()),
        Err(error) if std::io::Error::from(error).kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::io("create", &path)(error.into())),
    }
}

/// The most urgent stop that is asked for.
pub fn read(paths: &RunPaths) -> Option<StopLevel> {
    [StopLevel::Now, StopLevel::Soft]
        .into_iter()
        .find(|level| exists(&file(paths, *level)))
}

/// Takes back every request, durably; whether there was one.
pub fn clear(paths: &RunPaths) -> Result<bool> {
    let now = atomic::remove(&paths.stop_now())?;
    let soft = atomic::remove(&paths.stop_requested())?;
    Ok(now || soft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{put, run};

    #[test]
    fn a_stop_is_asked_for_once_and_cleared_once() {
        let (_dir, paths) = run();
        assert_eq!(read(&paths), None);
        assert!(!clear(&paths).expect("cleared"));
        request(&paths, StopLevel::Soft).expect("asked");
        request(&paths, StopLevel::Soft).expect("asked again");
        assert_eq!(read(&paths), Some(StopLevel::Soft));
        request(&paths, StopLevel::Now).expect("asked");
        assert_eq!(read(&paths), Some(StopLevel::Now));
        assert!(clear(&paths).expect("cleared"));
        assert_eq!(read(&paths), None);
    }

    #[test]
    fn a_touched_file_counts_whatever_its_time() {
        let (_dir, paths) = run();
        let file = std::fs::File::create(paths.stop_requested()).expect("touched");
        let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        file.set_times(old).expect("dated");
        assert_eq!(read(&paths), Some(StopLevel::Soft));
    }

    #[test]
    fn a_link_with_the_name_asks_too_and_its_target_stays() {
        let (dir, paths) = run();
        let victim = dir.path().join("victim");
        put(&victim, b"precious");
        std::os::unix::fs::symlink(&victim, paths.stop_requested()).expect("linked");
        request(&paths, StopLevel::Soft).expect("asked");
        assert_eq!(read(&paths), Some(StopLevel::Soft));
        assert!(clear(&paths).expect("cleared"));
        assert_eq!(std::fs::read(&victim).expect("read"), b"precious");
    }

    #[test]
    fn a_run_that_is_not_there_cannot_be_stopped() {
        let (dir, paths) = run();
        std::fs::remove_dir(paths.root()).expect("removed");
        let error = request(&paths, StopLevel::Soft).expect_err("no run");
        assert!(error.is_not_found() && dir.path().exists());
    }
}
