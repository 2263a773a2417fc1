//! What a config may say, how its problems read, and what the effective config promises.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::keys::{Key, Presence, Shape};
use super::settings::{ProviderName, SimAnswers};
use super::*;
use crate::domain::{Digest, MaxNewTokens, Usd};

/// Files of a pretended disk.
type Disk = BTreeMap<String, Vec<u8>>;

fn disk() -> Disk {
    let files = [
        ("p/c.txt", "plain\n"),
        ("p/t.txt", " careful \n"),
        ("d.jsonl", "{}\n"),
        ("config/prompts/control_system.txt", "c"),
        ("config/prompts/treatment_system.txt", "t"),
        ("config/task_instructions/closed_book.txt", "closed"),
        ("config/task_instructions/open_book.txt", "open"),
    ];
    let own = |(path, text): (&str, &str)| (path.to_owned(), text.as_bytes().to_vec());
    files.into_iter().map(own).collect()
}

const BASE: &str = "\
model_id: m
prompt_sets: {a: {control: p/c.txt, treatment: p/t.txt}}
datasets: [{name: d, format: jsonl, path: d.jsonl}]
provider: sim
";

fn parse_on(
    disk: &Disk,
    text: &str,
    overrides: &Overrides,
    env: &Environment,
) -> Result<Config, ConfigErrors> {
    let open = |path: &str| -> io::Result<Box<dyn Read>> {
        let bytes = disk.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes.clone())))
    };
    parse(text, "c.yaml", overrides, env, &open)
}

fn read(text: &str) -> Result<Config, ConfigErrors> {
    parse_on(
        &disk(),
        text,
        &Overrides::default(),
        &Environment::default(),
    )
}

