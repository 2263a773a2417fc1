//! `costs.json`: tokens, money and how they were reached.
//!
//! An unknown price gives null, never 0. Tokens are those of the trial's rows; what another trial pays for is said apart.

use std::collections::BTreeMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::error::{ReportError, Table};
use crate::domain::{Condition, Temperature, Usd};

/// The artifact's name in messages.
const PREDICTIONS: &str = "predictions.csv";

/// The price of a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PriceUsed {
    /// Dollars per million input tokens.
    #[serde(serialize_with = "dollars", deserialize_with = "from_dollars")]
    pub input_per_million: Usd,
    /// Dollars per million output tokens.
    #[serde(serialize_with = "dollars", deserialize_with = "from_dollars")]
    pub output_per_million: Usd,
    /// The share that batch requests cost, 0 to 1: 0.5 halves the price, 1 is no discount.
    pub batch_discount: f64,
}

/// What costs are made from, besides `predictions.csv`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostInput {
    /// The price; `None` where unknown.
    pub price: Option<PriceUsed>,
    /// Rows of this trial by condition that another trial submitted and pays for.
    pub shared_rows: BTreeMap<Condition, u64>,
    /// Right answers by condition, where known: the sum of `em` over items and samples.
    pub correct: BTreeMap<Condition, f64>,
}

/// `costs.json`. Money is in dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Input tokens of all rows.
    pub prompt_tokens: u64,
    /// Output tokens of all rows.
    pub completion_tokens: u64,
    /// Input and output tokens together.
    pub total_tokens: u64,
    /// What the rows cost; null where the price is unknown.
    pub usd: Option<f64>,
    /// Rows.
    pub requests: u64,
    /// Rows without token counts: they are in no sum, so the true cost is higher.
    pub rows_without_usage: u64,
    /// Rows whose price is unknown: all of them or none.
    pub unpriced_rows: u64,
    /// The price used; null where unknown.
    pub price: Option<PriceUsed>,
    /// How dollars follow from tokens.
    pub formula: String,
    /// Rows that another trial of the run pays for; their tokens and cost are in the sums of this trial too.
    pub shared_rows: u64,
    /// The sums by condition.
    pub by_condition: BTreeMap<Condition, Share>,
    /// The sums by temperature (as text, e.g. `0.0`).
    pub by_temp: BTreeMap<String, Share>,
}

/// A part of the costs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Rows.
    pub requests: u64,
    /// Input tokens.
    pub prompt_tokens: u64,
    /// Output tokens.
    pub completion_tokens: u64,
    /// Input and output tokens together.
    pub total_tokens: u64,
    /// Dollars; null where the price is unknown.
    pub usd: Option<f64>,
    /// Rows without token counts.
    pub rows_without_usage: u64,
    /// Rows that another trial pays for; null where it is not split this way.
    pub shared_rows: Option<u64>,
    /// Right answers, where known.
    pub correct: Option<f64>,
    /// Dollars for each right answer; null where price or count is unknown or nothing is right.
    pub usd_per_correct: Option<f64>,
}

/// Adds up the tokens of `predictions.csv` and prices them.
///
/// A row whose token cells are empty is counted as without usage; a cell that holds anything but a count is an error.
/// Money is computed once from each sum of tokens, in billionths of a dollar, so it does not depend on the order of rows.
pub fn costs(predictions: impl Read, input: &CostInput) -> Result<Costs, ReportError> {
    let mut table = Table::new(PREDICTIONS, predictions);
    let [condition_at, temp_at, prompt_at, completion_at] =
        table.columns(["condition", "temp", "prompt_tokens", "completion_tokens"])?;
    let mut by_condition: BTreeMap<Condition, Share> = BTreeMap::new();
    let mut by_temp: BTreeMap<Temperature, Share> = BTreeMap::new();
    while table.advance()? {
        let condition = table.value(condition_at, "condition")?;
        let temp = table.value(temp_at, "temp")?;
        let prompt = table.optional(prompt_at, "prompt_tokens")?;
        let completion = table.optional(completion_at, "completion_tokens")?;
        for share in [
            by_condition.entry(condition).or_default(),
            by_temp.entry(temp).or_default(),
        ] {
            share.add(prompt, completion);
        }
    }
    let mut sum = Share::default();
    for share in by_condition.values() {
        sum.merge(share);
    }
    sum.price(input.price);
    for (condition, share) in &mut by_condition {
        share.price(input.price);
        share.shared_rows = Some(input.shared_rows.get(condition).copied().unwrap_or(0));
        share.correct = input.correct.get(condition).copied();
        share.usd_per_correct = per_correct(share.usd, share.correct);
    }
    for share in by_temp.values_mut() {
        share.price(input.price);
    }
    Ok(Costs {
        prompt_tokens: sum.prompt_tokens,
        completion_tokens: sum.completion_tokens,
        total_tokens: sum.total_tokens,
        usd: sum.usd,
        requests: sum.requests,
        rows_without_usage: sum.rows_without_usage,
        unpriced_rows: input.price.map_or(sum.requests, |_| 0),
        price: input.price,
        formula: FORMULA.to_owned(),
        shared_rows: input.shared_rows.values().sum(),
        by_condition,
        by_temp: by_temp
            .into_iter()
            .map(|(temp, share)| (temp.to_string(), share))
            .collect(),
    })
}

