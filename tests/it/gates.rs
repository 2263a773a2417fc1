//! Gates, plans, drift and force: what is asked for is done, nothing else, and it is said why.

use std::fs;

use crate::support::{Recipe, SLUG, Tree, World, wait_until};

#[test]
fn a_gate_does_its_phases_and_no_other() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "build",
        ])
        .expect(0);
    assert_eq!(
        (world.status("a", "build"), world.status("a", "submit")),
        ("completed".into(), "not_started".into())
    );
    assert_eq!(world.accepted("a").len(), 0, "build submits nothing");
    world
        .evaltui(&[
            "run",
            "--run-id",
            "a",
            "--resume",
            "--from-step",
            "submit",
            "--to-step",
            "poll",
        ])
        .expect(0);
    world.paid_once("a", 6);
    assert!(!world.result("a", "predictions.csv").exists());
    world
        .evaltui(&["run", "--only-step", "parse", "--resume", "--run-id", "a"])
        .expect(0);
    assert!(
        world.result("a", "predictions.csv").exists()
            && !world.result("a", "per_item_scores.csv").exists()
    );
    world
        .evaltui(&["run", "--only-step", "score", "--resume", "--run-id", "a"])
        .expect(0);
    world
        .evaltui(&[
            "run",
            "--from-step",
            "stats",
            "--to-step",
            "report",
            "--resume",
            "--run-id",
            "a",
        ])
        .expect(0);
    assert_eq!(world.status("a", "report"), "completed");
    let calm = World::new(&Recipe::default());
    calm.whole_run("a");
    Tree::artifacts(&calm.run("a")).must_equal(
        &Tree::artifacts(&world.run("a")),
        "a run in steps is not like a run at once",
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one spelling after the other, in the order in which the predecessor's users type them"
)]
fn the_predecessors_spellings_work() {
    let world = World::new(&Recipe::default());
    let planned = world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run_id",
            "a",
            "--plan_only",
            "--limit_items",
            "4",
            "--parts_per_dataset",
            "1",
            "--max_concurrent_jobs",
            "3",
        ])
        .expect(0);
    assert!(
        planned.stdout.contains("prepare") && !world.run("a").exists(),
        "{planned}"
    );
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run_id",
            "a",
            "--limit_items",
            "4",
            "--lines_per_part",
            "4",
            "--prompt_sets",
            "concise",
            "--temps",
            "0.2",
            "--to_step",
            "build",
        ])
        .expect(0);
    assert!(
        world
            .run("a")
            .join("batch_inputs/t02_concise_control.p01.jsonl")
            .is_file()
    );
    world
        .evaltui(&[
            "run",
            "--resume",
            "--run_id",
            "a",
            "--from_step",
            "submit",
            "--to_step",
            "poll",
            "--max_concurrent_jobs",
            "4",
        ])
        .expect(0);
    world
        .evaltui(&["run", "--resume", "--run_id", "a", "--only_step", "parse"])
        .expect(0);
    world.paid_once("a", 2);
    assert!(
        world
            .run("a")
            .join(SLUG)
            .join("results/t02_control_p01/results.jsonl")
            .is_file()
    );
    let simulated = world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run_id",
            "b",
            "--dry_run",
            "--plan_only",
        ])
        .expect(0);
    assert!(
        simulated.stderr.contains("embedded provider"),
        "{simulated}"
    );
}

#[test]
fn a_plan_changes_nothing_and_makes_no_folder() {
    let world = World::new(&Recipe::default());
    for args in [
        &["run", "--config", "c.yaml", "--run-id", "a", "--plan-only"][..],
        &["run", "--config", "c.yaml", "-n"],
        &["plan", "--config", "c.yaml"],
        &["--config", "c.yaml", "--plan-only"],
        &["--config", "c.yaml"],
    ] {
        let planned = world.evaltui(args).expect(0);
        assert!(
            planned.stdout.contains("submit") && planned.stdout.contains("prepare"),
            "{args:?}\n{planned}"
        );
        assert!(
            !world.file("experiments").exists(),
            "{args:?} made a folder"
        );
    }
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "build",
        ])
        .expect(0);
    let before = Tree::of(&world.file("experiments"));
    for args in [
        &["plan", "a"][..],
        &["plan", "a", "--only-step", "submit"],
        &["resume", "a", "--plan-only"],
        &["run", "--run-id", "a", "--plan-only"],
        &["plan"],
        &[],
    ] {
        let planned = world.evaltui(args).expect(0);
        assert!(
            planned.stdout.contains("plan for run a"),
            "{args:?}\n{planned}"
        );
        before.must_equal(
            &Tree::of(&world.file("experiments")),
            &format!("{args:?} changed something"),
        );
    }
}

