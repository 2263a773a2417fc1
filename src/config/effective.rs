//! The effective config: the settings as one JSON value that is itself a config and reads back to the same settings.
//!
//! Files appear by path and digest. Left out: what does not belong to the experiment (the run's own folder, a server from
//! the environment) and settings of services that are not used.

use serde_json::{Map, Value, json};

use crate::domain::Trial;

use super::files::Inputs;
use super::settings::{
    Config, Execution, Price, Pricing, ProviderName, ProviderSettings, SimAnswers, SimSettings,
    Sizes, TextFile,
};

/// The effective config of settings, whose `effective` is not read.
pub(super) fn of(config: &Config, inputs: &Inputs, written_base_url: Option<&str>) -> Value {
    let sets: Map<_, _> = config
        .prompt_sets
        .iter()
        .map(|set| {
            let files = json!({"control": file(&set.control), "treatment": file(&set.treatment)});
            (set.name.to_string(), files)
        })
        .collect();
    let stats = &config.stats;
    let unsupported = &config.unsupported;
    let mut effective = json!({
        "trials": config.trials.iter().map(trial).collect::<Vec<_>>(),
        "prompt_sets": sets,
        "task_instructions": {
            "closed_book": file(&config.instructions.closed_book),
            "open_book": file(&config.instructions.open_book),
        },
        "datasets": datasets(inputs),
        "sizes": sizes(config.sizes),
        "sampling_seed": config.sampling_seed,
        "provider": provider(&config.provider, written_base_url),
        "execution": execution(&config.execution),
        "budget": given([("max_usd", config.budget_max_usd.map(|usd| json!(usd.dollars())))]),
        "pricing": pricing(&config.pricing),
        "stats": {
            "bootstrap_samples": stats.bootstrap_samples,
            "permutation_samples": stats.permutation_samples,
            "random_seed": stats.random_seed,
            "enable_permutation": stats.enable_permutation,
            "enable_fdr": stats.enable_fdr,
            "risk_thresholds": stats.risk_thresholds,
            "tost_alpha": stats.tost_alpha,
            "tost_margins": stats.tost_margins,
        },
        "unsupported": {
            "strategy": unsupported.strategy,
            "threshold": unsupported.threshold,
            "min_token_overlap": unsupported.min_token_overlap,
        },
    });
    if inputs.datasets.is_empty() {
        effective["paths"] = json!({"prepared_dir": config.paths.prepared_dir});
        effective["prepared"] = prepared(inputs);
    }
    effective
}

fn file(file: &TextFile) -> Value {
    json!({"path": file.path, "sha256": file.sha256})
}

/// A map of what is given; nothing stands for what is not.
fn given<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let given = entries.into_iter();
    Value::Object(
        given
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect(),
    )
}

fn trial(trial: &Trial) -> Value {
    let samples: Map<_, _> = trial
        .temps
        .iter()
        .zip(&trial.samples)
        .map(|(temp, samples)| (temp.to_string(), json!(samples)))
        .collect();
    given([
        ("model", Some(json!(trial.model))),
        ("prompt_set", Some(json!(trial.prompt_set))),
        ("temps", Some(json!(trial.temps))),
        ("samples_per_item", Some(Value::Object(samples))),
        ("top_p", Some(json!(trial.top_p))),
        ("top_k", trial.top_k.map(Value::from)),
        ("max_new_tokens", Some(json!(trial.max_new_tokens))),
        ("stop", Some(json!(trial.stop))),
    ])
}

fn datasets(inputs: &Inputs) -> Value {
    let entry = |(spec, sha256): &_| {
        let (spec, sha256): (&crate::domain::SourceSpec, &crate::domain::Digest) = (spec, sha256);
        let general = matches!(spec.format.as_str(), "jsonl" | "csv");
        given([
            ("name", Some(json!(spec.name))),
            ("format", Some(json!(spec.format.as_str()))),
            ("path", Some(json!(spec.path))),
            ("sha256", Some(json!(sha256))),
            ("max_items", spec.max_items.map(Value::from)),
            ("type", spec.item_type.map(|t| json!(t.as_str()))),
            ("scorer", spec.scorer.map(|s| json!(s.as_str()))),
            ("fields", general.then(|| json!(spec.fields))),
        ])
    };
    Value::Array(inputs.datasets.iter().map(entry).collect())
}