const FORMULA: &str = "usd = (prompt_tokens * input_per_million + completion_tokens * output_per_million) / 1e6 * batch_discount";

impl Share {
    fn add(&mut self, prompt: Option<u64>, completion: Option<u64>) {
        self.requests += 1;
        self.rows_without_usage += u64::from(prompt.is_none() || completion.is_none());
        self.prompt_tokens = self.prompt_tokens.saturating_add(prompt.unwrap_or(0));
        self.completion_tokens = self
            .completion_tokens
            .saturating_add(completion.unwrap_or(0));
        self.total_tokens = self.prompt_tokens.saturating_add(self.completion_tokens);
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.rows_without_usage += other.rows_without_usage;
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self
            .completion_tokens
            .saturating_add(other.completion_tokens);
        self.total_tokens = self.prompt_tokens.saturating_add(self.completion_tokens);
    }

    fn price(&mut self, price: Option<PriceUsed>) {
        self.usd = price.and_then(|p| p.of(self.prompt_tokens, self.completion_tokens));
    }
}

impl PriceUsed {
    /// What tokens cost, in dollars; `None` where the discount is not a share or the sum is beyond nine billion.
    fn of(self, prompt: u64, completion: u64) -> Option<f64> {
        if !(0.0..=1.0).contains(&self.batch_discount) {
            return None;
        }
        let full = Usd::of_tokens(prompt, self.input_per_million)
            + Usd::of_tokens(completion, self.output_per_million);
        Usd::from_dollars(full.dollars() * self.batch_discount).map(Usd::dollars)
    }
}

fn per_correct(usd: Option<f64>, correct: Option<f64>) -> Option<f64> {
    let correct = correct.filter(|c| *c > 0.0)?;
    Some(usd? / correct)
}

/// Right answers by condition: the sum of `em` over the items of `per_item_scores.csv`, times the samples of each
/// (column `n_samples`, 1 where the file has none).
pub fn correct_answers(scores: impl Read) -> Result<BTreeMap<Condition, f64>, ReportError> {
    let mut table = Table::new("per_item_scores.csv", scores);
    let [condition_at, em_at] = table.columns(["condition", "em"])?;
    let samples_at = match table.columns(["n_samples"]) {
        Ok([place]) => Some(place),
        Err(ReportError::MissingColumn { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut correct = BTreeMap::new();
    while table.advance()? {
        let condition = table.value(condition_at, "condition")?;
        let em: Option<f64> = table.optional(em_at, "em")?;
        let samples: Option<u32> = match samples_at {
            Some(place) => table.optional(place, "n_samples")?,
            None => None,
        };
        let right = em.filter(|em| em.is_finite()).unwrap_or(0.0) * f64::from(samples.unwrap_or(1));
        *correct.entry(condition).or_insert(0.0) += right;
    }
    Ok(correct)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn dollars<S: serde::Serializer>(amount: &Usd, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(amount.dollars())
}

fn from_dollars<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
    let dollars = f64::deserialize(deserializer)?;
    Usd::from_dollars(dollars).ok_or_else(|| serde::de::Error::custom("not an amount of money"))
}