#[test]
fn a_plan_says_why_for_each_phase_and_part() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "build",
        ])
        .expect(0);
    let plan = world.evaltui(&["plan", "a", "--json"]).expect(0).json();
    let decision = |phase: &str| {
        let phases = plan["phases"].as_array().expect("phases");
        let found = phases
            .iter()
            .find(|p| p["phase"] == phase)
            .expect("a phase");
        (
            found["decision"].as_str().expect("a decision").to_owned(),
            found["reason"].as_str().expect("a reason").to_owned(),
        )
    };
    assert_eq!(decision("build").0, "skip");
    assert_eq!(decision("submit").0, "execute");
    let worklist = plan["worklist"].as_array().expect("a worklist");
    let submits = worklist
        .iter()
        .filter(|entry| entry["phase"] == "submit")
        .count();
    assert_eq!(submits, 6, "{worklist:#?}");
    assert!(
        worklist
            .iter()
            .all(|entry| entry["reason"].as_str().is_some_and(|r| !r.is_empty())),
        "{worklist:#?}"
    );
}

#[test]
fn a_wrong_step_name_lists_the_allowed_ones() {
    let world = World::new(&Recipe::default());
    for flag in ["--only-step", "--from-step", "--to_step"] {
        let words = [
            "prase",
            "prepare, build, submit, poll, parse, score, stats, costs, report, archive",
            "did you mean parse?",
        ];
        world
            .evaltui(&["run", "--config", "c.yaml", flag, "prase"])
            .expect(2)
            .says(&words);
    }
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--from-step",
            "report",
            "--to-step",
            "parse",
        ])
        .expect(2)
        .says(&["comes after"]);
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--only-step",
            "parse",
            "--to-step",
            "report",
        ])
        .expect(2);
    assert!(!world.file("experiments").exists());
}

#[test]
fn resume_without_state_names_the_ways_on() {
    let world = World::new(&Recipe::default());
    for args in [
        &["run", "--config", "c.yaml", "--run-id", "a", "--resume"][..],
        &["run", "--run_id", "a", "--resume", "--only_step", "parse"],
        &["resume", "a"],
    ] {
        world
            .evaltui(args)
            .expect(2)
            .says(&["evaltui resume", "evaltui migrate", "--plan-only"]);
    }
    world
        .evaltui(&["run", "--config", "c.yaml", "--resume"])
        .expect(2)
        .says(&["--plan-only"]);
    assert!(!world.file("experiments").exists());
}

#[test]
fn polling_before_submitting_says_what_to_do() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "build",
        ])
        .expect(0);
    let before = Tree::artifacts(&world.run("a"));
    world
        .evaltui(&["run", "--run-id", "a", "--resume", "--only-step", "poll"])
        .expect(1)
        .says(&["--from-step submit"]);
    assert_eq!(world.accepted("a").len(), 0);
    before.must_equal(
        &Tree::artifacts(&world.run("a")),
        "a refused poll changed an artifact",
    );
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
}

#[test]
fn a_step_before_its_inputs_says_what_to_do() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "prepare",
        ])
        .expect(0);
    for step in [
        "submit", "poll", "parse", "score", "stats", "costs", "report",
    ] {
        world
            .evaltui(&["run", "--run-id", "a", "--resume", "--only-step", step])
            .expect(1)
            .says(&["--from-step"]);
    }
    assert_eq!(world.accepted("a").len(), 0);
    world.evaltui(&["resume", "a"]).expect(0);
}

#[test]
fn submit_alone_waits_for_nothing_and_poll_alone_collects_it() {
    let world = World::new(&Recipe {
        jobs: 6,
        ..Recipe::default()
    });
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "submit",
        ])
        .expect(0);
    world.paid_once("a", 6);
    assert_eq!(
        (world.status("a", "submit"), world.status("a", "poll")),
        ("completed".into(), "not_started".into())
    );
    world
        .evaltui(&["run", "--run-id", "a", "--resume", "--only-step", "poll"])
        .expect(0);
    assert_eq!(world.parts_in_place("a"), 6);
    world.paid_once("a", 6);
}

#[test]
fn only_lost_scores_are_scored_again() {
    let world = World::new(&Recipe::default());
    world.whole_run("a");
    let before = Tree::artifacts(&world.run("a"));
    fs::remove_file(world.result("a", "per_item_scores.csv")).expect("removed");
    let done = world
        .evaltui(&["run", "--run-id", "a", "--resume", "--only-step", "score"])
        .expect(0);
    assert!(!done.stderr.contains("parse "), "{done}");
    before.must_equal(&Tree::artifacts(&world.run("a")), "scores differ");
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
}

#[test]
fn force_makes_a_fresh_report_again_with_the_same_bytes() {
    let world = World::new(&Recipe::default());
    world.whole_run("a");
    let before = Tree::artifacts(&world.run("a"));
    let report = world.run("a").join(SLUG).join("reports/report.md");
    let made = fs::metadata(&report)
        .and_then(|m| m.modified())
        .expect("a time");
    let done = world
        .evaltui(&[
            "run",
            "--run-id",
            "a",
            "--resume",
            "--only-step",
            "report",
            "--force",
        ])
        .expect(0);
    assert!(
        done.stderr.contains("report   ") && !done.stderr.contains("stats    "),
        "{done}"
    );
    assert_ne!(
        fs::metadata(&report)
            .and_then(|m| m.modified())
            .expect("a time"),
        made,
        "the report was not made again"
    );
    before.must_equal(&Tree::artifacts(&world.run("a")), "the report differs");
    world.paid_once("a", 6);
}