fn ok(text: &str) -> Config {
    read(text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn with(more: &str) -> String {
    format!("{BASE}{more}")
}

fn message(text: &str) -> String {
    read(text).map_or_else(|errors| errors.to_string(), |_| "no problem".to_owned())
}

/// Broken lines under the base config (so the first is line 5), and what is said about them.
const BROKEN: &[(&str, &str)] = &[
    (
        "sweeep: {}",
        "c.yaml:5:1: sweeep: unknown key; did you mean sweep?",
    ),
    (
        "budget: {q: 1}",
        "c.yaml:5:10: budget.q: unknown key; allowed here: max_usd",
    ),
    (
        "top_p: 1.5",
        "c.yaml:5:8: top_p: 1.5 is out of range; expected a number from 0 to 1",
    ),
    (
        "top_p: .nan",
        "c.yaml:5:8: top_p: NaN is out of range; expected a number from 0 to 1",
    ),
    (
        "top_p: high",
        "c.yaml:5:8: top_p: expected a number from 0 to 1, found the text \"high\"",
    ),
    (
        "stats: {enable_fdr: no}",
        "c.yaml:5:21: stats.enable_fdr: expected true or false, found the text \"no\"",
    ),
    (
        "stats: 3",
        "c.yaml:5:8: stats: expected a map with bootstrap_samples, permutation_samples, random_seed, enable_permutation, enable_fdr, risk_thresholds, tost_alpha, tost_margins, found 3",
    ),
    (
        "temps: []",
        "c.yaml:5:8: temps: an empty list is out of range; expected a list, each element a number from 0 to 2, at least one",
    ),
    (
        "temps: [0.7, 0.70]",
        "c.yaml:5:14: temps[1]: 0.7 is given twice, first at temps[0]",
    ),
    (
        "temps: [0.12345678]",
        "c.yaml:5:9: temps[0]: 0.12345678 is out of range; expected a number from 0 to 2 with at most six decimals",
    ),
    (
        "samples_per_item: {hot: 2}",
        "c.yaml:5:20: samples_per_item.hot: temperature \"hot\" is not a number from 0 to 2 with at most six decimals",
    ),
    (
        "samples_per_item: {0.0: 1, \"0\": 2}",
        "c.yaml:5:28: samples_per_item.0: temperature 0.0 is given twice, first at samples_per_item",
    ),
    (
        "samples_per_item: 0",
        "c.yaml:5:19: samples_per_item: 0 is out of range; expected a whole number from 1 to 1000",
    ),
    (
        "default_prompt_set: b",
        "c.yaml:5:21: default_prompt_set: unknown prompt set \"b\"; did you mean a? defined: a",
    ),
    (
        "sweep: {prompt_sets: [zebra]}",
        "c.yaml:5:23: sweep.prompt_sets[0]: unknown prompt set \"zebra\"; defined: a",
    ),
    (
        "trials: [{top_p: 1}, {model: M, temps: [0.5]}]",
        "c.yaml:5:22: trials[1]: has the same folder as trials[0]: M-a-tp1-tknone-mx1024-1024; trials must differ in model, prompt_set, top_p, top_k or max_new_tokens (several temperatures belong into one trial's temps)",
    ),
    (
        "trials: [{model: x, model_id: y}]",
        "c.yaml:5:18: trials[0].model_id: says the same as model; give one of them",
    ),
    (
        "backend: sim",
        "c.yaml:5:10: backend: says the same as provider; give one of them",
    ),
    (
        "task_instructions: {open_book: gone.txt}",
        "c.yaml:5:32: task_instructions.open_book: cannot read gone.txt: entity not found",
    ),
    (
        "execution: {poll_seconds: 0}",
        "c.yaml:5:27: execution.poll_seconds: 0 is out of range; expected a number from 0.05 to 3600",
    ),
    (
        "pricing: {input_per_million: 1}",
        "c.yaml:5:10: pricing.output_per_million: is missing; expected a number, because its counterpart is given (input_per_million and output_per_million)",
    ),
    (
        "top_k: 1\ntop_k: 2",
        "c.yaml:6:1: top_k: the key is given twice, first in line 5",
    ),
    (
        "stop: &x [a]\n",
        "c.yaml:5:7: anchors and aliases are not accepted; write the value out",
    ),
    (
        "stop: [!!str a]",
        "c.yaml:5:8: tags are not accepted; quote a value to make it text",
    ),
    (
        "---\na: 1",
        "c.yaml:5:1: a second document starts here; a config has one",
    ),
    ("[a]: 1", "c.yaml:5:1: a key must be plain text"),
    (
        "model_aliases: {\"x\": \"a\\u001b]0;b\"}\nsweep: {models: [x]}",
        "c.yaml:6:18: sweep.models[0]: a model's name has at most 300 bytes and no control characters",
    ),
];

#[test]
fn every_problem_names_its_place_and_what_would_be_right() {
    let said = BROKEN.iter().map(|(broken, _)| message(&with(broken)));
    for (said, (broken, expected)) in said.zip(BROKEN) {
        assert_eq!(said, *expected, "{broken}");
    }
}

/// Broken values of the base config's own keys.
const BROKEN_BASE: &[(&str, &str, &str)] = &[
    (
        "provider: sim",
        "provider: fireworx",
        "c.yaml:4:11: provider.name: unknown value \"fireworx\"; did you mean fireworks? allowed: sim, fireworks, openai, anthropic, chat, slurm, local",
    ),
    (
        "provider: sim",
        "provider: {sim: {}}",
        "c.yaml:4:11: provider.name: is missing; expected one of sim, fireworks, openai, anthropic, chat, slurm, local",
    ),
    (
        "provider: sim",
        "provider: {name: sim, sim: {answers: replay}}",
        "c.yaml:4:38: provider.sim.replay_dir: is missing; expected the folder of recorded answers, because answers is replay",
    ),
    (
        "provider: sim",
        "provider: {name: sim, sim: {answers: replay, replay_dir: rec}}",
        "c.yaml:4:58: provider.sim.replay_dir: cannot read rec/a.control.jsonl: entity not found\nc.yaml:4:58: provider.sim.replay_dir: cannot read rec/a.treatment.jsonl: entity not found",
    ),
    (
        "provider: sim",
        "provider: {name: openai, base_url: \"https://me:secret@host/v1\"}",
        "c.yaml:4:36: provider.base_url: must not hold a user name or password; give the key in its variable",
    ),
    (
        "provider: sim",
        "provider: {name: openai, base_url: \"http://localhost.evil.com\"}",
        "c.yaml:4:36: provider.base_url: must be https, because a key is sent to it (http is for loopback)",
    ),
    (
        "provider: sim",
        "provider: {name: openai, api_key_env: sk-secret}",
        "c.yaml:4:39: provider.api_key_env: must name an environment variable, like OPENAI_API_KEY; never write a key into a config",
    ),
    (
        "{name: d, format: jsonl, path: d.jsonl}",
        "{name: d, format: json, path: d.jsonl}",
        "c.yaml:3:30: datasets[0].format: unknown value \"json\"; did you mean jsonl? allowed: squad, nq_open, triviaqa, gsm8k, jsonl, csv",
    ),
    (
        "{name: d, format: jsonl, path: d.jsonl}",
        "{name: d, format: jsonl, path: gone.jsonl}",
        "c.yaml:3:43: datasets[0].path: cannot read gone.jsonl: entity not found",
    ),
    (
        "{name: d, format: jsonl, path: d.jsonl}",
        "{name: d, format: squad, path: d.jsonl, type: open}",
        "c.yaml:3:58: datasets[0].type: is for jsonl and csv only; squad has its own",
    ),
    (
        "{name: d, format: jsonl, path: d.jsonl}",
        "{name: d, format: jsonl, path: d.jsonl}, {name: d, format: csv, path: d.jsonl}",
        "c.yaml:3:60: datasets[1].name: d is given twice, first at datasets[0].name",
    ),
    (
        "{name: d, format: jsonl, path: d.jsonl}",
        "{name: ../d, format: jsonl, path: d.jsonl}",
        "c.yaml:3:19: datasets[0].name: dataset name \"../d\" must not start with '.' or '-' nor contain '..'",
    ),
    (
        "[{name: d, format: jsonl, path: d.jsonl}]",
        "[]",
        "c.yaml: datasets: there are no questions: no datasets are listed, and data/prepared (paths.prepared_dir) holds neither closed_book.jsonl nor open_book.jsonl",
    ),
    (
        "treatment: p/t.txt",
        "treatmnt: p/t.txt",
        "c.yaml:2:18: prompt_sets.a.treatment: is missing; expected text, or a map with path, sha256\nc.yaml:2:37: prompt_sets.a.treatmnt: unknown key; did you mean treatment?",
    ),
    (
        "p/t.txt",
        "gone.txt",
        "c.yaml:2:48: prompt_sets.a.treatment: cannot read gone.txt: entity not found",
    ),
    (
        "model_id: m\n",
        "",
        "c.yaml: model_id: is missing; expected a model here, in sweep.models or in every trial",
    ),
    (
        "model_id: m",
        "model_id: [",
        "c.yaml:2:1: is not valid YAML here: invalid indentation",
    ),
];

#[test]
fn problems_of_required_keys_read_the_same_way() {
    for (good, bad, expected) in BROKEN_BASE {
        let text = BASE.replace(good, bad);
        assert_ne!(text, BASE, "{good}");
        assert_eq!(message(&text), *expected, "{bad}");
    }
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_file() {
    let text = with("top_p: 2\nsweeep: 1\nexecution: {lines_per_part: x}\ntemps: [9]\n");
    let overrides = Overrides {
        prompt_sets: vec!["b".to_owned()],
        temps: vec![3.0],
        ..Overrides::default()
    };
    let env = Environment::default();
    let errors = parse_on(&disk(), &text, &overrides, &env).expect_err("four problems");
    let lines: Vec<_> = errors.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "c.yaml:5:8: top_p: 2 is out of range; expected a number from 0 to 1",
            "c.yaml:6:1: sweeep: unknown key; did you mean sweep?",
            "c.yaml:7:29: execution.lines_per_part: expected a whole number from 1 to 1000000, found the text \"x\"",
            "from the command line (--temps): temps[0]: 3 is out of range; expected a number from 0 to 2",
            "from the command line (--prompt-sets): prompt_sets: unknown prompt set \"b\"; did you mean a? defined: a",
        ]
    );
}

#[test]
fn a_message_carries_no_escape_sequence() {
    let shown = message(&with("\"\\e]52;c;x\\a\": 1"));
    assert!(shown.contains("<U+001B>]52;c;x<U+0007>"), "{shown}");
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn hostile_yaml_is_refused_quickly_and_without_harm() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n";
    assert!(message(bomb).starts_with("c.yaml:1:4: anchors"));
    let deep = format!("a: {}", "[".repeat(40));
    assert_eq!(
        message(&deep),
        "c.yaml:1:37: nested deeper than 32 levels".replace("37", "36")
    );
    let huge = "#".repeat(4 << 20) + "#";
    assert_eq!(message(&huge), "c.yaml: is larger than 4194304 bytes");
    for hostile in [
        "{".repeat(1 << 20),
        "a: {".repeat(1 << 18),
        "- ".repeat(1 << 18),
    ] {
        assert!(read(&hostile).is_err());
    }
    for odd in ["", "#only a comment\n", "- a", "text", "\u{0}", "a: b: c"] {
        assert!(read(odd).is_err(), "{odd:?}");
    }
}

#[test]
fn many_problems_are_counted_not_listed() {
    let lines: Vec<_> = (0..500).map(|i| format!("zzzz{i}: 1\n")).collect();
    let text = lines.concat();
    let shown = message(&with(&text));
    assert_eq!(shown.lines().count(), 101);
    assert!(shown.ends_with("c.yaml: and 400 more problems"), "{shown}");
}

#[test]
fn scalars_follow_the_core_schema_of_yaml_1_2() {
    let text = "[no, yes, on, 010, 0o10, 0x1F, 1e3, .5, 1., -3, +4, 1_000, 0.1.2, ~, , 'null', \"1\", True, 12:30, 2001-01-01, 0b1, .inf, -]";
    let text = text.replace(", ,", ",").replace(", -]", "]");
    let node = file::parse(&text).expect("one list");
    assert_eq!(
        file::to_json(&node).to_string(),
        r#"["no","yes","on",10,8,31,1000.0,0.5,1.0,-3,4,"1_000","0.1.2",null,"null","1",true,"12:30","2001-01-01","0b1",null]"#
    );
}

#[test]
fn texts_that_look_like_other_values_survive_as_text() {
    let texts = [
        "no",
        "null",
        "~",
        "1",
        "0x1",
        "1.0",
        "true",
        "",
        " a ",
        "a: b",
        "- a",
        "#a",
        "a #b",
        "@",
        "*a",
        "&a",
        "!a",
        "{",
        "[",
        "\"",
        "'",
        "\\",
        "\n",
        "a\nb",
        "\u{0}",
        "\u{1b}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{202e}",
        "é",
        "日本",
        "🙂",
        "\u{e0041}",
        "%",
        "|",
        ">",
        "?",
        "-",
        "---",
        "...",
        "=",
        "<<",
        ".inf",
        "a,b",
        "a]",
        "1e5",
        "_",
        "a:",
        "a/b-c.d",
    ];
    for text in texts {
        let value = serde_json::json!({"k": text, text: [text, {text: text}], "l": [[text]]});
        let yaml = yaml::write(&value);
        let back = file::parse(&yaml).map(|node| file::to_json(&node));
        assert_eq!(back, Ok(value), "{text:?}\n{yaml}");
        assert!(!yaml.contains(['\u{1b}', '\u{202e}', '\u{2028}', '\u{85}']));
    }
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ -~é\n]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn every_json_map_survives_as_yaml(value in any_json()) {
        let value = serde_json::json!({"root": value});
        let yaml = yaml::write(&value);
        let back = file::parse(&yaml).map(|node| file::to_json(&node));
        proptest::prop_assert_eq!(back, Ok(value), "{}", yaml);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z:\\-\\[\\]{}&*!|>'\"#% \n\t]{0,80}") {
        drop(read(&text));
        drop(read(&with(&text)));
    }
}

