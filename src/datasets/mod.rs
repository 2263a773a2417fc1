//! Question sets in: one file per source format, lines in, items out.
//!
//! The flow: [`read`] (or [`prepare()`] for all sources of a run) checks the first bytes, the format's file makes drafts of
//! the rows, the rules that hold for every format make them items or rejects, and repeated ids are refused. A bad row is
//! reported with its line and reason; only a wrong file is an error.

mod start;

mod lines;
mod tree;

mod draft;
mod value;

mod csv;
mod gsm8k;
mod jsonl;
mod nq_open;
mod squad;
mod triviaqa;

mod census;
mod probation;
mod ready;
mod seen;

pub mod error;
pub mod prepare;
pub mod row;
pub mod select;

use std::io::BufRead;

pub use error::SourceError;
pub use prepare::{Limits, Outputs, Preparation, PrepareTally, SourceInput, prepare};
pub use row::{Reject, RejectReason, Row, Sink};

use self::probation::Probation;
use self::seen::{PlaceWord, SeenIds};
use self::start::Layout;
use crate::domain::request::ItemType;
use crate::domain::{DatasetFormat, SourceSpec};

/// Reads a source and hands every row to the sink, an item or a reject; `Break` ends the reading.
///
/// Fails where the file is not one of its format at all. Later rows with an id that was there before are rejects.
/// Memory: one row (for `SQuAD` one article) and 16 bytes per item.
pub fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let mut seen = SeenIds::default();
    seen.enter(&spec.path, place_word(spec.format));
    scan(spec, input, &mut |row| sink(seen.admit("", row)))
}

/// Reads a ready-made `open_book.jsonl` or `closed_book.jsonl` (`path` is for messages) like [`read`].
pub fn read_prepared(
    path: &str,
    item_type: ItemType,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let mut seen = SeenIds::default();
    seen.enter(path, PlaceWord::Line);
    ready::scan(path, item_type, input, &mut |row| sink(seen.admit("", row)))
}

/// Reads a source without looking for repeated ids.
fn scan(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    start::check(&spec.path, layout(spec.format), input)?;
    let mut probation = Probation::new(sink);
    let mut take = |row| probation.take(row);
    match spec.format {
        DatasetFormat::Squad => squad::read(spec, input, &mut take),
        DatasetFormat::NqOpen => nq_open::read(spec, input, &mut take),
        DatasetFormat::TriviaQa => triviaqa::read(spec, input, &mut take),
        DatasetFormat::Gsm8k => gsm8k::read(spec, input, &mut take),
        DatasetFormat::Jsonl => jsonl::read(spec, input, &mut take),
        DatasetFormat::Csv => csv::read(spec, input, &mut take),
    }?;
    probation.finish(&spec.path, spec.format.as_str())
}

fn layout(format: DatasetFormat) -> Layout {
    match format {
        DatasetFormat::Squad | DatasetFormat::TriviaQa => Layout::Tree,
        DatasetFormat::NqOpen | DatasetFormat::Gsm8k | DatasetFormat::Jsonl => Layout::Lines,
        DatasetFormat::Csv => Layout::Table,
    }
}

/// How the place of a row is named in messages.
fn place_word(format: DatasetFormat) -> PlaceWord {
    match layout(format) {
        Layout::Tree => PlaceWord::Question,
        Layout::Lines | Layout::Table => PlaceWord::Line,
    }
}

#[cfg(test)]
mod tests;
