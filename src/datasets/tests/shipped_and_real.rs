//! The project's own questions, and official files where they are at hand.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::ScorerName;
use crate::domain::request::ItemType;

fn read_file(spec: &SourceSpec, path: &Path) -> (Vec<Item>, Vec<(u64, RejectReason)>) {
    let mut input = BufReader::new(File::open(path).unwrap());
    let (mut items, mut rejects) = (Vec::new(), Vec::new());
    read(spec, &mut input, &mut |row| {
        match row.outcome {
            Ok(item) => items.push(item),
            Err(reject) => rejects.push((reject.line, reject.reason)),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (items, rejects)
}

fn shipped(name: &str) -> Vec<Item> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets/facts")
        .join(name);
    let (items, rejects) = read_file(&spec(DatasetFormat::Jsonl), &path);
    assert_eq!(rejects, [], "{name}");
    items
}

#[test]
fn the_shipped_questions_load_without_a_reject() {
    let facts = shipped("facts.jsonl");
    let open: Vec<_> = facts
        .iter()
        .filter(|i| i.item_type() == ItemType::Open)
        .collect();
    let unanswerable = open.iter().filter(|i| i.unanswerable()).count();
    let problems = shipped("word_problems.jsonl");
    let choices = shipped("choices.jsonl");
    assert!(open.len() >= 100 && facts.len() - open.len() >= 100);
    assert!(unanswerable * 4 > open.len() && unanswerable * 2 < open.len());
    assert!(problems.len() >= 60 && choices.len() >= 20);
    assert!(facts.len() + problems.len() + choices.len() >= 260);
    assert!(
        problems
            .iter()
            .all(|i| i.answers.len() == 1 && i.answers[0].parse::<f64>().is_ok())
    );
    assert!(choices.iter().all(|i| i.scorer == Some(ScorerName::Choice)));
}

#[test]
fn an_answer_to_a_shipped_passage_stands_in_it() {
    for item in shipped("facts.jsonl") {
        if let (Some(context), false) = (&item.context, item.unanswerable()) {
            let context = context.to_lowercase();
            let is_there = item
                .answers
                .iter()
                .any(|a| context.contains(&a.to_lowercase()));
            assert!(is_there, "{}", item.id);
        }
    }
}

/// An official file, or `None` with a message.
fn official(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}

#[test]
fn the_official_squad_file_is_read_whole() {
    let Some(path) = official("squad_v2/dev-v2.0.json") else {
        return;
    };
    let (items, rejects) = read_file(&spec(DatasetFormat::Squad), &path);
    assert_eq!(rejects, []);
    assert_eq!(items.len(), 6078);
    assert_eq!(items.iter().filter(|i| i.unanswerable()).count(), 3168);
    let titles: std::collections::BTreeSet<_> = items.iter().map(|i| &i.cluster).collect();
    assert_eq!(titles.len(), 16);
    assert_eq!(items[0].id, "68cf05f67fd29c6f129fe2fb9");
    assert_eq!(items[0].answers, ["France"]);
}

#[test]
fn the_official_line_files_are_read_whole() {
    for (format, path, count) in [
        (DatasetFormat::NqOpen, "nq_open/NQ-open.dev.jsonl", 3610),
        (DatasetFormat::Gsm8k, "gsm8k/test.jsonl", 1319),
        (
            DatasetFormat::Jsonl,
            "re2_gsm8k_gpt4omini/items.jsonl",
            1319,
        ),
    ] {
        let Some(path) = official(path) else {
            continue;
        };
        let (items, rejects) = read_file(&spec(format), &path);
        assert_eq!((items.len(), rejects), (count, Vec::new()), "{format:?}");
    }
}

#[test]
fn both_forms_of_the_same_questions_agree() {
    let (Some(official_form), Some(mapped)) = (
        official("gsm8k/test.jsonl"),
        official("re2_gsm8k_gpt4omini/items.jsonl"),
    ) else {
        return;
    };
    let (left, _) = read_file(&spec(DatasetFormat::Gsm8k), &official_form);
    let (right, _) = read_file(&spec(DatasetFormat::Jsonl), &mapped);
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(left.question, right.question);
        assert_eq!(
            left.answers[0],
            right.answers[0].replace(',', ""),
            "{}",
            right.id
        );
    }
}
