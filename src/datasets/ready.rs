//! Ready-made item files: `open_book.jsonl` and `closed_book.jsonl` as the predecessor and this program prepare them.
//!
//! Items are checked, but not improved: what is kept is written back as it was.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::draft::{Choice, check_answers, letters_of};
use super::error::SourceError;
use super::probation::Probation;
use super::row::{RejectReason, Sink};
use super::start::{self, Layout};
use super::{lines, value};
use crate::domain::ids::check_custom_id_field;
use crate::domain::request::ItemType;
use crate::domain::{Item, ScorerName};

/// Reads the items of one file; repeated ids are not looked for.
pub(super) fn scan(
    path: &str,
    item_type: ItemType,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    start::check(path, Layout::Lines, input)?;
    let mut probation = Probation::new(sink);
    let to_item = |object: &Map<String, Value>| item(item_type, object);
    let _end = lines::read(path, input, &to_item, &mut |row| probation.take(row))?;
    probation.finish(path, "of prepared items")
}

/// One line as an item.
fn item(
    item_type: ItemType,
    object: &Map<String, Value>,
) -> Result<Item, (Option<String>, RejectReason)> {
    let id = value::get(object, "id").and_then(|v| value::scalar("id", v).ok());
    fields(object)
        .and_then(|item| check(item_type, item))
        .map_err(|reason| (id, reason))
}

fn fields(object: &Map<String, Value>) -> Result<Item, RejectReason> {
    let optional = |field| {
        value::get(object, field)
            .map(|v| value::text(field, v))
            .transpose()
    };
    Ok(Item {
        dataset: value::text("dataset", value::need(object, "dataset")?)?,
        id: value::scalar("id", value::need(object, "id")?)?,
        context: optional("context")?,
        question: value::text("question", value::need(object, "question")?)?,
        answers: value::texts("answers", value::need(object, "answers")?)?,
        is_unanswerable: value::get(object, "is_unanswerable")
            .map(|v| value::truth("is_unanswerable", v))
            .transpose()?,
        choices: match value::get(object, "choices") {
            Some(choices) => value::texts("choices", choices)?,
            None => Vec::new(),
        },
        cluster: optional("cluster")?,
        passage: optional("passage")?,
        scorer: value::get(object, "scorer").map(scorer).transpose()?,
    })
}

fn scorer(value: &Value) -> Result<ScorerName, RejectReason> {
    let name = value::text("scorer", value)?;
    ScorerName::ALL
        .into_iter()
        .find(|s| s.as_str() == name)
        .ok_or(RejectReason::WrongType {
            field: "scorer".to_owned(),
            expected: "em_f1, numeric or choice",
            found: "another text",
        })
}

fn check(item_type: ItemType, item: Item) -> Result<Item, RejectReason> {
    check_custom_id_field("dataset name", &item.dataset).map_err(RejectReason::BadDataset)?;
    check_custom_id_field("item id", &item.id).map_err(RejectReason::BadId)?;
    if item.question.trim().is_empty() {
        return Err(RejectReason::EmptyQuestion);
    }
    match (item_type, item.context.is_some()) {
        (ItemType::Open, false) => return Err(RejectReason::NoContext),
        (ItemType::Closed, true) => return Err(RejectReason::UnexpectedContext),
        (ItemType::Open, true) | (ItemType::Closed, false) => {}
    }
    check_answers(&item)?;
    if item.scorer == Some(ScorerName::Choice) {
        let unlabelled = |text: &String| Choice {
            label: None,
            text: text.clone(),
        };
        let choices: Vec<_> = item.choices.iter().map(unlabelled).collect();
        letters_of(&item.answers, &choices)?;
    }
    Ok(item)
}
