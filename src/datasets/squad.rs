//! `SQuAD` 2.0 official JSON: articles with paragraphs with questions.
//!
//! Format: <https://rajpurkar.github.io/SQuAD-explorer/>, Rajpurkar et al. 2018. Files of version 1.1, whose questions
//! lack `is_impossible`, are read as well.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::error::SourceError;
use super::row::{Emitter, RejectReason, Sink};
use super::{tree, value};
use crate::domain::{Item, SourceSpec};

/// Reads the articles and hands their questions to the sink.
pub(super) fn read(
    spec: &SourceSpec,
    input: &mut dyn BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), SourceError> {
    let mut rows = Emitter::new(sink);
    tree::read(&spec.path, "data", input, &mut |line, article| {
        let questions = article.and_then(|a| object(&a).and_then(|a| paragraphs(spec, a)));
        match questions {
            Ok(outcomes) => outcomes.into_iter().try_for_each(|o| rows.emit(line, o)),
            Err(reason) => rows.emit(line, Err((None, reason))),
        }
    })
}

/// One question as an item.
fn item(
    spec: &SourceSpec,
    surroundings: &Surroundings<'_>,
    question: &Map<String, Value>,
) -> Outcome {
    let id = value::get(question, "id").and_then(|v| value::scalar("id", v).ok());
    let draft = || {
        Ok(Draft {
            id: value::scalar("id", value::need(question, "id")?)?,
            question: value::text("question", value::need(question, "question")?)?,
            answers: answers(question)?,
            context: Some(value::text(
                "context",
                value::need(surroundings.paragraph, "context")?,
            )?),
            cluster: surroundings.title.clone(),
            is_unanswerable: match value::get(question, "is_impossible") {
                Some(truth) => value::truth("is_impossible", truth)?,
                None => false,
            },
            ..Draft::default()
        })
    };
    draft()
        .map_err(|reason| (id, reason))
        .and_then(|draft| draft.finish(spec))
}

type Outcome = Result<Item, (Option<String>, RejectReason)>;

/// What a question shares with its neighbours.
struct Surroundings<'a> {
    title: Option<String>,
    paragraph: &'a Map<String, Value>,
}

fn object(value: &Value) -> Result<&Map<String, Value>, RejectReason> {
    value
        .as_object()
        .ok_or_else(|| RejectReason::NotAnObject(value::kind(value)))
}

/// All questions of an article; a damaged paragraph is one refusal, its neighbours stay.
fn paragraphs(
    spec: &SourceSpec,
    article: &Map<String, Value>,
) -> Result<Vec<Outcome>, RejectReason> {
    let title = value::get(article, "title")
        .map(|t| value::text("title", t))
        .transpose()?;
    let mut outcomes = Vec::new();
    for paragraph in value::list(article, "paragraphs")? {
        let questions = object(paragraph).and_then(|p| Ok((p, value::list(p, "qas")?)));
        match questions {
            Ok((paragraph, questions)) => {
                let surroundings = Surroundings {
                    title: title.clone(),
                    paragraph,
                };
                outcomes.extend(questions.iter().map(|q| {
                    object(q)
                        .map_err(|reason| (None, reason))
                        .and_then(|q| item(spec, &surroundings, q))
                }));
            }
            Err(reason) => outcomes.push(Err((None, reason))),
        }
    }
    Ok(outcomes)
}

fn answers(question: &Map<String, Value>) -> Result<Vec<String>, RejectReason> {
    value::list(question, "answers")?
        .iter()
        .map(|answer| value::text("text", value::need(object(answer)?, "text")?))
        .collect()
}
