//! Preparing: limits, repeated ids across sources, files that change, sums.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Cursor};

use super::*;
use crate::datasets::prepare::{Limits, Outputs, Preparation, PrepareTally, SourceInput, prepare};
use crate::datasets::read_prepared;
use crate::datasets::select::{Draw, RowSet};
use crate::domain::request::ItemType;

#[derive(Debug, Default, PartialEq, Eq)]
struct Prepared {
    open: String,
    closed: String,
    rejects: String,
}

type Files = BTreeMap<&'static str, String>;

fn run(
    files: &Files,
    preparation: &Preparation<'_>,
) -> Result<(PrepareTally, Prepared), SourceError> {
    let (mut open, mut closed, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
    let mut opener = |path: &str| -> io::Result<Box<dyn BufRead>> {
        let text = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(text.clone())))
    };
    let mut outputs = Outputs {
        open: &mut open,
        closed: &mut closed,
        rejects: &mut rejects,
    };
    let tally = prepare(preparation, &mut opener, &mut outputs)?;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ok((
        tally,
        Prepared {
            open: text(open),
            closed: text(closed),
            rejects: text(rejects),
        },
    ))
}

fn source(name: &str, path: &str) -> SourceSpec {
    SourceSpec {
        name: DatasetName::new(name).unwrap(),
        path: path.to_owned(),
        ..spec(DatasetFormat::Jsonl)
    }
}

/// Every third item open.
fn lines(ids: std::ops::Range<u32>) -> String {
    let line = |id: u32| {
        let context = ["", ", \"context\": \"p\""][usize::from(id.is_multiple_of(3))];
        format!("{{\"id\": {id}, \"question\": \"q{id}\", \"answers\": [\"é\"]{context}}}\n")
    };
    ids.map(line).collect()
}

fn limited(specs: &[SourceSpec], limit: Option<u64>) -> Vec<SourceInput<'_>> {
    specs
        .iter()
        .map(|spec| SourceInput::Dataset { spec, limit })
        .collect()
}

#[test]
fn items_are_written_in_source_order_as_the_predecessor_wrote_them() {
    let specs = [source("b", "two"), source("a", "one")];
    let files = Files::from([("one", lines(0..2)), ("two", lines(3..5))]);
    let sources = limited(&specs, None);
    let preparation = Preparation {
        sources: &sources,
        limits: Limits::default(),
        seed: 1,
    };
    let (tally, prepared) = run(&files, &preparation).unwrap();
    assert_eq!(
        prepared.closed,
        "{\"dataset\": \"b\", \"id\": \"4\", \"question\": \"q4\", \"answers\": [\"é\"]}\n\
         {\"dataset\": \"a\", \"id\": \"1\", \"question\": \"q1\", \"answers\": [\"é\"]}\n"
    );
    assert!(prepared.open.starts_with(
        "{\"dataset\": \"b\", \"id\": \"3\", \"context\": \"p\", \"question\": \"q3\", \"answers\": [\"é\"], \"is_unanswerable\": false, \"passage\": \""
    ));
    assert_eq!((tally.open(), tally.closed(), tally.rejected()), (2, 2, 0));
    let names: Vec<_> = tally.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn every_row_is_kept_left_out_or_rejected() {
    let specs = [source("a", "one"), source("b", "two")];
    let mut one = lines(0..90);
    one.push_str("broken\n{\"id\": 5, \"question\": \"again\", \"answers\": \"x\"}\n");
    let files = Files::from([("one", one), ("two", lines(0..60))]);
    let sources = limited(&specs, Some(50));
    let preparation = Preparation {
        sources: &sources,
        limits: Limits {
            per_dataset: Some(40),
            open: Some(20),
            closed: Some(1000),
        },
        seed: 7,
    };
    let (tally, prepared) = run(&files, &preparation).unwrap();
    let a = &tally.datasets[0];
    assert_eq!((a.read, a.kept + a.not_chosen), (92, 90));
    assert_eq!(
        a.rejected,
        BTreeMap::from([("duplicate_id", 1), ("not_json", 1)])
    );
    assert_eq!(tally.open(), 20);
    assert!(tally.closed() <= 80 - 20 && tally.closed() > 40);
    assert_eq!(prepared.open.lines().count() as u64, tally.open());
    assert_eq!(prepared.closed.lines().count() as u64, tally.closed());
    assert_eq!(prepared.rejects.lines().count(), 2);
    assert!(prepared.rejects.ends_with(
        "{\"source\": \"one\", \"line\": 92, \"row\": 92, \"id\": \"5\", \"kind\": \"duplicate_id\", \"reason\": \"repeats the id of line 6\"}\n"
    ));
    assert_eq!(run(&files, &preparation).unwrap().1, prepared);
}

#[test]
fn ids_repeated_in_another_file_of_the_same_dataset_are_reported_with_that_file() {
    let specs = [source("a", "one"), source("b", "two"), source("a", "three")];
    let files = Files::from([
        ("one", lines(0..9)),
        ("two", lines(0..9)),
        ("three", lines(5..12)),
    ]);
    let sources = limited(&specs, None);
    let preparation = Preparation {
        sources: &sources,
        limits: Limits::default(),
        seed: 1,
    };
    let (tally, prepared) = run(&files, &preparation).unwrap();
    assert_eq!(tally.datasets[0].rejected.get("duplicate_id"), Some(&4));
    assert_eq!(tally.datasets[1].rejected.len(), 0);
    assert!(
        prepared.rejects.contains("repeats the id of line 6 of one"),
        "{}",
        prepared.rejects
    );
}

#[test]
fn a_dataset_is_drawn_alike_whatever_stands_beside_it() {
    let specs = [source("a", "one"), source("b", "two")];
    let files = Files::from([("one", lines(0..200)), ("two", lines(0..200))]);
    let limits = Limits::default();
    let both = limited(&specs, Some(30));
    let alone = limited(&specs[1..], Some(30));
    let of = |sources: &[SourceInput<'_>], seed| {
        let preparation = Preparation {
            sources,
            limits,
            seed,
        };
        let (_, prepared) = run(&files, &preparation).unwrap();
        let of_b = |l: &&str| l.contains("\"dataset\": \"b\"");
        prepared
            .closed
            .lines()
            .filter(of_b)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&both, 3), of(&alone, 3));
    assert_ne!(of(&alone, 3), of(&alone, 4));
}

