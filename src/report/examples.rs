//! Picks the items worth reading: those that the treatment gained or lost, the largest changes first.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use super::error::{ReportError, Table};
use crate::domain::{Condition, CustomId, ItemType, Temperature};

/// One item under both conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// The item's key, `dataset|id`.
    pub item: String,
    /// Open or closed.
    pub item_type: ItemType,
    /// The temperature.
    pub temp: Temperature,
    /// Score under control, 0 to 1.
    pub control_score: f64,
    /// Score under treatment, 0 to 1.
    pub treatment_score: f64,
}

/// The flips of a trial, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flips {
    /// Largest gains, at most as many as asked for.
    pub gained: Vec<Flip>,
    /// Largest losses, at most as many as asked for.
    pub lost: Vec<Flip>,
    /// Items that gained.
    pub gained_total: u64,
    /// Items that lost.
    pub lost_total: u64,
}

/// A flip with its texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The item and its scores.
    pub flip: Flip,
    /// The question, where the caller has it.
    pub question: Option<String>,
    /// Accepted answers, where the caller has them.
    pub answers: Vec<String>,
    /// The first sample under control, where it came back.
    pub control_text: Option<String>,
    /// The first sample under treatment, where it came back.
    pub treatment_text: Option<String>,
}

/// Keeps the `k` largest gains and losses; memory does not grow with the number of items.
///
/// Equal changes are ordered by a digest of the item's name, not by their place in the file: the choice is the same for
/// any order of the input, and not all from its beginning. Scores that are not numbers are left out.
pub fn select_flips(items: impl IntoIterator<Item = Flip>, k: usize) -> Flips {
    let (mut gained, mut lost) = (Largest::new(k), Largest::new(k));
    for flip in items {
        let change = flip.treatment_score - flip.control_score;
        if change > 0.0 {
            gained.offer(flip, change);
        } else if change < 0.0 {
            lost.offer(flip, -change);
        }
    }
    Flips {
        gained_total: gained.seen,
        lost_total: lost.seen,
        gained: gained.into_flips(),
        lost: lost.into_flips(),
    }
}

/// The `k` flips with the largest changes so far, in order.
struct Largest {
    k: usize,
    seen: u64,
    kept: Vec<(f64, crate::domain::Digest, Flip)>,
}

impl Largest {
    fn new(k: usize) -> Self {
        Self {
            k,
            seen: 0,
            kept: Vec::with_capacity(k.min(64) + 1),
        }
    }

    fn offer(&mut self, flip: Flip, change: f64) {
        self.seen += 1;
        // Most items cannot enter any more; only those that may are digested.
        if self.kept.len() >= self.k && self.kept.last().is_none_or(|(least, ..)| change < *least) {
            return;
        }
        let name = crate::domain::Digest::of_parts(&[
            &flip.item,
            flip.item_type.as_str(),
            &flip.temp.to_string(),
        ]);
        let at = self
            .kept
            .partition_point(|(c, n, _)| c.total_cmp(&change).then(name.cmp(n)).is_gt());
        self.kept.insert(at, (change, name, flip));
        self.kept.truncate(self.k);
    }

    fn into_flips(self) -> Vec<Flip> {
        self.kept.into_iter().map(|(.., flip)| flip).collect()
    }
}

/// Picks flips by `em` from `per_item_scores.csv`. Memory: one short entry for each item until its partner comes.
pub fn flips(scores: impl Read, k: usize) -> Result<Flips, ReportError> {
    let mut table = Table::new("per_item_scores.csv", scores);
    let [key_at, type_at, condition_at, temp_at, em_at] =
        table.columns(["item_key", "type", "condition", "temp", "em"])?;
    let mut waiting: HashMap<(Temperature, ItemType, Box<str>), [Option<f64>; 2]> = HashMap::new();
    let mut failure = None;
    let pairs = std::iter::from_fn(|| {
        let mut next = || -> Result<Option<Flip>, ReportError> {
            while table.advance()? {
                let temp = table.value(temp_at, "temp")?;
                let item_type = table.value(type_at, "type")?;
                let condition: Condition = table.value(condition_at, "condition")?;
                let em: Option<f64> = table.optional(em_at, "em")?;
                let item: Box<str> = table.text(key_at, "item_key")?.into();
                let key = (temp, item_type, item);
                let mut scores = waiting.remove(&key).unwrap_or_default();
                scores[condition as usize] = em;
                if let [Some(control_score), Some(treatment_score)] = scores {
                    return Ok(Some(Flip {
                        item: key.2.into_string(),
                        item_type,
                        temp,
                        control_score,
                        treatment_score,
                    }));
                }
                waiting.insert(key, scores);
            }
            Ok(None)
        };
        next().unwrap_or_else(|error| {
            failure = Some(error);
            None
        })
    });
    let flips = select_flips(pairs, k);
    failure.map_or(Ok(flips), Err)
}

/// Adds the texts of the first sample from `predictions.csv`; questions and accepted answers are the caller's to add.
pub fn with_texts(predictions: impl Read, flips: Vec<Flip>) -> Result<Vec<Example>, ReportError> {
    let mut table = Table::new("predictions.csv", predictions);
    let [id_at, text_at] = table.columns(["custom_id", "response_text"])?;
    let mut places: BTreeMap<String, (usize, Condition)> = BTreeMap::new();
    for (place, flip) in flips.iter().enumerate() {
        for condition in Condition::ALL {
            let id = format!(
                "{}|{condition}|{}|0|{}",
                flip.item, flip.temp, flip.item_type
            );
            places.insert(id, (place, condition));
        }
    }
    let mut examples: Vec<Example> = flips
        .into_iter()
        .map(|flip| Example {
            flip,
            question: None,
            answers: Vec::new(),
            control_text: None,
            treatment_text: None,
        })
        .collect();
    while !places.is_empty() && table.advance()? {
        let id = table.text(id_at, "custom_id")?;
        let Some((place, condition)) = places.remove(&canonical(id)) else {
            continue;
        };
        let text = Some(table.text(text_at, "response_text")?.to_owned());
        match condition {
            Condition::Control => examples[place].control_text = text,
            Condition::Treatment => examples[place].treatment_text = text,
        }
    }
    Ok(examples)
}

/// A `custom_id` in its one spelling: older files may write a temperature differently (`0` for `0.0`).
fn canonical(id: &str) -> String {
    CustomId::parse(id).map_or_else(|_| id.to_owned(), |id| id.to_string())
}