/// The config of the predecessor, as the benchmark kit writes it.
const PREDECESSOR: &str = r#"model_id: "accounts/fireworks/models/gpt-oss-120b"
temps: [0.0]
samples_per_item:
  "0.0": 3
max_new_tokens: {closed_book: 1024, open_book: 1024}
top_p: 1.0
top_k: 50
stop: []
sizes: {open_book_max_items: null, triviaqa_max_items: null, nq_open_max_items: null, squad_v2_max_items: null, closed_book_max_items: null}
paths:
  raw_dir: "data/raw"
  prepared_dir: "data/prepared"
  batch_inputs_dir: "data/batch_inputs"
  results_dir: "results"
  reports_dir: "reports"
  run_manifest: "results/run_manifest.json"
  experiments_dir: "experiments"
pricing: {input_per_million: 0.15, output_per_million: 0.60, batch_discount: 0.5}
use_batch_api: true
stats:
  bootstrap_samples: 5000
  permutation_samples: 5000
  random_seed: 1337
  enable_permutation: true
  enable_fdr: true
  risk_thresholds: [0.0, 0.25, 0.5, 0.75, 1.0]
  tost_alpha: 0.05
  tost_margins: {em: 0.01, f1: 0.01}
unsupported: {strategy: overlap, threshold: 0.5, min_token_overlap: 0.6}
prompt_sets:
  default: {control: config/prompts/control_system.txt, treatment: config/prompts/treatment_system.txt}
