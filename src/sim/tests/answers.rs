//! What rows are answered: shares, pairing, bytes, order, recordings.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::domain::{Condition, CustomId};

/// `custom_id` to answer.
fn contents(results: &str) -> HashMap<String, String> {
    results
        .lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).expect("json");
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let answer = &row["response"]["choices"][0]["message"]["content"];
            (text(&row["custom_id"]), text(answer))
        })
        .collect()
}

fn is_right(custom_id: &str, answer: &str) -> bool {
    let id = CustomId::parse(custom_id).expect("a custom_id");
    answer.trim_end_matches('.') == format!("thing number {}", id.item_id)
}

#[tokio::test]
async fn the_measured_accuracy_is_the_configured_one_and_conditions_are_paired() {
    const N: usize = 4000;
    let bench = Bench::new(N);
    let mut right: BTreeMap<(String, Condition), bool> = BTreeMap::new();
    for (name, condition) in [("c", "control"), ("t", "treatment")] {
        let (results, _) = bench.run(name, &rows(condition, "0.0", N)).await;
        for (id, answer) in contents(&results) {
            let custom_id = CustomId::parse(&id).expect("a custom_id");
            let key = (custom_id.item_id.to_owned(), custom_id.condition);
            right.insert(key, is_right(&id, &answer));
        }
    }
    let per_mille = |hits: usize| hits * 1000 / N;
    let share = |c: Condition| {
        let hits = right.iter().filter(|((_, k), r)| *k == c && **r).count();
        per_mille(hits)
    };
    // Three standard errors, and up to 3 % of right answers in a sentence that exact match does not take.
    assert!(
        (555..625).contains(&share(Condition::Control)),
        "{}",
        share(Condition::Control)
    );
    assert!(
        (650..725).contains(&share(Condition::Treatment)),
        "{}",
        share(Condition::Treatment)
    );
    let agree = (0..N)
        .filter(|n| {
            let of = |c| right[&(n.to_string(), c)];
            of(Condition::Control) == of(Condition::Treatment)
        })
        .count();
    let agree = per_mille(agree);
    // Independent rows would agree in 0.6 * 0.7 + 0.4 * 0.3 = 54 % of items.
    assert!(agree > 650, "{agree}");
}

#[tokio::test]
async fn samples_agree_at_temperature_zero_and_vary_above() {
    let bench = Bench::new(200);
    let input = |temp: &str| -> String {
        let samples = (0..200).flat_map(|n| (0..3).map(move |s| (n, s)));
        samples
            .map(|(n, s)| row(&format!("facts|{n}|control|{temp}|{s}|closed")))
            .collect()
    };
    let distinct = |results: &str| {
        let mut by_item: HashMap<String, Vec<bool>> = HashMap::new();
        for (id, answer) in contents(results) {
            let item = id.split('|').nth(1).unwrap_or_default().to_owned();
            by_item
                .entry(item)
                .or_default()
                .push(is_right(&id, &answer));
        }
        by_item
            .values()
            .filter(|r| r.iter().any(|x| *x != r[0]))
            .count()
    };
    let cold = bench.run("cold", &input("0.0")).await.0;
    assert_eq!(distinct(&cold), 0);
    let answers = contents(&cold);
    assert_eq!(
        answers["facts|7|control|0.0|0|closed"],
        answers["facts|7|control|0.0|2|closed"]
    );
    assert!(distinct(&bench.run("warm", &input("1.0")).await.0) > 20);
}

#[tokio::test]
async fn a_row_has_the_same_bytes_in_every_job_and_results_are_not_in_order() {
    let bench = Bench::new(300);
    let input = rows("control", "0.7", 300);
    let first = bench.run("one", &input).await.0;
    let second = bench.run("two", &input).await.0;
    assert_ne!(ids(&first), ids(&input));
    assert_ne!(first, second, "each job has its own order");
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&first), sorted(&second));
    let other = Bench::new(300);
    assert_eq!(
        other.run("one", &input).await.0,
        first,
        "the same job elsewhere has the same bytes"
    );
}

