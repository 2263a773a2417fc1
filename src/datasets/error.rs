//! What makes a whole source unusable: the wrong file, a broken one, or one that cannot be read or written.
//!
//! A bad row is no error: it is a [`Reject`](super::Reject). Every message names the file, where in it, what was found and
//! what to do.

use std::io;

use thiserror::Error;

use super::row::RejectReason;
use crate::domain::text::printable;

/// A source that cannot be used.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The file could not be opened.
    #[error("{path}: cannot be opened")]
    Open {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The file could not be read to its end.
    #[error("{path}: cannot be read after line {line}")]
    Read {
        /// The file.
        path: String,
        /// The last line that was read.
        line: u64,
        /// The cause.
        source: io::Error,
    },
    /// An output could not be written.
    #[error("cannot write the {what}")]
    Write {
        /// Which output, e.g. `open items`.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The file is no text in UTF-8 at all.
    #[error("{path}: line 1: this is {found}, not text in UTF-8; {advice}")]
    NotText {
        /// The file.
        path: String,
        /// What the first bytes look like.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The file is text of another shape than its format has.
    #[error("{path}: line {line}: expected {expected}, found {found}; {advice}")]
    Shape {
        /// The file.
        path: String,
        /// Where it shows.
        line: u64,
        /// What the format has there.
        expected: &'static str,
        /// What is there.
        found: String,
        /// What to do.
        advice: String,
    },
    /// The JSON of a whole-file format is broken, e.g. cut off.
    #[error(
        "{path}: line {line}, column {column}: the JSON is broken; fetch the file again or repair it there"
    )]
    Syntax {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The cause.
        source: serde_json::Error,
    },
    /// A field named by the field map is nowhere in the file.
    #[error(
        "{path}: line {line}: there is no {field:?}, which `fields.{key}` names; the file has {present}{hint}",
        present = name_list(present),
        hint = did_you_mean(nearest.as_deref())
    )]
    NoField {
        /// The file.
        path: String,
        /// The header's line, or the first row's.
        line: u64,
        /// The key of the field map.
        key: &'static str,
        /// The name it maps to.
        field: String,
        /// The names that the file has.
        present: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// Not one of the first rows fits the format.
    #[error(
        "{path}: none of the first {rows} rows fits the format {format}; line {line}: {reason}; check `format` and `fields` of this source"
    )]
    NoUsableRow {
        /// The file.
        path: String,
        /// The format's name.
        format: &'static str,
        /// How many rows were tried.
        rows: usize,
        /// The first row's line.
        line: u64,
        /// What is wrong with it.
        reason: Box<RejectReason>,
    },
    /// The file holds no row.
    #[error("{path}: the file holds no rows; check the path and that its download is complete")]
    Empty {
        /// The file.
        path: String,
    },
    /// More rows than the index can number.
    #[error("{path}: more rows than can be numbered (4,294,967,294); split the source")]
    TooManyRows {
        /// The file.
        path: String,
    },
    /// More dataset names than the index can number.
    #[error("{path}: more than 65,535 dataset names; is `dataset` really the name of a dataset?")]
    TooManyDatasets {
        /// The file.
        path: String,
    },
    /// The file was another one when it was read the second time.
    #[error("{path}: the file changed while it was read; prepare again when nothing writes to it")]
    Changed {
        /// The file.
        path: String,
    },
    /// Rows read are not rows kept, left out and rejected: a fault of this program.
    #[error(
        "dataset {dataset}: {read} rows read, but {accounted} accounted for; please report this as a bug"
    )]
    Unaccounted {
        /// The dataset.
        dataset: String,
        /// Rows read.
        read: u64,
        /// Rows kept, not chosen and rejected.
        accounted: u64,
    },
}

/// Names from a file in the order given, safe to print, at most a dozen of them.
pub(super) fn name_list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    if names.is_empty() {
        return "no names".to_owned();
    }
    let list = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("{:?}", printable(name)))
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

/// A question to put behind a message, or nothing.
pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| {
        format!("; did you mean {:?}?", printable(name))
    })
}
