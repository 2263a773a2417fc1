//! Settings from the command line and the environment, laid over the file's tree before anything is validated.
//!
//! They become nodes like any other, with the flag or variable as their place, so that a bad one is reported as such.

use crate::sys::Environment;
use crate::sys::env::EXPERIMENTS_DIR;

use super::error::Place;
use super::file::{Entry, Node, Tree};

/// Throughput flags: they change no answer and may change whenever a run is continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throughput {
    /// `--max-concurrent-jobs`.
    pub max_concurrent_jobs: Option<u32>,
    /// `--parts-per-dataset`.
    pub parts_per_dataset: Option<u32>,
    /// `--lines-per-part`.
    pub lines_per_part: Option<u64>,
}

/// Flags that change the configuration. Empty lists and `None` leave the file's values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// `--prompt-sets`: replaces the sweep's prompt sets, or picks among explicit trials.
    pub prompt_sets: Vec<String>,
    /// `--temps`: replaces every list of temperatures.
    pub temps: Vec<f64>,
    /// `--limit-items`: most items of each dataset.
    pub limit_items: Option<u64>,
    /// `--simulate`, `--dry-run`: the embedded provider instead of the configured one.
    pub simulate: bool,
    /// `--account-id`.
    pub account_id: Option<String>,
    /// `--experiments-dir`.
    pub experiments_dir: Option<String>,
    /// Throughput flags.
    pub throughput: Throughput,
}

/// The key under which a tree names its service.
pub(super) fn service_key(root: &Node) -> &'static str {
    let given = |key| root.get(key).is_some_and(|node| node.value != Tree::Null);
    if given("backend") && !given("provider") {
        "backend"
    } else {
        "provider"
    }
}

/// Lays flags and environment over a file's tree.
pub(super) fn lay(root: &mut Node, overrides: &Overrides, env: &Environment) {
    let service = service_key(root);
    spell_out(root, service);
    if overrides.simulate {
        simulate(root, service);
    }
    if let Some(account) = &overrides.account_id {
        let node = text(account, Place::Flag("--account-id"));
        set(root, &[service, "account_id"], node);
    }
    if !overrides.temps.is_empty() {
        temperatures(root, &overrides.temps);
    }
    if let Some(limit) = overrides.limit_items {
        let node = whole(limit, Place::Flag("--limit-items"));
        set(root, &["sizes", "limit_items"], node);
    }
    if let Some(folder) = &overrides.experiments_dir {
        let node = text(folder, Place::Flag("--experiments-dir"));
        set(root, &["paths", "experiments_dir"], node);
    } else if let Some(folder) = env.get(EXPERIMENTS_DIR) {
        let node = text(folder, Place::Variable(EXPERIMENTS_DIR));
        set(root, &["paths", "experiments_dir"], node);
    }
    throughput(root, overrides.throughput);
}

/// Makes `provider: sim` a map with a name, so that there is one form to read.
fn spell_out(root: &mut Node, service: &'static str) {
    let name = match root.get(service) {
        Some(node) if matches!(node.value, Tree::Text(_)) => node.clone(),
        Some(node) if node.value != Tree::Null => return,
        // The predecessor knew one service.
        _ => text("fireworks", Place::Default),
    };
    remove(root, service);
    set(root, &[service, "name"], name);
}

fn simulate(root: &mut Node, service: &'static str) {
    if let Some(settings) = child(root, service) {
        // Another service's server, account and key are not the embedded one's.
        for key in ["base_url", "account_id", "api_key_env"] {
            remove(settings, key);
        }
    }
    let name = text("sim", Place::Flag("--simulate"));
    set(root, &[service, "name"], name);
}

fn temperatures(root: &mut Node, temps: &[f64]) {
    let at = Place::Flag("--temps");
    let items = temps.iter().map(|temp| Node {
        at,
        value: Tree::Number(*temp),
    });
    let list = Node {
        at,
        value: Tree::List(items.collect()),
    };
    set(root, &["temps"], list);
    if let Some(sweep) = child(root, "sweep") {
        remove(sweep, "temps");
    }
    if let Some(Node {
        value: Tree::List(trials),
        ..
    }) = child(root, "trials")
    {
        for trial in trials {
            remove(trial, "temps");
        }
    }
}

fn throughput(root: &mut Node, flags: Throughput) {
    let mut put = |key, flag, value: Option<u64>| {
        if let Some(value) = value {
            set(root, &["execution", key], whole(value, Place::Flag(flag)));
        }
    };
    put(
        "max_concurrent_jobs",
        "--max-concurrent-jobs",
        flags.max_concurrent_jobs.map(u64::from),
    );
    put("lines_per_part", "--lines-per-part", flags.lines_per_part);
    put(
        "parts_per_dataset",
        "--parts-per-dataset",
        flags.parts_per_dataset.map(u64::from),
    );
    // The file's number of parts would win over the size of parts that was asked for.
    if flags.lines_per_part.is_some()
        && flags.parts_per_dataset.is_none()
        && let Some(execution) = child(root, "execution")
    {
        remove(execution, "parts_per_dataset");
    }
}

fn text(value: &str, at: Place) -> Node {
    let value = Tree::Text(value.to_owned());
    Node { at, value }
}

fn whole(value: u64, at: Place) -> Node {
    let value = Tree::Integer(value.into());
    Node { at, value }
}

fn child<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Tree::Map(entries) = &mut node.value else {
        return None;
    };
    let entry = entries.iter_mut().find(|entry| entry.key == key);
    entry.map(|entry| &mut entry.node)
}

fn remove(node: &mut Node, key: &str) {
    if let Tree::Map(entries) = &mut node.value {
        entries.retain(|entry| entry.key != key);
    }
}

/// Sets the value at a path of keys. Makes maps on the way where there is nothing; leaves a tree alone where something
/// else than a map stands in the way, which the check will report.
fn set(node: &mut Node, path: &[&str], value: Node) {
    let Some((key, rest)) = path.split_first() else {
        *node = value;
        return;
    };
    if node.value == Tree::Null {
        node.value = Tree::Map(Vec::new());
    }
    let Tree::Map(entries) = &mut node.value else {
        return;
    };
    let at = value.at;
    let index = entries.iter().position(|entry| entry.key == *key);
    let index = index.unwrap_or_else(|| {
        entries.push(Entry {
            key: (*key).to_owned(),
            at,
            node: Node {
                at,
                value: Tree::Null,
            },
        });
        entries.len() - 1
    });
    set(&mut entries[index].node, rest, value);
}
