use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::ItemType;
use crate::scoring::normalize::Normalized;
use crate::scoring::{ItemCursor, PredictionReader, ScoreSettings, ScoreTally, score_predictions};

fn parse(lines: &[&str]) -> (String, String, ParseTally) {
    let mut writer = PredictionWriter::new(Vec::new()).expect("a buffer");
    let mut combined = Vec::new();
    let input = lines.join("\n");
    let tally = write_predictions(input.as_bytes(), &mut writer, &mut combined)
        .expect("buffers do not fail");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        text(writer.finish().expect("a buffer")),
        text(combined),
        tally,
    )
}

const ANSWER: &str = r#"{"custom_id":"d|1|control|0.0|0|closed","response":{"id":"c1","choices":[{"message":{"content":" a \\ \"b\", c\r\n"},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":-1,"total_tokens":"5"}}}"#;
const FAILED: &str =
    r#"{"custom_id":"d|2|control|0.0|0|closed","response":null,"error":{"code":"batch_expired"}}"#;
const SECOND: &str = r#"{"custom_id":"d|2|control|0.0|0|closed","response":{"choices":[{"message":{"content":"late"}}]}}"#;

#[test]
fn every_line_is_accounted_for() {
    let (csv, combined, tally) = parse(&[
        ANSWER,
        "",
        ANSWER,
        FAILED,
        SECOND,
        "{\"custom_id\":",
        r#"{"custom_id":"theirs"}"#,
        "[]",
        " ",
    ]);
    assert_eq!(
        csv,
        "custom_id,dataset,item_id,condition,temp,sample_index,type,request_id,finish_reason,response_text,prompt_tokens,completion_tokens,total_tokens\r\n\
         d|1|control|0.0|0|closed,d,1,control,0.0,0,closed,c1,stop,\"a \\ \"\"b\"\", c\",4,,\r\n\
         d|2|control|0.0|0|closed,d,2,control,0.0,0,closed,,error:expired,,,,\r\n"
    );
    assert_eq!(combined, format!("{ANSWER}\n{FAILED}\n"));
    assert_eq!((tally.lines, tally.answered, tally.failed()), (9, 1, 1));
    assert_eq!(
        (
            tally.malformed,
            tally.foreign,
            tally.duplicates,
            tally.blank
        ),
        (2, 1, 2, 2)
    );
    assert_eq!(tally.shadowed_answers, 1);
    assert_eq!(
        tally.rejects.iter().map(|r| r.line).collect::<Vec<_>>(),
        [3, 5, 6, 7, 8]
    );
    assert_eq!(
        tally.lines,
        tally.rows() + tally.malformed + tally.foreign + tally.duplicates + tally.blank
    );
}

#[test]
fn a_failed_request_is_never_mistaken_for_an_answer() {
    let (csv, _, _) = parse(&[ANSWER, FAILED]);
    let mut reader = PredictionReader::new(csv.as_bytes()).expect("our own file");
    let first = reader.read().expect("a row").expect("a row");
    assert_eq!(
        (first.failure(), first.response_text),
        (None, "a \\ \"b\", c")
    );
    assert_eq!(
        (
            first.prompt_tokens,
            first.completion_tokens,
            first.total_tokens
        ),
        (Some(4), None, None)
    );
    let second = reader.read().expect("a row").expect("a row");
    assert_eq!(second.failure(), Some("expired"));
    assert_eq!(reader.read().expect("the end"), None);
}

// --- The workload of the benchmark kit: `gen_workload.py --lines 20000 --out $TMPDIR/wl_scoring`.----------------------

fn workload() -> Option<PathBuf> {
    let dir = &std::env::temp_dir().join("wl_scoring");
    let found = dir.join("expected/per_item_scores.csv").exists();
    if !found {
        eprintln!(
            "skipped: no workload in {} (shared/bench/gen_workload.py)",
            dir.display()
        );
    }
    found.then(|| dir.to_owned())
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    File::open(path)
        .and_then(|mut f| f.read_to_string(&mut text))
        .expect("the workload is readable");
    text
}

fn table(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|record| {
            let record = record.expect("a record");
            let row: BTreeMap<String, String> = header
                .iter()
                .zip(&record)
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect();
            let key = match row.get("custom_id") {
                Some(id) => id.clone(),
                None => format!("{}|{}|{}", row["item_key"], row["condition"], row["type"]),
            };
            (key, row)
        })
        .collect()
}

/// The combined lines in input order, as poll leaves them.
fn in_input_order(dir: &Path) -> String {
    let mut places = BTreeMap::new();
    for (name, kind) in [("closed_book", "closed"), ("open_book", "open")] {
        for line in read(&dir.join(format!("data/prepared/{name}.jsonl"))).lines() {
            let item: crate::domain::Item = serde_json::from_str(line).expect("an item");
            places.insert(format!("{}|{kind}", item.key()), places.len());
        }
    }
    let combined = read(&dir.join("results/results_combined.jsonl"));
    let mut lines: Vec<_> = combined
        .lines()
        .map(|line| {
            let name = rows::custom_id(line.as_bytes()).expect("a row");
            let id = CustomId::parse(&name).expect("our name");
            let place = places[&format!("{}|{}", id.item_key(), id.item_type)];
            ((id.condition, place, id.sample_index), line)
        })
        .collect();
    lines.sort_unstable();
    lines.iter().flat_map(|(_, line)| [line, "\n"]).collect()
}

