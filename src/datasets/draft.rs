//! From the fields of a row to an item: the rules that hold for every format.

use std::collections::HashSet;

use super::row::RejectReason;
use crate::domain::ids::check_custom_id_field;
use crate::domain::request::ItemType;
use crate::domain::text::{printable, shorten};
use crate::domain::{Digest, Item, ScorerName, SourceSpec};

/// One option of a multiple-choice item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// Its letter in the source, where the source gives one.
    pub(super) label: Option<String>,
    /// Its text.
    pub(super) text: String,
}

/// The fields of a row as its format gives them.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// Stable id.
    pub(super) id: String,
    /// The question.
    pub(super) question: String,
    /// Accepted answers.
    pub(super) answers: Vec<String>,
    /// The passage.
    pub(super) context: Option<String>,
    /// Options.
    pub(super) choices: Vec<Choice>,
    /// The larger unit.
    pub(super) cluster: Option<String>,
    /// Whether it is marked unanswerable.
    pub(super) is_unanswerable: bool,
}

impl Draft {
    /// Checks the fields and makes them an item of the source; a refusal carries the id where there is one.
    pub(super) fn finish(self, spec: &SourceSpec) -> Result<Item, (Option<String>, RejectReason)> {
        let id = Some(self.id.clone()).filter(|id| !id.is_empty());
        self.into_item(spec).map_err(|reason| (id, reason))
    }

    fn into_item(self, spec: &SourceSpec) -> Result<Item, RejectReason> {
        check_custom_id_field("item id", &self.id).map_err(RejectReason::BadId)?;
        let question = self.question.trim();
        if question.is_empty() {
            return Err(RejectReason::EmptyQuestion);
        }
        let context = passage_for(spec.item_type, self.context.as_deref())?;
        let answers = distinct(&self.answers);
        check_answers(&answers, self.is_unanswerable, context.is_some())?;
        let scorer = match spec.scorer {
            Some(scorer) => scorer,
            None if self.choices.is_empty() => ScorerName::EmF1,
            None => ScorerName::Choice,
        };
        let answers = if scorer == ScorerName::Choice {
            letters_of(&answers, &self.choices)?
        } else {
            answers
        };
        Ok(Item {
            dataset: spec.name.as_str().to_owned(),
            id: self.id,
            question: question.to_owned(),
            answers,
            is_unanswerable: context.is_some().then_some(self.is_unanswerable),
            choices: self
                .choices
                .iter()
                .map(|c| c.text.trim().to_owned())
                .collect(),
            cluster: self.cluster.filter(|c| !c.trim().is_empty()),
            passage: context.as_deref().map(short_digest),
            scorer: Some(scorer).filter(|s| *s != ScorerName::EmF1),
            context,
        })
    }
}

/// The first 16 hexadecimal digits of a text's SHA-256: an id that does not depend on the order of the rows.
///
/// Among a million texts two share one with a probability of 3e-8 (birthday bound, n^2 / 2^65); the second would be
/// reported as a duplicate.
pub(super) fn short_digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()[..16].to_owned()
}

/// Checks that there are answers where there should be some, and only there.
pub(super) fn check_answers(
    answers: &[String],
    is_unanswerable: bool,
    is_open: bool,
) -> Result<(), RejectReason> {
    match (is_unanswerable, answers.is_empty()) {
        (true, false) => Err(RejectReason::AnswersToUnanswerable),
        (true, true) if !is_open => Err(RejectReason::UnanswerableClosed),
        (false, true) => Err(RejectReason::NoAnswers),
        (true, true) | (false, false) => Ok(()),
    }
}

/// The passage with the white space around it removed, unless the source is closed.
fn passage_for(
    forced: Option<ItemType>,
    context: Option<&str>,
) -> Result<Option<String>, RejectReason> {
    let context = context.map(str::trim).filter(|c| !c.is_empty());
    match forced {
        Some(ItemType::Closed) => Ok(None),
        Some(ItemType::Open) if context.is_none() => Err(RejectReason::NoContext),
        Some(ItemType::Open) | None => Ok(context.map(str::to_owned)),
    }
}

/// Answers with the white space around them removed, each once, in order, without empty ones.
fn distinct(answers: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    answers
        .iter()
        .map(|a| a.trim())
        .filter(|a| !a.is_empty() && seen.insert(*a))
        .map(str::to_owned)
        .collect()
}

/// The letters, by position, of the choices that the answers name.
///
/// An answer names a choice by its label in the source, by the letter of its position where the source gives no
/// labels, or by its text. An answer that would name two different choices names none.
pub(super) fn letters_of(
    answers: &[String],
    choices: &[Choice],
) -> Result<Vec<String>, RejectReason> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if !(2..=LETTERS.len()).contains(&choices.len()) {
        return Err(RejectReason::ChoiceCount(choices.len()));
    }
    let mut letters = Vec::with_capacity(answers.len());
    for answer in answers {
        let by_label =
            choices
                .iter()
                .zip(LETTERS.split("").skip(1))
                .position(|(choice, letter)| {
                    let label = choice.label.as_deref().unwrap_or(letter);
                    label.trim().eq_ignore_ascii_case(answer)
                });
        let by_text = choices.iter().position(|c| c.text.trim() == answer);
        let shown = || shorten(&printable(answer), 60);
        let index = match (by_label, by_text) {
            (Some(label), Some(text)) if label != text => {
                return Err(RejectReason::AmbiguousChoice(shown()));
            }
            (Some(index), _) | (None, Some(index)) => index,
            (None, None) => return Err(RejectReason::NoSuchChoice(shown())),
        };
        letters.push(LETTERS[index..=index].to_owned());
    }
    letters.dedup();
    Ok(letters)
}
