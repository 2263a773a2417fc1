//! Report: everything of a trial to `report.md`, and of all trials to `aggregate_report.md` and `multi_trial_manifest.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::ctx::{Ctx, Made, Outcome, Scope, Sink, open, write_json, write_text};
use super::error::PhaseError;
use crate::domain::json::read_line;
use crate::domain::{Condition, Digest, Item, Trial, WorkState};
use crate::provider::rows::{RowOutcome, parse_row};
use crate::report::examples::{Example, Flips, flips, with_texts};
use crate::report::outcomes::{Outcomes, outcomes};
use crate::report::{
    Costs, Estimates, Provenance, Source, TrialReport, aggregate_report, trial_report,
};
use crate::snapshot::TrialView;
use crate::store::atomic;

/// Flips shown in each direction.
const EXAMPLES: usize = 4;
/// Version of the reports' form.
const VERSION: &str = "report/1";

/// The files read.
pub fn needs(ctx: &Ctx, scope: &Scope) -> Vec<PathBuf> {
    let of_trial = |trial: &TrialView| {
        let paths = ctx.trial_paths(&trial.trial.slug);
        vec![
            paths.predictions(),
            paths.per_item_scores(),
            paths.significance(),
            paths.costs(),
        ]
    };
    match scope {
        Scope::Trial(trial) => of_trial(trial),
        Scope::Run => trials(ctx)
            .into_iter()
            .flat_map(|trial| of_trial(&trial))
            .collect(),
    }
}

/// The files written.
pub fn makes(ctx: &Ctx, scope: &Scope) -> Vec<PathBuf> {
    match scope {
        Scope::Trial(trial) => vec![ctx.trial_paths(&trial.trial.slug).report_md()],
        Scope::Run => vec![
            ctx.paths.aggregate_report(),
            ctx.paths.multi_trial_manifest(),
        ],
    }
}

/// What the report says beyond its inputs: configuration, lost rows, version.
pub fn knobs(ctx: &Ctx, scope: &Scope) -> Digest {
    let lost: Vec<String> = match scope {
        Scope::Trial(trial) => Condition::ALL
            .iter()
            .map(|c| format!("{:?}", lost_rows(ctx, trial, *c)))
            .collect(),
        Scope::Run => trials(ctx)
            .iter()
            .map(|t| t.trial.slug.to_string())
            .collect(),
    };
    Digest::of_parts(&[
        VERSION,
        env!("CARGO_PKG_VERSION"),
        &ctx.config.hash().to_string(),
        &lost.join(" "),
    ])
}

fn trials(ctx: &Ctx) -> Vec<std::sync::Arc<TrialView>> {
    ctx.config
        .trials
        .iter()
        .filter_map(|t| ctx.view.trial(&t.slug).cloned())
        .collect()
}

/// Rows of a condition that failed or are missing.
fn lost_rows(ctx: &Ctx, trial: &TrialView, condition: Condition) -> (u64, u64) {
    let mut lost = (0, 0);
    for part in trial.parts.iter().filter(|p| p.key.condition == condition) {
        let work = &ctx.view.works[part.work];
        if matches!(work.state, WorkState::Failed { .. }) {
            lost.1 += work.part.rows;
        } else {
            lost.0 += work.rows.failed;
            lost.1 += work.rows.missing;
        }
    }
    lost
}

/// What a trial's report is made from, read once.
struct Material {
    trial: std::sync::Arc<TrialView>,
    estimates: Estimates,
    costs: Costs,
    outcomes: BTreeMap<Condition, Outcomes>,
    flips: Flips,
    examples: Vec<Example>,
    models: Vec<String>,
    prompts: Vec<OwnedSource>,
    datasets: Vec<OwnedSource>,
}

struct OwnedSource {
    label: String,
    path: String,
    sha256: Option<Digest>,
    items: Option<u64>,
}

impl OwnedSource {
    fn borrow(&self) -> Source<'_> {
        Source {
            label: &self.label,
            path: &self.path,
            sha256: self.sha256,
            items: self.items,
        }
    }
}

/// Writes the report of a trial, or those over all trials.
pub fn run(ctx: &Ctx, scope: &Scope, _sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    match scope {
        Scope::Trial(trial) => {
            let material = gather(ctx, trial)?;
            let paths = ctx.trial_paths(&trial.trial.slug);
            atomic::create_dir_all(&paths.reports_dir())?;
            let made = with_report(ctx, &material, |report| {
                write_text(&paths.report_md(), &trial_report(report))
            })?;
            Ok(Outcome {
                message: ctx.paths.relative(&made.path),
                made: vec![made],
            })
        }
        Scope::Run => over_all(ctx),
    }
}

