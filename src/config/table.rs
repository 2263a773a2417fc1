//! The table of all known keys: name, shape, default and a word of explanation for each.
//!
//! A key that is not here is an error in a config; a default that is not here does not exist.

use super::keys::{Key, Shape};

const FRACTION: Shape = Shape::Number { min: 0.0, max: 1.0 };
const SEED: Shape = Shape::Whole {
    min: 0,
    max: i64::MAX,
};
const COUNT: Shape = Shape::Whole {
    min: 1,
    max: i64::MAX,
};
const RESAMPLES: Shape = Shape::Whole {
    min: 1,
    max: 10_000_000,
};
const TEMPERATURE: Shape = Shape::Number { min: 0.0, max: 2.0 };
const TOKENS: Shape = Shape::Whole {
    min: 1,
    max: 1_000_000,
};
const TOP_K: Shape = Shape::Whole {
    min: 1,
    max: 100_000,
};
const SAMPLES: Shape = Shape::Whole { min: 1, max: 1000 };
const SECONDS: Shape = Shape::Number {
    min: 0.0,
    max: 86_400.0,
};
const DOLLARS: Shape = Shape::Number {
    min: 0.0,
    max: 1_000_000.0,
};

const TEMPERATURES: Shape = Shape::List(&TEMPERATURE);
const MODELS: Shape = Shape::List(&Shape::Text);
const STOP: Shape = Shape::OpenList(&Shape::Text);
const SAMPLES_PER_ITEM: Shape = Shape::Either(&[SAMPLES, Shape::MapOf(&SAMPLES)]);

/// A file by its path alone, or by path and digest, as the effective config has it.
pub(super) const FILE: Shape = Shape::Either(&[
    Shape::Text,
    Shape::Map(&[
        Key::required(
            "path",
            Shape::Text,
            "The file, relative to the working folder.",
        ),
        Key::optional("sha256", Shape::Text, "What its bytes must digest to."),
    ]),
]);

const MAX_NEW_TOKENS: Shape = Shape::Either(&[
    TOKENS,
    Shape::Map(&[
        Key::or(
            "closed_book",
            TOKENS,
            "1024",
            "For closed items, in tokens.",
        ),
        Key::or("open_book", TOKENS, "1024", "For open items, in tokens."),
    ]),
]);

const TOKENS_OR_LIST: Shape = Shape::Either(&[TOKENS, Shape::List(&TOKENS)]);

const SWEPT_TOKENS: Shape = Shape::Either(&[
    TOKENS,
    Shape::List(&MAX_NEW_TOKENS),
    Shape::Map(&[
        Key::or(
            "closed_book",
            TOKENS_OR_LIST,
            "1024",
            "For closed items, in tokens.",
        ),
        Key::or(
            "open_book",
            TOKENS_OR_LIST,
            "1024",
            "For open items, in tokens.",
        ),
    ]),
]);

const SWEEP: &[Key] = &[
    Key::optional("models", MODELS, "Models, by full name or alias."),
    Key::optional(
        "prompt_sets",
        Shape::List(&Shape::Text),
        "Names of prompt sets.",
    ),
    Key::optional(
        "temps",
        TEMPERATURES,
        "Temperatures; every trial runs all of them.",
    ),
    Key::optional(
        "top_p",
        Shape::Either(&[FRACTION, Shape::List(&FRACTION)]),
        "Nucleus sampling thresholds.",
    ),
    Key::optional(
        "top_k",
        Shape::Either(&[TOP_K, Shape::List(&TOP_K)]),
        "Top-k sampling values.",
    ),
    Key::optional(
        "max_new_tokens",
        SWEPT_TOKENS,
        "Output limits: numbers, maps of closed_book and open_book, or one such map of lists.",
    ),
];

