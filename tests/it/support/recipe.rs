//! Small configurations as values, written as YAML.

/// A configuration: by default 12 facts under two prompts in 6 parts, done in about a second.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// Models of the sweep; one is written as `model_id`.
    pub(crate) models: &'static [&'static str],
    /// Prompt sets: name, control, treatment.
    pub(crate) prompt_sets: &'static [(&'static str, &'static str, &'static str)],
    /// Temperatures.
    pub(crate) temps: &'static [f64],
    /// The `datasets` entries.
    pub(crate) datasets: &'static [&'static str],
    /// Seconds that a job takes.
    pub(crate) seconds_per_job: f64,
    /// Share of rows that fail at first.
    pub(crate) row_error_rate: f64,
    /// Jobs at once.
    pub(crate) jobs: u32,
    /// Requests in a part.
    pub(crate) lines_per_part: u32,
    /// Further lines at the end.
    pub(crate) more: &'static str,
}

const CONCISE: (&str, &str, &str) = (
    "concise",
    "config/prompts/concise_control.txt",
    "config/prompts/concise_treatment.txt",
);

/// A second prompt set with the same control prompt.
pub(crate) const SAME_CONTROL: (&str, &str, &str) = (
    "sibling",
    "config/prompts/concise_control.txt",
    "config/prompts/stepwise_treatment.txt",
);

impl Default for Recipe {
    fn default() -> Self {
        Self {
            models: &["accounts/fireworks/models/gpt-oss-120b"],
            prompt_sets: &[CONCISE],
            temps: &[0.0],
            datasets: &[
                "{name: facts, format: jsonl, path: assets/facts/facts.jsonl, max_items: 12}",
            ],
            seconds_per_job: 0.3,
            row_error_rate: 0.0,
            jobs: 2,
            lines_per_part: 4,
            more: "",
        }
    }
}

impl Recipe {
    /// Two prompt sets that share the text of their control prompt.
    pub(crate) fn shared_control() -> Self {
        Self {
            prompt_sets: &[CONCISE, SAME_CONTROL],
            ..Self::default()
        }
    }

    /// The file.
    pub(crate) fn yaml(&self) -> String {
        let names: Vec<&str> = self.prompt_sets.iter().map(|(name, ..)| *name).collect();
        let sets: Vec<String> = self
            .prompt_sets
            .iter()
            .map(|(name, control, treatment)| {
                format!("  {name}: {{control: {control}, treatment: {treatment}}}\n")
            })
            .collect();
        let datasets: Vec<String> = self
            .datasets
            .iter()
            .map(|line| format!("  - {line}\n"))
            .collect();
        let (sets, datasets) = (sets.concat(), datasets.concat());
        format!(
            "sweep: {{models: {:?}, prompt_sets: {names:?}}}\ntemps: {:?}\nsamples_per_item: 1\nmax_new_tokens: 64\n\
             prompt_sets:\n{sets}datasets:\n{datasets}\
             provider: {{name: sim, sim: {{answers: oracle, accuracy: {{control: 0.6, treatment: 0.7}}, seconds_per_job: {}, row_error_rate: {}, seed: 7}}}}\n\
             execution: {{max_concurrent_jobs: {}, lines_per_part: {}, poll_seconds: 0.1, max_item_retries: 2, min_coverage: 0.95}}\n\
             pricing: {{input_per_million: 0.15, output_per_million: 0.6, batch_discount: 0.5}}\n\
             stats: {{bootstrap_samples: 200, permutation_samples: 200, random_seed: 1}}\n{}",
            self.models,
            self.temps,
            self.seconds_per_job,
            self.row_error_rate,
            self.jobs,
            self.lines_per_part,
            self.more
        )
    }
}
