//! One answer against one item: which metrics apply, and their values.
//!
//! Rules (the predecessor's, by item type): an answer to an unanswerable open item is right when it abstains; false
//! answers and unsupported answers exist for open items only; an answer that abstains is never unsupported.

use std::rc::Rc;

use crate::domain::{Item, ItemType, ScorerName};

use super::abstain::Abstention;
use super::choice::Options;
use super::em_f1::{GoldAnswers, GoldCounts};
use super::normalize::Normalized;
use super::numeric::GoldNumbers;
use super::unsupported::Passage;

/// What the scores depend on besides answers and items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreSettings {
    /// The least share of an answer's words that must occur in the passage, 0 to 1.
    pub min_token_overlap: f64,
}

impl Default for ScoreSettings {
    fn default() -> Self {
        Self {
            min_token_overlap: 0.6,
        }
    }
}

/// The scores of one answer, each from 0 to 1; `None` where a metric does not apply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemScore {
    /// Right by the item's scorer: exact match, equal number, or chosen option.
    pub em: f64,
    /// Token F1; open items judged by text only.
    pub f1: Option<f64>,
    /// Declined to answer.
    pub abstain: f64,
    /// Answered what cannot be answered; open items only.
    pub false_answer: Option<f64>,
    /// Answered beyond the passage; open items judged by text only.
    pub unsupported: Option<f64>,
}

/// One item, prepared once for all its answers.
#[derive(Debug, Clone)]
pub struct Gold {
    item_type: ItemType,
    unanswerable: bool,
    key: Key,
    /// For token F1, which only answerable open items need.
    counts: Option<GoldCounts>,
    passage: Option<Rc<Passage>>,
}

#[derive(Debug, Clone)]
enum Key {
    Text(GoldAnswers),
    Numbers(GoldNumbers),
    Options(Options),
}

/// Judges answers. Keeps its scratch space and the last passage between calls.
#[derive(Debug)]
pub struct Scorer {
    settings: ScoreSettings,
    abstention: Abstention,
    answer: Normalized,
    counts: Vec<u32>,
    passage: Option<(String, Rc<Passage>)>,
}

impl Scorer {
    /// Makes a judge.
    pub fn new(settings: ScoreSettings) -> Self {
        Self {
            settings,
            abstention: Abstention::default(),
            answer: Normalized::default(),
            counts: Vec::new(),
            passage: None,
        }
    }

    /// Prepares an item that was asked with or without its passage.
    pub fn prepare(&mut self, item: &Item, item_type: ItemType) -> Gold {
        let scratch = &mut self.answer;
        let key = match item.scorer.unwrap_or_default() {
            ScorerName::EmF1 => Key::Text(GoldAnswers::new(&item.answers, scratch)),
            ScorerName::Numeric => Key::Numbers(GoldNumbers::new(&item.answers, scratch)),
            ScorerName::Choice => Key::Options(Options::new(&item.choices, &item.answers, scratch)),
        };
        let passage = match (item_type, &key, &item.context) {
            (ItemType::Open, Key::Text(_), Some(context)) => Some(self.passage(context)),
            _ => None,
        };
        let needs_f1 = item_type == ItemType::Open && !item.unanswerable();
        let counts = match &key {
            Key::Text(answers) => needs_f1.then(|| answers.counts()),
            Key::Numbers(_) | Key::Options(_) => None,
        };
        Gold {
            item_type,
            unanswerable: item.unanswerable(),
            key,
            counts,
            passage,
        }
    }

    /// Items of one passage stand together, so that remembering the last one is enough.
    fn passage(&mut self, context: &str) -> Rc<Passage> {
        match &self.passage {
            Some((text, passage)) if text == context => Rc::clone(passage),
            _ => {
                let passage = Rc::new(Passage::new(context, &mut self.answer));
                self.passage = Some((context.to_owned(), Rc::clone(&passage)));
                passage
            }
        }
    }

    /// Judges one answer.
    pub fn score(&mut self, gold: &Gold, response: &str) -> ItemScore {
        self.answer.set(response);
        let abstain = share(self.abstention.is_in(&self.answer));
        let right = match &gold.key {
            Key::Text(answers) => answers.is_exact(&self.answer),
            Key::Numbers(numbers) => numbers.accept(response, &self.answer),
            Key::Options(options) => options.accept(response, &self.answer),
        };
        if gold.item_type == ItemType::Closed {
            return ItemScore {
                em: share(right),
                f1: None,
                abstain,
                false_answer: None,
                unsupported: None,
            };
        }
        let f1 = match (&gold.key, &gold.counts) {
            (_, Some(counts)) => Some(counts.best_f1(&self.answer, &mut self.counts)),
            (Key::Text(_), None) => Some(abstain),
            (Key::Numbers(_) | Key::Options(_), None) => None,
        };
        let unsupported = gold.passage.as_ref().map(|passage| {
            share(abstain < 0.5 && !passage.supports(&self.answer, self.settings.min_token_overlap))
        });
        ItemScore {
            em: if gold.unanswerable {
                abstain
            } else {
                share(right)
            },
            f1,
            abstain,
            false_answer: Some(if gold.unanswerable {
                1.0 - abstain
            } else {
                0.0
            }),
            unsupported,
        }
    }
}

/// 1 for yes, 0 for no.
fn share(yes: impl Into<u8>) -> f64 {
    f64::from(yes.into())
}

#[cfg(test)]
mod tests;