const TRIAL: &[Key] = &[
    Key::ignored("id"),
    Key::optional("model", Shape::Text, "The model, by full name or alias."),
    Key::optional("model_id", Shape::Text, "The same as model."),
    Key::optional("prompt_set", Shape::Text, "The prompt set's name."),
    Key::optional("temps", TEMPERATURES, "Temperatures."),
    Key::optional("top_p", FRACTION, "Nucleus sampling threshold."),
    Key::optional("top_k", TOP_K, "Top-k sampling."),
    Key::optional(
        "max_new_tokens",
        MAX_NEW_TOKENS,
        "Longest answer, in tokens.",
    ),
    Key::optional(
        "samples_per_item",
        SAMPLES_PER_ITEM,
        "Answers per item: one number, or a map from temperature to number.",
    ),
    Key::optional("stop", STOP, "Stop sequences."),
];

const PROMPT_SET: &[Key] = &[
    Key::required(
        "control",
        FILE,
        "The system prompt of the control condition.",
    ),
    Key::required(
        "treatment",
        FILE,
        "The system prompt of the treatment condition.",
    ),
];

const INSTRUCTIONS: &[Key] = &[
    Key::or(
        "closed_book",
        FILE,
        "\"config/task_instructions/closed_book.txt\"",
        "Put in front of every question without a passage.",
    ),
    Key::or(
        "open_book",
        FILE,
        "\"config/task_instructions/open_book.txt\"",
        "Put in front of every passage and question.",
    ),
];

const FIELDS: &[Key] = &[
    Key::or("id", Shape::Text, "\"id\"", "Field of the stable id."),
    Key::or(
        "question",
        Shape::Text,
        "\"question\"",
        "Field of the question.",
    ),
    Key::or(
        "answers",
        Shape::Text,
        "\"answers\"",
        "Field of the accepted answers.",
    ),
    Key::or(
        "context",
        Shape::Text,
        "\"context\"",
        "Field of the passage.",
    ),
    Key::or(
        "choices",
        Shape::Text,
        "\"choices\"",
        "Field of the options to choose from.",
    ),
    Key::or(
        "cluster",
        Shape::Text,
        "\"cluster\"",
        "Field of the larger unit, e.g. a title.",
    ),
    Key::or(
        "is_unanswerable",
        Shape::Text,
        "\"is_unanswerable\"",
        "Field that says whether there is no answer.",
    ),
];

const DATASET: &[Key] = &[
    Key::required(
        "name",
        Shape::Text,
        "The dataset's name; stands in every custom_id.",
    ),
    Key::required(
        "format",
        Shape::Choice(&["squad", "nq_open", "triviaqa", "gsm8k", "jsonl", "csv"]),
        "The file's format.",
    ),
    Key::required(
        "path",
        Shape::Text,
        "The file, relative to the working folder.",
    ),
    Key::optional("sha256", Shape::Text, "What its bytes must digest to."),
    Key::optional(
        "max_items",
        COUNT,
        "Take at most so many items, chosen by sampling_seed.",
    ),
    Key::optional(
        "type",
        Shape::Choice(&["open", "closed"]),
        "With or without a passage (jsonl and csv only); by the context field where absent.",
    ),
    Key::optional(
        "scorer",
        Shape::Choice(&["em_f1", "numeric", "choice"]),
        "How answers are judged; the format's usual way where absent.",
    ),
    Key::optional(
        "fields",
        Shape::Map(FIELDS),
        "Names of the file's fields (jsonl and csv only).",
    ),
];

const SIZES: &[Key] = &[
    Key::optional(
        "closed_book_max_items",
        COUNT,
        "Most closed items over all datasets.",
    ),
    Key::optional(
        "open_book_max_items",
        COUNT,
        "Most open items over all datasets.",
    ),
    Key::optional("triviaqa_max_items", COUNT, "Most items of TriviaQA."),
    Key::optional("nq_open_max_items", COUNT, "Most items of NQ-open."),
    Key::optional("squad_v2_max_items", COUNT, "Most items of SQuAD."),
    Key::optional(
        "limit_items",
        COUNT,
        "Most items of each dataset; --limit-items sets it.",
    ),
];

