//! YAML text to a tree in which every key and value knows its line and column. The only door to the YAML crate.
//!
//! Scalars follow the core schema of YAML 1.2 (section 10.3.2): `no` is text and `010` is ten. Refused with their place:
//! duplicate keys, anchors and aliases (so no alias can blow up), tags, further documents, deep nesting.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::Value;

use super::error::{Fault, Place, Problem};

/// Levels of maps and lists inside each other.
const MAX_DEPTH: usize = 32;
/// Problems after which reading stops: a file that is no config at all should not fill the screen.
const MAX_PROBLEMS: usize = 100;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where it stands.
    pub(super) at: Place,
    /// What stands there.
    pub(super) value: Tree,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a point or exponent, or not finite.
    Number(f64),
    /// Anything else, and everything in quotes.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; keys are unique.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key's text.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) at: Place,
    /// The value.
    pub(super) node: Node,
}

impl Node {
    /// The value of a key; `None` where there is none, or this is no map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|e| e.key == key)
            .map(|e| &e.node)
    }

    /// The entries of a map; empty for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        let Tree::Map(entries) = &self.value else {
            return &[];
        };
        entries
    }

    /// The elements of a list; empty for anything else.
    pub(super) fn items(&self) -> &[Node] {
        let Tree::List(items) = &self.value else {
            return &[];
        };
        items
    }

    /// The text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        let Tree::Text(text) = &self.value else {
            return None;
        };
        Some(text)
    }

    /// The number, where it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match self.value {
            Tree::Number(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "a number was asked for")]
            Tree::Integer(whole) => Some(whole as f64),
            Tree::Null | Tree::Bool(_) | Tree::Text(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// The whole number, where it is one that fits.
    pub(super) fn whole<T: TryFrom<i128>>(&self) -> Option<T> {
        let Tree::Integer(whole) = self.value else {
            return None;
        };
        T::try_from(whole).ok()
    }

    /// The truth value, where it is one.
    pub(super) fn truth(&self) -> Option<bool> {
        let Tree::Bool(truth) = self.value else {
            return None;
        };
        Some(truth)
    }
}

/// Reads a text; fails with everything that is wrong up to the point where the parser cannot go on.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = TreeReader {
        events: Parser::new_from_str(text),
        problems: Vec::new(),
    };
    let root = reader.document();
    match root {
        Some(root) if reader.problems.is_empty() => Ok(root),
        _ => Err(reader.problems),
    }
}

/// A tree as JSON, as it was written.
pub(super) fn to_json(node: &Node) -> Value {
    match &node.value {
        Tree::Null => Value::Null,
        Tree::Bool(truth) => Value::Bool(*truth),
        Tree::Integer(whole) => i64::try_from(*whole).map_or_else(
            |_| u64::try_from(*whole).map_or(Value::Null, Value::from),
            Value::from,
        ),
        Tree::Number(number) => Value::from(*number),
        Tree::Text(text) => Value::from(text.as_str()),
        Tree::List(items) => items.iter().map(to_json).collect(),
        Tree::Map(entries) => {
            let entries = entries.iter();
            Value::Object(entries.map(|e| (e.key.clone(), to_json(&e.node))).collect())
        }
    }
}

