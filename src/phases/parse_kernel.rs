//! One part's result rows become rows of `predictions.csv` and lines of `results_combined.jsonl`, in one pass.
//!
//! Lines come in input order and leave in it; memory grows with the part's ids only. Every line is accounted for:
//! `lines = answered + failed + malformed + foreign + duplicates + blank`. Which ids are missing is the caller's to find.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::Hasher;
use std::io::{self, BufRead, Write};

use thiserror::Error;

use crate::domain::CustomId;
use crate::domain::json::read_line;
use crate::provider::rows::{self, Row, RowErrorClass, RowOutcome, Usage};
use crate::scoring::predictions::FAILED_PREFIX;
use crate::scoring::{Prediction, PredictionWriter, ScoreError};

/// How many rejected lines a tally remembers; all are counted.
pub const MAX_REJECTS: usize = 20;

/// Why a part could not be parsed.
#[derive(Debug, Error)]
pub enum ParseError {
    /// The results could not be read.
    #[error("cannot read results after line {line}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The predictions could not be written.
    #[error(transparent)]
    Predictions(#[from] ScoreError),
    /// The combined results could not be written.
    #[error("cannot write combined results")]
    Combined(#[source] io::Error),
}

/// Why a line was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RejectReason {
    /// It is no row: not JSON, not UTF-8, without a name.
    Malformed(String),
    /// Its name is not one of ours.
    Foreign,
    /// Its request has a row already.
    Duplicate,
}

/// One line that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line in the results file, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
}

/// What became of a part's lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParseTally {
    /// Lines read.
    pub lines: u64,
    /// Rows with an answer.
    pub answered: u64,
    /// Rows of failed requests, by class in the order of [`RowErrorClass::ALL`].
    pub failed_by_class: [u64; RowErrorClass::ALL.len()],
    /// Lines that are no rows.
    pub malformed: u64,
    /// Rows whose name is not a `custom_id` of ours.
    pub foreign: u64,
    /// Rows of requests that had one before.
    pub duplicates: u64,
    /// Of those, answers after a failure: the results were not reconciled, and an answer was left out.
    pub shadowed_answers: u64,
    /// Blank lines.
    pub blank: u64,
    /// The first [`MAX_REJECTS`] rejected lines.
    pub rejects: Vec<Reject>,
}

impl ParseTally {
    /// Rows of failed requests.
    pub fn failed(&self) -> u64 {
        self.failed_by_class.iter().sum()
    }

    /// Rows of `predictions.csv`.
    pub fn rows(&self) -> u64 {
        self.answered + self.failed()
    }

    /// Adds the counts of another part; its rejects are dropped, because their line numbers mean another file.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.answered += other.answered;
        for (mine, theirs) in self.failed_by_class.iter_mut().zip(other.failed_by_class) {
            *mine += theirs;
        }
        self.malformed += other.malformed;
        self.foreign += other.foreign;
        self.duplicates += other.duplicates;
        self.shadowed_answers += other.shadowed_answers;
        self.blank += other.blank;
    }

    fn reject(&mut self, reason: RejectReason) {
        match &reason {
            RejectReason::Malformed(_) => self.malformed += 1,
            RejectReason::Foreign => self.foreign += 1,
            RejectReason::Duplicate => self.duplicates += 1,
        }
        if self.rejects.len() < MAX_REJECTS {
            self.rejects.push(Reject {
                line: self.lines,
                reason,
            });
        }
    }
}

/// Parses one part: writes a prediction for each request, and the bytes of its line to `combined`.
///
/// The first row of a request counts. Failed requests are written with the finish reason `error:<class>` and no text.
pub fn write_predictions<P: Write>(
    mut results: impl BufRead,
    predictions: &mut PredictionWriter<P>,
    combined: &mut impl Write,
) -> Result<ParseTally, ParseError> {
    let mut tally = ParseTally::default();
    let mut seen = HashMap::new();
    let mut line = Vec::new();
    loop {
        let more = read_line(&mut results, &mut line).map_err(|source| ParseError::Read {
            line: tally.lines,
            source,
        })?;
        if !more {
            return Ok(tally);
        }
        tally.lines += 1;
        if line.trim_ascii().is_empty() {
            tally.blank += 1;
        } else if take_line(&line, &mut seen, &mut tally, predictions)? {
            combined
                .write_all(&line)
                .and_then(|()| combined.write_all(b"\n"))
                .map_err(ParseError::Combined)?;
        }
    }
}

/// Requests that have a row, by digest of their name, and whether that row is an answer.
type Seen = HashMap<u64, bool>;

/// Reads a line, counts it, and writes its row; `false` where the line is rejected.
fn take_line<P: Write>(
    line: &[u8],
    seen: &mut Seen,
    tally: &mut ParseTally,
    out: &mut PredictionWriter<P>,
) -> Result<bool, ParseError> {
    let row = match rows::parse_row(line) {
        Ok(row) => row,
        Err(error) => {
            tally.reject(RejectReason::Malformed(error.to_string()));
            return Ok(false);
        }
    };
    let Ok(id) = CustomId::parse(&row.custom_id) else {
        tally.reject(RejectReason::Foreign);
        return Ok(false);
    };
    match seen.entry(digest(&row.custom_id)) {
        Entry::Occupied(first) => {
            tally.shadowed_answers += u64::from(row.is_answer() && !first.get());
            tally.reject(RejectReason::Duplicate);
            return Ok(false);
        }
        Entry::Vacant(free) => free.insert(row.is_answer()),
    };
    match &row.outcome {
        RowOutcome::Answer { .. } => tally.answered += 1,
        RowOutcome::Error { class, .. } => tally.failed_by_class[*class as usize] += 1,
    }
    write_row(&row, id, out)?;
    Ok(true)
}

fn digest(custom_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(custom_id.as_bytes());
    hasher.finish()
}

fn write_row<P: Write>(
    row: &Row<'_>,
    id: CustomId<'_>,
    out: &mut PredictionWriter<P>,
) -> Result<(), ScoreError> {
    let reason;
    let (request_id, finish_reason, response_text, usage) = match &row.outcome {
        RowOutcome::Answer {
            request_id,
            finish_reason,
            text,
            usage,
            ..
        } => (
            request_id,
            finish_reason.as_deref().unwrap_or_default(),
            &**text,
            usage.unwrap_or_default(),
        ),
        RowOutcome::Error {
            request_id, class, ..
        } => {
            reason = format!("{FAILED_PREFIX}{class}");
            (request_id, &*reason, "", Usage::default())
        }
    };
    out.write(&Prediction {
        custom_id: &row.custom_id,
        id,
        request_id: request_id.as_deref().unwrap_or_default(),
        finish_reason,
        response_text,
        prompt_tokens: usage.prompt,
        completion_tokens: usage.completion,
        total_tokens: usage.total,
    })
}

#[cfg(test)]
mod tests;
