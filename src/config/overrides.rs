//! Settings from the command line, laid over the file before anything is validated.

/// Throughput flags: they change no answer and may change whenever a run is continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throughput {
    /// `--max-concurrent-jobs`.
    pub max_concurrent_jobs: Option<u32>,
    /// `--parts-per-dataset`.
    pub parts_per_dataset: Option<u32>,
    /// `--lines-per-part`.
    pub lines_per_part: Option<u64>,
}

/// Flags that change the configuration. Empty lists and `None` leave the file's values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// `--prompt-sets`: replaces the sweep's prompt sets, or picks among explicit trials.
    pub prompt_sets: Vec<String>,
    /// `--temps`: replaces every list of temperatures.
    pub temps: Vec<f64>,
    /// `--limit-items`: most items of each dataset.
    pub limit_items: Option<u64>,
    /// `--simulate`, `--dry-run`: the embedded provider instead of the configured one.
    pub simulate: bool,
    /// `--account-id`.
    pub account_id: Option<String>,
    /// `--experiments-dir`.
    pub experiments_dir: Option<String>,
    /// Throughput flags.
    pub throughput: Throughput,
}
