//! Published data through the whole program. Skipped, with a message, where `../shared/data` is absent.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{World, json};

/// A world with an example config, faster; `None` where the data is not on this machine.
fn example(name: &str) -> Option<World> {
    let world = World::bare();
    if !world.link_shared() {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config/examples")
        .join(name);
    let yaml = fs::read_to_string(path).expect("an example");
    let yaml = yaml
        .replace("seconds_per_job: 1\n", "seconds_per_job: 0.3\n")
        .replace("poll_seconds: 0.5", "poll_seconds: 0.1");
    let yaml = yaml.replace("_samples: 5000", "_samples: 500");
    world.write("c.yaml", yaml.as_bytes());
    Some(world)
}

/// The only folder of run `a` whose name has this in it.
fn trial(world: &World, part: &str) -> std::path::PathBuf {
    let entries = fs::read_dir(world.run("a")).expect("a run");
    let mut found = entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.is_dir() && p.to_string_lossy().contains(part));
    found.next().unwrap_or_else(|| panic!("no trial {part}"))
}

/// Right answers of each condition and the discordant pairs (treatment right, control right), in whole items.
fn counts(group: &Value) -> [i64; 4] {
    let n = group["n_items"].as_f64().expect("items");
    let mean = |name: &str| group["metrics"]["em"][name].as_f64().expect("a mean");
    let whole = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a count of at most 1,319 items"
        )]
        let count = (share * n).round() as i64;
        count
    };
    let pairs = |name: &str| group["mcnemar"][name].as_i64().expect("a count");
    [
        whole(mean("control_mean")),
        whole(mean("treatment_mean")),
        pairs("b"),
        pairs("c"),
    ]
}

#[test]
fn the_published_experiment_gives_its_published_counts() {
    let Some(world) = example("re2_gsm8k_replay.yaml") else {
        return;
    };
    let done = world.whole_run("a");
    assert!(
        done.stdout
            .contains("5,276 of 5,276 requests answered in 16 jobs"),
        "{done}"
    );
    for (set, wanted) in [
        ("-vanilla-", [1232, 1241, 34, 25]),
        ("-cot-", [1225, 1243, 40, 22]),
    ] {
        let stats = json(&trial(&world, set).join("results/significance.json"));
        let group = &stats["results"]["0.0"]["closed"];
        assert_eq!(group["n_items"], 1319, "{set}");
        assert_eq!(
            counts(group),
            wanted,
            "{set}: right under control, under treatment, only treatment, only control"
        );
    }
}

#[test]
fn the_published_question_sets_go_through_at_full_size() {
    let Some(world) = example("squad_nq_oracle.yaml") else {
        return;
    };
    let done = world.whole_run("a");
    assert!(
        done.stdout.contains("19,376 of 19,376 requests answered"),
        "{done}"
    );
    let stats = json(&trial(&world, "-concise-").join("results/significance.json"));
    let groups = &stats["results"]["0.0"];
    assert_eq!(
        (&groups["open"]["n_items"], &groups["closed"]["n_items"]),
        (&6078.into(), &3610.into())
    );
    let scores = fs::read_to_string(trial(&world, "-concise-").join("results/per_item_scores.csv"))
        .expect("scores");
    assert_eq!(scores.lines().count(), 1 + 2 * (6078 + 3610));
    let report =
        fs::read_to_string(trial(&world, "-concise-").join("reports/report.md")).expect("a report");
    assert!(
        report.contains("6,078") && report.contains("3,610"),
        "{}",
        &report[..report.len().min(3000)]
    );
}
