//! Untrusted text made safe to show: model output, server messages, names from files.
//!
//! Everything that reaches a terminal or a log from outside passes [`printable`] (guarantees, P22).

use std::borrow::Cow;

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Replaces control, bidirectional, invisible and tag characters by `<U+XXXX>`; line feeds and tabs by a blank.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => out.push(' '),
            c if is_hostile(c) => out.extend(format!("<U+{:04X}>", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Like [`printable`], but keeps line feeds: for panes that show several lines.
pub fn printable_lines(text: &str) -> String {
    text.split('\n')
        .map(|line| printable(line.trim_end_matches('\r')))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Cuts a text to `max` characters, the last of them `…` where something was cut.
pub fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars()
        .take(max.saturating_sub(1))
        .chain(std::iter::once('…'))
        .collect()
}

/// Writes a count with thousands separators, e.g. `24,310`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The candidate nearest to a misspelt word, or `None` where nothing is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(word, c), c))
        .filter(|(distance, c)| *distance <= 1 + c.len().min(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_sequence_survives() {
        assert_eq!(
            printable("a\u{1b}]52;c;x\u{7}b\u{9b}"),
            "a<U+001B>]52;c;x<U+0007>b<U+009B>"
        );
        assert_eq!(printable("\u{202e}evil"), "<U+202E>evil");
        assert_eq!(printable("plain é"), "plain é");
    }

    #[test]
    fn counts_get_separators() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        assert_eq!(
            nearest("prase", ["prepare", "parse", "poll"]),
            Some("parse")
        );
        assert_eq!(nearest("zzz", ["prepare", "parse"]), None);
    }
}
