//! Prepare: sources to normalised items, `open_book.jsonl` and `closed_book.jsonl`, with every rejected row on file.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use serde::Serialize;

use super::ctx::{Ctx, Outcome, Sink, finish, write_json};
use super::error::PhaseError;
use crate::datasets::prepare::{DatasetTally, Limits, Outputs, Preparation, SourceInput, prepare};
use crate::domain::text::thousands;
use crate::domain::{DatasetFormat, Digest, ItemType, LogLevel, SourceSpec};
use crate::store::{AtomicFile, atomic};

/// The version of `prepared_manifest.json`.
const MANIFEST_VERSION: u32 = 1;

/// No file of the run is read. The sources are in [`knobs`] by digest: a source that is gone does not spoil what was prepared.
pub fn needs(_ctx: &Ctx) -> Vec<PathBuf> {
    Vec::new()
}

/// The files written.
pub fn makes(ctx: &Ctx) -> Vec<PathBuf> {
    vec![
        ctx.paths.closed_book(),
        ctx.paths.open_book(),
        ctx.paths.rejects(),
        ctx.paths.prepared_manifest(),
    ]
}

/// The sources with their digests, the limits and the seed.
pub fn knobs(ctx: &Ctx) -> Digest {
    let effective = &ctx.config.effective;
    let sources = serde_json::json!({
        "version": "prepare/1",
        "datasets": effective.get("datasets"),
        "prepared_dir": effective.get("paths").and_then(|p| p.get("prepared_dir")),
        "sizes": effective.get("sizes"),
        "seed": ctx.config.sampling_seed,
    });
    Digest::of_json(&sources)
}

#[derive(Serialize)]
struct PreparedManifest {
    schema_version: u32,
    datasets: std::collections::BTreeMap<&'static str, PreparedFile>,
    sources: Vec<DatasetTally>,
}

#[derive(Serialize)]
struct PreparedFile {
    path: &'static str,
    items: u64,
    sha256: Digest,
}

/// The limit that the config sets for a dataset, by name or format.
fn limit_of(ctx: &Ctx, spec: &SourceSpec) -> Option<u64> {
    let sizes = &ctx.config.sizes;
    let named =
        |name: &str, format: DatasetFormat| spec.name.as_str() == name || spec.format == format;
    let own = if named("triviaqa", DatasetFormat::TriviaQa) {
        sizes.triviaqa_max_items
    } else if named("nq_open", DatasetFormat::NqOpen) {
        sizes.nq_open_max_items
    } else if named("squad_v2", DatasetFormat::Squad) {
        sizes.squad_v2_max_items
    } else {
        None
    };
    own.into_iter().chain(sizes.limit_items).min()
}

/// Reads every source and writes the chosen items.
pub fn run(ctx: &Ctx, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    atomic::create_dir_all(&ctx.paths.prepared_dir())?;
    let config = &ctx.config;
    let ready = |name: &str| format!("{}/{name}", config.paths.prepared_dir.trim_end_matches('/'));
    let (ready_open, ready_closed) = (ready("open_book.jsonl"), ready("closed_book.jsonl"));
    let sources: Vec<SourceInput<'_>> = if config.datasets.is_empty() {
        let files = [
            (&ready_closed, ItemType::Closed),
            (&ready_open, ItemType::Open),
        ];
        files
            .into_iter()
            .filter(|(path, _)| std::path::Path::new(path).exists())
            .map(|(path, item_type)| SourceInput::Ready { path, item_type })
            .collect()
    } else {
        config
            .datasets
            .iter()
            .map(|spec| SourceInput::Dataset {
                spec,
                limit: limit_of(ctx, spec),
            })
            .collect()
    };
    if sources.is_empty() {
        return Err(PhaseError::Nothing(format!(
            "no datasets are configured, and {ready_open} and {ready_closed} do not exist"
        )));
    }
    let limits = Limits {
        per_dataset: config.sizes.limit_items,
        open: config.sizes.open_book_max_items,
        closed: config.sizes.closed_book_max_items,
    };
    let preparation = Preparation {
        sources: &sources,
        limits,
        seed: config.sampling_seed,
    };
    let (open_path, closed_path, rejects_path) = (
        ctx.paths.open_book(),
        ctx.paths.closed_book(),
        ctx.paths.rejects(),
    );
    let (mut open, mut closed, mut rejects) = (
        AtomicFile::create(&open_path)?,
        AtomicFile::create(&closed_path)?,
        AtomicFile::create(&rejects_path)?,
    );
    let mut opener = |path: &str| -> std::io::Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::with_capacity(
            1 << 16,
            std::fs::File::open(path)?,
        )))
    };
    let tally = prepare(
        &preparation,
        &mut opener,
        &mut Outputs {
            open: &mut open,
            closed: &mut closed,
            rejects: &mut rejects,
        },
    )?;
    if tally.rejected() > 0 {
        sink.say(
            LogLevel::Warn,
            &format!(
                "{} rows were rejected; each is in {} with its line and reason",
                tally.rejected(),
                ctx.paths.relative(&rejects_path)
            ),
        );
    }
    let message = format!(
        "{} closed and {} open items, {} rejected",
        thousands(tally.closed()),
        thousands(tally.open()),
        thousands(tally.rejected())
    );
    let made_closed = finish(closed, &closed_path, Some(tally.closed()))?;
    let made_open = finish(open, &open_path, Some(tally.open()))?;
    let made_rejects = finish(rejects, &rejects_path, Some(tally.rejected()))?;
    let manifest = PreparedManifest {
        schema_version: MANIFEST_VERSION,
        datasets: [
            (
                "closed_book",
                PreparedFile {
                    path: "closed_book.jsonl",
                    items: tally.closed(),
                    sha256: made_closed.sum.sha256,
                },
            ),
            (
                "open_book",
                PreparedFile {
                    path: "open_book.jsonl",
                    items: tally.open(),
                    sha256: made_open.sum.sha256,
                },
            ),
        ]
        .into(),
        sources: tally.datasets,
    };
    let made_manifest = write_json(&ctx.paths.prepared_manifest(), &manifest)?;
    Ok(Outcome {
        made: vec![made_closed, made_open, made_rejects, made_manifest],
        message,
    })
}
