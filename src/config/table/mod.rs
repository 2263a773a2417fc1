//! The table of all known keys: name, shape, default and a word of explanation for each.
//!
//! A key that is not here is an error in a config; a default that is not here does not exist.

mod experiment;
mod ranges;
mod running;

use self::experiment::{
    DATASET, INSTRUCTIONS, MAX_NEW_TOKENS, MODELS, PREPARED, PROMPT_SET, SAMPLES_PER_ITEM, SIZES,
    STATS, STOP, SWEEP, TEMPERATURES, TRIAL, UNSUPPORTED,
};
use self::ranges::{FRACTION, SEED, TOP_K};
use self::running::{BUDGET, EXECUTION, PATHS, PRICING, SERVICE};
use super::keys::{Key, Shape};

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