default_prompt_set: default
"#;

fn prepared_disk() -> Disk {
    let mut disk = disk();
    disk.insert(
        "data/prepared/closed_book.jsonl".to_owned(),
        b"{}\n".to_vec(),
    );
    disk
}

#[test]
fn the_predecessors_file_loads_unchanged() {
    let none = Overrides::default();
    let env = Environment::default();
    let config =
        parse_on(&prepared_disk(), PREDECESSOR, &none, &env).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        config.trials[0].slug.as_str(),
        "gpt-oss-120b-default-tp1-tk50-mx1024-1024"
    );
    assert_eq!(config.trials[0].samples, [3]);
    assert_eq!(config.provider.name, ProviderName::Fireworks);
    assert_eq!(config.sizes, settings::Sizes::default());
    assert_eq!(config.datasets, []);
    assert_eq!(
        config
            .pricing
            .of("gpt-oss-120b")
            .and_then(|p| Usd::from_dollars(0.6).map(|usd| p.output_per_million == usd)),
        Some(true)
    );
    // Its other keys, and the nulls of its dumped configs.
    let more = format!(
        "{PREDECESSOR}task: qa\nunsupported_threshold: 0.5\noptional: {{enable_mixed_effects: true}}\nbackend: local\nlocal_engine: ollama\nlocal_n_ctx: 1\nsweep: null\ntrials: null\nmodels: null\nmodel_aliases: {{}}\n"
    );
    let config = parse_on(&prepared_disk(), &more, &none, &env).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.provider.name, ProviderName::Chat);
}

#[test]
fn a_sweep_makes_every_combination_in_a_fixed_order() {
    let config = ok(&with(
        "model_aliases: {big: org/big-model}\nsweep: {models: [big, m2], temps: [0.0, 0.7], top_p: [1, 0.9], top_k: [50], max_new_tokens: {closed_book: [8, 16], open_book: [32]}}\nsamples_per_item: {\"0.0\": 1, \"0.70\": 5}\n",
    ));
    let slugs: Vec<_> = config.trials.iter().map(|t| t.slug.as_str()).collect();
    assert_eq!(
        slugs,
        [
            "big-model-a-tp1-tk50-mx8-32",
            "big-model-a-tp1-tk50-mx16-32",
            "big-model-a-tp0.9-tk50-mx8-32",
            "big-model-a-tp0.9-tk50-mx16-32",
            "m2-a-tp1-tk50-mx8-32",
            "m2-a-tp1-tk50-mx16-32",
            "m2-a-tp0.9-tk50-mx8-32",
            "m2-a-tp0.9-tk50-mx16-32",
        ]
    );
    assert_eq!(config.trials[0].samples, [1, 5]);
    assert_eq!(config.trials[0].model, "org/big-model");
    let config = ok(&with(
        "sweep: {max_new_tokens: [8, {closed_book: 4, open_book: 6}]}\n",
    ));
    let limits: Vec<_> = config.trials.iter().map(|t| t.max_new_tokens).collect();
    let limit = |closed_book, open_book| MaxNewTokens {
        closed_book,
        open_book,
    };
    assert_eq!(limits, [limit(8, 8), limit(4, 6)]);
}

