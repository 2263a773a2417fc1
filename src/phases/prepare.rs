//! Prepare: sources to normalised items, `open_book.jsonl` and `closed_book.jsonl`, with every rejected row on file.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use serde::Serialize;

use super::ctx::{Ctx, Made, Outcome, Sink, finish, write_json};
use super::error::PhaseError;
use crate::datasets::prepare::{
    DatasetTally, Limits, Outputs, Preparation, PrepareTally, SourceInput, prepare,
};
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

/// The files of `prepared_dir`, read where no dataset is configured.
struct ReadyFiles {
    closed: String,
    open: String,
}

impl ReadyFiles {
    fn of(ctx: &Ctx) -> Self {
        let dir = ctx.config.paths.prepared_dir.trim_end_matches('/');
        Self {
            closed: format!("{dir}/closed_book.jsonl"),
            open: format!("{dir}/open_book.jsonl"),
        }
    }
}

/// The datasets of the config, or else the ready files that exist.
fn sources<'a>(ctx: &'a Ctx, ready: &'a ReadyFiles) -> Result<Vec<SourceInput<'a>>, PhaseError> {
    let datasets = &ctx.config.datasets;
    let sources: Vec<SourceInput<'_>> = if datasets.is_empty() {
        let files = [
            (&ready.closed, ItemType::Closed),
            (&ready.open, ItemType::Open),
        ];
        files
            .into_iter()
            .filter(|(path, _)| std::path::Path::new(path).exists())
            .map(|(path, item_type)| SourceInput::Ready { path, item_type })
            .collect()
    } else {
        datasets
            .iter()
            .map(|spec| SourceInput::Dataset {
                spec,
                limit: limit_of(ctx, spec),
            })
            .collect()
    };
    if sources.is_empty() {
        return Err(PhaseError::Nothing(format!(
            "no datasets are configured, and {} and {} do not exist",
            ready.open, ready.closed
        )));
    }
    Ok(sources)
}

/// The files of items and rejects as written.
struct Written {
    closed: Made,
    open: Made,
    rejects: Made,
}

/// Reads every source and writes the chosen items and the rejects.
fn write_items(
    ctx: &Ctx,
    preparation: &Preparation<'_>,
) -> Result<(PrepareTally, Written), PhaseError> {
    let paths = &ctx.paths;
    let (mut open, mut closed, mut rejects) = (
        AtomicFile::create(&paths.open_book())?,
        AtomicFile::create(&paths.closed_book())?,
        AtomicFile::create(&paths.rejects())?,
    );
    let mut opener = |path: &str| -> std::io::Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::with_capacity(
            1 << 16,
            std::fs::File::open(path)?,
        )))
    };
    let tally = prepare(
        preparation,
        &mut opener,
        &mut Outputs {
            open: &mut open,
            closed: &mut closed,
            rejects: &mut rejects,
        },
    )?;
    let written = Written {
        closed: finish(closed, &paths.closed_book(), Some(tally.closed()))?,
        open: finish(open, &paths.open_book(), Some(tally.open()))?,
        rejects: finish(rejects, &paths.rejects(), Some(tally.rejected()))?,
    };
    Ok((tally, written))
}

fn manifest_of(tally: PrepareTally, written: &Written) -> PreparedManifest {
    let file = |path, items, made: &Made| PreparedFile {
        path,
        items,
        sha256: made.sum.sha256,
    };
    PreparedManifest {
        schema_version: MANIFEST_VERSION,
        datasets: [
            (
                "closed_book",
                file("closed_book.jsonl", tally.closed(), &written.closed),
            ),
            (
                "open_book",
                file("open_book.jsonl", tally.open(), &written.open),
            ),
        ]
        .into(),
        sources: tally.datasets,
    }
}

/// Reads every source and writes the chosen items.
pub fn run(ctx: &Ctx, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    atomic::create_dir_all(&ctx.paths.prepared_dir())?;
    let ready = ReadyFiles::of(ctx);
    let sizes = &ctx.config.sizes;
    let preparation = Preparation {
        sources: &sources(ctx, &ready)?,
        limits: Limits {
            per_dataset: sizes.limit_items,
            open: sizes.open_book_max_items,
            closed: sizes.closed_book_max_items,
        },
        seed: ctx.config.sampling_seed,
    };
    let (tally, written) = write_items(ctx, &preparation)?;
    if tally.rejected() > 0 {
        sink.say(
            LogLevel::Warn,
            &format!(
                "{} rows were rejected; each is in {} with its line and reason",
                tally.rejected(),
                ctx.paths.relative(&ctx.paths.rejects())
            ),
        );
    }
    let message = format!(
        "{} closed and {} open items, {} rejected",
        thousands(tally.closed()),
        thousands(tally.open()),
        thousands(tally.rejected())
    );
    let manifest = write_json(
        &ctx.paths.prepared_manifest(),
        &manifest_of(tally, &written),
    )?;
    Ok(Outcome {
        made: vec![written.closed, written.open, written.rejects, manifest],
        message,
    })
}
