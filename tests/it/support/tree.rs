//! The picture of a folder: every file with its bytes and its time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// Files that may differ between two runs with the same artifacts: they hold times, processes or the order of events.
const UNSTABLE: &[&str] = &[
    "run_state.json",
    "trial_manifest.json",
    "ledger.jsonl",
    "events.jsonl",
    ".state.lock",
];

/// Every file below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, (Vec<u8>, SystemTime)>,
}

impl Tree {
    /// Everything, with times; folders appear too, with no content.
    pub(crate) fn of(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.add(root, root);
        tree
    }

    /// The artifacts of a run: everything but [`UNSTABLE`] and what a repair set aside, without times.
    pub(crate) fn artifacts(root: &Path) -> Self {
        let mut tree = Self::of(root);
        tree.files.retain(|name, _| {
            let file = name.rsplit('/').next().unwrap_or(name);
            !UNSTABLE.contains(&file)
                && !name.ends_with('/')
                && !file.contains(".corrupt.")
                && !file.contains(".backup.")
        });
        for (_, time) in tree.files.values_mut() {
            *time = SystemTime::UNIX_EPOCH;
        }
        tree
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("an entry").path();
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            let time = fs::metadata(&path)
                .and_then(|m| m.modified())
                .expect("a time");
            if path.is_dir() {
                self.files.insert(format!("{name}/"), (Vec::new(), time));
                self.add(root, &path);
            } else {
                self.files
                    .insert(name, (fs::read(&path).expect("readable"), time));
            }
        }
    }

    /// The names.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    /// Fails where the other tree is not this one, and says where and how.
    pub(crate) fn must_equal(&self, other: &Self, what: &str) {
        let names = self.files.keys().chain(other.files.keys());
        let mut differences: Vec<String> = names
            .filter_map(|name| self.difference(other, name))
            .collect();
        differences.sort();
        differences.dedup();
        assert!(
            differences.is_empty(),
            "{what}:\n{}",
            differences.join("\n")
        );
    }

    fn difference(&self, other: &Self, name: &str) -> Option<String> {
        match (self.files.get(name), other.files.get(name)) {
            (Some(a), Some(b)) if a == b => None,
            (Some((a, _)), Some((b, _))) if a == b => {
                Some(format!("{name}: same bytes, written again"))
            }
            (Some((a, _)), Some((b, _))) => {
                let (a, b) = (String::from_utf8_lossy(a), String::from_utf8_lossy(b));
                let line = a
                    .lines()
                    .zip(b.lines())
                    .position(|(x, y)| x != y)
                    .unwrap_or_else(|| a.lines().count().min(b.lines().count()));
                Some(format!(
                    "{name}:{}:\n  < {}\n  > {}",
                    line + 1,
                    a.lines().nth(line).unwrap_or("(end)"),
                    b.lines().nth(line).unwrap_or("(end)")
                ))
            }
            (Some(_), None) => Some(format!("{name}: gone")),
            (None, _) => Some(format!("{name}: new")),
        }
    }
}