#[test]
fn listed_trials_override_the_plain_settings() {
    let config = ok(&with(
        "stop: [x]\ntrials: [{id: t1}, {model: m2, top_k: 5, temps: [1.0], samples_per_item: 4, max_new_tokens: 9, stop: []}]\n",
    ));
    let [first, second] = &config.trials[..] else {
        panic!("two trials")
    };
    assert_eq!(
        (first.model.as_str(), first.stop.len(), first.top_k),
        ("m", 1, None)
    );
    assert_eq!(second.slug.as_str(), "m2-a-tp1-tk5-mx9-9");
    assert_eq!(
        (second.samples.as_slice(), second.stop.len()),
        (&[4][..], 0)
    );
}

#[test]
fn a_sweep_that_explodes_is_refused() {
    let list: Vec<_> = (1..=40).map(|i| i.to_string()).collect();
    let list = list.join(", ");
    let shown = message(&with(&format!(
        "sweep: {{top_k: [{list}], max_new_tokens: [{list}]}}\n"
    )));
    assert_eq!(
        shown,
        "c.yaml:5:8: sweep: makes 1600 trials; a run has at most 1000"
    );
}

#[test]
fn a_list_of_trials_has_a_limit_too() {
    let shown = message(&with(&format!(
        "trials: [{}]\n",
        "{top_k: 1}, ".repeat(1001)
    )));
    assert_eq!(
        shown,
        "c.yaml:5:9: trials: makes 1001 trials; a run has at most 1000"
    );
}

#[test]
fn flags_win_over_the_file() {
    let overrides = Overrides {
        temps: vec![0.3, 1.0],
        limit_items: Some(7),
        experiments_dir: Some("elsewhere".to_owned()),
        throughput: Throughput {
            max_concurrent_jobs: Some(9),
            parts_per_dataset: None,
            lines_per_part: Some(11),
        },
        ..Overrides::default()
    };
    let text = with("temps: [0.0]\nsweep: {temps: [0.5]}\nexecution: {parts_per_dataset: 3}\n");
    let env = Environment::from_pairs([("EVALTUI_EXPERIMENTS_DIR", "env")]);
    let config = parse_on(&disk(), &text, &overrides, &env).expect("a config");
    let temps: Vec<_> = config.trials[0]
        .temps
        .iter()
        .map(|t| t.value().to_string())
        .collect();
    assert_eq!(temps, ["0.3", "1"]);
    assert_eq!(config.sizes.limit_items, Some(7));
    assert_eq!(config.paths.experiments_dir, "elsewhere");
    assert_eq!(config.execution.max_concurrent_jobs, 9);
    assert_eq!(config.execution.lines_per_part, 11);
    assert_eq!(config.execution.parts_per_dataset, None);
    let config = parse_on(&disk(), BASE, &Overrides::default(), &env).expect("a config");
    assert_eq!(config.paths.experiments_dir, "env");
}

