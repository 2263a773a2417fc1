//! Whole runs: what they leave, what they print, and that doing them again does nothing.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::support::{Recipe, SLUG, Tree, World, json};

#[test]
fn a_whole_run_leaves_its_artifacts_and_exits_0() {
    let world = World::new(&Recipe::default());
    let done = world.whole_run("a");
    assert!(
        done.stdout.contains("24 of 24 requests answered in 6 jobs"),
        "{done}"
    );
    let tree = Tree::of(&world.run("a"));
    let wanted = [
        "effective_config.yaml".to_owned(),
        "run_state.json".into(),
        "ledger.jsonl".into(),
        "events.jsonl".into(),
        ".state.lock".into(),
        "prepared/open_book.jsonl".into(),
        "prepared/closed_book.jsonl".into(),
        "prepared/prepared_manifest.json".into(),
        "batch_inputs/t0_concise_control.p01.jsonl".into(),
        "batch_inputs/t0_concise_treatment.p03.jsonl".into(),
        "batch_inputs/build_manifest.json".into(),
        format!("{SLUG}/results/trial_manifest.json"),
        format!("{SLUG}/results/t0_control_p01/results.jsonl"),
        format!("{SLUG}/results/t0_control_p01/job.json"),
        format!("{SLUG}/results/t0_control_p01/OUTPUT_DATASET_ID.txt"),
        format!("{SLUG}/results/results_combined.jsonl"),
        format!("{SLUG}/results/predictions.csv"),
        format!("{SLUG}/results/per_item_scores.csv"),
        format!("{SLUG}/results/significance.json"),
        format!("{SLUG}/results/costs.json"),
        format!("{SLUG}/reports/report.md"),
        "aggregate_report.md".into(),
        "multi_trial_manifest.json".into(),
    ];
    for name in &wanted {
        assert!(
            tree.names().contains(&name.as_str()),
            "{name} is missing of {:#?}",
            tree.names()
        );
    }
    assert!(
        !tree.names().iter().any(|name| name.contains("tmp")),
        "temporary files stay: {:#?}",
        tree.names()
    );
    world.paid_once("a", 6);
    for phase in [
        "prepare", "build", "submit", "poll", "parse", "score", "stats", "costs", "report",
    ] {
        assert_eq!(world.status("a", phase), "completed", "{phase}");
    }
    let manifest = json(&world.result("a", "trial_manifest.json"));
    assert_eq!(manifest["schema_version"], 2);
    assert_eq!(manifest["job_status"]["t0_control_p01"], "downloaded");
    assert_eq!(
        manifest["jobs"]["t0_treatment"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn a_finished_run_is_left_alone_to_the_byte_by_run_and_by_resume() {
    let world = World::new(&Recipe::default());
    world.whole_run("a");
    let before = Tree::of(&world.file("experiments"));
    for again in [
        &["run", "--run-id", "a"][..],
        &["run", "--config", "c.yaml", "--run-id", "a"],
        &["resume", "a"],
        &["resume"],
        &["run", "--resume", "--run-id", "a"],
    ] {
        let done = world.evaltui(again).expect(0);
        assert!(done.stdout.contains("nothing to do"), "{done}");
        before.must_equal(
            &Tree::of(&world.file("experiments")),
            &format!("{again:?} changed something"),
        );
    }
}

#[test]
fn results_go_to_stdout_and_one_line_per_event_to_stderr() {
    let world = World::new(&Recipe::default());
    let done = world.whole_run("a");
    let reports: Vec<&str> = done.stdout.lines().skip(1).map(str::trim).collect();
    assert_eq!(reports.len(), 2, "{done}");
    for report in reports {
        assert!(
            world.file(report).is_file(),
            "{report} is named but not there"
        );
    }
    let is_time =
        |text: &str| text.len() > 8 && text.as_bytes()[2] == b':' && text.as_bytes()[5] == b':';
    for line in done.stderr.lines() {
        assert!(
            is_time(line) && !line.contains('\u{1b}') && !line.contains('\r'),
            "not one event: {line:?}"
        );
    }
    assert_eq!(
        done.stderr
            .lines()
            .filter(|l| l.contains(" accepted ("))
            .count(),
        6,
        "{done}"
    );
}

#[test]
fn the_result_is_json_where_asked_for() {
    let world = World::new(&Recipe::default());
    let done = world
        .evaltui(&["run", "--config", "c.yaml", "--run-id", "a", "--json"])
        .expect(0);
    let result = done.json();
    assert_eq!(
        (&result["run_id"], &result["exit"], &result["outcome"]),
        (&"a".into(), &0.into(), &"done".into())
    );
    assert_eq!(
        (&result["answered"], &result["requests"]),
        (&24.into(), &24.into())
    );
    let list = world.evaltui(&["list", "--json"]).expect(0).json();
    assert_eq!(
        (
            &list[0]["run_id"],
            &list[0]["state"],
            &list[0]["parts_done"]
        ),
        (&"a".into(), &"done".into(), &6.into())
    );
    let show = world.evaltui(&["show", "a", "--json"]).expect(0).json();
    assert_eq!(
        (&show["state"], &show["phases"]["report"]),
        (&"done".into(), &"completed".into())
    );
    let plan = world.evaltui(&["plan", "a", "--json"]).expect(0).json();
    assert_eq!(plan["worklist"], serde_json::json!([]));
    assert_eq!(plan["phases"].as_array().map(Vec::len), Some(10));
    let again = world.evaltui(&["resume", "a", "--json"]).expect(0).json();
    assert_eq!((&again["run_id"], &again["exit"]), (&"a".into(), &0.into()));
}

#[test]
fn a_run_whose_reader_went_away_is_driven_to_its_end() {
    let world = World::new(&Recipe::default());
    let mut command = world.command(&["run", "--config", "c.yaml", "--run-id", "a"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let mut first = [0_u8; 1];
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_exact(&mut first).expect("a first byte");
    drop(stderr);
    let status = crate::support::wait_for("the end", || child.try_wait().expect("its state"));
    assert_eq!(status.code(), Some(0));
    assert_eq!(world.status("a", "report"), "completed");
}

#[test]
fn a_closed_pipe_is_no_panic_for_any_printing_command() {
    let world = World::new(&Recipe::default());
    world.whole_run("a");
    for args in [
        &["list"][..],
        &["show", "a", "--json"],
        &["plan", "a"],
        &["config", "schema"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child = world
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("its end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !stderr.contains("panicked") && output.status.code().is_some(),
            "{args:?}: {:?} {stderr}",
            output.status
        );
    }
}

#[test]
fn two_runs_with_one_id_in_two_folders_give_the_same_bytes() {
    let recipe = Recipe {
        row_error_rate: 0.2,
        jobs: 3,
        ..Recipe::default()
    };
    let (one, other) = (World::new(&recipe), World::new(&recipe));
    let running = other.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    one.whole_run("a");
    running.finish().expect(0);
    Tree::artifacts(&one.run("a")).must_equal(
        &Tree::artifacts(&other.run("a")),
        "artifacts depend on more than config, run id and seeds",
    );
}

#[test]
fn no_artifact_depends_on_concurrency_or_on_the_place() {
    let (one, other) = (
        World::new(&Recipe::default()),
        World::new(&Recipe {
            jobs: 6,
            ..Recipe::default()
        }),
    );
    let elsewhere = other.start(&[
        "run",
        "--config",
        "c.yaml",
        "--run-id",
        "a",
        "--experiments-dir",
        "deep/er",
    ]);
    one.whole_run("a");
    elsewhere.finish().expect(0);
    let strip = |root: std::path::PathBuf| {
        let config = root.join("effective_config.yaml");
        assert!(config.is_file());
        fs::remove_file(config).expect("removed");
        Tree::artifacts(&root)
    };
    strip(one.run("a")).must_equal(
        &strip(other.file("deep/er/run_a")),
        "artifacts depend on concurrency or on the folder",
    );
}

#[test]
fn control_parts_that_two_trials_share_are_submitted_once() {
    let world = World::new(&Recipe::shared_control());
    world.whole_run("a");
    // 3 control parts for both trials, 3 treatment parts for each.
    world.paid_once("a", 9);
    let sibling = SLUG.replace("concise", "sibling");
    for part in ["t0_control_p01", "t0_control_p02", "t0_control_p03"] {
        let of = |slug: &str| {
            fs::read(
                world
                    .run("a")
                    .join(slug)
                    .join("results")
                    .join(part)
                    .join("results.jsonl"),
            )
            .expect("results")
        };
        assert_eq!(of(SLUG), of(&sibling), "{part}");
        assert!(
            world
                .run("a")
                .join(&sibling)
                .join("results")
                .join(part)
                .join("job.json")
                .is_file(),
            "{part} has no job.json in the second trial"
        );
    }
    for slug in [SLUG, &sibling] {
        let predictions =
            fs::read_to_string(world.run("a").join(slug).join("results/predictions.csv"))
                .expect("predictions");
        assert!(
            predictions.lines().count() >= 25,
            "{slug} is not complete by itself"
        );
    }
}

#[test]
fn rows_that_fail_are_asked_again_until_all_are_answered() {
    let world = World::new(&Recipe {
        row_error_rate: 0.4,
        ..Recipe::default()
    });
    let done = world.whole_run("a");
    assert!(done.stdout.contains("24 of 24 requests answered"), "{done}");
    let accepted = world.accepted("a");
    assert!(accepted.len() > 6, "no second attempt: {accepted:#?}");
    let asked: u64 = accepted.iter().map(|a| a.rows).sum();
    assert!(
        asked < 48,
        "a second attempt asks for failed rows only, {asked} were asked"
    );
    world.paid_once("a", accepted.len());
    let predictions =
        fs::read_to_string(world.result("a", "predictions.csv")).expect("predictions");
    assert!(
        !predictions.to_lowercase().contains("error"),
        "{predictions}"
    );
}

#[test]
fn each_model_and_temperature_has_its_own_parts_and_jobs() {
    let recipe = Recipe {
        models: &[
            "accounts/fireworks/models/gpt-oss-120b",
            "accounts/fireworks/models/gpt-oss-20b",
        ],
        temps: &[0.0, 0.25],
        lines_per_part: 12,
        jobs: 8,
        ..Recipe::default()
    };
    let world = World::new(&recipe);
    world.whole_run("a");
    world.paid_once("a", 8);
    for slug in [SLUG, &SLUG.replace("120b", "20b")] {
        for part in [
            "t0_control_p01",
            "t0_treatment_p01",
            "t025_control_p01",
            "t025_treatment_p01",
        ] {
            let results = world
                .run("a")
                .join(slug)
                .join("results")
                .join(part)
                .join("results.jsonl");
            assert_eq!(
                fs::read_to_string(&results).map(|t| t.lines().count()).ok(),
                Some(12),
                "{}",
                results.display()
            );
        }
        let stats = json(&world.run("a").join(slug).join("results/significance.json"));
        assert!(
            stats["results"].get("0.25").is_some() && stats["results"].get("0.0").is_some(),
            "{slug}: {:?}",
            stats["temps"]
        );
    }
    assert!(
        world
            .run("a")
            .join("batch_inputs/t025_concise_control.p01.jsonl")
            .is_file()
    );
}

#[test]
fn an_id_is_made_where_none_is_given_and_the_latest_run_is_the_default() {
    let world = World::new(&Recipe {
        lines_per_part: 12,
        ..Recipe::default()
    });
    let result = world
        .evaltui(&["run", "--config", "c.yaml", "--json"])
        .expect(0)
        .json();
    let id = result["run_id"].as_str().expect("an id").to_owned();
    assert!(
        id.starts_with('r') && id.ends_with('Z') && world.run(&id).is_dir(),
        "{id}"
    );
    for args in [&["show"][..], &["plan"], &["resume"]] {
        world
            .evaltui(args)
            .expect(0)
            .says(&[&format!("latest run: {id}")]);
    }
}

#[test]
fn a_complete_run_is_archived_and_its_manifest_names_every_artifact() {
    let world = World::new(&Recipe {
        lines_per_part: 12,
        ..Recipe::default()
    });
    world.whole_run("a");
    world.evaltui(&["archive", "a"]).expect(0);
    let manifest =
        fs::read_to_string(world.run("a").join("archive_manifest.json")).expect("a manifest");
    for name in [
        "predictions.csv",
        "significance.json",
        "report.md",
        "effective_config.yaml",
        "t0_control_p01/results.jsonl",
    ] {
        assert!(manifest.contains(name), "{name} is not in\n{manifest}");
    }
    let before = Tree::of(&world.run("a"));
    world.evaltui(&["archive", "a"]).expect(0);
    before.must_equal(
        &Tree::of(&world.run("a")),
        "archiving again changed something",
    );
}

#[test]
fn configurations_are_described_shown_and_checked() {
    let world = World::new(&Recipe::default());
    let schema = world.evaltui(&["config", "schema"]).expect(0).json();
    assert!(schema["properties"]["datasets"].is_object(), "{schema}");
    let shown = world.evaltui(&["config", "show", "c.yaml"]).expect(0);
    world.write("shown.yaml", shown.stdout.as_bytes());
    world.evaltui(&["config", "check", "shown.yaml"]).expect(0);
    let again = world.evaltui(&["config", "show", "shown.yaml"]).expect(0);
    assert_eq!(
        shown.stdout, again.stdout,
        "the effective configuration of an effective configuration is itself"
    );
    assert!(
        world
            .evaltui(&["config", "show", "c.yaml", "--json"])
            .expect(0)
            .json()
            .is_object()
    );
    let script = world.evaltui(&["completions", "bash"]).expect(0);
    assert!(
        script.stdout.contains("resume") && script.stdout.contains("--only-step"),
        "{script}"
    );
    for file in [
        "config/eval_config.yaml",
        "config/examples/re2_gsm8k_replay.yaml",
    ] {
        let checked = world.evaltui(&["config", "check", file]);
        assert!(
            checked.code == Some(0)
                || (checked.code == Some(2) && checked.stderr.contains("shared/data")),
            "{file}\n{checked}"
        );
    }
}
