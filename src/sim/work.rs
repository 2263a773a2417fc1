//! Answering the rows of one job: streamed from the input, shuffled block by block, written as two files.
//!
//! The bytes depend on seed, model, `custom_id`s and the job's name (for the order) only, never on when it is done.

use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use tempfile::NamedTempFile;

use super::answers::{AnswerBook, Ask, Session};
use super::completion::{Completion, Limits, tokens};
use super::disk;
use super::draw::Draw;
use super::error::SimError;
use super::intake::Misfires;
use super::row::{Dialect, Message, Row, RowBody, RowFault, each_line};
use super::shelf::{JobRecord, Outcome, Shelf};
use crate::domain::Digest;
use crate::domain::text::printable;

/// Rows that are shuffled among each other.
const BLOCK: usize = 4096;
/// Tokens that a message costs besides its text.
const MESSAGE_TOKENS: u64 = 4;

/// What is to be answered.
#[derive(Debug)]
pub(super) struct Work<'a> {
    /// The job.
    pub job: &'a JobRecord,
    /// Spelling of rows.
    pub dialect: &'a dyn Dialect,
    /// Files of the input.
    pub files: Vec<PathBuf>,
    /// Rows that an earlier job answered; left out.
    pub done: HashSet<String>,
    /// Which rows fail their first attempt ...
    pub misfires: Misfires,
    /// ... and have it in this job.
    pub first_failures: HashSet<u64>,
}

/// Answers a job and puts its files in place. What makes answering impossible becomes the job's failure; an I/O error
/// of the server does not, so that the next look tries again.
pub(super) fn run(work: &Work<'_>, book: &AnswerBook, shelf: &Shelf) -> Result<Outcome, SimError> {
    let mut output = Output::open(work, shelf)?;
    let answered = book.session().and_then(|mut session| {
        each_line(&work.files, |_, line| {
            output.take(answer_line(work, &mut session, line)?)
        })
    });
    match answered {
        Ok(()) => output.finish(shelf),
        Err(error @ SimError::Content { .. }) => Ok(Outcome {
            failure: Some(printable(&error.to_string()).into_owned()),
            ..Outcome::default()
        }),
        Err(error) => Err(error),
    }
}

/// What became of one row.
enum Answered {
    Skipped,
    Done {
        line: Vec<u8>,
        prompt_tokens: u64,
        completion_tokens: u64,
    },
    Failed(Vec<u8>),
}

fn answer_line(
    work: &Work<'_>,
    session: &mut Session<'_>,
    line: &[u8],
) -> Result<Answered, SimError> {
    // The input was checked when the job was accepted, so a row without these parts cannot be here.
    let Ok(Row {
        custom_id: Some(custom_id),
        body: Some(body),
        ..
    }) = serde_json::from_slice(line)
    else {
        return Ok(Answered::Skipped);
    };
    if work.done.contains(custom_id.as_ref()) {
        return Ok(Answered::Skipped);
    }
    let model = &work.job.model;
    let misfire = work
        .misfires
        .mark(model, &custom_id, line)
        .is_some_and(|mark| work.first_failures.contains(&mark));
    let answers = if misfire {
        Err(RowFault::overloaded())
    } else if body.extra_body.is_some() {
        Err(RowFault::invalid(
            400,
            "extra_body is not accepted inside a row",
        ))
    } else {
        ask(work, session, &custom_id, &body)?
    };
    let mut out = Vec::with_capacity(1024);
    Ok(match answers {
        Err(fault) => {
            work.dialect.failed(&custom_id, &fault, &mut out);
            Answered::Failed(out)
        }
        Ok(answers) => {
            let seed = work.misfires.seed.to_string();
            let asked = Digest::of_parts(&["completion/1", &seed, model, &custom_id]);
            let limits = Limits {
                max_tokens: body.limit(work.job.decoding.max_tokens),
                stop: &work.job.decoding.stop,
            };
            let completion =
                Completion::new(asked, model, answers, prompt_tokens(work, &body), limits);
            work.dialect.answered(&custom_id, &completion, &mut out);
            Answered::Done {
                line: out,
                prompt_tokens: completion.usage.prompt_tokens,
                completion_tokens: completion.usage.completion_tokens,
            }
        }
    })
}

