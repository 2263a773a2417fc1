//! The first bytes of a file: what it must look like, and what it is instead.
//!
//! Only the beginning is looked at and nothing but a byte order mark is consumed.

use std::io::BufRead;

use super::error::SourceError;
use crate::domain::text::{printable, shorten};

/// How a format's file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One JSON object per line.
    Lines,
    /// One JSON object that is the whole file.
    Tree,
    /// A header line and rows of cells.
    Table,
}

impl Layout {
    fn expected(self) -> &'static str {
        match self {
            Self::Lines => "one JSON object per line",
            Self::Tree => "one JSON object with a list of articles or questions",
            Self::Table => "a CSV header",
        }
    }
}

/// Skips a UTF-8 byte order mark and refuses what cannot be a file of this layout.
pub(super) fn check(
    path: &str,
    layout: Layout,
    input: &mut dyn BufRead,
) -> Result<(), SourceError> {
    let read_failed = |source| SourceError::Read {
        path: path.to_owned(),
        line: 0,
        source,
    };
    if input
        .fill_buf()
        .map_err(read_failed)?
        .starts_with(b"\xef\xbb\xbf")
    {
        input.consume(3);
    }
    let head = input.fill_buf().map_err(read_failed)?;
    if head.is_empty() {
        return Err(SourceError::Empty {
            path: path.to_owned(),
        });
    }
    if let Some((found, advice)) = foreign(head) {
        return Err(SourceError::NotText {
            path: path.to_owned(),
            found,
            advice,
        });
    }
    let blank = head.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let Some((found, advice)) = other_layout(layout, &head[blank..]) else {
        return Ok(());
    };
    Err(SourceError::Shape {
        path: path.to_owned(),
        line: 1 + count(&head[..blank], b'\n'),
        expected: layout.expected(),
        found,
        advice: advice.to_owned(),
    })
}

/// How often a byte occurs.
pub(super) fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().map(|b| u64::from(*b == wanted)).sum()
}

/// What a file that is no UTF-8 text looks like, and what to do about it.
fn foreign(head: &[u8]) -> Option<(&'static str, &'static str)> {
    const SAVE_AS: &str = "save it as UTF-8 (iconv -f UTF-16 -t UTF-8)";
    const UNPACK: &str = "unpack it and name the unpacked file";
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"\xff\xfe") || starts(b"\xfe\xff") {
        return Some(("UTF-16", SAVE_AS));
    }
    if starts(b"\x1f\x8b") {
        return Some(("a gzip file", UNPACK));
    }
    if starts(b"PK\x03\x04") {
        return Some((
            "a zip file or a spreadsheet",
            "unpack it, or export it as CSV",
        ));
    }
    if starts(b"\x28\xb5\x2f\xfd") || starts(b"BZh") || starts(b"\xfd7zXZ") {
        return Some(("a compressed file", UNPACK));
    }
    if starts(b"PAR1") || starts(b"ARROW1") || starts(b"SQLite format 3\0") {
        return Some(("a binary table", "export it as JSON lines"));
    }
    if starts(b"version https://git-lfs") {
        return Some((
            "a Git LFS pointer",
            "fetch the file itself with git lfs pull",
        ));
    }
    if let [first, second, ..] = *head
        && (first == 0) != (second == 0)
    {
        return Some(("UTF-16 without its mark", SAVE_AS));
    }
    head.contains(&0).then_some((
        "a binary file",
        "name a JSON, JSON lines or CSV file instead",
    ))
}

/// What text of another layout looks like, and what to do about it.
fn other_layout(layout: Layout, text: &[u8]) -> Option<(String, &'static str)> {
    let first_line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let first_line = first_line.trim_ascii();
    match (layout, first_line) {
        (Layout::Table, []) => Some((
            "an empty line".to_owned(),
            "put the names of the columns on the first line",
        )),
        (_, [b'<', ..]) => Some((
            "HTML or XML".to_owned(),
            "it may be a page that was saved instead of the file: download the raw file",
        )),
        (_, [b'[', ..]) => Some((
            "a JSON list".to_owned(),
            "write one object per line (jq -c '.[]') and set `format: jsonl`",
        )),
        (Layout::Table, [b'{', ..]) => Some((
            "a JSON object".to_owned(),
            "set `format: jsonl`, or the official format it has",
        )),
        (Layout::Lines, b"{") => Some((
            "JSON spread over several lines".to_owned(),
            "write one object per line (jq -c .), or set the official format it has (squad, triviaqa)",
        )),
        (Layout::Table, _) | (Layout::Lines | Layout::Tree, [] | [b'{', ..]) => None,
        (Layout::Lines | Layout::Tree, _) => {
            let text = String::from_utf8_lossy(first_line);
            Some((
                format!("{:?}", shorten(&printable(&text), 40)),
                "set `format: csv` where it is a table, or name the right file",
            ))
        }
    }
}
