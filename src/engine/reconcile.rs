//! Row by row: what was expected against what came back, over all attempts of a piece of work.
//!
//! Every line of the part's input ends as answered, failed or missing. The first answer of a request counts; an error never
//! beats an answer, whichever came first. Rows nobody asked for and repeated rows are counted and set aside.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::json::{read_line, write_line};
use crate::domain::work::RowTally;
use crate::domain::{Digest, TokenUsage};
use crate::provider::rows::{RowOutcome, custom_id, parse_row};
use crate::store::atomic::open_regular;
use crate::store::{AtomicFile, StoreError};

/// The raw files of one attempt; either may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFiles {
    /// Answers.
    pub results: PathBuf,
    /// Errors.
    pub errors: PathBuf,
}

/// What became of one expected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Missing,
    /// File, offset and length of the last error line; whether another attempt may help.
    Failed {
        file: usize,
        start: usize,
        len: usize,
        retryable: bool,
    },
    /// File, offset and length of the first answer line.
    Answered {
        file: usize,
        start: usize,
        len: usize,
    },
}

/// A reconciled piece of work, with its raw bytes in memory: as large as its part, no larger.
#[derive(Debug)]
pub struct Reconciled {
    ids: Vec<String>,
    fates: Vec<Fate>,
    files: Vec<Vec<u8>>,
    /// Rows by their end.
    pub rows: RowTally,
    /// Rows worth another attempt.
    pub retryable: u64,
    /// Tokens reported in the last attempt's files.
    pub usage: TokenUsage,
    /// Rows that nobody asked for.
    pub foreign: u64,
    /// Rows that came more than once.
    pub duplicated: u64,
    /// Lines that could not be read.
    pub malformed: u64,
    /// The commonest error message and how often it came, for people.
    pub commonest_error: Option<(String, u64)>,
}

/// Reads the expected `custom_id`s of a part, in order.
fn expected_ids(input: &Path) -> Result<Vec<String>, StoreError> {
    let mut reader = io::BufReader::new(open_regular(input)?);
    let mut ids = Vec::new();
    let mut line = Vec::new();
    let fail = |source| StoreError::io("read", input)(source);
    while read_line(&mut reader, &mut line).map_err(fail)? {
        if !line.is_empty() {
            let id = custom_id(&line).map_err(|error| {
                fail(io::Error::new(
                    io::ErrorKind::InvalidData,
                    error.to_string(),
                ))
            })?;
            ids.push(id.into_owned());
        }
    }
    Ok(ids)
}

fn read_if_there(path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    match open_regular(path) {
        Ok(mut file) => {
            io::Read::read_to_end(&mut file, &mut bytes).map_err(StoreError::io("read", path))?;
            Ok(bytes)
        }
        Err(error) if error.is_not_found() => Ok(bytes),
        Err(error) => Err(error),
    }
}

/// Reconciles a part's input with the files of all its attempts, oldest first.
pub fn reconcile(input: &Path, attempts: &[AttemptFiles]) -> Result<Reconciled, StoreError> {
    let ids = expected_ids(input)?;
    let mut work = Reconciled {
        fates: vec![Fate::Missing; ids.len()],
        ids,
        files: Vec::new(),
        rows: RowTally::default(),
        retryable: 0,
        usage: TokenUsage::default(),
        foreign: 0,
        duplicated: 0,
        malformed: 0,
        commonest_error: None,
    };
    let index: HashMap<&str, usize> = work
        .ids
        .iter()
        .enumerate()
        .map(|(i, id)| (id.as_str(), i))
        .collect();
    let mut errors: HashMap<String, u64> = HashMap::new();
    for attempt in attempts {
        work.usage = TokenUsage::default();
        let mut seen = vec![false; work.ids.len()];
        for path in [&attempt.results, &attempt.errors] {
            let bytes = read_if_there(path)?;
            let file = work.files.len();
            let mut counts = FileCounts {
                seen: &mut seen,
                errors: &mut errors,
                usage: &mut work.usage,
                foreign: 0,
                duplicated: 0,
                malformed: 0,
            };
            take_file(&bytes, file, &index, &mut work.fates, &mut counts);
            work.foreign += counts.foreign;
            work.duplicated += counts.duplicated;
            work.malformed += counts.malformed;
            work.files.push(bytes);
        }
    }
    for fate in &work.fates {
        match fate {
            Fate::Missing => {
                work.rows.missing += 1;
                work.retryable += 1;
            }
            Fate::Failed { retryable, .. } => {
                work.rows.failed += 1;
                work.retryable += u64::from(*retryable);
            }
            Fate::Answered { .. } => work.rows.answered += 1,
        }
    }
    // Ties go to the message that sorts first, so that the choice does not depend on the hash order.
    work.commonest_error = errors
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    Ok(work)
}

struct FileCounts<'a> {
    seen: &'a mut [bool],
    errors: &'a mut HashMap<String, u64>,
    usage: &'a mut TokenUsage,
    foreign: u64,
    duplicated: u64,
    malformed: u64,
}

