//! Keys of where and how a run goes on: folders, service, throughput, prices, budget.

use crate::config::keys::{Key, Shape};

use super::ranges::{DOLLARS, FRACTION, SECONDS, SEED};

pub(in crate::config) const PATHS: &[Key] = &[
    Key::or(
        "experiments_dir",
        Shape::Text,
        "\"experiments\"",
        "Runs live in run_<id> below it. Not part of the effective config: a run may be moved.",
    ),
    Key::or(
        "prepared_dir",
        Shape::Text,
        "\"data/prepared\"",
        "Holds ready open_book.jsonl and closed_book.jsonl where there are no datasets.",
    ),
    Key::ignored("raw_dir"),
    Key::ignored("batch_inputs_dir"),
    Key::ignored("results_dir"),
    Key::ignored("reports_dir"),
    Key::ignored("run_manifest"),
];

pub(in crate::config) const CONDITION_SHARES: &[Key] = &[
    Key::or("control", FRACTION, "0.62", "Under the control prompt."),
    Key::or("treatment", FRACTION, "0.68", "Under the treatment prompt."),
];

pub(in crate::config) const ACCURACY: &[Key] = &[
    Key::or("control", FRACTION, "0.62", "Under the control prompt."),
    Key::or("treatment", FRACTION, "0.68", "Under the treatment prompt."),
    Key::optional(
        "models",
        Shape::MapOf(&Shape::Map(CONDITION_SHARES)),
        "By model, replacing the two above.",
    ),
];

pub(in crate::config) const SIM: &[Key] = &[
    Key::or(
        "answers",
        Shape::Choice(&["oracle", "replay"]),
        "\"oracle\"",
        "oracle makes answers up from the gold answers, replay gives recorded ones.",
    ),
    Key::optional(
        "replay_dir",
        Shape::Text,
        "Folder of recorded answers, <prompt_set>.<condition>.jsonl; needed for replay.",
    ),
    Key::or(
        "accuracy",
        Shape::Map(ACCURACY),
        "{}",
        "Share of right answers of the oracle.",
    ),
    Key::or(
        "seconds_per_job",
        SECONDS,
        "2",
        "From acceptance to completion of a job.",
    ),
    Key::or(
        "row_error_rate",
        FRACTION,
        "0",
        "Share of rows that fail on their first attempt.",
    ),
    Key::or("seed", SEED, "7", "Seed of all made-up answers."),
    Key::optional(
        "state_dir",
        Shape::Text,
        "Folder of its jobs; .sim/<run id> in the experiments folder where absent.",
    ),
];

pub(in crate::config) const PROVIDER: &[Key] = &[
    Key::required(
        "name",
        Shape::Choice(PROVIDER_WORDS),
        "The service; local is the predecessor's word for chat.",
    ),
    Key::optional(
        "base_url",
        Shape::Text,
        "The server, where not the service's own; https, or http on loopback. *_BASE_URL and *_API_BASE variables win.",
    ),
    Key::optional(
        "account_id",
        Shape::Text,
        "The account, where the service has one.",
    ),
    Key::optional(
        "api_key_env",
        Shape::Text,
        "Name of the variable that holds the key; never the key.",
    ),
    Key::or(
        "sim",
        Shape::Map(SIM),
        "{}",
        "Settings of the embedded provider.",
    ),
];

pub(in crate::config) const PROVIDER_WORDS: &[&str] = &[
    "sim",
    "fireworks",
    "openai",
    "anthropic",
    "chat",
    "slurm",
    "local",
];

pub(in crate::config) const SERVICE: Shape =
    Shape::Either(&[Shape::Choice(PROVIDER_WORDS), Shape::Map(PROVIDER)]);

pub(in crate::config) const EXECUTION: &[Key] = &[
    Key::or(
        "max_concurrent_jobs",
        Shape::Whole {
            min: 1,
            max: 10_000,
        },
        "4",
        "Jobs at the provider at once.",
    ),
    Key::or(
        "lines_per_part",
        Shape::Whole {
            min: 1,
            max: 1_000_000,
        },
        "5000",
        "Most requests in one part; the provider's limits come on top.",
    ),
    Key::optional(
        "parts_per_dataset",
        Shape::Whole {
            min: 1,
            max: 100_000,
        },
        "Parts per prompt set, temperature and condition, instead of lines_per_part.",
    ),
    Key::or(
        "poll_seconds",
        Shape::Number {
            min: 0.05,
            max: 3600.0,
        },
        "10",
        "Time between two looks at the jobs.",
    ),
    Key::or(
        "max_item_retries",
        Shape::Whole { min: 0, max: 20 },
        "2",
        "Further attempts for requests that failed or did not come back.",
    ),
    Key::or(
        "min_coverage",
        FRACTION,
        "0.95",
        "Share of requests that must be answered; below it the run fails.",
    ),
];

pub(in crate::config) const PRICE: &[Key] = &[
    Key::required(
        "input_per_million",
        DOLLARS,
        "US dollars per million input tokens.",
    ),
    Key::required(
        "output_per_million",
        DOLLARS,
        "US dollars per million output tokens.",
    ),
    Key::optional(
        "batch_discount",
        FRACTION,
        "What batch requests cost of it; as in the table above where absent.",
    ),
];

pub(in crate::config) const PRICE_TABLE: &[Key] = &[
    Key::optional(
        "input_per_million",
        DOLLARS,
        "US dollars per million input tokens.",
    ),
    Key::optional(
        "output_per_million",
        DOLLARS,
        "US dollars per million output tokens.",
    ),
    Key::optional(
        "batch_discount",
        FRACTION,
        "What batch requests cost of it; as in the table above where absent.",
    ),
    Key::optional(
        "models",
        Shape::MapOf(&Shape::Map(PRICE)),
        "Prices by model or alias.",
    ),
];

pub(in crate::config) const PROVIDER_PRICES: Shape = Shape::Map(PRICE_TABLE);

pub(in crate::config) const PROVIDER_PRICES_DOC: &str = "Prices where this provider is used.";

pub(in crate::config) const PRICING: &[Key] = &[
    Key::optional(
        "input_per_million",
        DOLLARS,
        "US dollars per million input tokens.",
    ),
    Key::optional(
        "output_per_million",
        DOLLARS,
        "US dollars per million output tokens.",
    ),
    Key::or(
        "batch_discount",
        FRACTION,
        "1",
        "What batch requests cost of it: 0.5 is half.",
    ),
    Key::optional(
        "models",
        Shape::MapOf(&Shape::Map(PRICE)),
        "Prices by model or alias.",
    ),
    Key::optional("sim", PROVIDER_PRICES, PROVIDER_PRICES_DOC),
    Key::optional("fireworks", PROVIDER_PRICES, PROVIDER_PRICES_DOC),
    Key::optional("openai", PROVIDER_PRICES, PROVIDER_PRICES_DOC),
    Key::optional("anthropic", PROVIDER_PRICES, PROVIDER_PRICES_DOC),
    Key::optional("chat", PROVIDER_PRICES, PROVIDER_PRICES_DOC),
    Key::optional("slurm", PROVIDER_PRICES, PROVIDER_PRICES_DOC),
];

pub(in crate::config) const BUDGET: &[Key] = &[Key::optional(
    "max_usd",
    DOLLARS,
    "No job is submitted that could take the run above this many US dollars.",
)];
