//! The ways to stop: each ends in `stopped` and exit 3, sends nothing new, and resume completes.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Recipe, Running, Tree, World, wait_until};

/// A run whose first jobs take long enough to be stopped in.
fn slow() -> Recipe {
    Recipe {
        seconds_per_job: 0.6,
        ..Recipe::default()
    }
}

/// Two jobs under way, four parts waiting.
fn half_way(world: &World) -> Running {
    let driver = world.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    world.wait_accepted("a", 2);
    driver
}

fn stops_softly(ask: impl Fn(&World, &Running)) {
    let calm = World::new(&slow());
    let undisturbed = calm.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    let world = World::new(&slow());
    let driver = half_way(&world);
    ask(&world, &driver);
    let ended = driver.finish().expect(3);
    let accepted = world.accepted("a").len();
    assert!(
        accepted < 6,
        "everything was submitted all the same\n{ended}"
    );
    assert_eq!(
        world.parts_in_place("a"),
        accepted,
        "running jobs are waited for and downloaded\n{ended}"
    );
    assert_eq!(world.status("a", "poll"), "stopped", "{ended}");
    assert_eq!(world.state("a")["stop_requested"], true);
    assert_eq!(world.state("a")["writer"]["exit"], "stopped");
    let list = world.evaltui(&["list"]).expect(0);
    assert!(list.stdout.contains("stopped"), "{list}");
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
    assert_eq!(world.state("a")["stop_requested"], false);
    for file in ["STOP_REQUESTED", "STOP_NOW"] {
        assert!(!world.run("a").join(file).exists(), "{file} stays");
    }
    undisturbed.finish().expect(0);
    Tree::artifacts(&calm.run("a")).must_equal(
        &Tree::artifacts(&world.run("a")),
        "a stopped and resumed run is not like an undisturbed one",
    );
}

#[test]
fn sigint_stops_softly_and_resume_completes() {
    stops_softly(|_, driver| driver.signal(Signal::INT));
}

#[test]
fn sigterm_stops_softly_and_resume_completes() {
    stops_softly(|_, driver| driver.signal(Signal::TERM));
}

#[test]
fn sighup_stops_softly_and_resume_completes() {
    stops_softly(|_, driver| driver.signal(Signal::HUP));
}

#[test]
fn the_stop_command_stops_softly_and_resume_completes() {
    stops_softly(|world, _| {
        let said = world.evaltui(&["stop", "a"]).expect(0);
        assert!(said.stdout.contains("stop asked for"), "{said}");
    });
}

#[test]
fn a_touched_stop_file_stops_softly_and_resume_completes() {
    stops_softly(|world, _| {
        fs::File::create(world.run("a").join("STOP_REQUESTED")).expect("touched");
    });
}

/// Jobs that outlast the test: whoever waits for them fails it.
fn endless() -> Recipe {
    Recipe {
        seconds_per_job: 120.0,
        ..Recipe::default()
    }
}

/// Resume watches the jobs that were left behind and submits none of them again.
fn resumes_adopting(world: &World, jobs: usize) {
    let mut next = world.start(&["resume", "a"]);
    wait_until("the jobs are watched again", || {
        world.state("a")["writer"]["pid"] == next.pid()
            && world.status("a", "poll") == "in_progress"
            || !next.is_alive()
    });
    assert!(next.is_alive(), "{}", next.finish());
    assert_eq!(
        world.accepted("a").len(),
        jobs,
        "resume submitted again what was left behind"
    );
    next.kill();
}

#[test]
fn a_second_sigint_leaves_at_once_with_130_and_resume_adopts() {
    let world = World::new(&endless());
    let driver = half_way(&world);
    driver.signal(Signal::INT);
    wait_until("the first signal is heeded", || {
        driver.diagnostics().contains("stopping:")
    });
    let asked = Instant::now();
    driver.signal(Signal::INT);
    driver.finish().expect(130);
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(world.status("a", "poll"), "stopped");
    resumes_adopting(&world, 2);
}

#[test]
fn stop_now_leaves_at_once_with_3_and_resume_adopts() {
    let world = World::new(&endless());
    let driver = half_way(&world);
    let asked = Instant::now();
    world.evaltui(&["stop", "a", "--now"]).expect(0);
    driver.finish().expect(3);
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(world.status("a", "poll"), "stopped");
    resumes_adopting(&world, 2);
}

#[test]
fn a_soft_stop_is_sharpened_by_stop_now() {
    let world = World::new(&endless());
    let driver = half_way(&world);
    world.evaltui(&["stop", "a"]).expect(0);
    world.evaltui(&["stop", "a", "--now"]).expect(0);
    driver.finish().expect(3);
}

#[test]
fn jobs_left_behind_by_stop_now_are_adopted_to_the_same_bytes() {
    let calm = World::new(&Recipe::default());
    let undisturbed = calm.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    let world = World::new(&Recipe::default());
    let driver = half_way(&world);
    world.evaltui(&["stop", "a", "--now"]).expect(0);
    driver.finish().expect(3);
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
    undisturbed.finish().expect(0);
    Tree::artifacts(&calm.run("a")).must_equal(
        &Tree::artifacts(&world.run("a")),
        "adopted jobs give other bytes",
    );
}

#[test]
fn a_stop_of_a_run_that_nobody_drives_is_noted_and_cleared_at_resume() {
    let world = World::new(&Recipe::default());
    let driver = half_way(&world);
    driver.kill();
    let said = world.evaltui(&["stop", "a"]).expect(0);
    assert!(said.stdout.contains("nobody drives it"), "{said}");
    assert!(world.run("a").join("STOP_REQUESTED").exists());
    let resumed = world.evaltui(&["resume", "a"]).expect(0);
    assert!(resumed.stderr.contains("cleared"), "{resumed}");
    assert!(!world.run("a").join("STOP_REQUESTED").exists());
    world.paid_once("a", 6);
}

#[test]
fn a_stop_file_left_on_a_finished_run_is_cleared_and_nothing_else_is_done() {
    let world = World::new(&Recipe::default());
    world.whole_run("a");
    let before = Tree::artifacts(&world.run("a"));
    world.evaltui(&["stop", "a"]).expect(0);
    world.evaltui(&["resume", "a"]).expect(0);
    assert!(!world.run("a").join("STOP_REQUESTED").exists());
    before.must_equal(&Tree::artifacts(&world.run("a")), "an artifact changed");
    world.paid_once("a", 6);
}

#[test]
fn a_stop_before_anything_is_submitted_submits_nothing() {
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
    let driver = world.start(&["resume", "a"]);
    // As early as a signal can be heeded: the driver has said something, or has its lock.
    wait_until("the driver is there", || {
        world.ledger_lines("a") > 0 && !driver.diagnostics().is_empty()
    });
    driver.signal(Signal::TERM);
    let ended = driver.finish();
    let accepted = world.accepted("a").len();
    assert!(
        ended.code == Some(3) && accepted <= 2,
        "{accepted} jobs\n{ended}"
    );
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
}

#[test]
fn stopping_an_unknown_run_says_so_and_makes_nothing() {
    let world = World::new(&Recipe::default());
    world
        .evaltui(&["stop", "nosuch"])
        .expect(2)
        .says(&["nosuch"]);
    assert!(!world.run("nosuch").exists());
}
