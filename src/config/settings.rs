//! The validated configuration: every value present, typed and in range.

use std::collections::BTreeMap;

use crate::domain::ids::PromptSetName;
use crate::domain::{Digest, SourceSpec, TokenUsage, Trial, Usd};

/// A text file that the experiment depends on: represented by path and digest in the effective config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// The path as written in the config.
    pub path: String,
    /// Digest of its bytes; the recorded one where the file is gone.
    pub sha256: Digest,
    /// Its text with the white space around it removed; `None` where the file is gone (only when continuing a run).
    pub text: Option<String>,
}

/// A named pair of system prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptSet {
    /// Its name.
    pub name: PromptSetName,
    /// The system prompt of the control condition.
    pub control: TextFile,
    /// The system prompt of the treatment condition.
    pub treatment: TextFile,
}

/// Instructions put in front of every question, by item type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInstructions {
    /// For closed items.
    pub closed_book: TextFile,
    /// For open items.
    pub open_book: TextFile,
}

/// Folders of the predecessor's config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Runs live in `<experiments_dir>/run_<id>`.
    pub experiments_dir: String,
    /// May hold ready `open_book.jsonl` and `closed_book.jsonl` where there are no `datasets`.
    pub prepared_dir: String,
}

/// Limits on the number of items; `None` takes all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Over all open items.
    pub open_book_max_items: Option<u64>,
    /// Over all closed items.
    pub closed_book_max_items: Option<u64>,
    /// Of the dataset named or formatted `triviaqa`.
    pub triviaqa_max_items: Option<u64>,
    /// Of the dataset named or formatted `nq_open`.
    pub nq_open_max_items: Option<u64>,
    /// Of the dataset named or formatted `squad_v2` / `squad`.
    pub squad_v2_max_items: Option<u64>,
    /// `--limit-items`: of each dataset.
    pub limit_items: Option<u64>,
}

/// Which service runs the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderName {
    /// The embedded provider on loopback.
    Sim,
    /// Fireworks.
    Fireworks,
    /// `OpenAI`.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// `OpenAI`-compatible chat servers.
    Chat,
    /// Slurm.
    Slurm,
}

/// How the embedded provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimAnswers {
    /// Answers made up from the gold answers with a seeded error rate.
    Oracle,
    /// Recorded answers.
    Replay,
}

/// Settings of the embedded provider.
#[derive(Debug, Clone, PartialEq)]
pub struct SimSettings {
    /// Where answers come from.
    pub answers: SimAnswers,
    /// The folder of recorded answers, `<prompt_set>.<condition>.jsonl`.
    pub replay_dir: Option<String>,
    /// Share of right answers by condition, 0 to 1.
    pub accuracy_control: f64,
    /// Share of right answers under treatment, 0 to 1.
    pub accuracy_treatment: f64,
    /// Share of right answers by model name, replacing both of the above: (control, treatment).
    pub accuracy_by_model: BTreeMap<String, (f64, f64)>,
    /// Seconds from acceptance to completion of a job.
    pub seconds_per_job: f64,
    /// Share of rows that come back as errors on their first attempt, 0 to 1.
    pub row_error_rate: f64,
    /// Seed of all answers.
    pub seed: u64,
    /// Folder of its jobs; `<experiments_dir>/.sim/<run id>` where absent.
    pub state_dir: Option<String>,
}

/// Where and how jobs run.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSettings {
    /// The service.
    pub name: ProviderName,
    /// The server's address, where not the service's own.
    pub base_url: Option<String>,
    /// The account, where the service has one.
    pub account_id: Option<String>,
    /// The environment variable that holds the key, where not the service's usual one.
    pub api_key_env: Option<String>,
    /// Settings of the embedded provider.
    pub sim: SimSettings,
}

/// Throughput settings. Not part of the config hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Jobs at the provider at once.
    pub max_concurrent_jobs: u32,
    /// Requests in a part.
    pub lines_per_part: u64,
    /// Parts per (prompt set, temperature, condition), where wanted instead of `lines_per_part`.
    pub parts_per_dataset: Option<u32>,
    /// Milliseconds between two looks at the jobs.
    pub poll_ms: u64,
    /// Further attempts for rows that failed or did not come back.
    pub max_item_retries: u32,
    /// Share of requests that must be answered, 0 to 1.
    pub min_coverage: f64,
}