fn over_all(ctx: &Ctx) -> Result<Outcome, PhaseError> {
    let mut materials = Vec::new();
    for trial in trials(ctx) {
        materials.push(gather(ctx, &trial)?);
    }
    let text = with_reports(ctx, &materials, &mut Vec::new());
    let aggregate = write_text(&ctx.paths.aggregate_report(), &text)?;
    let manifest = multi_trial_manifest(ctx)?;
    Ok(Outcome {
        message: ctx.paths.relative(&aggregate.path),
        made: vec![aggregate, manifest],
    })
}

/// Builds the borrowed reports one inside the other's lifetime and renders the aggregate over them.
fn with_reports<'a>(
    ctx: &'a Ctx,
    materials: &'a [Material],
    sources: &mut Vec<(Vec<Source<'a>>, Vec<Source<'a>>)>,
) -> String {
    for material in materials {
        sources.push((
            material.prompts.iter().map(OwnedSource::borrow).collect(),
            material.datasets.iter().map(OwnedSource::borrow).collect(),
        ));
    }
    let reports: Vec<TrialReport<'_>> = materials
        .iter()
        .zip(sources.iter())
        .map(|(material, (prompts, datasets))| report_of(ctx, material, prompts, datasets))
        .collect();
    aggregate_report(&reports)
}

fn with_report<T>(ctx: &Ctx, material: &Material, then: impl FnOnce(&TrialReport<'_>) -> T) -> T {
    let prompts: Vec<Source<'_>> = material.prompts.iter().map(OwnedSource::borrow).collect();
    let datasets: Vec<Source<'_>> = material.datasets.iter().map(OwnedSource::borrow).collect();
    then(&report_of(ctx, material, &prompts, &datasets))
}

fn report_of<'a>(
    ctx: &'a Ctx,
    material: &'a Material,
    prompts: &'a [Source<'a>],
    datasets: &'a [Source<'a>],
) -> TrialReport<'a> {
    TrialReport {
        provenance: Provenance {
            run_id: &ctx.view.run_id,
            trial: &material.trial.trial,
            provider: ctx.config.provider.name.as_str(),
            reported_models: &material.models,
            prompts,
            datasets,
            config_hash: ctx.config.hash(),
            sampling_seed: ctx.config.sampling_seed,
            version: env!("CARGO_PKG_VERSION"),
        },
        estimates: &material.estimates,
        costs: &material.costs,
        outcomes: &material.outcomes,
        flips: &material.flips,
        examples: &material.examples,
    }
}

fn gather(ctx: &Ctx, trial: &std::sync::Arc<TrialView>) -> Result<Material, PhaseError> {
    let paths = ctx.trial_paths(&trial.trial.slug);
    let estimates = Estimates::read(&read_all(&paths.significance())?)?;
    let costs_path = paths.costs();
    let costs: Costs =
        serde_json::from_slice(&read_all(&costs_path)?).map_err(|error| PhaseError::Form {
            path: costs_path,
            reason: error.to_string(),
            hint: "`--only-step costs` makes it again",
        })?;
    let mut by_condition = outcomes(open(&paths.predictions())?)?;
    for condition in Condition::ALL {
        let (failed, missing) = lost_rows(ctx, trial, condition);
        let counts = by_condition.entry(condition).or_default();
        counts.failed = failed;
        counts.missing = missing;
    }
    let flips = flips(open(&paths.per_item_scores())?, EXAMPLES)?;
    let picked = flips.gained.iter().chain(&flips.lost).cloned().collect();
    let mut examples = with_texts(open(&paths.predictions())?, picked)?;
    add_questions(ctx, &mut examples)?;
    let models = reported_models(&paths.results_combined())?;
    Ok(Material {
        trial: std::sync::Arc::clone(trial),
        estimates,
        costs,
        outcomes: by_condition,
        flips,
        examples,
        models,
        prompts: prompt_sources(ctx, &trial.trial),
        datasets: dataset_sources(ctx),
    })
}

fn read_all(path: &std::path::Path) -> Result<Vec<u8>, PhaseError> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut open(path)?, &mut bytes).map_err(|source| {
        PhaseError::Read {
            path: path.to_path_buf(),
            source,
        }
    })?;
    Ok(bytes)
}