#[tokio::test]
async fn rows_have_the_shape_of_the_wire() {
    let bench = Bench::new(1);
    let stray = row("facts|99|control|0.0|0|closed");
    let (results, errors) = bench
        .run("j", &format!("{}{stray}", rows("control", "0.0", 1)))
        .await;
    let row: Value = serde_json::from_str(&results).expect("one line");
    let response = &row["response"];
    assert_eq!(response["object"], "chat.completion");
    assert!(
        response["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("chatcmpl-"))
    );
    assert_eq!(response["model"], MODEL);
    assert_eq!(response["choices"][0]["finish_reason"], "stop");
    let usage = &response["usage"];
    assert_eq!(usage["prompt_tokens"], 4 + 3 + 4 + 3);
    assert!(usage["completion_tokens"].as_u64().is_some_and(|t| t > 0));
    assert!(row.get("error").is_none() && response.get("status_code").is_none());
    let error: Value = serde_json::from_str(&errors).expect("one line");
    assert_eq!(error["custom_id"], "facts|99|control|0.0|0|closed");
    assert_eq!(error["error"]["code"], 404);
}

#[tokio::test]
async fn a_row_that_misfires_does_so_on_its_first_attempt_only() {
    let mut bench = Bench::with(500, |config, _| config.row_error_rate = 0.1);
    let (results, errors) = bench.run("a1", &rows("control", "0.0", 500)).await;
    let failed: Vec<Value> = errors
        .lines()
        .map(|l| serde_json::from_str(l).expect("json"))
        .collect();
    assert!((20..90).contains(&failed.len()), "{}", failed.len());
    assert!(failed.iter().all(|e| e["error"]["code"] == 503));
    assert_eq!(results.lines().count() + failed.len(), 500);
    bench.restart();
    let again: String = failed
        .iter()
        .map(|e| row(e["custom_id"].as_str().unwrap_or_default()))
        .collect();
    let (results, errors) = bench.run("a2", &again).await;
    assert_eq!(
        (results.lines().count(), errors.as_str()),
        (failed.len(), "")
    );
}

#[tokio::test]
async fn numeric_choice_and_unanswerable_items_are_answered_in_kind() {
    let bench = Bench::with(0, |config, folder| {
        let path = folder.join("mixed.jsonl");
        let lines: String = (0..300)
            .flat_map(|n| {
                let number = json!({"dataset": "num", "id": n.to_string(), "question": "q", "answers": ["1,234"], "scorer": "numeric"});
                let choice = json!({"dataset": "mc", "id": n.to_string(), "question": "q", "answers": ["B"],
                    "choices": ["red", "green", "blue"], "scorer": "choice"});
                let open = json!({"dataset": "open", "id": n.to_string(), "question": "q", "answers": [], "is_unanswerable": true,
                    "context": "The treaty of Utrecht ended the war in 1713, after long talks between France and Britain."});
                [number, choice, open].map(|i| format!("{i}\n"))
            })
            .collect();
        write(&path, &lines);
        config.answers = oracle(&path);
    });
    let input: String = (0..300)
        .flat_map(|n| {
            ["num", "mc", "open"].map(|d| row(&format!("{d}|{n}|treatment|0.0|0|closed")))
        })
        .collect();
    let (results, errors) = bench.run("j", &input).await;
    assert_eq!(errors, "");
    let mut right: BTreeMap<String, usize> = BTreeMap::new();
    for (id, answer) in contents(&results) {
        let dataset = id.split('|').next().unwrap_or_default().to_owned();
        let is_right = match dataset.as_str() {
            "num" => {
                assert!(answer.len() > 80 && answer.contains("\\boxed{"), "{answer}");
                answer.contains("\\boxed{1,234}")
            }
            "mc" => {
                assert!(["A", "B", "C"].contains(&answer.as_str()), "{answer}");
                answer == "B"
            }
            _ => answer.contains("don't know") || answer.contains("do not know"),
        };
        *right.entry(dataset).or_default() += usize::from(is_right);
    }
    for (dataset, hits) in right {
        assert!(
            (180..240).contains(&hits),
            "{dataset}: {hits} of 300 at 0.7"
        );
    }
}

fn recording(folder: &Path, set: &str, condition: &str, says: &str) {
    let lines: Vec<String> = (0..3)
        .rev()
        .map(|n| {
            let line = json!({"item_id": n.to_string(), "sample_index": 0, "response_text": format!("{says} {n}"), "recorded_score": 1});
            line.to_string()
        })
        .collect();
    write(
        &folder.join(format!("{set}.{condition}.jsonl")),
        &lines.join("\n"),
    );
}

fn replay(sets: &[(&str, &str, Condition)]) -> impl FnOnce(&mut SimConfig, &Path) {
    let prompts = sets
        .iter()
        .map(|(text, set, condition)| SystemPrompt {
            text: (*text).to_owned(),
            prompt_set: set.parse().expect("a name"),
            condition: *condition,
        })
        .collect();
    move |config, folder| {
        for set in ["cot", "plain"] {
            for condition in ["control", "treatment"] {
                recording(folder, set, condition, &format!("{set} {condition}"));
            }
        }
        let dir = folder.to_owned();
        config.answers = Answers::Replay(ReplaySettings { dir, prompts });
    }
}

#[tokio::test]
async fn recorded_answers_are_found_by_the_system_prompt() {
    let table = [
        ("You answer.", "plain", Condition::Control),
        ("Think.", "plain", Condition::Treatment),
        ("You answer.", "cot", Condition::Control),
        ("You answer.\n", "cot", Condition::Treatment),
    ];
    let bench = Bench::with(0, replay(&table));
    let input = format!(
        "{}{}",
        rows("control", "0.0", 4),
        rows("treatment", "0.0", 1)
    );
    let (results, errors) = bench.run("j", &input).await;
    let answers = contents(&results);
    assert_eq!(answers["facts|2|control|0.0|0|closed"], "plain control 2");
    assert_eq!(answers["facts|0|treatment|0.0|0|closed"], "cot treatment 0");
    let error: Value = serde_json::from_str(&errors).expect("one line");
    assert_eq!(error["custom_id"], "facts|3|control|0.0|0|closed");
    assert_eq!(error["error"]["code"], 404);
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|m| m.contains("no recorded answer"))
    );
}