/// Prices of one model, per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Input.
    pub input_per_million: Usd,
    /// Output.
    pub output_per_million: Usd,
    /// The share that batch requests cost, 0 to 1: 0.5 halves the price.
    pub batch_discount: f64,
}

impl Price {
    /// What a batch request with these tokens costs.
    pub fn cost(&self, usage: TokenUsage) -> Usd {
        let list = Usd::of_tokens(usage.prompt_tokens, self.input_per_million)
            + Usd::of_tokens(usage.completion_tokens, self.output_per_million);
        Usd::from_dollars(list.dollars() * self.batch_discount).unwrap_or(list)
    }
}

/// Prices: one for all models, and by model where given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pricing {
    /// For models without their own entry.
    pub default: Option<Price>,
    /// By model name (full name, last path segment or alias).
    pub by_model: BTreeMap<String, Price>,
}

impl Pricing {
    /// The price of a model, by full name or last path segment; `None` where unknown.
    pub fn of(&self, model: &str) -> Option<Price> {
        let short = model.rsplit('/').next().unwrap_or(model);
        self.by_model
            .get(model)
            .or_else(|| self.by_model.get(short))
            .copied()
            .or(self.default)
    }
}

/// Settings of the statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct StatsSettings {
    /// Bootstrap resamples.
    pub bootstrap_samples: u32,
    /// Permutation resamples.
    pub permutation_samples: u32,
    /// Seed of all resampling.
    pub random_seed: u64,
    /// Whether permutation tests are done.
    pub enable_permutation: bool,
    /// Whether p-values are adjusted (Benjamini-Hochberg).
    pub enable_fdr: bool,
    /// Thresholds of the selective-risk curve, 0 to 1.
    pub risk_thresholds: Vec<f64>,
    /// Level of the equivalence tests.
    pub tost_alpha: f64,
    /// Equivalence margins by metric.
    pub tost_margins: BTreeMap<String, f64>,
}

/// How an answer to an open item is judged unsupported by its passage.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsupportedSettings {
    /// The strategy; only `overlap` is known.
    pub strategy: String,
    /// Threshold of other strategies; kept for the predecessor's files.
    pub threshold: f64,
    /// Share of the answer's tokens that must occur in the passage.
    pub min_token_overlap: f64,
}

/// The validated configuration of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file it came from, as given.
    pub path: String,
    /// Trials in order.
    pub trials: Vec<Trial>,
    /// Prompt sets that the trials use, in order of first use.
    pub prompt_sets: Vec<PromptSet>,
    /// Task instructions.
    pub instructions: TaskInstructions,
    /// Sources of questions; empty where `paths.prepared_dir` holds ready ones.
    pub datasets: Vec<SourceSpec>,
    /// Limits on items.
    pub sizes: Sizes,
    /// Folders.
    pub paths: Paths,
    /// The service.
    pub provider: ProviderSettings,
    /// Throughput settings.
    pub execution: Execution,
    /// The most that may be spent.
    pub budget_max_usd: Option<Usd>,
    /// Prices.
    pub pricing: Pricing,
    /// Statistics.
    pub stats: StatsSettings,
    /// Unsupported answers.
    pub unsupported: UnsupportedSettings,
    /// Seed of the choice of items where a limit is set.
    pub sampling_seed: u64,
    /// The effective config as JSON: defaults, file and command line merged, files by path and digest.
    ///
    /// What is written to `effective_config.yaml` and, without `execution`, digested.
    pub effective: serde_json::Value,
}

impl Config {
    /// Digest of the effective config without its `execution` section.
    pub fn hash(&self) -> Digest {
        let mut value = self.effective.clone();
        if let Some(map) = value.as_object_mut() {
            map.remove("execution");
        }
        Digest::of_json(&value)
    }

    /// A prompt set by name.
    pub fn prompt_set(&self, name: &PromptSetName) -> Option<&PromptSet> {
        self.prompt_sets.iter().find(|s| s.name == *name)
    }
}
