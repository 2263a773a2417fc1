//! `TriviaQA` official JSON: an object with the list `Data` of questions with answers and their aliases.
//!
//! Format: <https://nlp.cs.washington.edu/triviaqa/>, Joshi et al. 2017. Normalised aliases and human answers are left out:
//! scoring normalises by itself. The test files hold no answers and are refused.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::error::SourceError;
use super::row::{Emitter, RejectReason, Sink};
use super::{tree, value};
use crate::domain::{Item, SourceSpec};

/// Reads the questions and hands them to the sink.
pub(super) fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let mut rows = Emitter::new(sink);
    tree::read(&spec.path, "Data", input, &mut |line, element| {
        let outcome = match element {
            Ok(Value::Object(object)) => item(spec, &object),
            Ok(other) => Err((None, RejectReason::NotAnObject(value::kind(&other)))),
            Err(reason) => Err((None, reason)),
        };
        rows.emit(line, outcome)
    })
}

/// One question as an item.
fn item(
    spec: &SourceSpec,
    object: &Map<String, Value>,
) -> Result<Item, (Option<String>, RejectReason)> {
    let id = value::get(object, "QuestionId").and_then(|v| value::scalar("QuestionId", v).ok());
    let draft = || {
        Ok(Draft {
            id: value::scalar("QuestionId", value::need(object, "QuestionId")?)?,
            question: value::text("Question", value::need(object, "Question")?)?,
            answers: answers(value::need(object, "Answer")?)?,
            ..Draft::default()
        })
    };
    draft()
        .map_err(|reason| (id, reason))
        .and_then(|draft| draft.finish(spec))
}

/// The answer and its aliases.
fn answers(answer: &Value) -> Result<Vec<String>, RejectReason> {
    let Value::Object(answer) = answer else {
        return Err(RejectReason::WrongType {
            field: "Answer".to_owned(),
            expected: "an object with \"Value\" and \"Aliases\"",
            found: value::kind(answer),
        });
    };
    let mut answers = vec![value::scalar("Value", value::need(answer, "Value")?)?];
    if let Some(aliases) = value::get(answer, "Aliases") {
        answers.extend(value::texts("Aliases", aliases)?);
    }
    Ok(answers)
}
