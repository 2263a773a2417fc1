//! Archive: a manifest of every artifact with path, size and digest. Only on request.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ctx::{Ctx, Outcome, Sink, open, write_json};
use super::error::PhaseError;
use crate::domain::{Digest, Phase, PhaseStatus};

/// The files read: what the last phase before made.
pub fn needs(ctx: &Ctx) -> Vec<PathBuf> {
    let mut files = vec![ctx.paths.aggregate_report()];
    files.extend(
        ctx.view
            .trials
            .iter()
            .map(|t| ctx.trial_paths(&t.trial.slug).report_md()),
    );
    files
}

/// The files written.
pub fn makes(ctx: &Ctx) -> Vec<PathBuf> {
    vec![ctx.paths.archive_manifest()]
}

/// The version of the method.
pub fn knobs() -> Digest {
    Digest::of_parts(&["archive/1"])
}

#[derive(Serialize)]
struct ArchiveManifest {
    schema_version: u32,
    run_id: String,
    files: Vec<ArchivedFile>,
}

#[derive(Serialize)]
struct ArchivedFile {
    path: String,
    bytes: u64,
    sha256: Digest,
}

/// Lists every artifact below the run folder; state files that go on changing are left out.
pub fn run(ctx: &Ctx, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    let incomplete: Vec<&str> = Phase::ALL
        .into_iter()
        .filter(|p| *p < Phase::Archive && ctx.view.phase(*p).status != PhaseStatus::Completed)
        .map(Phase::as_str)
        .collect();
    if !incomplete.is_empty() {
        return Err(PhaseError::Nothing(format!(
            "the run is not complete ({} not done), so it is not archived; `evaltui resume` completes it",
            incomplete.join(", ")
        )));
    }
    let mut paths = Vec::new();
    list(ctx.paths.root(), &mut paths)?;
    let state = [
        ctx.paths.run_state(),
        ctx.paths.ledger(),
        ctx.paths.events(),
        ctx.paths.lock(),
        ctx.paths.stop_requested(),
        ctx.paths.stop_now(),
        ctx.paths.archive_manifest(),
    ];
    let manifests: Vec<PathBuf> = ctx
        .view
        .trials
        .iter()
        .map(|t| ctx.trial_paths(&t.trial.slug).trial_manifest())
        .collect();
    paths.retain(|p| !state.contains(p) && !manifests.contains(p));
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for (i, path) in paths.iter().enumerate() {
        sink.progress(i as u64, paths.len() as u64);
        sink.heed()?;
        let (sha256, bytes) =
            Digest::of_reader(open(path)?).map_err(|source| PhaseError::Read {
                path: path.clone(),
                source,
            })?;
        files.push(ArchivedFile {
            path: ctx.paths.relative(path),
            bytes,
            sha256,
        });
    }
    let count = files.len();
    let manifest = ArchiveManifest {
        schema_version: 1,
        run_id: ctx.view.run_id.to_string(),
        files,
    };
    Ok(Outcome {
        made: vec![write_json(&ctx.paths.archive_manifest(), &manifest)?],
        message: format!("{count} artifacts listed and hashed"),
    })
}

/// Regular files below a folder; links are not followed, temporary files are not artifacts.
fn list(dir: &Path, into: &mut Vec<PathBuf>) -> Result<(), PhaseError> {
    let fail = |source| PhaseError::Read {
        path: dir.to_path_buf(),
        source,
    };
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let kind = entry.file_type().map_err(fail)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            list(&entry.path(), into)?;
        } else if kind.is_file() {
            into.push(entry.path());
        }
    }
    Ok(())
}