const PATHS: &[Key] = &[
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

const CONDITION_SHARES: &[Key] = &[
    Key::or("control", FRACTION, "0.62", "Under the control prompt."),
    Key::or("treatment", FRACTION, "0.68", "Under the treatment prompt."),
];

const ACCURACY: &[Key] = &[
    Key::or("control", FRACTION, "0.62", "Under the control prompt."),
    Key::or("treatment", FRACTION, "0.68", "Under the treatment prompt."),
    Key::optional(
        "models",
        Shape::MapOf(&Shape::Map(CONDITION_SHARES)),
        "By model, replacing the two above.",
    ),
];

const SIM: &[Key] = &[
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

const PROVIDER: &[Key] = &[
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

const PROVIDER_WORDS: &[&str] = &[
    "sim",
    "fireworks",
    "openai",
    "anthropic",
    "chat",
    "slurm",
    "local",
];

const SERVICE: Shape = Shape::Either(&[Shape::Choice(PROVIDER_WORDS), Shape::Map(PROVIDER)]);

const EXECUTION: &[Key] = &[
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

const PRICE: &[Key] = &[
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

const PRICE_TABLE: &[Key] = &[
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

const PROVIDER_PRICES: Shape = Shape::Map(PRICE_TABLE);
const PROVIDER_PRICES_DOC: &str = "Prices where this provider is used.";

const PRICING: &[Key] = &[
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

const MARGINS: &[Key] = &[
    Key::optional("em", FRACTION, "For exact match."),
    Key::optional("f1", FRACTION, "For token F1."),
    Key::optional("abstain_rate", FRACTION, "For the share of abstentions."),
    Key::optional(
        "false_answer_rate",
        FRACTION,
        "For answers to unanswerable questions.",
    ),
    Key::optional(
        "unsupported_rate",
        FRACTION,
        "For answers that the passage does not support.",
    ),
];

const STATS: &[Key] = &[
    Key::or(
        "bootstrap_samples",
        RESAMPLES,
        "5000",
        "Bootstrap resamples.",
    ),
    Key::or(
        "permutation_samples",
        RESAMPLES,
        "5000",
        "Permutation resamples.",
    ),
    Key::or("random_seed", SEED, "1337", "Seed of all resampling."),
    Key::or(
        "enable_permutation",
        Shape::Bool,
        "true",
        "Whether permutation tests are done.",
    ),
    Key::or(
        "enable_fdr",
        Shape::Bool,
        "true",
        "Whether p-values are adjusted (Benjamini-Hochberg).",
    ),
    Key::or(
        "risk_thresholds",
        Shape::List(&FRACTION),
        "[0.0, 0.25, 0.5, 0.75, 1.0]",
        "Thresholds of the selective-risk curve.",
    ),
    Key::or(
        "tost_alpha",
        Shape::Number {
            min: 0.000_001,
            max: 0.999_999,
        },
        "0.05",
        "Level of the equivalence tests.",
    ),
    Key::or(
        "tost_margins",
        Shape::Map(MARGINS),
        "{\"em\": 0.01, \"f1\": 0.01}",
        "Equivalence margins by metric.",
    ),
];

const UNSUPPORTED: &[Key] = &[
    Key::or(
        "strategy",
        Shape::Choice(&["overlap", "baseline", "nli"]),
        "\"overlap\"",
        "How support is judged. baseline and nli are the predecessor's.",
    ),
    Key::or(
        "threshold",
        FRACTION,
        "0.5",
        "Threshold of the other strategies.",
    ),
    Key::or(
        "min_token_overlap",
        FRACTION,
        "0.6",
        "Share of an answer's tokens that must occur in the passage.",
    ),
    Key::ignored("nli_model"),
];

const PREPARED: &[Key] = &[
    Key::optional(
        "closed_book",
        FILE,
        "closed_book.jsonl of paths.prepared_dir.",
    ),
    Key::optional("open_book", FILE, "open_book.jsonl of paths.prepared_dir."),
];

const BUDGET: &[Key] = &[Key::optional(
    "max_usd",
    DOLLARS,
    "No job is submitted that could take the run above this many US dollars.",
)];

/// All keys of a config.
pub(super) const ROOT: &[Key] = &[
    Key::optional(
        "model_id",
        Shape::Text,
        "The model, by full name or alias, where no sweep or trial names one.",
    ),
    Key::optional("models", MODELS, "The same as sweep.models."),
    Key::optional(
        "model_aliases",
        Shape::MapOf(&Shape::Text),
        "Short names for models.",
    ),
    Key::or("temps", TEMPERATURES, "[0.0]", "Sampling temperatures."),
    Key::or(
        "samples_per_item",
        SAMPLES_PER_ITEM,
        "1",
        "Answers per item: one number, or a map from temperature to number (1 for those not named).",
    ),
    Key::or(
        "max_new_tokens",
        MAX_NEW_TOKENS,
        "{\"closed_book\": 1024, \"open_book\": 1024}",
        "Longest answer, in tokens.",
    ),
    Key::or("top_p", FRACTION, "1.0", "Nucleus sampling threshold."),
    Key::optional(
        "top_k",
        TOP_K,
        "Top-k sampling; the provider's choice where absent.",
    ),
    Key::or("stop", STOP, "[]", "Stop sequences."),
    Key::or(
        "prompt_sets",
        Shape::MapOf(&Shape::Map(PROMPT_SET)),
        "{\"default\": {\"control\": \"config/prompts/control_system.txt\", \"treatment\": \"config/prompts/treatment_system.txt\"}}",
        "Pairs of system prompts by name.",
    ),
    Key::optional(
        "default_prompt_set",
        Shape::Text,
        "Used where no sweep or trial names one; the first by name where absent.",
    ),
    Key::or(
        "task_instructions",
        Shape::Map(INSTRUCTIONS),
        "{}",
        "Texts put in front of the questions.",
    ),
    Key::optional(
        "sweep",
        Shape::Map(SWEEP),
        "Every combination of these values is a trial.",
    ),
    Key::optional(
        "trials",
        Shape::OpenList(&Shape::Map(TRIAL)),
        "Trials one by one, each overriding the settings above; a sweep beside them is not used.",
    ),
    Key::optional(
        "datasets",
        Shape::OpenList(&Shape::Map(DATASET)),
        "Sources of questions; paths.prepared_dir where absent or empty.",
    ),
    Key::optional(
        "prepared",
        Shape::Map(PREPARED),
        "Ready items with their digests; evaltui records them.",
    ),
    Key::or(
        "sizes",
        Shape::Map(SIZES),
        "{}",
        "Limits on the number of items.",
    ),
    Key::or(
        "sampling_seed",
        SEED,
        "1337",
        "Seed of the choice of items where a limit is set.",
    ),
    Key::or("paths", Shape::Map(PATHS), "{}", "Folders."),
    Key::optional(
        "provider",
        SERVICE,
        "The service that runs the jobs: its name, or a map. fireworks where absent.",
    ),
    Key::optional("backend", SERVICE, "The predecessor's word for provider."),
    Key::or(
        "execution",
        Shape::Map(EXECUTION),
        "{}",
        "Throughput; never drift.",
    ),
    Key::or(
        "budget",
        Shape::Map(BUDGET),
        "{}",
        "The most that may be spent.",
    ),
    Key::or(
        "pricing",
        Shape::Map(PRICING),
        "{}",
        "Prices for the costs; unknown where absent.",
    ),
    Key::or(
        "stats",
        Shape::Map(STATS),
        "{}",
        "Settings of the statistics.",
    ),
    Key::or(
        "unsupported",
        Shape::Map(UNSUPPORTED),
        "{}",
        "How answers without support in the passage are found.",
    ),
    Key::ignored("unsupported_threshold"),
    Key::ignored("use_batch_api"),
    Key::ignored("task"),
    Key::ignored("optional"),
    Key::ignored("max_concurrent_requests"),
    Key::ignored("tokenizer"),
    Key::ignored("enable_local_telemetry"),
    Key::ignored("local_engine"),
    Key::ignored("local_endpoint"),
    Key::ignored("local_model"),
    Key::ignored("local_n_ctx"),
    Key::ignored("local_n_gpu_layers"),
];