fn prepared(inputs: &Inputs) -> Value {
    let files = inputs.prepared.iter();
    let entry = |(name, path, sha256): &(&'static str, String, _)| {
        ((*name).to_owned(), json!({"path": path, "sha256": sha256}))
    };
    Value::Object(files.map(entry).collect())
}

fn sizes(sizes: Sizes) -> Value {
    given([
        (
            "closed_book_max_items",
            sizes.closed_book_max_items.map(Value::from),
        ),
        (
            "open_book_max_items",
            sizes.open_book_max_items.map(Value::from),
        ),
        (
            "triviaqa_max_items",
            sizes.triviaqa_max_items.map(Value::from),
        ),
        (
            "nq_open_max_items",
            sizes.nq_open_max_items.map(Value::from),
        ),
        (
            "squad_v2_max_items",
            sizes.squad_v2_max_items.map(Value::from),
        ),
        ("limit_items", sizes.limit_items.map(Value::from)),
    ])
}

fn provider(provider: &ProviderSettings, written_base_url: Option<&str>) -> Value {
    let used = provider.name == ProviderName::Sim;
    given([
        ("name", Some(json!(provider.name.as_str()))),
        ("base_url", written_base_url.map(Value::from)),
        (
            "account_id",
            provider.account_id.as_deref().map(Value::from),
        ),
        (
            "api_key_env",
            provider.api_key_env.as_deref().map(Value::from),
        ),
        ("sim", used.then(|| sim(&provider.sim))),
    ])
}

fn sim(sim: &SimSettings) -> Value {
    let models: Map<_, _> = sim
        .accuracy_by_model
        .iter()
        .map(|(model, (control, treatment))| {
            (
                model.clone(),
                json!({"control": control, "treatment": treatment}),
            )
        })
        .collect();
    let replay = sim.answers == SimAnswers::Replay;
    given([
        (
            "answers",
            Some(json!(if replay { "replay" } else { "oracle" })),
        ),
        ("replay_dir", sim.replay_dir.as_deref().map(Value::from)),
        (
            "accuracy",
            Some(given([
                ("control", Some(json!(sim.accuracy_control))),
                ("treatment", Some(json!(sim.accuracy_treatment))),
                (
                    "models",
                    (!models.is_empty()).then_some(Value::Object(models)),
                ),
            ])),
        ),
        ("seconds_per_job", Some(json!(sim.seconds_per_job))),
        ("row_error_rate", Some(json!(sim.row_error_rate))),
        ("seed", Some(json!(sim.seed))),
        ("state_dir", sim.state_dir.as_deref().map(Value::from)),
    ])
}

fn execution(execution: &Execution) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "at most 3,600,000 by the table")]
    let poll_seconds = execution.poll_ms as f64 / 1000.0;
    given([
        (
            "max_concurrent_jobs",
            Some(json!(execution.max_concurrent_jobs)),
        ),
        ("lines_per_part", Some(json!(execution.lines_per_part))),
        (
            "parts_per_dataset",
            execution.parts_per_dataset.map(Value::from),
        ),
        ("poll_seconds", Some(json!(poll_seconds))),
        ("max_item_retries", Some(json!(execution.max_item_retries))),
        ("min_coverage", Some(json!(execution.min_coverage))),
    ])
}

fn pricing(pricing: &Pricing) -> Value {
    let price = |price: &Price| {
        json!({
            "input_per_million": price.input_per_million.dollars(),
            "output_per_million": price.output_per_million.dollars(),
            "batch_discount": price.batch_discount,
        })
    };
    let mut table = pricing.default.as_ref().map_or_else(|| json!({}), price);
    if !pricing.by_model.is_empty() {
        let models = pricing
            .by_model
            .iter()
            .map(|(model, p)| (model.clone(), price(p)));
        table["models"] = Value::Object(models.collect());
    }
    table
}
