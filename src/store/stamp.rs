//! Is it still done? One check for every phase: settings, inputs and outputs against the stamp, by digest.
//!
//! Rules, the first that applies wins: no stamp; other settings; an input is missing; other inputs than then; an input
//! has other bytes; an output is missing; an output has other bytes. No file time is ever looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::Result;
use super::{Digests, RunPaths};
use crate::domain::{Digest, FileMark, Freshness, StaleReason, Stamp};

/// What a phase would be set to, read and make now.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Digest of the settings and the code version that matter.
    pub knobs: Digest,
    /// Files it would read.
    pub inputs: &'a [PathBuf],
    /// Files it would write; what the stamp lists beyond them is checked too.
    pub outputs: &'a [PathBuf],
}

/// Marks a file as it is now.
pub fn mark(
    paths: &RunPaths,
    file: &Path,
    rows: Option<u64>,
    digests: &Digests,
) -> Result<FileMark> {
    let (sha256, bytes) = digests.digest(file)?;
    Ok(FileMark {
        path: paths.relative(file),
        sha256,
        bytes,
        rows,
    })
}

/// Whether what the stamp says still holds. Fails only where a file is there and cannot be read.
pub fn check(
    stamp: Option<&Stamp>,
    wanted: &Wanted<'_>,
    paths: &RunPaths,
    digests: &Digests,
) -> Result<Freshness> {
    let reason = match stamp {
        None => Some(StaleReason::NeverDone),
        Some(stamp) if stamp.knobs != wanted.knobs => Some(StaleReason::SettingsChanged),
        Some(stamp) => {
            let seen = Seen { paths, digests };
            match seen.inputs(stamp, wanted.inputs)? {
                None => seen.outputs(stamp, wanted.outputs)?,
                stale => stale,
            }
        }
    };
    Ok(reason.map_or(Freshness::Fresh, Freshness::Stale))
}

struct Seen<'a> {
    paths: &'a RunPaths,
    digests: &'a Digests,
}

