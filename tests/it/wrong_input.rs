//! Wrong input: a message that names file, place and way on, the documented exit code, no panic, and nothing made.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Recipe, World};

/// Checks that a config is refused with these words by `config check`, `run` and `plan`, and that nothing is made.
fn refused(yaml: &[u8], words: &[&str]) {
    let world = World::bare();
    world.write("c.yaml", yaml);
    for args in [
        &["config", "check", "c.yaml"][..],
        &["run", "--config", "c.yaml", "--run-id", "a"],
        &["plan", "--config", "c.yaml"],
    ] {
        world.evaltui(args).expect(2).says(words);
        assert!(
            !world.file("experiments").exists(),
            "{args:?} made something"
        );
    }
}

fn changed(from: &str, to: &str) -> Vec<u8> {
    let yaml = Recipe::default().yaml();
    assert!(yaml.contains(from), "{from:?} is not in\n{yaml}");
    yaml.replace(from, to).into_bytes()
}

#[test]
fn bad_yaml_is_refused_with_its_place() {
    refused(b"temps: [0.0\nprompt_sets: }", &["c.yaml:2:"]);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    refused(
        &changed("temps:", "tempz:"),
        &["c.yaml:2:1", "tempz", "did you mean temps?"],
    );
}

#[test]
fn all_problems_of_a_config_are_told_at_once() {
    let yaml = String::from_utf8(changed("temps:", "tempz:"))
        .expect("text")
        .replace("poll_seconds: 0.1", "poll_seconds: -1")
        .replace("max_new_tokens: 64", "max_new_tokens: many");
    refused(
        yaml.as_bytes(),
        &["tempz", "execution.poll_seconds", "max_new_tokens"],
    );
}

#[test]
fn a_missing_dataset_is_refused_with_its_place() {
    refused(
        &changed("assets/facts/facts.jsonl", "nosuch.jsonl"),
        &["c.yaml:", "nosuch.jsonl"],
    );
}

#[test]
fn a_missing_prompt_is_refused_with_its_place() {
    refused(
        &changed("config/prompts/concise_treatment.txt", "nosuch.txt"),
        &["c.yaml:", "nosuch.txt"],
    );
}

#[test]
fn a_binary_config_is_refused() {
    refused(
        &[0xff, 0xfe, 0, 1, 2, 0x80, b'\n', 0x9f],
        &["c.yaml:1:1", "UTF-8"],
    );
}

#[test]
fn an_empty_config_is_refused() {
    refused(b"", &["c.yaml"]);
}

#[test]
fn control_characters_of_a_config_do_not_reach_the_terminal() {
    let world = World::bare();
    world.write("c.yaml", b"\"te\\x1b[31mmps\\a\": 3\n");
    let refused = world.evaltui(&["config", "check", "c.yaml"]).expect(2);
    assert!(
        !refused.stderr.contains('\u{1b}') && !refused.stderr.contains('\u{7}'),
        "{refused:?}"
    );
}

#[test]
fn a_config_that_is_no_file_is_refused() {
    let world = World::bare();
    for name in ["nosuch.yaml", "config", "/dev/null/x"] {
        world
            .evaltui(&["run", "--config", name])
            .expect(2)
            .says(&[name]);
    }
    assert!(!world.file("experiments").exists());
}

#[test]
fn a_dataset_of_another_format_fails_prepare_and_names_the_line() {
    let world = World::new(&Recipe {
        datasets: &["{name: w, format: jsonl, path: w.jsonl}"],
        ..Recipe::default()
    });
    world.write("w.jsonl", b"id,question,answers\n1,Who?,me\n");
    world
        .evaltui(&["run", "--config", "c.yaml", "--run-id", "a"])
        .expect(1)
        .says(&["w.jsonl", "line 1"]);
    assert_eq!(world.status("a", "prepare"), "failed");
    assert!(world.accepted("a").is_empty());
    // Repaired in place: the same run goes on.
    world.write(
        "w.jsonl",
        b"{\"id\": \"1\", \"question\": \"Who?\", \"answers\": [\"me\"]}\n",
    );
    let resumed = world.evaltui(&["resume", "a"]);
    assert!(
        resumed.code == Some(4) || resumed.code == Some(0),
        "{resumed}"
    );
}

#[test]
fn a_dataset_of_bad_rows_only_is_refused_before_anything_is_submitted() {
    let world = World::new(&Recipe {
        datasets: &["{name: w, format: jsonl, path: w.jsonl}"],
        ..Recipe::default()
    });
    world.write("w.jsonl", b"{\"id\": \"1\", \"answers\": [\"me\"]}\n{\"id\": \"2\", \"question\": \"\", \"answers\": []}\n");
    let failed = world
        .evaltui(&["run", "--config", "c.yaml", "--run-id", "a"])
        .expect(1)
        .says(&["rejects.jsonl"]);
    assert!(world.accepted("a").is_empty(), "{failed}");
    let rejects =
        fs::read_to_string(world.run("a").join("prepared/rejects.jsonl")).expect("rejects");
    assert!(
        rejects.lines().count() == 2 && rejects.contains("w.jsonl"),
        "{rejects}"
    );
}

