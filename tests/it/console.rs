//! The console as a person sees it, in a real terminal: what it shows, what its keys do, and how it leaves.

use rustix::process::Signal;

use crate::support::{Recipe, Terminal, World, wait_until};

const WIDE: (u16, u16) = (120, 36);
const SMALL: (u16, u16) = (80, 24);

/// A world whose runs `one` and `two` are done.
fn with_runs() -> World {
    let world = World::new(&Recipe {
        lines_per_part: 12,
        ..Recipe::default()
    });
    let other = world.start(&["run", "--config", "c.yaml", "--run-id", "two"]);
    world.whole_run("one");
    other.finish().expect(0);
    world
}

fn open(world: &World, size: (u16, u16)) -> Terminal {
    Terminal::open(world, &["--config", "c.yaml"], size)
}

#[test]
fn the_runs_are_listed_and_q_leaves_the_terminal_as_it_was() {
    let world = with_runs();
    let mut console = open(&world, WIDE);
    let shown = console.shows(&["one", "two", "done", "RUN", "STATE", "quit"]);
    assert!(shown.contains("2 runs"), "{shown}");
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn a_small_terminal_shows_the_same_and_a_resize_is_followed() {
    let world = with_runs();
    let mut console = open(&world, WIDE);
    console.shows(&["one", "two"]);
    console.resize(SMALL.0, SMALL.1);
    console.types("\x0c");
    let shown = console.shows(&["one", "two", "quit"]);
    assert!(
        shown.lines().count() <= 24 && shown.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
    console.resize(WIDE.0, WIDE.1);
    console.shows(&["one", "two", "quit"]);
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn help_lists_the_keys_and_closes() {
    let world = World::new(&Recipe::default());
    let mut console = open(&world, SMALL);
    console.shows(&["quit"]);
    console.types("?");
    console.shows(&["MOVE"]);
    console.types("q");
    console.shows(&["No runs yet"]);
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn a_run_is_started_seen_finishing_and_not_started_without_consent() {
    let world = World::new(&Recipe::default());
    let mut console = open(&world, WIDE);
    console.shows(&["quit"]);
    console.types("a");
    console.shows(&["new run", "c.yaml"]);
    console.types("\r");
    console.shows(&["prepare", "execute", "why"]);
    assert!(
        !world.file("experiments").exists(),
        "looking at a plan made something"
    );
    console.types("\r");
    console.shows(&["Start", "Cancel"]);
    assert!(
        !world.file("experiments").exists(),
        "a question made something"
    );
    console.types("y");
    console.shows(&["cockpit", "✓ prepare", "✓ build"]);
    console.shows(&["✓ poll", "✓ report", "DONE"]);
    let runs = world.evaltui(&["list", "--json"]).expect(0).json();
    let id = runs[0]["run_id"].as_str().expect("an id").to_owned();
    wait_until("the end of the run", || {
        world.state(&id)["writer"]["exit"] == "done"
    });
    world.paid_once(&id, 6);
    console.types("q");
    console.shows(&[&id, "done"]);
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn a_run_is_stopped_by_key_and_resumed_by_key() {
    let world = World::new(&Recipe {
        seconds_per_job: 0.6,
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
            "build",
        ])
        .expect(0);
    let mut console = open(&world, WIDE);
    console.shows(&["paused"]);
    console.types("r");
    console.shows(&["why", "worklist 11"]);
    console.types("\r");
    console.shows(&["Start", "Cancel"]);
    console.types("y");
    world.wait_accepted("a", 2);
    console.shows(&["DRIVING"]);
    console.types("s");
    console.shows(&["Stop softly"]);
    console.types("y");
    wait_until("the run is stopped", || {
        world.status("a", "poll") == "stopped"
    });
    wait_until("the driver has left", || {
        world.state("a")["writer"]["exit"] == "stopped"
    });
    let accepted = world.accepted("a").len();
    assert!(
        accepted < 6 && world.parts_in_place("a") == accepted,
        "{accepted}"
    );
    console.shows(&["STOPPED"]);
    console.types("r");
    console.shows(&["why", "worklist"]);
    console.types("\r");
    console.shows(&["Start", "Cancel"]);
    console.types("y");
    wait_until("the run is done", || {
        world.status("a", "report") == "completed" && world.state("a")["writer"]["exit"] == "done"
    });
    world.paid_once("a", 6);
    console.shows(&["✓ report", "DONE"]);
    console.types("q");
    console.shows(&["RUN", "STATE"]);
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn a_gate_chosen_with_keys_changes_the_plan_and_is_kept_to() {
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
    let mut console = open(&world, WIDE);
    console.shows(&["paused"]);
    console.types("p");
    console.shows(&["gate", "the whole run"]);
    // To the phase poll, which ends the gate.
    console.types("llll");
    console.types("t");
    console.shows(&["--to-step"]);
    console.types("*");
    console.shows(&["the whole run"]);
    console.types("t");
    let shown = console.shows(&["--to-step"]);
    let step = shown
        .lines()
        .find_map(|line| line.split("--to-step ").nth(1))
        .and_then(|rest| rest.split_whitespace().next())
        .expect("a step")
        .to_owned();
    console.types("\r");
    console.shows(&["Start", "Cancel"]);
    console.types("y");
    wait_until("the gate is done", || {
        world.state("a")["writer"]["exit"] == "done" && world.status("a", &step) == "completed"
    });
    assert_eq!(
        world.status("a", "report"),
        "not_started",
        "the gate ended with {step}"
    );
    console.types("q");
    console.shows(&["RUN", "STATE"]);
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn a_run_of_another_process_is_watched_live_and_stopped_through_its_file() {
    let world = World::new(&Recipe {
        seconds_per_job: 1.0,
        ..Recipe::default()
    });
    let driver = world.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    world.wait_accepted("a", 2);
    let mut console = open(&world, WIDE);
    console.shows(&["a", "watched"]);
    console.types("\r");
    console.shows(&["cockpit", "WATCHED", "► poll", "t0_control_p01"]);
    console.types("s");
    console.shows(&["Stop softly"]);
    console.types("y");
    driver.finish().expect(3);
    console.shows(&["STOPPED"]);
    console.types("q");
    console.shows(&["stopped"]);
    console.types("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn sigterm_restores_the_terminal() {
    let world = World::new(&Recipe::default());
    let mut console = open(&world, WIDE);
    console.shows(&["quit"]);
    console.signal(Signal::TERM);
    console.left();
}

#[test]
fn leaving_by_signal_while_driving_stops_the_run_and_resume_completes() {
    let world = World::new(&Recipe {
        seconds_per_job: 0.6,
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
            "build",
        ])
        .expect(0);
    let mut console = open(&world, WIDE);
    console.shows(&["paused"]);
    console.types("r");
    console.shows(&["why", "worklist"]);
    console.types("\r");
    console.shows(&["Start", "Cancel"]);
    console.types("y");
    world.wait_accepted("a", 2);
    console.signal(Signal::TERM);
    assert_eq!(console.left(), 3);
    assert_eq!(world.status("a", "poll"), "stopped");
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
}

#[test]
fn without_a_terminal_the_plan_is_printed() {
    let world = World::new(&Recipe::default());
    let planned = world.evaltui(&["--config", "c.yaml"]).expect(0);
    assert!(
        planned.stdout.contains("plan for a new run") && !planned.stdout.contains('\u{1b}'),
        "{planned}"
    );
    assert!(!world.file("experiments").exists());
}
