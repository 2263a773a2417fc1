//! One row of a source: an item, or a reject with its line and reason.

use std::fmt;
use std::ops::ControlFlow;

use super::error::{did_you_mean, name_list};
use crate::domain::ids::NameError;
use crate::domain::{DatasetFormat, Item};

/// One row of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line in the file, from 1; in `SQuAD` files the line on which the question's article starts.
    pub line: u64,
    /// The row's number in the file, from 1: what identifies a question of a JSON file that is one line.
    pub number: u64,
    /// The item, or why there is none.
    pub outcome: Result<Item, Reject>,
}

/// A row that became no item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line in the file, as in [`Row::line`].
    pub line: u64,
    /// The row's id, where it could be read.
    pub id: Option<String>,
    /// Why.
    pub reason: RejectReason,
}

/// Where rows go; `Break` ends the reading without an error.
pub type Sink<'a> = dyn FnMut(Row) -> ControlFlow<()> + 'a;

/// Why a row became no item. Displays as a sentence fragment that is safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RejectReason {
    /// The line is longer than is read, in bytes.
    TooLong(u64),
    /// The line is no JSON.
    NotJson(String),
    /// The line is JSON, but no object.
    NotAnObject(&'static str),
    /// The cells hold bytes that are not UTF-8.
    NotUtf8,
    /// The row has the shape of another format.
    OtherFormat(DatasetFormat),
    /// A needed field is absent.
    MissingField {
        /// The field.
        field: String,
        /// The fields that are there.
        present: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// A field holds a value of another kind.
    WrongType {
        /// The field.
        field: String,
        /// The kinds that are read.
        expected: &'static str,
        /// The kind that is there.
        found: &'static str,
    },
    /// A CSV row with another number of cells than its header.
    Ragged {
        /// Cells of the row.
        cells: usize,
        /// Cells of the header.
        columns: usize,
    },
    /// A quote that opens here is never closed.
    OpenQuote,
    /// The id cannot be part of a `custom_id`.
    BadId(NameError),
    /// The dataset's name cannot be part of a `custom_id`.
    BadDataset(NameError),
    /// The id was there before.
    DuplicateId {
        /// Where: e.g. `line 12`.
        first: String,
    },
    /// The question is empty.
    EmptyQuestion,
    /// There is no answer, and the item is not marked unanswerable.
    NoAnswers,
    /// The item is marked unanswerable and has answers.
    AnswersToUnanswerable,
    /// The item is marked unanswerable, but has no passage that could lack the answer.
    UnanswerableClosed,
    /// The source is open, and the row has no passage.
    NoContext,
    /// A closed item in a file of open ones.
    UnexpectedContext,
    /// The gold answer does not follow `####`.
    NoGoldMark,
    /// The gold answer is no number.
    NotANumber(String),
    /// The scorer is `choice` and there are fewer than two choices, or more than there are letters.
    ChoiceCount(usize),
    /// The answer is none of the choices, neither by letter nor by text.
    NoSuchChoice(String),
    /// The answer is the letter of one choice and the text of another.
    AmbiguousChoice(String),
}

impl RejectReason {
    /// A short name for counting; stable.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "line_too_long",
            Self::NotJson(_) => "not_json",
            Self::NotAnObject(_) => "not_an_object",
            Self::NotUtf8 => "not_utf8",
            Self::OtherFormat(_) => "other_format",
            Self::MissingField { .. } => "missing_field",
            Self::WrongType { .. } => "wrong_type",
            Self::Ragged { .. } => "ragged_row",
            Self::OpenQuote => "open_quote",
            Self::BadId(_) => "bad_id",
            Self::BadDataset(_) => "bad_dataset",
            Self::DuplicateId { .. } => "duplicate_id",
            Self::EmptyQuestion => "empty_question",
            Self::NoAnswers => "no_answers",
            Self::AnswersToUnanswerable => "answers_to_unanswerable",
            Self::UnanswerableClosed => "unanswerable_closed",
            Self::NoContext => "no_context",
            Self::UnexpectedContext => "unexpected_context",
            Self::NoGoldMark => "no_gold_mark",
            Self::NotANumber(_) => "not_a_number",
            Self::ChoiceCount(_) => "choice_count",
            Self::NoSuchChoice(_) => "no_such_choice",
            Self::AmbiguousChoice(_) => "ambiguous_choice",
        }
    }

    /// Whether the row has another shape than the format: where the first rows all have, it is the wrong file.
    pub(super) fn is_about_shape(&self) -> bool {
        matches!(
            self,
            Self::NotJson(_)
                | Self::NotAnObject(_)
                | Self::NotUtf8
                | Self::OtherFormat(_)
                | Self::MissingField { .. }
                | Self::WrongType { .. }
                | Self::Ragged { .. }
                | Self::NoContext
                | Self::UnexpectedContext
                | Self::NoGoldMark
        )
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "is longer than {limit} bytes"),
            Self::NotJson(problem) => write!(f, "is not valid JSON: {problem}"),
            Self::NotAnObject(found) => write!(f, "is {found}, not a JSON object"),
            Self::NotUtf8 => f.write_str("is not UTF-8"),
            Self::OtherFormat(format) => {
                write!(f, "looks like the format {0}; set `format: {0}`", format.as_str())
            }
            Self::MissingField { field, present, nearest } => {
                let hint = did_you_mean(nearest.as_deref());
                write!(f, "has no {field:?}; it has {}{hint}", name_list(present))
            }
            Self::WrongType { field, expected, found } => {
                write!(f, "{field:?} is {found}, expected {expected}")
            }
            Self::Ragged { cells, columns } => {
                write!(f, "has {cells} cells where the header has {columns}")
            }
            Self::OpenQuote => f.write_str("opens a quote that is never closed, so that the rest of the file was read as one cell"),
            Self::BadId(error) | Self::BadDataset(error) => write!(f, "{error}"),
            Self::DuplicateId { first } => write!(f, "repeats the id of {first}"),
            Self::EmptyQuestion => f.write_str("has an empty question"),
            Self::NoAnswers => f.write_str("has no answer and is not marked unanswerable"),
            Self::AnswersToUnanswerable => f.write_str("is marked unanswerable and has answers"),
            Self::UnanswerableClosed => {
                f.write_str("is marked unanswerable and closed, without a passage that could lack the answer")
            }
            Self::NoContext => f.write_str("has no passage, but its source is open"),
            Self::UnexpectedContext => f.write_str("has a passage in a file of closed items"),
            Self::NoGoldMark => f.write_str("has no '#### ' before a final answer"),
            Self::NotANumber(text) => write!(f, "has the gold answer {text:?}, which is no number"),
            Self::ChoiceCount(count) => {
                write!(f, "has {count} choices; the scorer choice needs 2 to 26")
            }
            Self::NoSuchChoice(answer) => {
                write!(f, "has the answer {answer:?}, which is no letter or text of its choices")
            }
            Self::AmbiguousChoice(answer) => {
                write!(f, "has the answer {answer:?}, the letter of one choice and the text of another")
            }
        }
    }
}

/// Numbers rows and hands them to a sink.
pub(super) struct Emitter<'a, 's> {
    sink: &'a mut Sink<'s>,
    number: u64,
}

impl<'a, 's> Emitter<'a, 's> {
    /// Rows are numbered from 1.
    pub(super) fn new(sink: &'a mut Sink<'s>) -> Self {
        Self { sink, number: 0 }
    }

    /// Hands over the next row.
    pub(super) fn emit(
        &mut self,
        line: u64,
        outcome: Result<Item, (Option<String>, RejectReason)>,
    ) -> ControlFlow<()> {
        self.number += 1;
        (self.sink)(Row {
            line,
            number: self.number,
            outcome: outcome.map_err(|(id, reason)| Reject { line, id, reason }),
        })
    }
}
