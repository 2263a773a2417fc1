//! The import table of the house style as a test: rooms import downwards only, and each foreign crate has one door.
//!
//! Change a table here in a commit of its own, with the reason.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("sys", &[]),
    ("domain", &[]),
    ("config", &["sys", "domain"]),
    ("datasets", &["sys", "domain"]),
    ("scoring", &["sys", "domain"]),
    ("stats", &["sys", "domain"]),
    ("report", &["sys", "domain"]),
    ("snapshot", &["sys", "domain"]),
    ("plan", &["sys", "domain", "config", "snapshot"]),
    ("store", &["sys", "domain", "config", "snapshot"]),
    ("provider", &["sys", "domain", "config"]),
    ("sim", &["sys", "domain"]),
    (
        "phases",
        &[
            "sys", "domain", "config", "datasets", "scoring", "stats", "report", "snapshot",
            "plan", "store", "provider",
        ],
    ),
    (
        "engine",
        &[
            "sys", "domain", "config", "datasets", "scoring", "stats", "report", "snapshot",
            "plan", "store", "provider", "phases",
        ],
    ),
    ("ui", &["sys", "domain", "snapshot", "engine"]),
    (
        "cli",
        &[
            "sys", "domain", "config", "datasets", "scoring", "stats", "report", "snapshot",
            "plan", "store", "provider", "sim", "phases", "engine", "ui",
        ],
    ),
];

/// Foreign crates and the only places (path prefixes below `src/`) that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("reqwest", &["provider/http"]),
    ("axum", &["sim/"]),
    ("fs2", &["store/lock.rs"]),
    ("saphyr_parser", &["config/file"]),
    ("ratatui", &["ui/"]),
    ("crossterm", &["ui/"]),
    ("clap", &["cli/args"]),
    ("color_eyre", &["main.rs", "cli/"]),
    ("sha2", &["domain/digest.rs"]),
    ("indicatif", &["cli/headless.rs"]),
    ("dotenvy", &["cli/compose.rs"]),
];

/// Names of services, which belong into `provider/`, `config/` and the dialects of `sim/` only.
const SERVICES: &[&str] = &["fireworks", "openai", "anthropic"];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The code of a file: no comments, and nothing from its test module on (tests may look anywhere).
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("readable source");
    let mut lines = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        if !line.trim_start().starts_with("//") {
            lines.push((i + 1, line.to_owned()));
        }
    }
    lines
}

fn sources() -> Vec<(String, PathBuf)> {
    let mut paths = Vec::new();
    files(&src(), &mut paths);
    paths.sort();
    let relative = |p: &Path| {
        p.strip_prefix(src())
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/")
    };
    let is_test = |name: &str| {
        name.ends_with("/tests.rs")
            || name.contains("/tests/")
            || name.ends_with("numeric/replay.rs")
            || name.ends_with("contract.rs")
            || name.ends_with("mock_server.rs")
    };
    paths
        .into_iter()
        .map(|p| (relative(&p), p))
        .filter(|(name, _)| !is_test(name))
        .collect()
}

#[test]
fn rooms_import_downwards_only() {
    let mut breaches = Vec::new();
    for (name, path) in sources() {
        let Some((room, _)) = name.split_once('/') else {
            continue;
        };
        let allowed = ROOMS
            .iter()
            .find(|(r, _)| *r == room)
            .unwrap_or_else(|| panic!("room {room} is not in the table"))
            .1;
        for (number, line) in code(&path) {
            for (other, _) in ROOMS {
                let named = line.contains(&format!("crate::{other}::"))
                    || line.contains(&format!("crate::{other};"))
                    || line.contains(&format!("crate::{other},"));
                if named && *other != room && !allowed.contains(other) {
                    breaches.push(format!(
                        "src/{name}:{number}: {room} imports {other}: {}",
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "imports go down only:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn each_foreign_crate_has_one_door() {
    let mut breaches = Vec::new();
    for (name, path) in sources() {
        for (number, line) in code(&path) {
            for (krate, doors) in DOORS {
                if line.contains(&format!("{krate}::"))
                    && !doors.iter().any(|door| name.starts_with(door))
                {
                    breaches.push(format!(
                        "src/{name}:{number}: {krate} outside its door: {}",
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "one door per crate:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn service_names_stay_with_the_adapters() {
    let mut breaches = Vec::new();
    for (name, path) in sources() {
        if ["provider/", "config/", "sim/"]
            .iter()
            .any(|room| name.starts_with(room))
        {
            continue;
        }
        for (number, line) in code(&path) {
            let lower = line.to_lowercase();
            // The composition matches on the enum of services; it names no service by text.
            if SERVICES.iter().any(|s| lower.contains(s)) && name != "cli/compose.rs" {
                breaches.push(format!("src/{name}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "service names outside provider/ and config/:\n{}",
        breaches.join("\n")
    );
}

#[test]
fn pure_rooms_do_no_input_or_output() {
    let mut breaches = Vec::new();
    for (name, path) in sources() {
        if ![
            "scoring/",
            "stats/",
            "report/",
            "plan/",
            "domain/",
            "snapshot/",
        ]
        .iter()
        .any(|room| name.starts_with(room))
        {
            continue;
        }
        for (number, line) in code(&path) {
            if [
                "std::fs",
                "std::net",
                "tokio::",
                "File::open",
                "Timestamp::now",
                "SystemTime::now",
            ]
            .iter()
            .any(|word| line.contains(word))
            {
                breaches.push(format!("src/{name}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(
        breaches.is_empty(),
        "pure rooms take readers and writers:\n{}",
        breaches.join("\n")
    );
}