#[test]
fn prompt_set_flags_pick_among_listed_trials_and_replace_those_of_a_sweep() {
    let text = BASE.replace("{a: {", "{b: {control: p/c.txt, treatment: p/t.txt}, a: {");
    let overrides = Overrides {
        prompt_sets: vec!["b".to_owned()],
        ..Overrides::default()
    };
    let env = Environment::default();
    let sets = |text: &str| {
        let config = parse_on(&disk(), text, &overrides, &env).unwrap_or_else(|e| panic!("{e}"));
        config
            .trials
            .iter()
            .map(|t| t.prompt_set.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(sets(&text), ["b"]);
    assert_eq!(sets(&format!("{text}sweep: {{prompt_sets: [a]}}\n")), ["b"]);
    assert_eq!(
        sets(&format!(
            "{text}trials: [{{prompt_set: a}}, {{prompt_set: b}}]\n"
        )),
        ["b"]
    );
    let only_a = format!("{text}trials: [{{prompt_set: a}}]\n");
    let errors = parse_on(&disk(), &only_a, &overrides, &env).expect_err("no trial left");
    assert_eq!(
        errors.to_string(),
        "from the command line (--prompt-sets): trials: none of the listed trials uses these prompt sets"
    );
}

#[test]
fn simulate_leaves_the_other_services_server_and_account_behind() {
    let text = BASE.replace(
        "provider: sim",
        "backend: {name: fireworks, base_url: \"https://x.test\", account_id: me, sim: {seed: 3}}",
    );
    let overrides = Overrides {
        simulate: true,
        ..Overrides::default()
    };
    let env = Environment::from_pairs([
        ("FIREWORKS_BASE_URL", "https://y.test"),
        ("FIREWORKS_ACCOUNT_ID", "env"),
    ]);
    let provider = parse_on(&disk(), &text, &overrides, &env)
        .expect("a config")
        .provider;
    assert_eq!(provider.name, ProviderName::Sim);
    assert_eq!((provider.base_url, provider.account_id), (None, None));
    assert_eq!(
        (provider.sim.seed, provider.sim.answers),
        (3, SimAnswers::Oracle)
    );
}

#[test]
fn a_server_from_the_environment_is_used_but_not_recorded() {
    let text = BASE.replace(
        "provider: sim",
        "provider: {name: fireworks, base_url: \"https://file.test/\"}",
    );
    let env = Environment::from_pairs([
        ("FIREWORKS_API_BASE", "http://127.0.0.1:9/v1"),
        ("FIREWORKS_ACCOUNT_ID", "accounts/team"),
        ("OPENAI_BASE_URL", "https://other.test"),
    ]);
    let config = parse_on(&disk(), &text, &Overrides::default(), &env).expect("a config");
    assert_eq!(
        config.provider.base_url.as_deref(),
        Some("http://127.0.0.1:9/v1")
    );
    assert_eq!(config.provider.account_id.as_deref(), Some("team"));
    assert_eq!(
        config.effective["provider"]["base_url"],
        "https://file.test"
    );
    let env = Environment::from_pairs([("FIREWORKS_BASE_URL", "http://u:p@127.0.0.1")]);
    let errors = parse_on(&disk(), &text, &Overrides::default(), &env).expect_err("a secret");
    assert_eq!(
        errors.to_string(),
        "from the environment (FIREWORKS_BASE_URL): provider.base_url: must not hold a user name or password; give the key in its variable"
    );
}

#[test]
fn the_nearest_price_wins() {
    let text = BASE.replace("provider: sim", "provider: fireworks") + "\
model_aliases: {big: org/big}
pricing:
  input_per_million: 1
  output_per_million: 2
  batch_discount: 0.5
  models: {big: {input_per_million: 3, output_per_million: 4}, other: {input_per_million: 5, output_per_million: 6}}
  fireworks: {input_per_million: 7, output_per_million: 8, models: {other: {input_per_million: 9, output_per_million: 10, batch_discount: 1}}}
  openai: {input_per_million: 100, output_per_million: 100}
";
    let pricing = ok(&text).pricing;
    let price = |model| {
        pricing
            .of(model)
            .map(|p| (p.input_per_million.dollars(), p.batch_discount))
    };
    assert_eq!(price("unknown"), Some((7.0, 0.5)));
    assert_eq!(price("org/big"), Some((3.0, 0.5)));
    assert_eq!(price("x/other"), Some((9.0, 1.0)));
}

#[test]
fn the_effective_config_reads_back_to_the_identical_value() {
    let texts = [
        BASE.to_owned(),
        with("model_aliases: {big: 'org/big: \"x\"'}\nsweep: {models: [big, m]}\nstop: [\"\\n\", 'no', é]\nbudget: {max_usd: 1.25}\nsizes: {limit_items: 3}\npricing: {models: {big: {input_per_million: 0.15, output_per_million: 1e-7}}}\nexecution: {poll_seconds: 0.125, parts_per_dataset: 2}\nstats: {tost_margins: {em: 0.02}}\n"),
        BASE.replace("provider: sim", "provider: {name: chat, base_url: 'http://node7:8000/v1', api_key_env: KEY_1, account_id: a}"),
        BASE.replace("provider: sim", "provider: {name: sim, sim: {accuracy: {models: {m: {control: 0.1}}}, state_dir: s}}"),
        BASE.replace("path: d.jsonl", "path: d.jsonl, max_items: 4, type: closed, scorer: numeric, fields: {id: key}"),
        PREDECESSOR.to_owned(),
    ];
    for text in texts {
        let none = Overrides::default();
        let env = Environment::default();
        let config = parse_on(&prepared_disk(), &text, &none, &env)
            .unwrap_or_else(|e| panic!("{e}\n{text}"));
        let yaml = config.effective_yaml();
        let raw = file::parse(&yaml).map(|node| file::to_json(&node));
        assert_eq!(raw, Ok(config.effective.clone()), "{yaml}");
        let again = parse_on(&prepared_disk(), &yaml, &none, &env)
            .unwrap_or_else(|e| panic!("{e}\n{yaml}"));
        assert_eq!(diff(&config.effective, &again.effective), []);
        assert_eq!(again, config, "{yaml}");
    }
}

#[test]
fn the_hash_changes_with_a_word_of_a_prompt_and_not_with_throughput() {
    let hash = ok(BASE).hash();
    let faster = "execution: {max_concurrent_jobs: 9, lines_per_part: 7, poll_seconds: 1}\n";
    assert_eq!(ok(&with(faster)).hash(), hash);
    assert_eq!(
        ok(&with("paths: {experiments_dir: elsewhere}\n")).hash(),
        hash
    );
    assert_eq!(
        ok(&with("use_batch_api: true\ntop_p: 1.0 # as before\n")).hash(),
        hash
    );
    for (path, text) in [
        ("p/t.txt", "careless"),
        ("d.jsonl", "{ }\n"),
        ("config/task_instructions/open_book.txt", "Open"),
    ] {
        let mut disk = disk();
        disk.insert(path.to_owned(), text.as_bytes().to_vec());
        let changed = parse_on(&disk, BASE, &Overrides::default(), &Environment::default());
        let changed = changed.expect("a config");
        assert_ne!(changed.hash(), hash, "{path}");
        assert_eq!(
            diff(&ok(BASE).effective, &changed.effective).len(),
            1,
            "{path}"
        );
    }
    for other in [
        "top_p: 0.9",
        "temps: [0.1]",
        "sampling_seed: 2",
        "stop: [a]",
    ] {
        assert_ne!(ok(&with(other)).hash(), hash, "{other}");
    }
}

#[test]
fn prompts_are_read_whole_and_trimmed() {
    let config = ok(BASE);
    let treatment = &config.prompt_sets[0].treatment;
    assert_eq!(treatment.text.as_deref(), Some("careful"));
    assert_eq!(treatment.sha256, Digest::of(b" careful \n"));
}

#[test]
fn a_file_is_read_only_where_it_is_used() {
    let opened = RefCell::new(Vec::new());
    let disk = disk();
    let open = |path: &str| -> io::Result<Box<dyn Read>> {
        opened.borrow_mut().push(path.to_owned());
        let bytes = disk.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes.clone())))
    };
    let text = BASE.replace("{a: {", "{unused: {control: gone, treatment: gone}, a: {")
        + "default_prompt_set: a\n";
    let none = Overrides::default();
    assert!(parse(&text, "c.yaml", &none, &Environment::default(), &open).is_ok());
    assert_eq!(opened.borrow().len(), 5);
}

