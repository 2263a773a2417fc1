//! `kill -9` and lost files: whatever happened, resume pays for nothing twice and ends in the bytes of an undisturbed run.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::support::{Recipe, Running, SLUG, Tree, World, json, wait_until};

/// The artifacts of the undisturbed run `a` of the default recipe.
static UNDISTURBED: LazyLock<Tree> = LazyLock::new(|| undisturbed(&Recipe::default()));

fn undisturbed(recipe: &Recipe) -> Tree {
    let world = World::new(recipe);
    world.whole_run("a");
    Tree::artifacts(&world.run("a"))
}

fn begun(world: &World) -> Running {
    world.start(&["run", "--config", "c.yaml", "--run-id", "a"])
}

/// Resumes run `a` to its end and checks that it is as if nothing had happened; then that it is left alone.
fn resumes_to(world: &World, wanted: &Tree, jobs: usize) {
    world.evaltui(&["resume", "a"]).expect(0);
    wanted.must_equal(
        &Tree::artifacts(&world.run("a")),
        "resume does not give the bytes of an undisturbed run",
    );
    world.paid_once("a", jobs);
    let before = Tree::of(&world.file("experiments"));
    let again = world.evaltui(&["resume", "a"]).expect(0);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    before.must_equal(
        &Tree::of(&world.file("experiments")),
        "a second resume changed something",
    );
}

fn killed_after_accepting(jobs: usize) {
    let world = World::new(&Recipe::default());
    let driver = begun(&world);
    world.wait_accepted("a", jobs);
    driver.kill();
    resumes_to(&world, &UNDISTURBED, 6);
}

#[test]
fn a_kill_after_the_first_accepted_job_pays_nothing_twice() {
    killed_after_accepting(1);
}

#[test]
fn a_kill_in_the_middle_of_submitting_pays_nothing_twice() {
    killed_after_accepting(3);
}

#[test]
fn a_kill_with_all_jobs_under_way_pays_nothing_twice() {
    let world = World::new(&Recipe {
        jobs: 6,
        ..Recipe::default()
    });
    let driver = begun(&world);
    world.wait_accepted("a", 6);
    driver.kill();
    world.evaltui(&["resume", "a"]).expect(0);
    world.paid_once("a", 6);
}

#[test]
fn a_kill_while_results_come_in_pays_nothing_twice() {
    let world = World::new(&Recipe::default());
    let driver = begun(&world);
    wait_until("a part in place", || world.parts_in_place("a") >= 1);
    driver.kill();
    resumes_to(&world, &UNDISTURBED, 6);
}

#[test]
fn a_run_killed_after_every_few_recorded_facts_ends_like_an_undisturbed_one() {
    let world = World::new(&Recipe::default());
    let mut kills = 0;
    let mut driver = begun(&world);
    loop {
        let lines = world.ledger_lines("a");
        wait_until("a few facts or the end", || {
            world.ledger_lines("a") >= lines + 8 || !driver.is_alive()
        });
        if !driver.is_alive() {
            driver.finish().expect(0);
            break;
        }
        driver.kill();
        kills += 1;
        driver = world.start(&["resume", "a"]);
    }
    assert!(kills > 3, "{kills} kills only");
    resumes_to(&world, &UNDISTURBED, 6);
}

#[test]
fn second_attempts_survive_kills_too() {
    let recipe = Recipe {
        row_error_rate: 0.4,
        ..Recipe::default()
    };
    let calm = World::new(&recipe);
    let undisturbed = calm.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    let world = World::new(&recipe);
    let mut driver = begun(&world);
    for jobs in [2, 4, 6, 7, 8] {
        wait_until("jobs or the end", || {
            world.accepted("a").len() >= jobs || !driver.is_alive()
        });
        if !driver.is_alive() {
            break;
        }
        driver.kill();
        driver = world.start(&["resume", "a"]);
    }
    driver.finish().expect(0);
    undisturbed.finish().expect(0);
    resumes_to(
        &world,
        &Tree::artifacts(&calm.run("a")),
        calm.accepted("a").len(),
    );
}