#[test]
fn a_file_that_changes_between_the_readings_is_noticed() {
    let spec = source("a", "one");
    for second in [lines(0..9), lines(0..11), lines(1..11), lines(0..9) + "x\n"] {
        let mut opened = 0;
        let mut opener = |_: &str| -> io::Result<Box<dyn BufRead>> {
            opened += 1;
            let text = if opened == 1 {
                lines(0..10)
            } else {
                second.clone()
            };
            Ok(Box::new(Cursor::new(text)))
        };
        let (mut open, mut closed, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        let mut outputs = Outputs {
            open: &mut open,
            closed: &mut closed,
            rejects: &mut rejects,
        };
        let sources = limited(std::slice::from_ref(&spec), None);
        let preparation = Preparation {
            sources: &sources,
            limits: Limits::default(),
            seed: 1,
        };
        let outcome = prepare(&preparation, &mut opener, &mut outputs);
        assert!(
            matches!(outcome, Err(SourceError::Changed { .. })),
            "{outcome:?}"
        );
    }
}

#[test]
fn files_that_fail_and_outputs_that_are_full_keep_their_cause() {
    let spec = source("a", "absent");
    let sources = limited(std::slice::from_ref(&spec), None);
    let preparation = Preparation {
        sources: &sources,
        limits: Limits::default(),
        seed: 1,
    };
    let error = run(&Files::new(), &preparation).unwrap_err();
    assert!(matches!(&error, SourceError::Open { path, .. } if path == "absent"));
    let mut opener =
        |_: &str| -> io::Result<Box<dyn BufRead>> { Ok(Box::new(Cursor::new(lines(0..10)))) };
    let mut full: &mut [u8] = &mut [];
    let (mut open, mut rejects) = (Vec::new(), Vec::new());
    let mut outputs = Outputs {
        open: &mut open,
        closed: &mut full,
        rejects: &mut rejects,
    };
    let outcome = prepare(&preparation, &mut opener, &mut outputs);
    assert!(matches!(
        outcome,
        Err(SourceError::Write {
            what: "closed items",
            ..
        })
    ));
}

const READY_OPEN: &str = "{\"dataset\": \"squad_v2\", \"id\": \"1\", \"context\": \" p \", \"question\": \"q\", \"answers\": [\"x\", \"x\"], \"is_unanswerable\": false}\n\
{\"dataset\": \"squad_v2\", \"id\": \"2\", \"context\": \"p\", \"question\": \"q\", \"answers\": [], \"is_unanswerable\": true}\n\
{\"dataset\": \"squad_v2\", \"id\": \"2\", \"context\": \"p\", \"question\": \"q\", \"answers\": [\"x\"], \"is_unanswerable\": false}\n\
{\"dataset\": \"squad_v2\", \"id\": \"3\", \"question\": \"q\", \"answers\": [\"x\"]}\n\
{\"id\": \"4\", \"context\": \"p\", \"question\": \"q\", \"answers\": [\"x\"]}\n\
{\"dataset\": \"a|b\", \"id\": \"4\", \"context\": \"p\", \"question\": \"q\", \"answers\": [\"x\"]}\n\
{\"dataset\": \"other\", \"id\": \"1\", \"context\": \"p\", \"question\": \"q\", \"answers\": [\"x\"]}\n";

#[test]
fn ready_made_items_are_checked_and_copied_byte_for_byte() {
    let closed =
        "{\"dataset\": \"nq_open\", \"id\": \"1\", \"question\": \"q\", \"answers\": [\"x\"]}\n";
    let files = Files::from([("o", READY_OPEN.to_owned()), ("c", closed.to_owned())]);
    let sources = [
        SourceInput::Ready {
            path: "o",
            item_type: ItemType::Open,
        },
        SourceInput::Ready {
            path: "c",
            item_type: ItemType::Closed,
        },
    ];
    let preparation = Preparation {
        sources: &sources,
        limits: Limits::default(),
        seed: 1,
    };
    let (tally, prepared) = run(&files, &preparation).unwrap();
    assert_eq!(prepared.closed, closed);
    let kept: Vec<_> = READY_OPEN.lines().collect();
    assert_eq!(
        prepared.open.lines().collect::<Vec<_>>(),
        [kept[0], kept[1], kept[6]]
    );
    let counts: Vec<_> = tally
        .datasets
        .iter()
        .map(|d| (d.name.as_str(), d.read, d.kept))
        .collect();
    assert_eq!(
        counts,
        [
            ("squad_v2", 2, 2),
            ("o", 4, 0),
            ("other", 1, 1),
            ("nq_open", 1, 1)
        ]
    );
    let limits = Limits {
        per_dataset: Some(1),
        ..Limits::default()
    };
    let (tally, _) = run(
        &files,
        &Preparation {
            limits,
            ..preparation
        },
    )
    .unwrap();
    assert_eq!((tally.open(), tally.closed()), (2, 1));
}

#[test]
fn ready_made_items_can_be_read_alone() {
    let mut seen = Vec::new();
    read_prepared(
        "o",
        ItemType::Open,
        &mut READY_OPEN.as_bytes(),
        &mut |row| {
            seen.push(row.outcome.map_or_else(|r| r.reason.tag(), |_| "item"));
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert_eq!(
        seen,
        [
            "item",
            "item",
            "duplicate_id",
            "no_context",
            "missing_field",
            "bad_dataset",
            "item"
        ]
    );
    let outcome = read_prepared(
        "o",
        ItemType::Closed,
        &mut &b"{\"a\": 1}\n"[..],
        &mut |_| ControlFlow::Continue(()),
    );
    assert!(matches!(outcome, Err(SourceError::NoUsableRow { .. })));
}

fn members(set: &RowSet, count: u32) -> Vec<u32> {
    (0..count).filter(|row| set.contains(*row)).collect()
}

#[test]
fn the_choice_is_fixed_by_its_seed_for_ever() {
    // Frozen: a change here changes the items of every experiment that has a limit.
    let draw = Draw {
        seed: 42,
        label: "squad_v2",
    };
    assert_eq!(members(&draw.choose(1000, 8), 1000), FROZEN);
    let more = draw.choose(1000, 20);
    assert!(
        FROZEN.iter().all(|row| more.contains(*row)),
        "a larger limit keeps what a smaller one chose"
    );
    assert_ne!(
        Draw { seed: 43, ..draw }.choose(1000, 8),
        draw.choose(1000, 8)
    );
    assert_ne!(
        Draw {
            label: "nq",
            ..draw
        }
        .choose(1000, 8),
        draw.choose(1000, 8)
    );
}

/// From a second implementation of `Draw::choose` written in Python from the papers named there.
const FROZEN: [u32; 8] = [49, 114, 266, 606, 785, 836, 905, 975];

#[test]
fn a_limit_at_or_above_the_count_takes_all() {
    let draw = Draw {
        seed: 1,
        label: "x",
    };
    for (count, limit) in [(0, 0), (0, 5), (5, 5), (5, 6), (5, u64::MAX), (130, 130)] {
        assert_eq!(draw.choose(count, limit).len(), u64::from(count));
    }
    assert!(draw.choose(5, 0).is_empty());
    assert_eq!(draw.choose(130, 129).len(), 129);
}

#[test]
fn every_row_is_chosen_equally_often() {
    // 2,000 draws of 5 of 20: each row 500 times, standard deviation sqrt(2000 * 0.25 * 0.75) = 19.4; five of them.
    let mut counts = [0_u32; 20];
    for seed in 0..2000 {
        let chosen = Draw { seed, label: "x" }.choose(20, 5);
        assert_eq!(chosen.len(), 5);
        for row in members(&chosen, 20) {
            counts[row as usize] += 1;
        }
    }
    assert!(counts.iter().all(|n| n.abs_diff(500) < 97), "{counts:?}");
}

#[test]
fn narrowing_touches_only_its_members() {
    let mut kept = RowSet::full(100);
    kept.remove(3);
    kept.narrow(
        (0..50).filter(|row| row % 2 == 1),
        10,
        Draw {
            seed: 1,
            label: "odd",
        },
    );
    let rows = members(&kept, 100);
    assert_eq!(rows.iter().filter(|r| **r < 50 && **r % 2 == 1).count(), 10);
    assert_eq!(
        rows.iter().filter(|r| **r >= 50 || **r % 2 == 0).count(),
        75
    );
}