/// Adds question and accepted answers to the picked items.
fn add_questions(ctx: &Ctx, examples: &mut [Example]) -> Result<(), PhaseError> {
    let mut left = examples.len();
    let mut line = Vec::new();
    for path in [ctx.paths.closed_book(), ctx.paths.open_book()] {
        let mut reader = open(&path)?;
        while left > 0
            && read_line(&mut reader, &mut line).map_err(|source| PhaseError::Read {
                path: path.clone(),
                source,
            })?
        {
            let Ok(item) = serde_json::from_slice::<Item>(&line) else {
                continue;
            };
            let key = item.key().to_string();
            for example in examples
                .iter_mut()
                .filter(|e| e.flip.item == key && e.flip.item_type == item.item_type())
            {
                example.question = Some(item.question.clone());
                example.answers.clone_from(&item.answers);
                left = left.saturating_sub(1);
            }
        }
    }
    Ok(())
}

/// The models that the provider says answered, from the first rows of the results.
fn reported_models(path: &std::path::Path) -> Result<Vec<String>, PhaseError> {
    /// A job runs one model; this many rows show whether the provider ever says another.
    const ROWS: usize = 1000;
    let mut reader = open(path)?;
    let mut models = std::collections::BTreeSet::new();
    let mut line = Vec::new();
    for _ in 0..ROWS {
        if !read_line(&mut reader, &mut line).map_err(|source| PhaseError::Read {
            path: path.to_path_buf(),
            source,
        })? {
            break;
        }
        if let Ok(row) = parse_row(&line)
            && let RowOutcome::Answer {
                model: Some(model), ..
            } = row.outcome
        {
            models.insert(model.into_owned());
        }
    }
    Ok(models.into_iter().collect())
}

fn prompt_sources(ctx: &Ctx, trial: &Trial) -> Vec<OwnedSource> {
    let mut sources = Vec::new();
    let mut push = |label: &str, file: &crate::config::settings::TextFile| {
        sources.push(OwnedSource {
            label: label.to_owned(),
            path: file.path.clone(),
            sha256: Some(file.sha256),
            items: None,
        });
    };
    if let Some(set) = ctx.config.prompt_set(&trial.prompt_set) {
        push("control prompt", &set.control);
        push("treatment prompt", &set.treatment);
    }
    push("closed instruction", &ctx.config.instructions.closed_book);
    push("open instruction", &ctx.config.instructions.open_book);
    sources
}

/// The datasets with the digests of the effective config and the items taken from each.
fn dataset_sources(ctx: &Ctx) -> Vec<OwnedSource> {
    let recorded = ctx
        .config
        .effective
        .get("datasets")
        .and_then(|d| d.as_array())
        .cloned()
        .unwrap_or_default();
    let manifest: Option<serde_json::Value> = read_all(&ctx.paths.prepared_manifest())
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let kept = |name: &str| {
        let sources = manifest.as_ref()?.get("sources")?.as_array()?;
        sources
            .iter()
            .find(|s| s.get("name").and_then(|n| n.as_str()) == Some(name))?
            .get("kept")?
            .as_u64()
    };
    ctx.config
        .datasets
        .iter()
        .enumerate()
        .map(|(i, spec)| OwnedSource {
            label: spec.name.to_string(),
            path: spec.path.clone(),
            sha256: recorded
                .get(i)
                .and_then(|d| d.get("sha256"))
                .and_then(|s| s.as_str())
                .and_then(|s| s.parse().ok()),
            items: kept(spec.name.as_str()),
        })
        .collect()
}

#[derive(Serialize)]
struct MultiTrialManifest<'a> {
    schema_version: u32,
    run_id: &'a str,
    trials: Vec<TrialEntry<'a>>,
}

#[derive(Serialize)]
struct TrialEntry<'a> {
    slug: &'a str,
    model: &'a str,
    prompt_set: &'a str,
    manifest: String,
    report: String,
}

fn multi_trial_manifest(ctx: &Ctx) -> Result<Made, PhaseError> {
    let trials = &ctx.config.trials;
    let entry = |trial: &'_ Trial| {
        let paths = ctx.trial_paths(&trial.slug);
        (
            ctx.paths.relative(&paths.trial_manifest()),
            ctx.paths.relative(&paths.report_md()),
        )
    };
    let entries = trials.iter().map(|trial| {
        let (manifest, report) = entry(trial);
        TrialEntry {
            slug: trial.slug.as_str(),
            model: &trial.model,
            prompt_set: trial.prompt_set.as_str(),
            manifest,
            report,
        }
    });
    let manifest = MultiTrialManifest {
        schema_version: 1,
        run_id: ctx.view.run_id.as_str(),
        trials: entries.collect(),
    };
    write_json(&ctx.paths.multi_trial_manifest(), &manifest)
}