#[test]
fn a_shared_part_survives_a_kill_and_is_in_both_trials() {
    let recipe = Recipe::shared_control();
    let calm = World::new(&recipe);
    let undisturbed = calm.start(&["run", "--config", "c.yaml", "--run-id", "a"]);
    let world = World::new(&recipe);
    let driver = begun(&world);
    wait_until("a part in place", || world.parts_in_place("a") >= 2);
    driver.kill();
    undisturbed.finish().expect(0);
    resumes_to(&world, &Tree::artifacts(&calm.run("a")), 9);
}

#[test]
fn a_killed_driver_leaves_no_lock_and_is_shown_as_gone() {
    let world = World::new(&Recipe {
        seconds_per_job: 30.0,
        ..Recipe::default()
    });
    let driver = begun(&world);
    world.wait_accepted("a", 2);
    let held = world.evaltui(&["list"]).expect(0);
    assert!(
        held.stdout.contains("driven") || held.stdout.contains("watched"),
        "{held}"
    );
    driver.kill();
    let list = world.evaltui(&["list"]).expect(0);
    assert!(list.stdout.contains("orphan"), "{list}");
    let mut next = world.start(&["resume", "a"]);
    wait_until("the next driver takes over", || {
        world.events("a").matches("adopted").count() >= 1
            || !next.is_alive()
            || world.state("a")["writer"]["pid"] == next.pid()
    });
    assert!(next.is_alive(), "{}", next.finish());
}

