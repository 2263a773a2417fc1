//! One driver per run: a second one is turned away at once, readers never are.

use std::time::{Duration, Instant};

use crate::support::{Recipe, World, wait_until};

fn endless() -> World {
    World::new(&Recipe {
        seconds_per_job: 120.0,
        ..Recipe::default()
    })
}

#[test]
fn a_second_driver_is_turned_away_at_once_and_told_who_drives() {
    let world = endless();
    let driver = world.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    world.wait_accepted("a", 2);
    for args in [
        &["resume", "a"][..],
        &["run", "--run-id", "a"],
        &["run", "--config", "c.yaml", "--run-id", "a"],
    ] {
        let asked = Instant::now();
        let pid = format!("pid {}", driver.pid());
        world
            .evaltui(args)
            .expect(5)
            .says(&[&pid, " on ", " since 2"]);
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{:?}",
            asked.elapsed()
        );
    }
    world.paid_once("a", 2);
    driver.kill();
}

#[test]
fn readers_work_while_a_run_is_driven() {
    let world = endless();
    let mut driver = world.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    world.wait_accepted("a", 2);
    wait_until("a face", || world.run("a").join("run_state.json").exists());
    let list = world.evaltui(&["list", "--json"]).expect(0).json();
    assert_eq!(list[0]["run_id"], "a");
    let shown = world.evaltui(&["show", "a"]).expect(0);
    assert!(shown.stdout.contains("run a"), "{shown}");
    world.evaltui(&["plan", "a"]).expect(0);
    world.evaltui(&["resume", "a", "--plan-only"]).expect(0);
    assert!(driver.is_alive(), "a reader disturbed the driver");
    driver.kill();
}

#[test]
fn of_two_drivers_started_together_one_makes_the_run() {
    let world = World::new(&Recipe::default());
    let args = ["run", "--config", "c.yaml", "--run-id", "a"];
    let (one, other) = (world.start(&args), world.start(&args));
    let codes = [one.finish(), other.finish()].map(|finished| finished.code);
    assert!(
        codes.contains(&Some(0)) && (codes.contains(&Some(5)) || codes == [Some(0); 2]),
        "{codes:?}"
    );
    world.paid_once("a", 6);
}

#[test]
fn two_runs_are_driven_side_by_side() {
    let world = World::new(&Recipe::default());
    let other = world.start(&["run", "--config", "c.yaml", "--run-id", "b"]);
    world.whole_run("a");
    other.finish().expect(0);
    world.paid_once("a", 6);
    world.paid_once("b", 6);
}
