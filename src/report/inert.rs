//! Text from models, servers, configs and files made inert in Markdown: no markup, no link, no image, no HTML, no cell.
//!
//! Rule: text from outside never starts a line of a page; a template's own text goes before it.

use std::fmt::Write as _;

use crate::domain::text::{printable, shorten};

/// Writes a text so that every Markdown reader shows it as it is, on one line.
///
/// Control and direction characters become visible, markup characters are escaped, and what makes bare addresses clickable
/// (`://`, `www.`, `@`) is written as character references; a word joiner after `@` keeps GitHub from linking addresses.
pub fn text(raw: &str) -> String {
    let shown = printable(raw);
    let mut out = String::with_capacity(shown.len() + 16);
    let mut previous = ' ';
    let mut characters = shown.trim().chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;&#8288;"),
            '|' => out.push_str("&#124;"),
            ':' => out.push_str("&#58;"),
            '.' if previous.eq_ignore_ascii_case(&'w') => out.push_str("&#46;"),
            '(' if previous == ']' => out.push_str("\\("),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            // A run of blanks, as line feeds leave it, is one blank.
            ' ' if characters.peek() == Some(&' ') => {}
            c => out.push(c),
        }
        previous = c;
    }
    out
}

/// Writes a plain name (letters, digits, `. _ - / :` and blanks) as code, and anything else as [`text`].
pub fn name(raw: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    if !raw.is_empty() && raw.chars().all(plain) {
        format!("`{raw}`")
    } else {
        text(&shorten(raw, 200))
    }
}

/// Writes an item's key, `dataset|id`, as a name without its bar.
pub fn item_key(key: &str) -> String {
    match key.split_once('|') {
        Some((dataset, id)) => format!("{} {}", name(dataset), name(id)),
        None => name(key),
    }
}

/// Shortens a long text to its beginning and its end, where answers usually are, and makes it inert.
pub fn excerpt(raw: &str, max: usize) -> String {
    let length = raw.chars().count();
    if length <= max {
        return text(raw);
    }
    let head = max * 3 / 5;
    let tail = max - head;
    let start: String = raw.chars().take(head).collect();
    let end: String = raw.chars().skip(length - tail).collect();
    let mut out = text(&start);
    // Writing to a string does not fail.
    write!(out, " … ({} characters left out) … ", length - max).ok();
    out.push_str(&text(&end));
    out
}

/// Pads a plain name for a code block; characters that could end the block or confuse columns become `?`.
pub fn column(raw: &str, width: usize) -> String {
    let safe: String = raw
        .chars()
        .map(|c| {
            if (c.is_ascii_graphic() || c == ' ') && c != '`' {
                c
            } else {
                '?'
            }
        })
        .collect();
    format!("{:<width$}", shorten(&safe, width))
}