fn take_file(
    bytes: &[u8],
    file: usize,
    index: &HashMap<&str, usize>,
    fates: &mut [Fate],
    counts: &mut FileCounts<'_>,
) {
    let mut start = 0;
    for line in bytes.split(|b| *b == b'\n') {
        let (at, len) = (start, line.len());
        start += len + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let Ok(row) = parse_row(line) else {
            counts.malformed += 1;
            continue;
        };
        let Some(&i) = index.get(row.custom_id.as_ref()) else {
            counts.foreign += 1;
            continue;
        };
        match row.outcome {
            RowOutcome::Answer { usage, .. } => {
                if let Some(usage) = usage {
                    *counts.usage += TokenUsage {
                        prompt_tokens: usage.prompt.unwrap_or(0),
                        completion_tokens: usage.completion.unwrap_or(0),
                        cached_tokens: usage.cached,
                    };
                }
                if matches!(fates[i], Fate::Answered { .. }) || counts.seen[i] {
                    counts.duplicated += 1;
                }
                if !matches!(fates[i], Fate::Answered { .. }) {
                    fates[i] = Fate::Answered {
                        file,
                        start: at,
                        len,
                    };
                }
            }
            RowOutcome::Error { class, message, .. } => {
                counts.duplicated += u64::from(counts.seen[i]);
                *counts
                    .errors
                    .entry(crate::domain::text::shorten(
                        &crate::domain::text::printable(&message),
                        160,
                    ))
                    .or_default() += 1;
                if !matches!(fates[i], Fate::Answered { .. }) {
                    fates[i] = Fate::Failed {
                        file,
                        start: at,
                        len,
                        retryable: class.is_retryable(),
                    };
                }
            }
        }
        counts.seen[i] = true;
    }
}

/// The line of `errors.jsonl` for a request that never came back.
#[derive(Serialize)]
struct MissingRow<'a> {
    custom_id: &'a str,
    error: MissingError,
}

#[derive(Serialize)]
struct MissingError {
    code: &'static str,
    message: &'static str,
}

impl Reconciled {
    fn raw(&self, file: usize, start: usize, len: usize) -> &[u8] {
        let line = &self.files[file][start..start + len];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Writes the answers in the order of the input; the raw bytes stay exact.
    pub fn write_results(&self, path: &Path) -> Result<Digest, StoreError> {
        let mut file = AtomicFile::create(path)?;
        let fail = |source| StoreError::io("write", path)(source);
        for fate in &self.fates {
            if let Fate::Answered {
                file: from,
                start,
                len,
            } = *fate
            {
                file.write_all(self.raw(from, start, len))
                    .and_then(|()| file.write_all(b"\n"))
                    .map_err(fail)?;
            }
        }
        Ok(file.finish()?.sha256)
    }

    /// Writes what failed or is missing in the order of the input. Gives `false`, and writes nothing, where there is nothing.
    pub fn write_errors(&self, path: &Path) -> Result<bool, StoreError> {
        if self.rows.failed + self.rows.missing == 0 {
            return Ok(false);
        }
        let mut file = AtomicFile::create(path)?;
        let fail = |source| StoreError::io("write", path)(source);
        for (id, fate) in self.ids.iter().zip(&self.fates) {
            match *fate {
                Fate::Answered { .. } => {}
                Fate::Failed {
                    file: from,
                    start,
                    len,
                    ..
                } => {
                    file.write_all(self.raw(from, start, len))
                        .and_then(|()| file.write_all(b"\n"))
                        .map_err(fail)?;
                }
                Fate::Missing => {
                    let error = MissingError {
                        code: "missing",
                        message: "the provider returned no row for this request",
                    };
                    write_line(
                        &mut file,
                        &MissingRow {
                            custom_id: id,
                            error,
                        },
                    )
                    .map_err(fail)?;
                }
            }
        }
        file.finish()?;
        Ok(true)
    }

    /// Copies the input lines worth another attempt to `output`; gives digest, lines and bytes.
    pub fn write_retry_input(
        &self,
        input: &Path,
        output: &Path,
    ) -> Result<(Digest, u64, u64), StoreError> {
        let mut reader = io::BufReader::new(open_regular(input)?);
        let mut file = AtomicFile::create(output)?;
        let (mut line, mut rows, mut i) = (Vec::new(), 0, 0);
        while read_line(&mut reader, &mut line).map_err(StoreError::io("read", input))? {
            if line.is_empty() {
                continue;
            }
            if matches!(
                self.fates.get(i),
                Some(
                    Fate::Missing
                        | Fate::Failed {
                            retryable: true,
                            ..
                        }
                )
            ) {
                line.push(b'\n');
                file.write_all(&line)
                    .map_err(StoreError::io("write", output))?;
                rows += 1;
            }
            i += 1;
        }
        let sum = file.finish()?;
        Ok((sum.sha256, rows, sum.bytes))
    }
}