fn place(span: Span) -> Place {
    Place::File {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

struct TreeReader<'t> {
    events: Parser<'t, StrInput<'t>>,
    problems: Vec<Problem>,
}

/// `None` means that reading cannot go on; the reason is among the problems.
impl<'t> TreeReader<'t> {
    fn problem(&mut self, at: Place, fault: Fault) {
        self.problems.push(Problem {
            place: at,
            key: String::new(),
            fault,
        });
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = Place::File {
            line: error.marker().line(),
            column: error.marker().col() + 1,
        };
        let reason = error.info().to_owned();
        self.problem(at, Fault::Syntax { reason });
    }

    fn next(&mut self) -> Option<(Event<'t>, Place)> {
        if self.problems.len() >= MAX_PROBLEMS {
            return None;
        }
        match self.events.next_event()? {
            Ok((event, span)) => Some((event, place(span))),
            Err(error) => {
                self.syntax(&error);
                None
            }
        }
    }

    /// The one document; an empty file is an empty map.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's enum; start and end marks carry nothing"
    )]
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::DocumentStart(_) if root.is_some() => {
                    self.problem(at, Fault::SecondDocument);
                    return None;
                }
                Event::DocumentStart(_) => {
                    let (event, at) = self.next()?;
                    root = Some(self.node(event, at, 0)?);
                }
                Event::StreamEnd => break,
                _ => {}
            }
        }
        Some(root.unwrap_or(Node {
            at: Place::WholeFile,
            value: Tree::Map(Vec::new()),
        }))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's enum; the rest cannot stand where a node belongs"
    )]
    fn node(&mut self, event: Event<'t>, at: Place, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            self.problem(at, Fault::TooDeep { max: MAX_DEPTH });
            return None;
        }
        let value = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(at, anchor, tag.as_ref());
                scalar(&text, style)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(at, anchor, tag.as_ref());
                self.list(depth)?
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(at, anchor, tag.as_ref());
                self.map(depth)?
            }
            // An alias, or what the parser never puts where a node belongs.
            _ => {
                self.problem(at, Fault::Alias);
                Tree::Null
            }
        };
        Some(Node { at, value })
    }

    fn refuse<T>(&mut self, at: Place, anchor: usize, tag: Option<&T>) {
        // The parser numbers anchors from 1.
        if anchor != 0 {
            self.problem(at, Fault::Alias);
        }
        if tag.is_some() {
            self.problem(at, Fault::Tag);
        }
    }

    fn list(&mut self, depth: usize) -> Option<Tree> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                return Some(Tree::List(items));
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Option<Tree> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut first_lines = HashMap::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                return Some(Tree::Map(entries));
            }
            let key = self.key(event, at, depth)?;
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            let Some(key) = key else { continue };
            let Place::File { line, .. } = at else {
                continue;
            };
            if let Some(&first_line) = first_lines.get(&key) {
                self.problems.push(Problem {
                    place: at,
                    key,
                    fault: Fault::DuplicateKey { first_line },
                });
                continue;
            }
            first_lines.insert(key.clone(), line);
            entries.push(Entry { key, at, node });
        }
    }

    /// A key's text; `Some(None)` for a key that is none.
    #[expect(
        clippy::option_option,
        reason = "the outer None ends the reading, as everywhere here"
    )]
    fn key(&mut self, event: Event<'t>, at: Place, depth: usize) -> Option<Option<String>> {
        if let Event::Scalar(text, _, anchor, tag) = event {
            self.refuse(at, anchor, tag.as_ref());
            return Some(Some(text.into_owned()));
        }
        self.problem(at, Fault::KeyNotText);
        self.node(event, at, depth + 1)?;
        Some(None)
    }
}

/// Resolves a plain scalar by the core schema; everything in quotes or a block is text.
fn scalar(text: &str, style: ScalarStyle) -> Tree {
    if style != ScalarStyle::Plain {
        return Tree::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Tree::Null,
        "true" | "True" | "TRUE" => return Tree::Bool(true),
        "false" | "False" | "FALSE" => return Tree::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Tree::Number(f64::NAN),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        return Tree::Number(sign * f64::INFINITY);
    }
    based(text)
        .or_else(|| decimal(text, unsigned))
        .unwrap_or_else(|| Tree::Text(text.to_owned()))
}

/// `0o17` and `0x1F`.
fn based(text: &str) -> Option<Tree> {
    let (digits, base) = text
        .strip_prefix("0o")
        .map(|digits| (digits, 8))
        .or_else(|| text.strip_prefix("0x").map(|digits| (digits, 16)))?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    i128::from_str_radix(digits, base).ok().map(Tree::Integer)
}

/// Whole numbers, and `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
fn decimal(text: &str, unsigned: &str) -> Option<Tree> {
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if is_digits(unsigned) {
        // Beyond 38 digits only the size matters: it is out of every range.
        return text.parse().map(Tree::Integer).ok().or_else(|| float(text));
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits = exponent
        .is_none_or(|exponent| is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    if exponent_fits && mantissa_fits {
        float(text)
    } else {
        None
    }
}

fn float(text: &str) -> Option<Tree> {
    text.parse().ok().map(Tree::Number)
}

/// Whether a text may be written without quotes and is read back as the same text, as key or value, in blocks and brackets.
pub(super) fn is_plain_text(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(plain)
        // Truth values of YAML 1.1, which other readers still follow.
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off"
        )
        && matches!(scalar(text, ScalarStyle::Plain), Tree::Text(_))
}
