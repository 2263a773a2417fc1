//! JSON values as YAML that a person can read: blocks, sorted keys, quotes where they are needed.
//!
//! The reader of `file` gives the identical value back. Nothing is written raw that a terminal would act on.

use std::fmt::Write as _;

use serde_json::Value;

use super::file::is_plain_text;

/// Writes a value; ends with a line feed.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// Writes a value on lines of its own.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (i, (key, value)) in map.iter().enumerate() {
                // The first key of a list element stands behind its dash.
                if i > 0 || !out.ends_with("- ") {
                    pad(indent, out);
                }
                scalar_text(key, out);
                out.push(':');
                after_key(value, indent, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                pad(indent, out);
                out.push_str("- ");
                let nested = matches!(value, Value::Object(map) if !map.is_empty());
                if nested {
                    block(value, indent + 2, out);
                } else {
                    flow(value, out);
                    out.push('\n');
                }
            }
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_) => {
            flow(value, out);
            out.push('\n');
        }
    }
}

fn after_key(value: &Value, indent: usize, out: &mut String) {
    let block_list = |list: &[Value]| {
        list.iter()
            .any(|v| matches!(v, Value::Object(map) if !map.is_empty()))
    };
    let as_block = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => block_list(list),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    if as_block {
        out.push('\n');
        block(value, indent + 2, out);
    } else {
        out.push(' ');
        flow(value, out);
        out.push('\n');
    }
}

/// Writes a value on one line: scalars, and lists and maps in brackets.
fn flow(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => scalar_text(text, out),
        Value::Array(list) => {
            out.push('[');
            for (i, value) in list.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                flow(value, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                scalar_text(key, out);
                out.push_str(": ");
                flow(value, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn scalar_text(text: &str, out: &mut String) {
    if is_plain_text(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~'
            | '\u{a1}'..='\u{1fff}'
            | '\u{2010}'..='\u{2027}'
            | '\u{3000}'..='\u{d7ff}' => out.push(c),
            // Control, invisible and directional characters are shown, not sent.
            c => escape(c, out),
        }
    }
    out.push('"');
}

fn escape(c: char, out: &mut String) {
    let code = u32::from(c);
    // Writing to a string cannot fail.
    let written = if code <= 0xffff {
        write!(out, "\\u{code:04x}")
    } else {
        write!(out, "\\U{code:08x}")
    };
    debug_assert!(written.is_ok());
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}
