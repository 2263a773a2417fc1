//! What may stand in a config: shapes, and the rule that one table ([`super::table`]) drives everything.
//!
//! The check for unknown keys, types and ranges, the defaults, the JSON Schema and the documentation all read that table.

use super::file::Tree;

/// What may stand in one place.
#[derive(Debug)]
pub(super) enum Shape {
    /// `true` or `false`.
    Bool,
    /// Text that is not empty.
    Text,
    /// A whole number.
    Whole {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// A finite number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A list that is not empty, of one shape.
    List(&'static Shape),
    /// A list of one shape that may be empty.
    OpenList(&'static Shape),
    /// A map with known keys.
    Map(&'static [Key]),
    /// A map from any name to one shape.
    MapOf(&'static Shape),
    /// The first of several shapes that takes the value's type.
    Either(&'static [Shape]),
    /// Whatever the predecessor had here.
    Anything,
}

/// Whether a key must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Always.
    Required,
    /// No, and nothing stands in for it.
    Optional,
    /// No; this JSON text stands in for it.
    Default(&'static str),
    /// Accepted from the predecessor's files and not used.
    Ignored,
}

/// One known key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What may stand there.
    pub(super) shape: Shape,
    /// Whether it must be given.
    pub(super) presence: Presence,
    /// One sentence or two for people.
    pub(super) doc: &'static str,
}

impl Key {
    /// A key that must be given.
    pub(super) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Required, doc)
    }

    /// A key that may be left out.
    pub(super) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self::new(name, shape, Presence::Optional, doc)
    }

    /// A key with a default, given as JSON text.
    pub(super) const fn or(
        name: &'static str,
        shape: Shape,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self::new(name, shape, Presence::Default(default), doc)
    }

    /// A key of the predecessor that is not used.
    pub(super) const fn ignored(name: &'static str) -> Self {
        let doc = "Accepted from the predecessor's files; not used.";
        Self::new(name, Shape::Anything, Presence::Ignored, doc)
    }

    const fn new(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            presence,
            doc,
        }
    }
}

impl Shape {
    /// Whether a value has the right type; its range is another question.
    pub(super) fn takes(&self, value: &Tree) -> bool {
        match self {
            Self::Bool => matches!(value, Tree::Bool(_)),
            Self::Text | Self::Choice(_) => matches!(value, Tree::Text(_)),
            Self::Whole { .. } => matches!(value, Tree::Integer(_)),
            Self::Number { .. } => matches!(value, Tree::Number(_) | Tree::Integer(_)),
            Self::List(_) | Self::OpenList(_) => matches!(value, Tree::List(_)),
            Self::Map(_) | Self::MapOf(_) => matches!(value, Tree::Map(_)),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.takes(value)),
            Self::Anything => true,
        }
    }

    /// What may stand here, in words that follow "expected".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Whole { min, max } if *max == i64::MAX => {
                format!("a whole number from {min} up")
            }
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::List(item) | Self::OpenList(item) => {
                format!("a list, each element {}", item.words())
            }
            Self::Map(keys) => format!("a map with {}", names(keys)),
            Self::MapOf(item) => format!("a map from names, each value {}", item.words()),
            Self::Either(shapes) => {
                let words: Vec<_> = shapes.iter().map(Self::words).collect();
                words.join(", or ")
            }
            Self::Anything => "anything".to_owned(),
        }
    }
}

/// The names of the keys that are used, for people.
pub(super) fn names(keys: &[Key]) -> String {
    let used: Vec<_> = keys
        .iter()
        .filter(|key| key.presence != Presence::Ignored)
        .map(|key| key.name)
        .collect();
    used.join(", ")
}
