//! Answers made up from the gold answers with exact shares of right ones.
//!
//! Whether a row is right: every item has a difficulty that all models and conditions share, so that the two
//! conditions of one item agree more often than chance, as real ones do. A standard normal number
//! `z = sqrt(RHO) * item + sqrt(1 - RHO) * own` (a Gaussian copula with one factor: D. X. Li, 2000, "On default
//! correlation: a copula function approach") is right where its normal quantile is below the accuracy, so every single
//! share is exact whatever `RHO` is. `own` is drawn for (item, model, condition), and with rising temperature more and
//! more for the sample: at temperature 0 all samples of an item agree.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use statrs::function::erf::erfc;

use super::lines::{self, LineIndex, Marks};
use super::{Accuracy, Ask, OracleSettings, wording};
use crate::domain::{CustomId, Item, Temperature};
use crate::sim::draw::Draw;
use crate::sim::error::SimError;
use crate::sim::row::RowFault;

/// Correlation of control and treatment of one item on the normal scale.
const RHO: f64 = 0.7;
/// How many answers of other items are kept to answer wrongly with.
const POOL: usize = 4096;
/// Longest of these, in bytes.
const POOL_ANSWER_BYTES: usize = 60;

/// The oracle.
#[derive(Debug)]
pub(in crate::sim) struct Oracle {
    settings: OracleSettings,
    seed: String,
    loaded: Mutex<Option<(Marks, Arc<Items>)>>,
}

/// Prepared items on disk, and some of their answers in memory.
#[derive(Debug)]
struct Items {
    index: LineIndex,
    pool: Vec<Box<str>>,
}

#[derive(Deserialize)]
struct Named {
    dataset: String,
    id: String,
    #[serde(default)]
    answers: Vec<String>,
}

/// Answers rows one after the other; keeps the last item, because its samples come together.
#[derive(Debug)]
pub(in crate::sim) struct OracleSession<'a> {
    oracle: &'a Oracle,
    items: Arc<Items>,
    last: Option<(u64, Box<Item>)>,
    line: Vec<u8>,
}

impl Oracle {
    pub(super) fn new(settings: OracleSettings, seed: u64) -> Self {
        Self {
            settings,
            seed: seed.to_string(),
            loaded: Mutex::new(None),
        }
    }

    /// Loads the items, or loads them again where the files have changed.
    pub(super) fn session(&self) -> Result<OracleSession<'_>, SimError> {
        let marks = lines::marks(&self.settings.items);
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let items = match &*loaded {
            Some((then, items)) if *then == marks => Arc::clone(items),
            _ => {
                let items = Arc::new(self.load()?);
                *loaded = Some((marks, Arc::clone(&items)));
                items
            }
        };
        Ok(OracleSession {
            oracle: self,
            items,
            last: None,
            line: Vec::new(),
        })
    }

    fn load(&self) -> Result<Items, SimError> {
        let mut pool = Vec::new();
        let index = LineIndex::build(&self.settings.items, |line| {
            let item: Named = serde_json::from_slice(line)?;
            let answer = item.answers.into_iter().next();
            pool.extend(
                answer
                    .filter(|a| pool.len() < POOL && (1..=POOL_ANSWER_BYTES).contains(&a.len()))
                    .map(String::into_boxed_str),
            );
            Ok(lines::key(&[&item.dataset, &item.id]))
        })?;
        Ok(Items { index, pool })
    }

    fn accuracy(&self, model: &str) -> Accuracy {
        let short = model.rsplit('/').next().unwrap_or(model);
        let by_model = &self.settings.accuracy_by_model;
        by_model
            .get(model)
            .or_else(|| by_model.get(short))
            .copied()
            .unwrap_or(self.settings.accuracy)
    }

    /// Whether a row is answered rightly.
    fn is_right(&self, id: &CustomId<'_>, ask: &Ask<'_>) -> bool {
        let condition = id.condition.as_str();
        let normal = |labels: &[&str]| Draw::named(labels).normal();
        let item = normal(&["difficulty/1", &self.seed, id.dataset, id.item_id]);
        let fixed = normal(&[
            "own/1", &self.seed, id.dataset, id.item_id, ask.model, condition,
        ]);
        let looseness = looseness(id.temp);
        let own = if looseness > 0.0 {
            let temp = id.temp.to_string();
            let sample = sample_label(id, ask);
            let loose = normal(&[
                "sample/1", &self.seed, id.dataset, id.item_id, ask.model, condition, &temp,
                &sample,
            ]);
            (1.0 - looseness).sqrt() * fixed + looseness.sqrt() * loose
        } else {
            fixed
        };
        let z = RHO.sqrt() * item + (1.0 - RHO).sqrt() * own;
        normal_cdf(z) < self.accuracy(ask.model).of(id.condition)
    }

    /// Draws for the wording: by sample where the temperature is above 0.
    fn voice(&self, id: &CustomId<'_>, ask: &Ask<'_>) -> Draw {
        let (temp, sample) = if looseness(id.temp) > 0.0 {
            (id.temp.to_string(), sample_label(id, ask))
        } else {
            (String::new(), String::new())
        };
        let condition = id.condition.as_str();
        Draw::named(&[
            "voice/1", &self.seed, id.dataset, id.item_id, ask.model, condition, &temp, &sample,
        ])
    }

    /// Draws for what is believed wrongly: mostly the same for all samples of an item.
    fn belief(&self, id: &CustomId<'_>, ask: &Ask<'_>) -> Draw {
        let mut own = self.voice(id, ask);
        if own.chance(looseness(id.temp)) {
            return own;
        }
        Draw::named(&["belief/1", &self.seed, id.dataset, id.item_id, ask.model])
    }
}

impl OracleSession<'_> {
    /// Answers one row.
    pub(super) fn answer(
        &mut self,
        id: &CustomId<'_>,
        ask: &Ask<'_>,
    ) -> Result<Result<String, RowFault>, SimError> {
        let key = lines::key(&[id.dataset, id.item_id]);
        if self.last.as_ref().is_none_or(|(last, _)| *last != key) {
            let Some(place) = self.items.index.find(key) else {
                let message = format!("no prepared item {}", id.item_key());
                return Ok(Err(RowFault::invalid(404, message)));
            };
            self.items
                .index
                .read(place, &mut self.line)
                .map_err(SimError::file("read", "prepared items"))?;
            match serde_json::from_slice(&self.line) {
                Ok(item) => self.last = Some((key, item)),
                Err(error) => {
                    let message = format!("prepared item {}: {error}", id.item_key());
                    return Ok(Err(RowFault::invalid(404, message)));
                }
            }
        }
        let Some((_, item)) = &self.last else {
            return Ok(Err(RowFault::invalid(404, "no prepared item")));
        };
        let mut voice = self.oracle.voice(id, ask);
        Ok(Ok(if self.oracle.is_right(id, ask) {
            wording::right(item, &mut voice)
        } else {
            let mut belief = self.oracle.belief(id, ask);
            let abstain = self.oracle.settings.abstain_when_wrong;
            let wrong = wording::Wrong {
                pool: &self.items.pool,
                abstain,
            };
            wrong.answer(item, &mut belief, &mut voice)
        }))
    }
}

/// The share of a row's own luck that is drawn anew for each sample: 0 at temperature 0, a half at 1.
fn looseness(temp: Temperature) -> f64 {
    temp.value() / (temp.value() + 1.0)
}

fn sample_label(id: &CustomId<'_>, ask: &Ask<'_>) -> String {
    format!("{}/{}", id.sample_index, ask.choice)
}

/// The standard normal distribution function (Abramowitz and Stegun 26.2.29).
fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}