#[test]
fn predictions_of_the_workload_are_the_predecessors() {
    let Some(dir) = workload() else { return };
    let results = in_input_order(&dir);
    let mut writer = PredictionWriter::new(Vec::new()).expect("a buffer");
    let mut combined = Vec::new();
    let tally = write_predictions(results.as_bytes(), &mut writer, &mut combined).expect("buffers");
    assert_eq!(tally.rows(), 20_000);
    assert_eq!(combined, results.as_bytes());
    let ours = table(&String::from_utf8(writer.finish().expect("a buffer")).expect("text"));
    let theirs = table(&read(&dir.join("expected/predictions.csv")));
    assert_eq!(ours.len(), theirs.len());
    let mut failed = 0;
    for (id, theirs) in &theirs {
        let ours = &ours[id];
        for (column, theirs) in theirs {
            let ours = &ours[column];
            // The two deliberate differences: backslashes are not doubled, failures say so.
            let same = match column.as_str() {
                "response_text" => *ours == theirs.replace("\\\\", "\\"),
                "finish_reason" if ours.starts_with(FAILED_PREFIX) => {
                    failed += 1;
                    theirs.is_empty()
                }
                _ => ours == theirs,
            };
            assert!(same, "{id} {column}: {ours:?} {theirs:?}");
        }
    }
    assert_eq!(failed, tally.failed());
    assert!(failed > 100, "{failed}");
}

/// Predictions, scores and counts of the workload.
fn scored(dir: &Path) -> (Vec<u8>, Vec<u8>, ScoreTally) {
    let mut writer = PredictionWriter::new(Vec::new()).expect("a buffer");
    let results = in_input_order(dir);
    write_predictions(results.as_bytes(), &mut writer, &mut std::io::sink()).expect("buffers");
    let predictions = writer.finish().expect("a buffer");
    let prepared = dir.join("data/prepared");
    let items = ItemCursor::new(|item_type| {
        let name = match item_type {
            ItemType::Closed => "closed_book.jsonl",
            ItemType::Open => "open_book.jsonl",
        };
        let file = File::open(prepared.join(name))?;
        Ok(Box::new(BufReader::new(file)) as Box<dyn BufRead>)
    });
    let mut scores = Vec::new();
    let tally = score_predictions(&*predictions, items, ScoreSettings::default(), &mut scores)
        .expect("the workload is in order");
    (predictions, scores, tally)
}

#[test]
fn item_scores_of_the_workload_are_the_predecessors_up_to_its_faults() {
    let Some(dir) = workload() else { return };
    let (predictions, scores, tally) = scored(&dir);
    let ours = table(&String::from_utf8(scores).expect("text"));
    let theirs = table(&read(&dir.join("expected/per_item_scores.csv")));
    let texts: BTreeMap<String, (String, String)> =
        table(&String::from_utf8(predictions).expect("text"))
            .into_values()
            .map(|r| {
                let key = format!(
                    "{}|{}|{}|{}",
                    r["dataset"], r["item_id"], r["condition"], r["type"]
                );
                (
                    key,
                    (r["finish_reason"].clone(), r["response_text"].clone()),
                )
            })
            .collect();
    let mut differing: BTreeMap<&str, u32> = BTreeMap::new();
    for (key, theirs) in &theirs {
        let (finish, text) = &texts[key];
        let Some(ours) = ours.get(key) else {
            // A failed request is left out; the predecessor scores it as a wrong answer.
            assert!(finish.starts_with(FAILED_PREFIX), "{key}");
            *differing.entry("failed").or_default() += 1;
            continue;
        };
        if theirs.iter().all(|(column, value)| ours[column] == *value) {
            continue;
        }
        if Normalized::of(text).as_bytes().is_empty() {
            // A gold answer that normalises to nothing; the official script drops it where there are others.
            assert_eq!(
                (&*ours["em"], &*theirs["em"]),
                ("0.0", "1.0"),
                "{key} {text:?}"
            );
            *differing.entry("empty gold").or_default() += 1;
            continue;
        }
        // The predecessor never finds a marker with an apostrophe or an article.
        let text = text.to_lowercase().replace('’', "'");
        let abstains = ["don't know", "can't answer", "not provided in the passage"]
            .iter()
            .any(|m| text.contains(m));
        assert!(
            abstains && ours["abstain_rate"] == "1.0",
            "{key} {text:?}\n{ours:?}\n{theirs:?}"
        );
        *differing.entry("abstention").or_default() += 1;
    }
    eprintln!("{differing:?} {tally:?}");
    assert_eq!(
        tally.control.failed + tally.treatment.failed,
        u64::from(differing["failed"])
    );
    assert_eq!(ours.len() as u64, tally.rows());
}
