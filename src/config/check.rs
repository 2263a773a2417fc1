//! A tree against the table of known keys: reports what does not belong, and fills in the defaults.
//!
//! What comes out holds known keys with values of the right type and range only, so that reading it cannot fail on
//! those. A value that was reported is replaced by its default, or left out, so that no problem is reported twice.

use serde_json::Value;

use crate::domain::text::{nearest, shorten};

use super::error::{Fault, Place, Problem};
use super::file::{Entry, Node, Tree};
use super::keys::{Key, Presence, Shape, names};

/// Checks a map against known keys.
pub(super) fn check(root: &Node, keys: &[Key], problems: &mut Vec<Problem>) -> Node {
    let mut checker = Checker { problems };
    if !matches!(root.value, Tree::Map(_) | Tree::Null) {
        let fault = wrong_type("a map of settings".to_owned(), &root.value);
        checker.report(root.at, "", fault);
    }
    checker.map(root, keys, "")
}

/// The key path of a child.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

struct Checker<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Checker<'_> {
    fn report(&mut self, place: Place, key: &str, fault: Fault) {
        self.problems.push(Problem {
            place,
            key: key.to_owned(),
            fault,
        });
    }

    /// The value as it will be used; `None` where it was reported.
    fn value(&mut self, node: &Node, shape: &Shape, path: &str) -> Option<Node> {
        if !shape.takes(&node.value) {
            self.report(node.at, path, wrong_type(shape.words(), &node.value));
            return None;
        }
        let fault = match shape {
            Shape::Either(shapes) => {
                let shape = shapes.iter().find(|shape| shape.takes(&node.value))?;
                return self.value(node, shape, path);
            }
            Shape::Map(keys) => return Some(self.map(node, keys, path)),
            Shape::MapOf(shape) => return Some(self.map_of(node, shape, path)),
            Shape::List(item) | Shape::OpenList(item) => {
                let may_be_empty = matches!(shape, Shape::OpenList(_));
                if !node.items().is_empty() || may_be_empty {
                    return Some(self.list(node, item, path));
                }
                Some(Fault::OutOfRange {
                    expected: format!("{}, at least one", shape.words()),
                    found: "an empty list".to_owned(),
                })
            }
            Shape::Choice(words) => unknown_word(node, words),
            Shape::Text => empty_text(node),
            Shape::Whole { .. } | Shape::Number { .. } => out_of_range(node, shape),
            Shape::Bool | Shape::Anything => None,
        };
        let Some(fault) = fault else {
            return Some(node.clone());
        };
        self.report(node.at, path, fault);
        None
    }

    fn list(&mut self, node: &Node, item: &Shape, path: &str) -> Node {
        let items = node.items().iter().enumerate();
        let items =
            items.filter_map(|(i, element)| self.value(element, item, &format!("{path}[{i}]")));
        Node {
            at: node.at,
            value: Tree::List(items.collect()),
        }
    }

    fn map_of(&mut self, node: &Node, shape: &Shape, path: &str) -> Node {
        let mut entries = Vec::new();
        for entry in node.entries() {
            let checked = self.value(&entry.node, shape, &join(path, &entry.key));
            entries.extend(checked.map(|node| Entry {
                node,
                ..entry.clone()
            }));
        }
        Node {
            at: node.at,
            value: Tree::Map(entries),
        }
    }

    fn map(&mut self, node: &Node, keys: &[Key], path: &str) -> Node {
        let mut entries = Vec::new();
        for entry in node.entries() {
            let path = join(path, &entry.key);
            let Some(key) = keys.iter().find(|key| key.name == entry.key) else {
                self.report(entry.at, &path, unknown_key(&entry.key, keys));
                continue;
            };
            // Nothing is nothing: a key without a value is a key that was left out.
            if key.presence == Presence::Ignored || entry.node.value == Tree::Null {
                continue;
            }
            let checked = self.value(&entry.node, &key.shape, &path);
            entries.extend(checked.map(|node| Entry {
                node,
                ..entry.clone()
            }));
        }
        let written = |key: &Key| {
            let given = |e: &&Entry| e.key == key.name && e.node.value != Tree::Null;
            node.entries().iter().any(|e| given(&e))
        };
        for key in keys {
            if entries.iter().any(|entry| entry.key == key.name) {
                continue;
            }
            match key.presence {
                Presence::Required if !written(key) => {
                    let expected = key.shape.words();
                    self.report(node.at, &join(path, key.name), Fault::Missing { expected });
                }
                Presence::Default(json) => {
                    let default = default(json);
                    let checked = self.value(&default, &key.shape, &join(path, key.name));
                    entries.extend(checked.map(|node| Entry {
                        key: key.name.to_owned(),
                        at: Place::Default,
                        node,
                    }));
                }
                Presence::Required | Presence::Optional | Presence::Ignored => {}
            }
        }
        Node {
            at: node.at,
            value: Tree::Map(entries),
        }
    }
}