#[test]
fn bad_rows_are_counted_and_kept_with_their_lines() {
    let world = World::new(&Recipe {
        datasets: &["{name: w, format: jsonl, path: w.jsonl}"],
        ..Recipe::default()
    });
    let mut text = String::new();
    for n in 0..30 {
        writeln!(
            text,
            "{{\"id\": \"q{n}\", \"question\": \"What is {n}?\", \"answers\": [\"{n}\"]}}"
        )
        .expect("a String takes everything");
    }
    text.push_str("{\"id\": \"q3\", \"question\": \"Again?\", \"answers\": [\"x\"]}\nnot json\n");
    world.write("w.jsonl", text.as_bytes());
    let done = world
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
    assert!(done.stderr.contains("2 rejected"), "{done}");
    let rejects =
        fs::read_to_string(world.run("a").join("prepared/rejects.jsonl")).expect("rejects");
    assert!(
        rejects.lines().count() == 2 && rejects.contains("31") && rejects.contains("32"),
        "{rejects}"
    );
}

#[test]
fn a_bad_run_id_is_refused() {
    let world = World::new(&Recipe::default());
    for id in ["../x", "a/b", "", ".hidden", "a b", "x\u{1b}[31m"] {
        world
            .evaltui(&["run", "--config", "c.yaml", "--run-id", id])
            .expect(2);
        world.evaltui(&["resume", id]).expect(2);
        world.evaltui(&["show", id]).expect(2);
    }
    assert!(!world.file("experiments").exists() && !world.file("x").exists());
}

#[test]
fn an_unknown_run_is_named() {
    let world = World::new(&Recipe::default());
    for command in ["resume", "stop", "show", "plan", "archive"] {
        world
            .evaltui(&[command, "nosuch"])
            .expect(2)
            .says(&["nosuch"]);
    }
    for command in ["resume", "stop", "show"] {
        world.evaltui(&[command]).expect(2).says(&["no run"]);
    }
    assert!(
        world
            .evaltui(&["list"])
            .expect(0)
            .stdout
            .contains("no runs yet")
    );
    assert!(!world.file("experiments").exists());
}

#[test]
fn an_unknown_command_or_flag_is_refused() {
    let world = World::new(&Recipe::default());
    for args in [
        &["frobnicate"][..],
        &["run", "--frobnicate"],
        &["list", "extra"],
        &["run", "--temps", "hot"],
        &["completions", "nosuch"],
    ] {
        world.evaltui(args).expect(2);
    }
    assert!(
        world
            .evaltui(&["--help"])
            .expect(0)
            .stdout
            .contains("resume")
    );
    assert!(
        world
            .evaltui(&["--version"])
            .expect(0)
            .stdout
            .starts_with("evaltui ")
    );
}

#[test]
fn a_folder_of_runs_that_cannot_be_written_is_named() {
    let world = World::new(&Recipe::default());
    // A file in the way stops everybody, the superuser too.
    world.write("inway", b"");
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--experiments-dir",
            "inway",
        ])
        .expect(1)
        .says(&["inway"]);
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: read-only folders do not stop the superuser");
        return;
    }
    fs::create_dir(world.file("locked")).expect("a folder");
    fs::set_permissions(world.file("locked"), fs::Permissions::from_mode(0o500))
        .expect("read-only");
    world
        .evaltui(&[
            "run",
            "--config",
            "c.yaml",
            "--run-id",
            "a",
            "--experiments-dir",
            "locked",
        ])
        .expect(1)
        .says(&["locked"]);
}

#[test]
fn a_used_port_is_named() {
    let world = World::new(&Recipe::default());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    world
        .evaltui(&[
            "sim",
            "--config",
            "c.yaml",
            "--port",
            &port,
            "--state-dir",
            "served",
        ])
        .expect(1)
        .says(&[&port]);
}

#[test]
fn a_broken_run_folder_is_listed_and_does_not_hide_the_others() {
    let world = World::new(&Recipe {
        lines_per_part: 12,
        ..Recipe::default()
    });
    world.whole_run("good");
    fs::create_dir_all(world.run("empty")).expect("a folder");
    world.write(
        "experiments/run_torn/run_state.json",
        b"{\"schema_version\": 1, \"run_id\":",
    );
    world.write(
        "experiments/run_newer/run_state.json",
        b"{\"schema_version\": 99, \"run_id\": \"newer\"}",
    );
    let list = world.evaltui(&["list"]).expect(0);
    assert!(
        ["good", "torn", "newer"]
            .iter()
            .all(|id| list.stdout.contains(id)),
        "{list}"
    );
    for id in ["torn", "newer", "empty"] {
        for command in ["show", "plan", "resume"] {
            let ended = world.evaltui(&[command, id]);
            assert!(
                !ended.stderr.contains("panicked"),
                "{command} {id}\n{ended}"
            );
        }
    }
    let newer = fs::read_to_string(world.run("newer").join("run_state.json")).expect("kept");
    assert!(
        newer.contains("99"),
        "a file of a newer schema was rewritten: {newer}"
    );
}
