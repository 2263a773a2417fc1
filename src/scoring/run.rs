//! The whole way: predictions beside items, answer by answer, one row per item out.
//!
//! A failed request is no wrong answer: it is left out of the means and counted. An item of which no sample was
//! answered gets no row and is counted as missing.

use std::io::{self, BufRead, Read, Write};

use crate::domain::text::printable;
use crate::domain::{Condition, CustomId, ItemType, Temperature};

use super::cursor::{ItemCursor, Place};
use super::error::ScoreError;
use super::per_item::{ItemRow, PerItemWriter};
use super::predictions::PredictionReader;
use super::scorer::{Gold, ItemScore, ScoreSettings, Scorer};

/// Counts of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConditionTally {
    /// Answers that were scored.
    pub scored: u64,
    /// Failed requests, left out.
    pub failed: u64,
    /// Items with a row.
    pub items: u64,
    /// Items without a row, because all their samples failed.
    pub missing_items: u64,
}

/// Counts of a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScoreTally {
    /// The control condition.
    pub control: ConditionTally,
    /// The treatment condition.
    pub treatment: ConditionTally,
}

impl ScoreTally {
    /// The counts of one condition.
    pub fn of(&self, condition: Condition) -> &ConditionTally {
        match condition {
            Condition::Control => &self.control,
            Condition::Treatment => &self.treatment,
        }
    }

    fn of_mut(&mut self, condition: Condition) -> &mut ConditionTally {
        match condition {
            Condition::Control => &mut self.control,
            Condition::Treatment => &mut self.treatment,
        }
    }

    /// Rows of `per_item_scores.csv`.
    pub fn rows(&self) -> u64 {
        self.control.items + self.treatment.items
    }
}

/// Predictions that follow the order of the items: one pass of the walk.
type Group = (Temperature, Condition, ItemType);

/// The item whose samples are being collected.
struct Current {
    group: Group,
    place: Place,
    dataset: String,
    item_id: String,
    cluster: String,
    gold: Gold,
}

impl Current {
    fn is_of(&self, id: &CustomId<'_>) -> bool {
        self.item_id == id.item_id && self.group == group(id) && self.dataset == id.dataset
    }
}

fn group(id: &CustomId<'_>) -> Group {
    (id.temp, id.condition, id.item_type)
}

/// Scores a whole `predictions.csv`, which must be in input order: all samples of an item together, and the items of one
/// temperature, condition and type in the order of the prepared files.
///
/// Fails where a row is malformed, an item is unknown, or the order is broken (else an item would get two rows).
pub fn score_predictions<F, W>(
    predictions: impl Read,
    items: ItemCursor<F>,
    settings: ScoreSettings,
    out: W,
) -> Result<ScoreTally, ScoreError>
where
    F: FnMut(ItemType) -> io::Result<Box<dyn BufRead>>,
    W: Write,
{
    let mut reader = PredictionReader::new(predictions)?;
    let mut run = Run {
        items,
        scorer: Scorer::new(settings),
        writer: PerItemWriter::new(out)?,
        tally: ScoreTally::default(),
        ended: Vec::new(),
        current: None,
        samples: Vec::new(),
    };
    while let Some(row) = reader.read()? {
        run.turn_to(&row.id)?;
        let tally = run.tally.of_mut(row.id.condition);
        if row.failure().is_some() {
            tally.failed += 1;
        } else if let Some(current) = &run.current {
            tally.scored += 1;
            run.samples
                .push(run.scorer.score(&current.gold, row.response_text));
        }
    }
    run.close_item()?;
    run.writer
        .finish()?
        .flush()
        .map_err(|e| ScoreError::WriteScores(e.into()))?;
    Ok(run.tally)
}

struct Run<F, W: Write> {
    items: ItemCursor<F>,
    scorer: Scorer,
    writer: PerItemWriter<W>,
    tally: ScoreTally,
    /// Groups that are over; a handful.
    ended: Vec<Group>,
    current: Option<Current>,
    samples: Vec<ItemScore>,
}

impl<F, W> Run<F, W>
where
    F: FnMut(ItemType) -> io::Result<Box<dyn BufRead>>,
    W: Write,
{
    fn turn_to(&mut self, id: &CustomId<'_>) -> Result<(), ScoreError> {
        if self.current.as_ref().is_some_and(|c| c.is_of(id)) {
            return Ok(());
        }
        let last = self.close_item()?;
        let (place, item) = self.items.find(id)?;
        let group = group(id);
        let in_order = match last {
            Some((of, before)) if of == group => place > before,
            Some((of, _)) => {
                self.ended.push(of);
                !self.ended.contains(&group)
            }
            None => true,
        };
        if !in_order {
            return Err(ScoreError::OutOfOrder {
                key: printable(&id.to_string()).into_owned(),
            });
        }
        let gold = self.scorer.prepare(item, id.item_type);
        self.current = Some(Current {
            group,
            place,
            dataset: item.dataset.clone(),
            item_id: item.id.clone(),
            cluster: item.cluster.clone().unwrap_or_default(),
            gold,
        });
        Ok(())
    }

    /// Writes the row of the current item, and says where it stood.
    fn close_item(&mut self) -> Result<Option<(Group, Place)>, ScoreError> {
        let Some(current) = self.current.take() else {
            return Ok(None);
        };
        let (temp, condition, item_type) = current.group;
        if self.samples.is_empty() {
            self.tally.of_mut(condition).missing_items += 1;
        } else {
            self.tally.of_mut(condition).items += 1;
            self.writer.write(&ItemRow {
                dataset: &current.dataset,
                item_id: &current.item_id,
                cluster: &current.cluster,
                item_type,
                condition,
                temp,
                samples: &self.samples,
            })?;
            self.samples.clear();
        }
        Ok(Some((current.group, current.place)))
    }
}

#[cfg(test)]
mod tests;
