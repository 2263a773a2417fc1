//! Rewrites the faces that changed. When, the caller decides: at phase ends, and a few times a second at most.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::{Prompts, RunStateRecord, TrialManifestRecord, text_of};
use crate::domain::{Digest, Phase};
use crate::snapshot::{RunView, TrialView};
use crate::store::RunPaths;
use crate::store::atomic;
use crate::store::error::Result;

/// The writer of a run's faces; for the holder of the lock.
#[derive(Debug)]
pub struct Faces {
    paths: RunPaths,
    prompts: Prompts,
    // What was written last, to tell what changed without serialising it.
    shown: Option<Arc<RunView>>,
    // Digests of the texts on disk, so that equal bytes are not written again (guarantees, G14).
    on_disk: HashMap<PathBuf, Digest>,
}

impl Faces {
    /// Begins to write the faces of a run; nothing is written yet.
    pub fn new(paths: RunPaths, prompts: Prompts) -> Self {
        Self {
            paths,
            prompts,
            shown: None,
            on_disk: HashMap::new(),
        }
    }

    /// Rewrites the manifests of the trials that changed since the last call, then `run_state.json`; gives the number
    /// of files written. In this order every trial that the run's face names has a manifest.
    pub fn write(&mut self, view: &Arc<RunView>) -> Result<u64> {
        let mut written = 0;
        for (index, trial) in view.trials.iter().enumerate() {
            if !self.changed(view, index) {
                continue;
            }
            let none = BTreeMap::new();
            let prompts = self.prompts.get(&trial.trial.slug).unwrap_or(&none);
            let record = TrialManifestRecord::from_view(view, trial, prompts);
            let place = self.paths.trial(&trial.trial.slug);
            let path = place.trial_manifest();
            if !self.on_disk.contains_key(&path) {
                atomic::create_dir_all(&place.results_dir())?;
            }
            written += self.replace(path, &record)?;
        }
        written += self.replace(self.paths.run_state(), &RunStateRecord::from_view(view))?;
        self.shown = Some(Arc::clone(view));
        Ok(written)
    }

    /// Whether a trial's manifest may have to change. Compares addresses: the reducer copies what it changes.
    fn changed(&self, view: &RunView, index: usize) -> bool {
        let Some(shown) = &self.shown else {
            return true;
        };
        let same_works = |trial: &TrialView| {
            trial.parts.iter().all(|part| {
                match (shown.works.get(part.work), view.works.get(part.work)) {
                    (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                    _ => false,
                }
            })
        };
        let staged = |view: &RunView| {
            Phase::ALL
                .map(|p| view.phase(p))
                .map(|p| (p.status, p.updated_at))
        };
        let same_trial = match (shown.trials.get(index), view.trials.get(index)) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new) && same_works(new),
            _ => false,
        };
        !same_trial
            || staged(shown) != staged(view)
            || shown.stamps != view.stamps
            || shown.created_at != view.created_at
    }

    fn replace(&mut self, path: PathBuf, record: &impl Serialize) -> Result<u64> {
        let text = text_of(&path, record)?;
        let digest = Digest::of(&text);
        let known = match self.on_disk.get(&path) {
            Some(known) => Some(*known),
            None => atomic::read(&path).ok().map(|bytes| Digest::of(&bytes)),
        };
        let same = known == Some(digest) && path.symlink_metadata().is_ok_and(|m| m.is_file());
        if !same {
            atomic::write(&path, &text)?;
        }
        self.on_disk.insert(path, digest);
        Ok(u64::from(!same))
    }
}
