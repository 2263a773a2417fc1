//! GSM8K official JSON lines: `question` and an `answer` that ends in `#### N`, without ids.
//!
//! Format: <https://github.com/openai/grade-school-math>, Cobbe et al. 2021.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::draft::{Draft, short_digest};
use super::error::SourceError;
use super::row::{RejectReason, Sink};
use super::{lines, value};
use crate::domain::text::{printable, shorten};
use crate::domain::{DatasetFormat, Item, ScorerName, SourceSpec};

/// Reads the lines and hands their questions to the sink.
pub(super) fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let mut spec = spec.clone();
    spec.scorer.get_or_insert(ScorerName::Numeric);
    lines::read(&spec.path, input, &|object| item(&spec, object), sink).map(|_| ())
}

/// One line as an item; its id is the short digest of the question.
fn item(
    spec: &SourceSpec,
    object: &Map<String, Value>,
) -> Result<Item, (Option<String>, RejectReason)> {
    let draft = || {
        if let Some(other) = value::resembles(object).filter(|f| *f != DatasetFormat::Gsm8k) {
            return Err(RejectReason::OtherFormat(other));
        }
        let question = value::text("question", value::need(object, "question")?)?;
        let solution = value::text("answer", value::need(object, "answer")?)?;
        Ok(Draft {
            id: short_digest(question.trim()),
            answers: vec![gold(&solution)?],
            question,
            ..Draft::default()
        })
    };
    draft()
        .map_err(|reason| (None, reason))
        .and_then(|draft| draft.finish(spec))
}

/// The number after the last `####`, without thousands separators.
fn gold(solution: &str) -> Result<String, RejectReason> {
    let (_, text) = solution
        .rsplit_once("####")
        .ok_or(RejectReason::NoGoldMark)?;
    let number = text.trim().replace(',', "");
    let is_number = number.parse::<f64>().is_ok_and(f64::is_finite);
    if is_number {
        Ok(number)
    } else {
        Err(RejectReason::NotANumber(shorten(
            &printable(text.trim()),
            60,
        )))
    }
}
