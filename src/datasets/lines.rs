//! JSON lines: one object per line, read one line at a time.
//!
//! Lines end at a line feed only; blank lines are no rows. A line that cannot be an object is a reject, not an error.

use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::error::SourceError;
use super::row::{Emitter, RejectReason, Sink};
use super::value;
use crate::domain::{Item, json};

/// The longest line that is read, in bytes; bounds the memory a file without line feeds can take.
const LONGEST_LINE: u64 = 16 << 20;

/// Turns a row's object into an item; a refusal carries the id where it could be read.
pub(super) type ToItem<'a> =
    dyn Fn(&Map<String, Value>) -> Result<Item, (Option<String>, RejectReason)> + 'a;

/// Reads every line as an object and hands the items made of them to the sink; `Break` where the sink ended it.
pub(super) fn read(
    path: &str,
    input: &mut dyn BufRead,
    to_item: &ToItem<'_>,
    sink: &mut Sink<'_>,
) -> Result<ControlFlow<()>, SourceError> {
    let mut rows = Emitter::new(sink);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        let failed = |source| SourceError::Read {
            path: path.to_owned(),
            line: number,
            source,
        };
        let mut limited = (&mut *input).take(LONGEST_LINE + 1);
        if !json::read_line(&mut limited, &mut line).map_err(failed)? {
            return Ok(ControlFlow::Continue(()));
        }
        let is_cut = line.len() as u64 > LONGEST_LINE;
        if is_cut {
            input.skip_until(b'\n').map_err(failed)?;
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let outcome = if is_cut {
            Err((None, RejectReason::TooLong(LONGEST_LINE)))
        } else {
            object(&line)
                .map_err(|reason| (None, reason))
                .and_then(|object| to_item(&object))
        };
        if rows.emit(number, outcome) == ControlFlow::Break(()) {
            return Ok(ControlFlow::Break(()));
        }
    }
}

fn object(line: &[u8]) -> Result<Map<String, Value>, RejectReason> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(RejectReason::NotAnObject(value::kind(&other))),
        Err(error) => Err(RejectReason::NotJson(problem(&error))),
    }
}

/// What serde says, with the column only: its line is always 1 here and would mislead.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("{what} at column {}", error.column())
}