/// A project on a real disk with one run, `run_1`, made from its config.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        for name in ["c.txt", "t.txt", "cb.txt", "ob.txt", "d.jsonl"] {
            project.put(name, name);
        }
        let at = |name: &str| project.at(name).to_string_lossy().into_owned();
        let text = format!(
            "model_id: m\nprompt_sets: {{a: {{control: {}, treatment: {}}}}}\ntask_instructions: {{closed_book: {}, open_book: {}}}\ndatasets: [{{name: d, format: jsonl, path: {}}}]\nprovider: sim\n",
            at("c.txt"),
            at("t.txt"),
            at("cb.txt"),
            at("ob.txt"),
            at("d.jsonl")
        );
        project.put("config.yaml", &text);
        std::fs::create_dir(project.at("run_1")).expect("a run's folder");
        project.put(
            "run_1/effective_config.yaml",
            &project.load("config.yaml").effective_yaml(),
        );
        project
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        use std::io::Write as _;
        let file = File::create(self.at(name)).and_then(|mut f| f.write_all(text.as_bytes()));
        file.expect("written");
    }

    fn load(&self, name: &str) -> Config {
        let config = load(
            &self.at(name),
            &Overrides::default(),
            &Environment::default(),
        );
        config.unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn recorded(&self, throughput: Throughput) -> Recorded {
        let path = self.at("run_1/effective_config.yaml");
        let recorded = load_effective(&path, throughput, &Environment::default());
        recorded.unwrap_or_else(|errors| panic!("{errors}"))
    }
}

#[test]
fn a_recorded_run_is_read_back_as_it_was_made() {
    let project = Project::new();
    let made = project.load("config.yaml");
    let faster = Throughput {
        max_concurrent_jobs: Some(8),
        ..Throughput::default()
    };
    let recorded = project.recorded(faster);
    assert_eq!(recorded.effective, made.effective);
    assert_eq!(recorded.config.hash(), made.hash());
    assert_eq!(recorded.config.execution.max_concurrent_jobs, 8);
    let folder = project.0.path().to_string_lossy();
    assert_eq!(recorded.config.paths.experiments_dir, folder);
}

#[test]
fn a_recorded_run_survives_the_loss_of_its_files_and_shows_what_changed() {
    let project = Project::new();
    std::fs::remove_file(project.at("c.txt")).expect("removed");
    std::fs::remove_file(project.at("d.jsonl")).expect("removed");
    project.put("t.txt", "other words");
    let after = project.recorded(Throughput::default());
    let control = &after.config.prompt_sets[0].control;
    assert_eq!(
        (control.text.as_deref(), control.sha256),
        (None, Digest::of(b"c.txt"))
    );
    let changes = diff(&after.effective, &after.config.effective);
    let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let (old, new) = (Digest::of(b"t.txt"), Digest::of(b"other words"));
    assert_eq!(
        changes,
        [format!("prompt_sets.a.treatment.sha256: {old} -> {new}")]
    );
    // As a config for a new run, the recorded digests must hold.
    let path = project.at("run_1/effective_config.yaml");
    let errors = load(&path, &Overrides::default(), &Environment::default());
    let errors = errors.expect_err("changed files").to_string();
    assert!(
        errors.contains(&format!("has sha256 {new}, not {old}")),
        "{errors}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = |path: &Path| {
        let loaded = load(path, &Overrides::default(), &Environment::default());
        loaded.expect_err("unreadable").to_string()
    };
    let gone = folder.path().join("gone.yaml");
    let path = gone.display();
    assert_eq!(
        shown(&gone),
        format!("{path}: cannot be read: No such file or directory (os error 2)")
    );
    let path = folder.path().display();
    assert_eq!(
        shown(folder.path()),
        format!("{path}: cannot be read: is a directory")
    );
    let latin1 = folder.path().join("latin1.yaml");
    let file = File::create(&latin1);
    let written = file.and_then(|mut f| io::Write::write_all(&mut f, b"a: 1\nb: \xe9\n"));
    written.expect("written");
    assert_eq!(
        shown(&latin1),
        format!("{}:2:1: is not UTF-8 text", latin1.display())
    );
}

