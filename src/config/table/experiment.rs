//! Keys of what is asked, of whom, and how it is judged: sweep, trials, prompts, datasets, sizes, statistics.

use crate::config::keys::{Key, Shape};

use super::ranges::{COUNT, FRACTION, RESAMPLES, SAMPLES, SEED, TEMPERATURE, TOKENS, TOP_K};

pub(in crate::config) const TEMPERATURES: Shape = Shape::List(&TEMPERATURE);

pub(in crate::config) const MODELS: Shape = Shape::List(&Shape::Text);

pub(in crate::config) const STOP: Shape = Shape::OpenList(&Shape::Text);

pub(in crate::config) const SAMPLES_PER_ITEM: Shape =
    Shape::Either(&[SAMPLES, Shape::MapOf(&SAMPLES)]);

/// A file by its path alone, or by path and digest, as the effective config has it.
pub(in crate::config) const FILE: Shape = Shape::Either(&[
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

pub(in crate::config) const MAX_NEW_TOKENS: Shape = Shape::Either(&[
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

pub(in crate::config) const TOKENS_OR_LIST: Shape = Shape::Either(&[TOKENS, Shape::List(&TOKENS)]);

pub(in crate::config) const SWEPT_TOKENS: Shape = Shape::Either(&[
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

pub(in crate::config) const SWEEP: &[Key] = &[
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

pub(in crate::config) const TRIAL: &[Key] = &[
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

pub(in crate::config) const PROMPT_SET: &[Key] = &[
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

pub(in crate::config) const INSTRUCTIONS: &[Key] = &[
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

pub(in crate::config) const FIELDS: &[Key] = &[
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

pub(in crate::config) const DATASET: &[Key] = &[
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

pub(in crate::config) const SIZES: &[Key] = &[
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

pub(in crate::config) const PREPARED: &[Key] = &[
    Key::optional(
        "closed_book",
        FILE,
        "closed_book.jsonl of paths.prepared_dir.",
    ),
    Key::optional("open_book", FILE, "open_book.jsonl of paths.prepared_dir."),
];

pub(in crate::config) const MARGINS: &[Key] = &[
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

pub(in crate::config) const STATS: &[Key] = &[
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

pub(in crate::config) const UNSUPPORTED: &[Key] = &[
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