#[test]
fn a_fact_lost_between_create_and_record_is_found_at_the_provider() {
    let world = World::new(&Recipe::default());
    let driver = begun(&world);
    world.wait_accepted("a", 2);
    driver.kill();
    // As if the kill had come between the provider's yes and its record: only intents are left.
    let ledger = world.run("a").join("ledger.jsonl");
    let text = fs::read_to_string(&ledger).expect("a ledger");
    let kept: String = text
        .split_inclusive('\n')
        .take_while(|line| !line.contains(r#""fact":"accepted""#))
        .collect();
    assert!(kept.contains(r#""fact":"intent""#), "{text}");
    fs::write(&ledger, kept).expect("cut");
    resumes_to(&world, &UNDISTURBED, 6);
    assert!(world.events("a").contains("adopt"), "{}", world.events("a"));
}

/// Drives a whole run, lets `damage` happen to it, and expects resume to put it right without a new job.
fn repaired(damage: impl Fn(&World)) -> World {
    let world = World::new(&Recipe::default());
    world.whole_run("a");
    damage(&world);
    resumes_to(&world, &UNDISTURBED, 6);
    world
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn damage_one_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // A new file: a shared part is a hard link.
    remove(path);
    fs::write(path, bytes).expect("written");
}

#[test]
fn a_lost_run_state_is_written_again() {
    let world = repaired(|world| remove(&world.run("a").join("run_state.json")));
    assert_eq!(world.status("a", "report"), "completed");
}

#[test]
fn a_lost_trial_manifest_is_written_again() {
    let world = repaired(|world| remove(&world.result("a", "trial_manifest.json")));
    assert!(world.result("a", "trial_manifest.json").is_file());
}

#[test]
fn a_lost_ledger_is_rebuilt_from_the_faces() {
    let world = repaired(|world| remove(&world.run("a").join("ledger.jsonl")));
    assert!(world.run("a").join("ledger.jsonl").is_file());
}

#[test]
fn a_ledger_lost_in_the_middle_of_a_run_costs_nothing() {
    let world = World::new(&Recipe::default());
    let driver = begun(&world);
    wait_until("a part in place", || world.parts_in_place("a") >= 1);
    wait_until("a face that knows of it", || {
        world.state("a")["totals"]["parts_done"].as_u64() >= Some(1)
    });
    driver.kill();
    remove(&world.run("a").join("ledger.jsonl"));
    resumes_to(&world, &UNDISTURBED, 6);
}

#[test]
fn lost_results_are_downloaded_again() {
    repaired(|world| remove(&world.result("a", "t0_control_p02/results.jsonl")));
}

#[test]
fn results_damaged_by_one_bit_are_kept_aside_and_downloaded_again() {
    let world =
        repaired(|world| damage_one_byte(&world.result("a", "t0_treatment_p03/results.jsonl")));
    let folder = Tree::of(&world.result("a", "t0_treatment_p03"));
    assert!(
        folder.names().iter().any(|name| name.contains(".corrupt.")),
        "{:?}",
        folder.names()
    );
}

#[test]
fn a_damaged_batch_input_is_built_again() {
    repaired(|world| {
        damage_one_byte(
            &world
                .run("a")
                .join("batch_inputs/t0_concise_control.p01.jsonl"),
        );
    });
}

#[test]
fn a_lost_batch_input_is_built_again() {
    repaired(|world| {
        remove(
            &world
                .run("a")
                .join("batch_inputs/t0_concise_control.p01.jsonl"),
        );
    });
}

#[test]
fn lost_prepared_items_are_prepared_again() {
    repaired(|world| remove(&world.run("a").join("prepared/closed_book.jsonl")));
}

#[test]
fn lost_or_damaged_tables_are_made_again() {
    repaired(|world| {
        remove(&world.result("a", "predictions.csv"));
        damage_one_byte(&world.result("a", "per_item_scores.csv"));
        remove(&world.result("a", "costs.json"));
        damage_one_byte(&world.run("a").join(SLUG).join("reports/report.md"));
        remove(&world.run("a").join("aggregate_report.md"));
    });
}

#[test]
fn a_torn_ledger_line_is_dropped_and_said() {
    let world = repaired(|world| {
        let ledger = world.run("a").join("ledger.jsonl");
        let bytes = fs::read(&ledger).expect("a ledger");
        fs::write(&ledger, &bytes[..bytes.len() - 20]).expect("torn");
    });
    assert!(world.events("a").contains("torn"), "{}", world.events("a"));
}

#[test]
fn a_ledger_torn_in_the_middle_of_a_run_costs_nothing() {
    let world = World::new(&Recipe::default());
    let driver = begun(&world);
    world.wait_accepted("a", 3);
    driver.kill();
    let ledger = world.run("a").join("ledger.jsonl");
    let bytes = fs::read(&ledger).expect("a ledger");
    fs::write(&ledger, &bytes[..bytes.len() - 7]).expect("torn");
    resumes_to(&world, &UNDISTURBED, 6);
}

#[test]
fn nothing_is_submitted_for_a_run_whose_inputs_and_results_are_all_lost() {
    repaired(|world| {
        fs::remove_dir_all(world.run("a").join("batch_inputs")).expect("removed");
        for part in ["t0_control_p01", "t0_control_p02", "t0_treatment_p01"] {
            fs::remove_dir_all(world.result("a", part)).expect("removed");
        }
    });
}

#[test]
fn a_corrupt_face_is_kept_aside_and_written_again() {
    for name in ["run_state.json", "trial_manifest.json"] {
        let world = World::new(&Recipe::default());
        world.whole_run("a");
        let face = if name == "run_state.json" {
            world.run("a").join(name)
        } else {
            world.result("a", name)
        };
        fs::write(&face, b"{\"schema_version\": 1, \"run").expect("damaged");
        fs::remove_file(world.result("a", "costs.json")).expect("removed");
        resumes_to(&world, &UNDISTURBED, 6);
        json(&face);
        let folder = Tree::of(face.parent().expect("a folder"));
        assert!(
            folder.names().iter().any(|n| n.contains(".corrupt.")),
            "{name} is not kept: {:?}",
            folder.names()
        );
    }
}

#[test]
fn a_face_of_a_newer_schema_is_refused_and_never_rewritten() {
    for (name, version) in [("run_state.json", 1), ("trial_manifest.json", 2)] {
        let world = World::new(&Recipe::default());
        world.whole_run("a");
        let face = if name == "run_state.json" {
            world.run("a").join(name)
        } else {
            world.result("a", name)
        };
        let newer = fs::read_to_string(&face).expect("a face").replace(
            &format!("\"schema_version\": {version}"),
            "\"schema_version\": 99",
        );
        fs::write(&face, &newer).expect("made newer");
        fs::remove_file(world.result("a", "costs.json")).expect("removed");
        let before = Tree::of(&world.run("a"));
        let refused = world.evaltui(&["resume", "a"]);
        assert!(
            refused.code != Some(0) && refused.stderr.contains(name),
            "{name} was not refused\n{refused}"
        );
        before.must_equal(
            &Tree::of(&world.run("a")),
            "a run of a newer program was changed",
        );
    }
}
