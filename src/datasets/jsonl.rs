//! General JSON lines: one object per line, its fields named by the source's field map.

use std::cell::RefCell;
use std::io::BufRead;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::error::SourceError;
use super::row::{RejectReason, Sink};
use super::{lines, value};
use crate::domain::text::nearest;
use crate::domain::{FieldMap, Item, SourceSpec};

/// Reads the lines and hands their questions to the sink.
///
/// An optional field that the map names on purpose must be in some row: a misspelt `context` would turn every item closed.
pub(super) fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let unseen = RefCell::new(named_on_purpose(&spec.fields));
    let names = RefCell::new(Vec::new());
    let to_item = |object: &Map<String, Value>| {
        unseen
            .borrow_mut()
            .retain(|(_, field)| !object.contains_key(*field));
        if names.borrow().is_empty() {
            names.replace(object.keys().cloned().collect());
        }
        item(spec, object)
    };
    let end = lines::read(&spec.path, input, &to_item, sink)?;
    match (end, unseen.borrow().first()) {
        (ControlFlow::Continue(()), Some(&(key, field))) => {
            Err(no_field(&spec.path, (key, field), names.take()))
        }
        _ => Ok(()),
    }
}

/// One object as an item; also serves CSV, whose cells become values first.
pub(super) fn item(
    spec: &SourceSpec,
    object: &Map<String, Value>,
) -> Result<Item, (Option<String>, RejectReason)> {
    let fields = &spec.fields;
    let id = value::get(object, &fields.id).and_then(|v| value::scalar(&fields.id, v).ok());
    draft(fields, object)
        .map_err(|reason| match value::resembles(object) {
            Some(format) if reason.is_about_shape() => RejectReason::OtherFormat(format),
            _ => reason,
        })
        .map_err(|reason| (id, reason))
        .and_then(|draft| draft.finish(spec))
}

fn draft(fields: &FieldMap, object: &Map<String, Value>) -> Result<Draft, RejectReason> {
    let is_unanswerable = match value::get(object, &fields.is_unanswerable) {
        Some(truth) => value::truth(&fields.is_unanswerable, truth)?,
        None => false,
    };
    let answers = match value::get(object, &fields.answers) {
        None if is_unanswerable => Vec::new(),
        _ => value::texts(&fields.answers, value::need(object, &fields.answers)?)?,
    };
    let optional = |field: &str| {
        value::get(object, field)
            .map(|v| value::scalar(field, v))
            .transpose()
    };
    Ok(Draft {
        id: value::scalar(&fields.id, value::need(object, &fields.id)?)?,
        question: value::text(&fields.question, value::need(object, &fields.question)?)?,
        answers,
        context: optional(&fields.context)?,
        choices: match value::get(object, &fields.choices) {
            Some(choices) => value::choices(&fields.choices, choices)?,
            None => Vec::new(),
        },
        cluster: optional(&fields.cluster)?,
        is_unanswerable,
    })
}

/// Optional fields that the map gives another name than usual, with their keys.
pub(super) fn named_on_purpose(fields: &FieldMap) -> Vec<(&'static str, &str)> {
    let usual = FieldMap::default();
    [
        ("context", &fields.context, usual.context),
        ("choices", &fields.choices, usual.choices),
        ("cluster", &fields.cluster, usual.cluster),
        (
            "is_unanswerable",
            &fields.is_unanswerable,
            usual.is_unanswerable,
        ),
    ]
    .into_iter()
    .filter(|(_, field, usual)| *field != usual)
    .map(|(key, field, _)| (key, field.as_str()))
    .collect()
}

/// The error for a field that is nowhere in the file.
pub(super) fn no_field(
    path: &str,
    (key, field): (&'static str, &str),
    present: Vec<String>,
) -> SourceError {
    SourceError::NoField {
        path: path.to_owned(),
        line: 1,
        key,
        field: field.to_owned(),
        nearest: nearest(field, present.iter().map(String::as_str)).map(str::to_owned),
        present,
    }
}
