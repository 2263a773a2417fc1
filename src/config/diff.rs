//! What differs between two effective configs, key by key.

use std::fmt;

use serde_json::Value;

use crate::domain::text::{printable, shorten};

/// One key that differs between two effective configs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The key path, e.g. `datasets[0].sha256`.
    pub key: String,
    /// The recorded value; `None` where it was not set.
    pub old: Option<Value>,
    /// The present value; `None` where it is not set.
    pub new: Option<Value>,
}

impl fmt::Display for Change {
    /// Writes `key: old -> new`, safe to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |value: &Option<Value>| match value {
            None => "(not set)".to_owned(),
            Some(Value::String(text)) => shorten(&printable(text), 120),
            Some(other) => shorten(&printable(&other.to_string()), 120),
        };
        let key = shorten(&printable(&self.key), 120);
        write!(f, "{key}: {} -> {}", side(&self.old), side(&self.new))
    }
}

/// The keys in which two effective configs differ, sorted, without the `execution` section.
///
/// Lists of plain values count as one value; lists of maps are compared entry by entry.
pub fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(old), Some(new), &mut changes);
    changes
}

fn compare(key: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    if old == new || key == "execution" {
        return;
    }
    let children = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => Some(
            map.iter()
                .map(|(name, value)| {
                    let dot = if key.is_empty() { "" } else { "." };
                    (format!("{key}{dot}{name}"), value.clone())
                })
                .collect::<Vec<_>>(),
        ),
        Some(Value::Array(list)) if list.iter().all(Value::is_object) => Some(
            list.iter()
                .enumerate()
                .map(|(i, value)| (format!("{key}[{i}]"), value.clone()))
                .collect(),
        ),
        None => Some(Vec::new()),
        Some(_) => None,
    };
    let (Some(before), Some(after)) = (children(old), children(new)) else {
        changes.push(Change {
            key: key.to_owned(),
            old: old.cloned(),
            new: new.cloned(),
        });
        return;
    };
    if before.is_empty() && after.is_empty() {
        // An empty list or map against nothing: there is no child to name.
        changes.push(Change {
            key: key.to_owned(),
            old: old.cloned(),
            new: new.cloned(),
        });
    }
    let find = |list: &[(String, Value)], name: &str| {
        list.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
    };
    for (name, value) in &before {
        compare(name, Some(value), find(&after, name).as_ref(), changes);
    }
    for (name, value) in after.iter().filter(|(n, _)| find(&before, n).is_none()) {
        compare(name, None, Some(value), changes);
    }
}
