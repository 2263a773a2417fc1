//! Is the answer the right number? The last `\boxed{...}` of a response decides, else its last number.
//!
//! Numbers are compared exactly, as fractions of integers: `18.00`, `18` and `36/2` are equal, `0.33` and `1/3` are not.
//! What counts as a number is in [`scan`]; percent signs, currencies and units are no part of it (`50%` is 50).
//! The rule is that of the GSM8K replication data (`\boxed{...}` or last number, see `tests`).

pub mod rational;
pub mod scan;

use super::normalize::Normalized;
use scan::{Value, last_value};

/// Commands whose braces hold words rather than mathematics.
const WORDS: [&str; 6] = [
    "\\text",
    "\\textbf",
    "\\textit",
    "\\mathrm",
    "\\mbox",
    "\\operatorname",
];

/// The gold numbers of one item.
#[derive(Debug, Clone)]
pub struct GoldNumbers {
    values: Vec<Value>,
    /// Gold answers without a number are compared as normalised texts.
    texts: Vec<Vec<u8>>,
}

impl GoldNumbers {
    /// Reads the gold answers.
    pub fn new(answers: &[String], scratch: &mut Normalized) -> Self {
        let mut gold = Self {
            values: Vec::new(),
            texts: Vec::new(),
        };
        for answer in answers {
            if let Some(value) = numeric_answer(answer) {
                gold.values.push(value);
            } else {
                scratch.set(answer);
                gold.texts.push(scratch.as_bytes().to_vec());
            }
        }
        gold
    }

    /// Whether the number of a response equals a gold number (or the whole response a gold text).
    pub fn accept(&self, response: &str, answer: &Normalized) -> bool {
        numeric_answer(response).is_some_and(|value| self.values.contains(&value))
            || self.texts.iter().any(|text| text == answer.as_bytes())
    }
}

/// The number that a response ends in: that of its last closed `\boxed{...}`, which may hold none, else its last one.
pub fn numeric_answer(response: &str) -> Option<Value> {
    let Some(content) = last_boxed(response) else {
        return last_value(response);
    };
    if WORDS.iter().any(|w| content.contains(w))
        && let Some(value) = last_value(&without_words(content))
    {
        return Some(value);
    }
    last_value(content)
}

/// The content of the last closed `\boxed{...}`, braces balanced.
pub fn last_boxed(text: &str) -> Option<&str> {
    text.rmatch_indices("\\boxed").find_map(|(at, command)| {
        let rest = text[at + command.len()..].trim_start();
        braced(rest)
    })
}

/// The content of the braces with which a text starts; `None` where it does not or they do not close.
fn braced(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let (mut depth, mut escaped) = (1_u32, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(&inner[..at]);
                }
            }
            _ => {}
        }
    }
    None
}

/// A formula without its `\text{...}` groups: their numbers are units and remarks (`12 \text{ months of 30 days}`).
fn without_words(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        let (before, command) = rest.split_at(at);
        out.push_str(before);
        let name = 1 + command[1..]
            .bytes()
            .take_while(u8::is_ascii_alphabetic)
            .count();
        let group = braced(&command[name..]).filter(|_| WORDS.contains(&&command[..name]));
        if let Some(words) = group {
            out.push_str("\\;");
            rest = &command[name + words.len() + 2..];
        } else {
            // A command without letters is one escaped character, maybe a wide one.
            let length = if name > 1 {
                name
            } else {
                1 + command[1..].chars().next().map_or(0, char::len_utf8)
            };
            out.push_str(&command[..length]);
            rest = &command[length..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;
