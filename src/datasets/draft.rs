//! From the fields of a row to an item: the rules that hold for every format.

use std::collections::HashSet;

use super::row::RejectReason;
use super::seen::big_endian;
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
        if self.is_unanswerable && context.is_none() {
            return Err(RejectReason::UnanswerableClosed);
        }
        let mut item = Item {
            dataset: spec.name.as_str().to_owned(),
            question: question.to_owned(),
            id: self.id,
            answers: distinct(&self.answers),
            is_unanswerable: context.is_some().then_some(self.is_unanswerable),
            choices: Vec::new(),
            cluster: self.cluster.filter(|c| !c.trim().is_empty()),
            passage: context.as_deref().map(short_digest),
            scorer: None,
            context,
        };
        check_answers(&item)?;
        let scorer = match spec.scorer {
            Some(scorer) => scorer,
            None if self.choices.is_empty() => ScorerName::EmF1,
            None => ScorerName::Choice,
        };
        if scorer == ScorerName::Choice {
            item.answers = letters_of(&item.answers, &self.choices)?;
        }
        item.scorer = Some(scorer).filter(|s| *s != ScorerName::EmF1);
        item.choices = self.choices.into_iter().map(|c| c.text).collect();
        Ok(item)
    }
}

/// The first 16 hexadecimal digits of a text's SHA-256: an id that does not depend on the order of the rows.
///
/// Among a million texts two share one with a probability of 3e-8 (birthday bound, n^2 / 2^65); the second would be
/// reported as a duplicate.
pub(super) fn short_digest(text: &str) -> String {
    format!(
        "{:016x}",
        big_endian(&Digest::of(text.as_bytes()).bytes()[..8])
    )
}

/// Checks that there are answers where there should be some, and only there.
pub(super) fn check_answers(item: &Item) -> Result<(), RejectReason> {
    match (item.unanswerable(), item.answers.is_empty()) {
        (true, false) => Err(RejectReason::AnswersToUnanswerable),
        (true, true) if item.context.is_none() => Err(RejectReason::UnanswerableClosed),
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
    let mut letters: Vec<String> = Vec::with_capacity(answers.len());
    for answer in answers {
        let letter = &LETTERS[index_of(answer, choices)?..][..1];
        if !letters.iter().any(|l| l == letter) {
            letters.push(letter.to_owned());
        }
    }
    Ok(letters)
}

/// The choice that an answer names.
fn index_of(answer: &str, choices: &[Choice]) -> Result<usize, RejectReason> {
    let is_labelled = |(choice, letter): (&Choice, char)| match &choice.label {
        Some(label) => label.trim().eq_ignore_ascii_case(answer),
        None => answer.len() == 1 && answer.starts_with([letter, letter.to_ascii_lowercase()]),
    };
    let by_label = choices.iter().zip('A'..='Z').position(is_labelled);
    let by_text = choices.iter().position(|c| c.text == answer);
    let shown = || shorten(&printable(answer), 60);
    match (by_label, by_text) {
        (Some(label), Some(text)) if label != text => Err(RejectReason::AmbiguousChoice(shown())),
        (Some(index), _) | (None, Some(index)) => Ok(index),
        (None, None) => Err(RejectReason::NoSuchChoice(shown())),
    }
}