impl Seen<'_> {
    /// The digest and size of a file as a stamp names it; `None` where it is missing.
    fn digest(&self, path: &str) -> Result<Option<(Digest, u64)>> {
        match self.digests.digest(&self.paths.resolve(path)) {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    fn inputs(&self, stamp: &Stamp, wanted: &[PathBuf]) -> Result<Option<StaleReason>> {
        let wanted: BTreeSet<_> = wanted.iter().map(|p| self.paths.relative(p)).collect();
        if let Some(path) = wanted
            .iter()
            .find(|path| !self.paths.resolve(path).exists())
        {
            return Ok(Some(StaleReason::InputMissing(path.clone())));
        }
        let known: BTreeSet<_> = stamp.inputs.iter().map(|m| m.path.clone()).collect();
        if wanted != known {
            return Ok(Some(StaleReason::InputsDiffer));
        }
        for mark in &stamp.inputs {
            match self.digest(&mark.path)? {
                Some(now) if now == (mark.sha256, mark.bytes) => {}
                Some(_) => return Ok(Some(StaleReason::InputChanged(mark.path.clone()))),
                None => return Ok(Some(StaleReason::InputMissing(mark.path.clone()))),
            }
        }
        Ok(None)
    }

    fn outputs(&self, stamp: &Stamp, wanted: &[PathBuf]) -> Result<Option<StaleReason>> {
        let made: BTreeSet<_> = stamp.outputs.iter().map(|m| m.path.as_str()).collect();
        let mut changed = None;
        for mark in &stamp.outputs {
            match self.digest(&mark.path)? {
                None => return Ok(Some(StaleReason::OutputMissing(mark.path.clone()))),
                Some(now) if now == (mark.sha256, mark.bytes) => {}
                Some(_) => {
                    changed.get_or_insert(StaleReason::OutputChanged(mark.path.clone()));
                }
            }
        }
        for path in wanted.iter().map(|p| self.paths.relative(p)) {
            if !made.contains(path.as_str()) {
                // Not made by the stamped run: whatever is there under the name is not the phase's work.
                return Ok(Some(StaleReason::OutputMissing(path)));
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Phase;
    use crate::store::{atomic, fixture};

    struct Fixture {
        _dir: tempfile::TempDir,
        paths: RunPaths,
        digests: Digests,
        stamp: Stamp,
        inputs: Vec<PathBuf>,
        outputs: Vec<PathBuf>,
    }

    fn fixture() -> Fixture {
        let (dir, paths) = fixture::run();
        let outside = dir.path().join("source.json");
        atomic::create_dir_all(&paths.prepared_dir()).expect("made");
        atomic::write(&outside, b"source").expect("written");
        atomic::write(&paths.open_book(), b"in").expect("written");
        atomic::write(&paths.closed_book(), b"out").expect("written");
        let digests = Digests::default();
        let marked = |p: &Path| mark(&paths, p, Some(1), &digests).expect("marked");
        let stamp = Stamp {
            phase: Phase::Prepare,
            trial: None,
            knobs: Digest::of(b"k"),
            inputs: vec![marked(&outside), marked(&paths.open_book())],
            outputs: vec![marked(&paths.closed_book())],
        };
        Fixture {
            _dir: dir,
            inputs: vec![paths.open_book(), outside],
            outputs: vec![paths.closed_book()],
            paths,
            digests,
            stamp,
        }
    }

    impl Fixture {
        fn check(&self) -> Freshness {
            let wanted = Wanted {
                knobs: Digest::of(b"k"),
                inputs: &self.inputs,
                outputs: &self.outputs,
            };
            check(Some(&self.stamp), &wanted, &self.paths, &self.digests).expect("checked")
        }
    }

    #[test]
    fn nothing_changed_is_fresh_whatever_the_order_and_the_times() {
        let f = fixture();
        assert_eq!(f.check(), Freshness::Fresh);
        let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        std::fs::File::options()
            .write(true)
            .open(f.paths.open_book())
            .and_then(|file| file.set_times(old))
            .expect("touched");
        assert_eq!(f.check(), Freshness::Fresh);
    }

    #[test]
    fn each_reason_has_its_place_in_the_order() {
        let mut f = fixture();
        let stale = |reason| Freshness::Stale(reason);
        let out = "prepared/closed_book.jsonl".to_owned();
        let input = "prepared/open_book.jsonl".to_owned();
        // From the last reason to the first: each new fault hides the ones before.
        atomic::write(&f.paths.closed_book(), b"oux").expect("written");
        assert_eq!(f.check(), stale(StaleReason::OutputChanged(out.clone())));
        atomic::remove(&f.paths.closed_book()).expect("removed");
        assert_eq!(f.check(), stale(StaleReason::OutputMissing(out)));
        atomic::write(&f.paths.open_book(), b"im").expect("written");
        assert_eq!(f.check(), stale(StaleReason::InputChanged(input.clone())));
        let gone = f.inputs.pop().expect("two inputs");
        assert_eq!(f.check(), stale(StaleReason::InputsDiffer));
        f.inputs.push(gone);
        atomic::remove(&f.paths.open_book()).expect("removed");
        assert_eq!(f.check(), stale(StaleReason::InputMissing(input)));
        f.stamp.knobs = Digest::of(b"other");
        assert_eq!(f.check(), stale(StaleReason::SettingsChanged));
        let wanted = Wanted {
            knobs: Digest::of(b"k"),
            inputs: &[],
            outputs: &[],
        };
        assert_eq!(
            check(None, &wanted, &f.paths, &f.digests).expect("checked"),
            stale(StaleReason::NeverDone)
        );
    }

    #[test]
    fn an_output_that_the_stamp_does_not_know_is_missing() {
        let mut f = fixture();
        f.outputs.push(f.paths.open_book());
        assert_eq!(
            f.check(),
            Freshness::Stale(StaleReason::OutputMissing(
                "prepared/open_book.jsonl".to_owned()
            ))
        );
    }
}
