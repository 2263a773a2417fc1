//! Natural Questions Open official JSON lines: `question` and a list `answer`, without ids.
//!
//! Format: <https://github.com/google-research-datasets/natural-questions/tree/master/nq_open>, Lee et al. 2019.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::draft::{Draft, short_digest};
use super::error::SourceError;
use super::row::{RejectReason, Sink};
use super::{lines, value};
use crate::domain::{DatasetFormat, Item, SourceSpec};

/// Reads the lines and hands their questions to the sink.
pub(super) fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    lines::read(&spec.path, input, &|object| item(spec, object), sink).map(|_| ())
}

/// One line as an item; its id is the short digest of the question.
fn item(
    spec: &SourceSpec,
    object: &Map<String, Value>,
) -> Result<Item, (Option<String>, RejectReason)> {
    let draft = || {
        if let Some(other) = value::resembles(object).filter(|f| *f != DatasetFormat::NqOpen) {
            return Err(RejectReason::OtherFormat(other));
        }
        let question = value::text("question", value::need(object, "question")?)?;
        let answers = Value::Array(value::list(object, "answer")?.to_vec());
        Ok(Draft {
            id: short_digest(question.trim()),
            answers: value::texts("answer", &answers)?,
            question,
            ..Draft::default()
        })
    };
    draft()
        .map_err(|reason| (None, reason))
        .and_then(|draft| draft.finish(spec))
}
