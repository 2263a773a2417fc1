//! Looking through an input when a job is asked for: counts, duplicates, bad rows, and rows that fail their first time.

use std::collections::HashSet;
use std::path::PathBuf;

use super::draw::{Draw, mark};
use super::error::SimError;
use super::row::{Dialect, Objection, Problem, Row, each_line};
use super::shelf::Intake;
use crate::domain::Digest;
use crate::domain::text::{printable, shorten};

/// What an input is read for.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// How rows are spelled.
    pub dialect: &'a dyn Dialect,
    /// The job's model.
    pub model: &'a str,
    /// Which rows fail their first attempt.
    pub misfires: Misfires,
    /// Rows that an earlier job answered; left out.
    pub done: &'a HashSet<String>,
}

/// Decides which rows fail their first attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Misfires {
    /// The server's seed.
    pub seed: u64,
    /// The share of rows, 0 to 1.
    pub rate: f64,
}

impl Misfires {
    /// The mark under which the server remembers that a row was tried, for rows that fail the first time.
    ///
    /// A row is the same row when model and bytes are: a resend has them, another trial's row has not.
    pub(super) fn mark(self, model: &str, custom_id: &str, line: &[u8]) -> Option<u64> {
        let drawn = self.rate > 0.0
            && Draw::named(&["misfire/1", &self.seed.to_string(), model, custom_id])
                .chance(self.rate);
        drawn.then(|| {
            let line = Digest::of(line).to_string();
            mark(&["row/1", model, &line])
        })
    }
}

/// Reads an input to its end or to its first bad row. Memory: the `custom_id`s of the input.
///
/// Also gives the marks of rows that fail when they are tried for the first time.
pub(super) fn scan(
    scan: &Scan<'_>,
    files: &[PathBuf],
    sha256: Digest,
) -> Result<(Intake, Vec<u64>), SimError> {
    let mut seen = HashSet::new();
    let mut marks = Vec::new();
    let mut intake = Intake {
        sha256,
        rows: 0,
        custom_ids: 0,
        problem: None,
    };
    each_line(files, |number, line| {
        if intake.problem.is_some() {
            return Ok(());
        }
        match check(scan, line) {
            Ok(custom_id) if scan.done.contains(&custom_id) => {}
            Ok(custom_id) => {
                intake.rows += 1;
                marks.extend(scan.misfires.mark(scan.model, &custom_id, line));
                let shown = shorten(&printable(&custom_id), 80);
                if !seen.insert(custom_id) {
                    let message = format!("custom_id {shown} occurs more than once");
                    let objection = ("duplicate_custom_id", message, Some("custom_id"));
                    intake.problem = Some(problem(number, objection));
                }
            }
            Err(objection) => intake.problem = Some(problem(number, objection)),
        }
        Ok(())
    })?;
    if intake.rows == 0 && intake.problem.is_none() {
        let nothing = (
            "empty_input",
            "the input has no rows to run".to_owned(),
            None,
        );
        intake.problem = Some(problem(1, nothing));
    }
    intake.custom_ids = seen.len() as u64;
    Ok((intake, marks))
}

fn check(scan: &Scan<'_>, line: &[u8]) -> Result<String, Objection> {
    let row: Row<'_> = serde_json::from_slice(line).map_err(|error| {
        let message = format!("not a request: {}", printable(&error.to_string()));
        ("invalid_json_line", message, None)
    })?;
    scan.dialect.check(&row)?;
    row.custom_id
        .filter(|id| !id.is_empty())
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| {
            let message = "custom_id is missing or empty".to_owned();
            ("missing_required_parameter", message, Some("custom_id"))
        })
}

fn problem(line: u64, (code, message, param): Objection) -> Problem {
    Problem {
        line,
        code: code.to_owned(),
        message,
        param: param.map(str::to_owned),
    }
}
