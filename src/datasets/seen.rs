//! Ids that were there before: sixteen bytes per item, whatever the length of the ids.

use std::collections::HashMap;

use super::row::{Reject, RejectReason, Row};
use crate::domain::Digest;

/// How a place in a file is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceWord {
    /// By the line.
    Line,
    /// By the row's number: for JSON files, which may be one line.
    Question,
}

impl PlaceWord {
    /// The number that names the row's place.
    fn number(self, row: &Row) -> u64 {
        match self {
            Self::Line => row.line,
            Self::Question => row.number,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Question => "question",
        }
    }
}

/// Ids seen in one or several files.
///
/// Keeps 96 bits of the SHA-256 of each name: among a million items two different ones are taken for the same with a
/// probability of 6e-18 (birthday bound, n^2 / 2^97).
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    /// 64 bits of the digest to 32 more and the place, counted through all files.
    places: HashMap<u64, (u32, u32)>,
    files: Vec<File>,
    /// The highest place so far.
    last: u32,
}

#[derive(Debug)]
struct File {
    path: String,
    word: PlaceWord,
    /// What its places are counted from.
    base: u32,
}

impl SeenIds {
    /// The rows that follow come from this file.
    pub(super) fn enter(&mut self, path: &str, word: PlaceWord) {
        self.files.push(File {
            path: path.to_owned(),
            word,
            base: self.last,
        });
    }

    /// Turns an item whose dataset and id were there before in this scope into a reject.
    pub(super) fn admit(&mut self, scope: &str, mut row: Row) -> Row {
        let Ok(item) = &row.outcome else {
            return row;
        };
        let (key, check) = split(Digest::of_parts(&[scope, &item.dataset, &item.id]));
        let base_and_word = self.files.last().map(|f| (f.base, f.word));
        let (base, word) = base_and_word.unwrap_or((0, PlaceWord::Line));
        let place = base.saturating_add(u32::try_from(word.number(&row)).unwrap_or(u32::MAX));
        self.last = self.last.max(place);
        let first = match self.places.get(&key) {
            Some((found, place)) if *found == check => *place,
            // Half a collision: the later item is let pass unremembered rather than refused.
            Some(_) => return row,
            None => {
                self.places.insert(key, (check, place));
                return row;
            }
        };
        row.outcome = Err(Reject {
            line: row.line,
            id: Some(item.id.clone()),
            reason: RejectReason::DuplicateId {
                first: self.describe(first),
            },
        });
        row
    }

    /// A place in words, with its file where that is not the current one.
    fn describe(&self, place: u32) -> String {
        let index = self
            .files
            .partition_point(|f| f.base < place)
            .saturating_sub(1);
        let Some(file) = self.files.get(index) else {
            return format!("line {place}");
        };
        let number = place - file.base;
        let word = file.word.as_str();
        if index + 1 == self.files.len() {
            format!("{word} {number}")
        } else {
            format!("{word} {number} of {}", file.path)
        }
    }
}

/// 64 and 32 more bits of a digest.
fn split(digest: Digest) -> (u64, u32) {
    let bytes = digest.bytes();
    let check = u32::try_from(big_endian(&bytes[8..12])).unwrap_or(u32::MAX);
    (big_endian(&bytes[..8]), check)
}

/// Up to eight bytes as a number.
pub(super) fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |bits, b| bits << 8 | u64::from(*b))
}