#[tokio::test]
async fn the_only_prompt_set_needs_no_matching_prompt() {
    let table = [
        ("Something else.", "cot", Condition::Control),
        ("x", "cot", Condition::Treatment),
    ];
    let bench = Bench::with(0, replay(&table));
    let (results, _) = bench.run("j", &rows("control", "0.0", 3)).await;
    assert_eq!(
        contents(&results)["facts|1|control|0.0|0|closed"],
        "cot control 1"
    );
}

#[tokio::test]
async fn a_damaged_recording_fails_the_job_and_says_where() {
    let table = [("x", "cot", Condition::Control)];
    let bench = Bench::with(0, replay(&table));
    write(
        &bench.folder.path().join("cot.control.jsonl"),
        "{\"item_id\": \"0\"}\nbroken\n",
    );
    bench.input("in", &rows("control", "0.0", 1)).await;
    bench.create_job("j", "in", "out").await;
    bench.pass(101.0);
    let (_, look) = bench.get("batchInferenceJobs/j").await;
    assert_eq!(look["state"], "JOB_STATE_FAILED");
    let message = look["status"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("cot.control.jsonl: line 2"), "{message}");
}

#[tokio::test]
async fn every_row_of_a_recorded_experiment_is_found() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/re2_gsm8k_gpt4omini");
    if !dir.exists() {
        eprintln!("skipped: {} is absent", dir.display());
        return;
    }
    let prompts = [("You answer.", "vanilla"), ("Think.", "cot")];
    let prompts = prompts.map(|(text, set)| SystemPrompt {
        text: text.to_owned(),
        prompt_set: set.parse().expect("a name"),
        condition: Condition::Treatment,
    });
    let bench = Bench::with(0, |config, _| {
        let prompts = prompts.to_vec();
        config.answers = Answers::Replay(ReplaySettings { dir, prompts });
    });
    let input: String = (0..1319)
        .map(|n| row(&format!("gsm8k|{n}|treatment|0.0|0|closed")))
        .collect();
    let (results, errors) = bench.run("j", &input).await;
    assert_eq!((results.lines().count(), errors.as_str()), (1319, ""));
}