fn unknown_key(key: &str, keys: &[Key]) -> Fault {
    let candidates = keys.iter().filter(|key| key.presence != Presence::Ignored);
    Fault::UnknownKey {
        near: nearest(key, candidates.map(|key| key.name)).map(str::to_owned),
        allowed: names(keys),
    }
}

fn wrong_type(expected: String, found: &Tree) -> Fault {
    Fault::WrongType {
        expected,
        found: shown(found),
    }
}

fn unknown_word(node: &Node, words: &[&str]) -> Option<Fault> {
    let text = node.text()?;
    if words.contains(&text) {
        return None;
    }
    Some(Fault::UnknownValue {
        found: shorten(text, 80),
        near: nearest(text, words.iter().copied()).map(str::to_owned),
        allowed: words.join(", "),
    })
}

fn empty_text(node: &Node) -> Option<Fault> {
    node.text()?.is_empty().then(|| Fault::OutOfRange {
        expected: "text".to_owned(),
        found: "an empty text".to_owned(),
    })
}

fn out_of_range(node: &Node, shape: &Shape) -> Option<Fault> {
    let fits = match (shape, &node.value) {
        (Shape::Whole { min, max }, Tree::Integer(whole)) => {
            (i128::from(*min)..=i128::from(*max)).contains(whole)
        }
        (Shape::Number { min, max }, _) => (*min..=*max).contains(&node.number()?),
        _ => true,
    };
    (!fits).then(|| Fault::OutOfRange {
        expected: shape.words(),
        found: shown(&node.value),
    })
}

/// A value in words that follow "found".
fn shown(value: &Tree) -> String {
    match value {
        Tree::Null => "nothing".to_owned(),
        Tree::Bool(truth) => truth.to_string(),
        Tree::Integer(whole) => whole.to_string(),
        Tree::Number(number) => number.to_string(),
        Tree::Text(text) => format!("the text {:?}", shorten(text, 60)),
        Tree::List(_) => "a list".to_owned(),
        Tree::Map(_) => "a map".to_owned(),
    }
}

/// A default of the table as a tree.
fn default(json: &str) -> Node {
    let value = serde_json::from_str(json).unwrap_or(Value::Null);
    node_of(&value)
}

fn node_of(value: &Value) -> Node {
    let value = match value {
        Value::Null => Tree::Null,
        Value::Bool(truth) => Tree::Bool(*truth),
        Value::Number(number) => number.as_i64().map_or_else(
            || Tree::Number(number.as_f64().unwrap_or(f64::NAN)),
            |whole| Tree::Integer(whole.into()),
        ),
        Value::String(text) => Tree::Text(text.clone()),
        Value::Array(items) => Tree::List(items.iter().map(node_of).collect()),
        Value::Object(map) => Tree::Map(
            map.iter()
                .map(|(key, value)| Entry {
                    key: key.clone(),
                    at: Place::Default,
                    node: node_of(value),
                })
                .collect(),
        ),
    };
    Node {
        at: Place::Default,
        value,
    }
}