#[test]
fn a_leading_tilde_is_the_home_folder() {
    let env = Environment::from_pairs([("HOME", "/home/me")]);
    let text = with("paths: {experiments_dir: ~/runs}\n");
    let config = parse_on(&disk(), &text, &Overrides::default(), &env).expect("a config");
    assert_eq!(config.paths.experiments_dir, "/home/me/runs");
}

#[test]
fn differences_are_named_by_key() {
    let old = serde_json::json!({"a": {"b": 1, "c": [1, 2]}, "l": [{"x": 1}], "execution": {"n": 1}, "gone": true});
    let new = serde_json::json!({"a": {"b": 2, "c": [1]}, "l": [{"x": 1}, {"y": "t\u{1b}"}], "execution": {"n": 2}, "e": []});
    let shown: Vec<_> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "a.b: 1 -> 2",
            "a.c: [1,2] -> [1]",
            "gone: true -> (not set)",
            "l[1].y: (not set) -> t<U+001B>",
            "e: (not set) -> []",
        ]
    );
}

/// Calls a function with every key of the table and its path.
fn each_key(keys: &'static [Key], path: &str, f: &mut dyn FnMut(&str, &'static Key)) {
    for key in keys {
        let path = check::join(path, key.name);
        f(&path, key);
        each_shape(&key.shape, &path, f);
    }
}

fn each_shape(shape: &'static Shape, path: &str, f: &mut dyn FnMut(&str, &'static Key)) {
    match shape {
        Shape::Map(keys) => each_key(keys, path, f),
        Shape::List(item) | Shape::OpenList(item) => each_shape(item, &format!("{path}[]"), f),
        Shape::MapOf(item) => each_shape(item, &format!("{path}.*"), f),
        Shape::Either(shapes) => shapes.iter().for_each(|s| each_shape(s, path, f)),
        Shape::Bool
        | Shape::Text
        | Shape::Whole { .. }
        | Shape::Number { .. }
        | Shape::Choice(_)
        | Shape::Anything => {}
    }
}

#[test]
fn every_default_is_valid_and_every_key_is_explained() {
    let mut count = 0;
    each_key(table::ROOT, "", &mut |path, key| {
        count += 1;
        assert!(key.doc.ends_with('.'), "{path}: {}", key.doc);
        if let Presence::Default(default) = key.presence {
            assert!(serde_json::from_str::<Value>(default).is_ok(), "{path}");
            let nothing = file::parse("").expect("an empty map");
            let mut problems = Vec::new();
            let filled = check::check(&nothing, std::slice::from_ref(key), &mut problems);
            assert_eq!(problems, [], "{path}");
            assert!(filled.get(key.name).is_some(), "{path}");
        }
    });
    assert!(count > 100, "{count}");
}

#[test]
fn the_schema_documents_every_key_with_its_default() {
    let schema = schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    for key in table::ROOT {
        let property = &schema["properties"][key.name];
        assert_eq!(property["description"], key.doc);
        if let Presence::Default(default) = key.presence {
            let default: Value = serde_json::from_str(default).expect("JSON");
            assert_eq!(property["default"], default, "{}", key.name);
        }
    }
    let execution = &schema["properties"]["execution"]["anyOf"][0]["properties"];
    assert_eq!(execution["lines_per_part"]["default"], 5000);
    assert_eq!(
        execution["lines_per_part"]["anyOf"][0]["maximum"],
        1_000_000
    );
    assert_eq!(schema["additionalProperties"], false);
}

/// The files below `config/`, with the project's folder as the working folder. Data outside the project may be absent.
#[test]
fn the_shipped_configs_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let open = |path: &str| open_file(&root.join(path).to_string_lossy());
    let shipped = [
        ("config/eval_config.yaml", "assets/facts/facts.jsonl", 2),
        (
            "config/examples/re2_gsm8k_replay.yaml",
            "../shared/data/re2_gsm8k_gpt4omini/items.jsonl",
            2,
        ),
        (
            "config/examples/squad_nq_oracle.yaml",
            "../shared/data/nq_open/NQ-open.dev.jsonl",
            1,
        ),
    ];
    for (path, data, trials) in shipped {
        if !root.join(data).exists() {
            eprintln!("skipped {path}: {data} is absent");
            continue;
        }
        let text = std::fs::read_to_string(root.join(path)).expect(path);
        let none = Overrides::default();
        let config = parse(&text, path, &none, &Environment::default(), &open);
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.trials.len(), trials, "{path}");
        assert_eq!(config.provider.name, ProviderName::Sim);
        assert!(
            config
                .trials
                .iter()
                .all(|t| config.pricing.of(&t.model).is_some()),
            "{path}"
        );
    }
}

#[test]
fn the_shipped_instructions_name_the_one_way_to_abstain() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/task_instructions");
    for name in ["closed_book.txt", "open_book.txt"] {
        let text = std::fs::read_to_string(root.join(name)).expect(name);
        assert!(text.lines().any(|line| line == "I don't know."), "{name}");
    }
}
