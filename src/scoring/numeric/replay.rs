//! The numeric scorer against a published experiment, answer by answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

#[derive(serde::Deserialize)]
struct Recorded {
    item_id: String,
    response_text: String,
    #[serde(rename = "recorded_answer")]
    their_answer: String,
    #[serde(rename = "recorded_score")]
    their_score: u8,
}

#[derive(serde::Deserialize)]
struct Question {
    id: String,
    answers: Vec<String>,
}

fn recordings() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = ["../shared/data", "../../shared/data"]
        .iter()
        .map(|d| root.join(d).join("re2_gsm8k_gpt4omini"))
        .find(|d| d.join("items.jsonl").exists());
    if found.is_none() {
        eprintln!("skipped: ../shared/data/re2_gsm8k_gpt4omini is absent");
    }
    found
}

fn lines<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    std::fs::read_to_string(path)
        .expect("recorded data is readable")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a recorded line"))
        .collect()
}

/// 5,276 answers of the Re2 experiment (EMNLP 2024). `differing` lists every item whose verdict is not the authors'.
#[test]
fn verdicts_are_those_of_the_published_experiment() {
    let Some(dir) = recordings() else { return };
    let golds: BTreeMap<String, Vec<String>> = lines::<Question>(&dir.join("items.jsonl"))
        .into_iter()
        .map(|q| (q.id, q.answers))
        .collect();
    let scratch = &mut Normalized::default();
    let mut differing: Vec<String> = Vec::new();
    let mut right = BTreeMap::new();
    for (set, condition) in [
        ("vanilla", "control"),
        ("vanilla", "treatment"),
        ("cot", "control"),
        ("cot", "treatment"),
    ] {
        for row in lines::<Recorded>(&dir.join(format!("{set}.{condition}.jsonl"))) {
            let gold = GoldNumbers::new(&golds[&row.item_id], scratch);
            let accepted = gold.accept(&row.response_text, &Normalized::of(&row.response_text));
            if accepted {
                right
                    .entry((set, condition))
                    .or_insert_with(Vec::new)
                    .push(row.item_id.clone());
            }
            if accepted != (row.their_score == 1) {
                differing.push(format!(
                    "{set}.{condition} {} gold {:?} recorded {} ours {:?}",
                    row.item_id,
                    golds[&row.item_id],
                    row.their_answer,
                    numeric_answer(&row.response_text)
                ));
            }
        }
    }
    assert_eq!(differing, [""; 0], "no verdict differs");
    let totals: Vec<usize> = right.values().map(Vec::len).collect();
    assert_eq!(totals, [1225, 1243, 1232, 1241]);
    let only = |set, here, there| {
        right[&(set, here)]
            .iter()
            .filter(|id| !right[&(set, there)].contains(id))
            .count()
    };
    assert_eq!(
        (
            only("vanilla", "treatment", "control"),
            only("vanilla", "control", "treatment")
        ),
        (34, 25)
    );
    assert_eq!(
        (
            only("cot", "treatment", "control"),
            only("cot", "control", "treatment")
        ),
        (40, 22)
    );
}