fn ask(
    work: &Work<'_>,
    session: &mut Session<'_>,
    custom_id: &str,
    body: &RowBody<'_>,
) -> Result<Result<Vec<String>, RowFault>, SimError> {
    let own = body
        .messages
        .iter()
        .flatten()
        .next()
        .filter(|m| m.is_system());
    let system = match own {
        Some(message) => message.text(),
        None => work.job.decoding.system_prompt.clone().unwrap_or_default(),
    };
    (0..work.job.decoding.choices.max(1))
        .map(|choice| {
            session.answer(&Ask {
                custom_id,
                model: &work.job.model,
                system: &system,
                choice,
            })
        })
        .collect()
}

fn prompt_tokens(work: &Work<'_>, body: &RowBody<'_>) -> u64 {
    let message = |text: &str| MESSAGE_TOKENS + tokens(text.chars().count());
    let messages = body.messages.iter().flatten();
    let has_system = messages.clone().next().is_some_and(Message::is_system);
    let added = work.job.decoding.system_prompt.as_deref();
    let ids = body.prompt_token_ids.as_ref().map_or(0, Vec::len) as u64;
    ids + messages.map(|m| message(&m.text())).sum::<u64>()
        + added.filter(|_| !has_system).map_or(0, message)
}

/// The two files of a job while they are written.
struct Output<'a> {
    job: &'a JobRecord,
    results: BufWriter<NamedTempFile>,
    errors: BufWriter<NamedTempFile>,
    block: Vec<Vec<u8>>,
    order: Draw,
    outcome: Outcome,
}

impl<'a> Output<'a> {
    fn open(work: &Work<'a>, shelf: &Shelf) -> Result<Self, SimError> {
        let job = work.job;
        let writer = |path: PathBuf| Ok(BufWriter::with_capacity(1 << 18, disk::beside(&path)?));
        let seed = work.misfires.seed.to_string();
        Ok(Self {
            job,
            results: writer(shelf.results(&job.output))?,
            errors: writer(shelf.errors(&job.output))?,
            block: Vec::with_capacity(BLOCK),
            order: Draw::named(&["order/1", &seed, job.id.as_str()]),
            outcome: Outcome::default(),
        })
    }

    fn take(&mut self, answered: Answered) -> Result<(), SimError> {
        match answered {
            Answered::Skipped => {}
            Answered::Done {
                line,
                prompt_tokens,
                completion_tokens,
            } => {
                self.outcome.succeeded += 1;
                self.outcome.prompt_tokens += prompt_tokens;
                self.outcome.completion_tokens += completion_tokens;
                self.outcome.result_bytes += line.len() as u64;
                self.block.push(line);
                if self.block.len() == BLOCK {
                    self.flush_block()?;
                }
            }
            Answered::Failed(line) => {
                self.outcome.failed += 1;
                self.outcome.error_bytes += line.len() as u64;
                self.errors
                    .write_all(&line)
                    .map_err(SimError::file("write", "error rows"))?;
            }
        }
        Ok(())
    }

    fn flush_block(&mut self) -> Result<(), SimError> {
        self.order.shuffle(&mut self.block);
        for line in self.block.drain(..) {
            self.results
                .write_all(&line)
                .map_err(SimError::file("write", "result rows"))?;
        }
        Ok(())
    }

    fn finish(mut self, shelf: &Shelf) -> Result<Outcome, SimError> {
        self.flush_block()?;
        let place = |writer: BufWriter<NamedTempFile>, path: PathBuf| {
            let file = writer
                .into_inner()
                .map_err(|e| SimError::file("write", &path)(e.into_error()))?;
            disk::put(file, &path)
        };
        place(self.errors, shelf.errors(&self.job.output))?;
        place(self.results, shelf.results(&self.job.output))?;
        Ok(self.outcome)
    }
}
