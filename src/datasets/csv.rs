//! General CSV with a header (RFC 4180): cells named by the source's field map.
//!
//! An empty cell is an absent field. Rows with more or fewer cells than the header are refused, never padded.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use ::csv::{ByteRecord, Reader, ReaderBuilder, Trim};
use serde_json::{Map, Value};

use super::error::SourceError;
use super::jsonl;
use super::row::{Emitter, RejectReason, Sink};
use super::start::count;
use crate::domain::{FieldMap, Item, SourceSpec};

/// Reads the rows and hands their questions to the sink.
pub(super) fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let mut rows = Emitter::new(sink);
    let watch = Watch::default();
    let mut table = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::Headers)
        .from_reader(Watched {
            inner: input,
            watch: &watch,
        });
    let columns = header(spec, &mut table)?;
    let mut record = ByteRecord::new();
    loop {
        let more = table.read_byte_record(&mut record);
        let next_line = table.position().line();
        if !more.map_err(|error| failure(&spec.path, next_line, error))? {
            return Ok(());
        }
        let is_last = watch.is_at_end.get();
        let outcome = if is_last && watch.is_quote_open.get() {
            Err((None, RejectReason::OpenQuote))
        } else {
            item(spec, &columns, &record)
        };
        let line = next_line - count(record.as_slice(), b'\n') - u64::from(!is_last);
        if rows.emit(line, outcome) == ControlFlow::Break(()) {
            return Ok(());
        }
    }
}

/// One record as an item.
fn item(
    spec: &SourceSpec,
    columns: &[String],
    record: &ByteRecord,
) -> Result<Item, (Option<String>, RejectReason)> {
    if record.len() != columns.len() {
        let reason = RejectReason::Ragged {
            cells: record.len(),
            columns: columns.len(),
        };
        return Err((None, reason));
    }
    let mut object = Map::new();
    for (column, cell) in columns.iter().zip(record) {
        let cell = str::from_utf8(cell).map_err(|_bytes| (None, RejectReason::NotUtf8))?;
        if let Some(value) = cell_value(&spec.fields, column, cell).map_err(|r| (None, r))? {
            object.insert(column.clone(), value);
        }
    }
    jsonl::item(spec, &object)
}

/// The header's names; every name that the field map needs or names on purpose is there, and there once.
fn header<R: Read>(spec: &SourceSpec, table: &mut Reader<R>) -> Result<Vec<String>, SourceError> {
    let header = table
        .byte_headers()
        .map_err(|error| failure(&spec.path, 1, error))?;
    let columns: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let fields = &spec.fields;
    let needed = [
        ("id", fields.id.as_str()),
        ("question", &fields.question),
        ("answers", &fields.answers),
    ];
    for (key, field) in needed.into_iter().chain(jsonl::named_on_purpose(fields)) {
        match columns.iter().filter(|c| *c == field).count() {
            0 => return Err(jsonl::no_field(&spec.path, (key, field), columns)),
            1 => {}
            _ => {
                return Err(SourceError::Shape {
                    path: spec.path.clone(),
                    line: 1,
                    expected: "columns with different names",
                    found: format!("{field:?} more than once"),
                    advice: "rename all but one of them".to_owned(),
                });
            }
        }
    }
    Ok(columns)
}

/// What a cell stands for: lists may be JSON or have `|` between their texts.
fn cell_value(fields: &FieldMap, column: &str, cell: &str) -> Result<Option<Value>, RejectReason> {
    let trimmed = cell.trim();
    let is_choices = *column == fields.choices;
    if !is_choices && *column != fields.answers {
        return Ok(Some(Value::String(cell.to_owned())));
    }
    if trimmed.is_empty() {
        return Ok((!is_choices).then(|| Value::Array(Vec::new())));
    }
    let is_list = trimmed.starts_with('[') && trimmed.ends_with(']');
    let is_object = trimmed.starts_with('{') && trimmed.ends_with('}');
    if is_list || (is_choices && is_object) {
        return serde_json::from_str(trimmed).map(Some).map_err(|_syntax| {
            RejectReason::WrongType {
                field: column.to_owned(),
                expected: "JSON (with double quotes), or texts with '|' between them",
                found: "a list or object that is not JSON",
            }
        });
    }
    Ok(Some(trimmed.split('|').map(Value::from).collect()))
}

fn failure(path: &str, line: u64, error: ::csv::Error) -> SourceError {
    SourceError::Read {
        path: path.to_owned(),
        line,
        source: error.into(),
    }
}

/// What has been seen of the file's bytes.
#[derive(Debug, Default)]
struct Watch {
    is_quote_open: Cell<bool>,
    is_at_end: Cell<bool>,
}

/// Notes whether an odd number of quotes was read, and the end.
///
/// The csv crate takes a quote that is never closed for a cell that reaches to the end of the file; every row behind
/// it would vanish without a word. Only the last record can be that one, and it is read after the end was seen.
struct Watched<'a> {
    inner: &'a mut dyn BufRead,
    watch: &'a Watch,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let quotes = count(&buffer[..n], b'"');
        let watch = self.watch;
        watch
            .is_quote_open
            .set(watch.is_quote_open.get() ^ (quotes % 2 == 1));
        watch.is_at_end.set(n == 0 && !buffer.is_empty());
        Ok(n)
    }
}