/// A world whose treatment prompt is a file of its own.
fn with_own_prompt() -> World {
    let own = ("own", "config/prompts/concise_control.txt", "prompt.txt");
    let recipe: &'static [(&str, &str, &str)] = Box::leak(Box::new([own]));
    let world = World::new(&Recipe {
        prompt_sets: recipe,
        ..Recipe::default()
    });
    world.write("prompt.txt", b"Answer with care.\n");
    world
}

#[test]
fn one_changed_word_of_a_prompt_is_drift_and_force_accepts_it() {
    let world = with_own_prompt();
    world.whole_run("a");
    let before = Tree::of(&world.run("a"));
    world.write("prompt.txt", b"Answer with joy.\n");
    for args in [
        &["run", "--config", "c.yaml", "--run-id", "a"][..],
        &["resume", "a"],
        &["run", "--run-id", "a", "--resume"],
    ] {
        world
            .evaltui(args)
            .expect(4)
            .says(&["prompt_sets.own.treatment", "--force"]);
        before.must_equal(
            &Tree::of(&world.run("a")),
            "a refused drift changed something",
        );
    }
    let planned = world.evaltui(&["plan", "a"]).expect(0);
    assert!(
        planned.stdout.contains("drift") && planned.stdout.contains("prompt_sets.own.treatment"),
        "{planned}"
    );
    world
        .evaltui(&["run", "--config", "c.yaml", "--run-id", "a", "--force"])
        .expect(0);
    assert!(
        world.state("a")["drift"]
            .as_array()
            .is_some_and(|d| !d.is_empty()),
        "{}",
        world.state("a")["drift"]
    );
    // The control parts are as they were; the treatment parts are new work.
    world.paid_once("a", 9);
    let text = fs::read_to_string(
        world
            .run("a")
            .join("batch_inputs/t0_own_treatment.p01.jsonl"),
    )
    .expect("an input");
    assert!(text.contains("with joy"), "{text}");
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 9);
}

#[test]
fn another_pace_is_no_drift() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "build",
        ])
        .expect(0);
    world.write(
        "c.yaml",
        Recipe {
            jobs: 6,
            ..Recipe::default()
        }
        .yaml()
        .replace("poll_seconds: 0.1", "poll_seconds: 0.2")
        .as_bytes(),
    );
    world
        .evaltui(&["resume", "a", "--config", "c.yaml"])
        .expect(0);
    assert_eq!(world.state("a")["drift"], serde_json::json!([]));
    world.paid_once("a", 6);
}

#[test]
fn another_seed_or_temperature_is_drift() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--to-step",
            "build",
        ])
        .expect(0);
    world.write(
        "hot.yaml",
        Recipe {
            temps: &[0.5],
            ..Recipe::default()
        }
        .yaml()
        .as_bytes(),
    );
    world
        .evaltui(&["resume", "a", "--config", "hot.yaml"])
        .expect(4)
        .says(&["temps", "0.5", "--force"]);
    world.write(
        "seed.yaml",
        Recipe::default()
            .yaml()
            .replace("random_seed: 1", "random_seed: 2")
            .as_bytes(),
    );
    world
        .evaltui(&["resume", "a", "--config", "seed.yaml"])
        .expect(4)
        .says(&["random_seed", "--force"]);
}

#[test]
fn one_condition_alone_submits_its_parts_only_and_resume_does_the_rest() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--condition",
            "control",
        ])
        .expect(0);
    world.paid_once("a", 3);
    assert_eq!(world.parts_in_place("a"), 3);
    for part in ["t0_control_p01", "t0_control_p02", "t0_control_p03"] {
        assert!(
            world
                .result("a", &format!("{part}/results.jsonl"))
                .is_file(),
            "{part}"
        );
    }
    assert!(
        !world.result("a", "significance.json").exists(),
        "half a comparison is none"
    );
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
    let calm = World::new(&Recipe::default());
    calm.whole_run("a");
    Tree::artifacts(&calm.run("a")).must_equal(
        &Tree::artifacts(&world.run("a")),
        "conditions one by one give other bytes",
    );
}

#[test]
fn a_gate_is_remembered_by_nobody() {
    let world = World::new(&Recipe::default());
    let driver = world.start(&[
        "run",
        "--config",
        "c.yaml",
        "--run-id",
        "a",
        "--to-step",
        "submit",
    ]);
    wait_until("a job", || !world.accepted("a").is_empty());
    driver.kill();
    world.evaltui(&["resume", "a"]).expect(0);
    assert_eq!(world.status("a", "report"), "completed");
    world.paid_once("a", 6);
}
