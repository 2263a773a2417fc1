//! Reads `per_item_scores.csv` row by row and pairs control with treatment by item, type and temperature.
//!
//! Memory: one key and two numbers per metric for each item. Items keep the order of their first row.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use csv::{ByteRecord, Reader};

use super::error::StatsError;
use crate::domain::text::{printable, shorten};
use crate::domain::{Condition, ItemType, Temperature};

/// The per-item scores of a trial, paired.
#[derive(Debug, Default)]
pub struct PairedScores {
    /// Metrics in the order of their columns.
    metrics: Vec<String>,
    /// Dataset names in the order of their first row.
    datasets: Vec<String>,
    groups: BTreeMap<(Temperature, ItemType), Group>,
}

/// Items of one type at one temperature.
#[derive(Debug, Default)]
pub struct Group {
    index: HashMap<Box<[u8]>, u32>,
    items: Vec<ItemFacts>,
    /// Metrics of item i under condition c: from `(2 i + c) * width`.
    scores: Vec<f64>,
    width: usize,
}

#[derive(Debug, Clone, Copy)]
struct ItemFacts {
    dataset: u32,
    seen: [bool; 2],
    unanswerable: Option<bool>,
}

/// A subset of the paired items of a group, by position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection(Vec<u32>);

impl Selection {
    /// How many items.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PairedScores {
    /// Reads all rows. Metrics are the columns `x` that have a column `x_std`; an empty cell is a score that does not
    /// apply to the item. Fails on malformed CSV, a missing column, a bad cell, a second row for the same item, and
    /// without rows.
    pub fn read(reader: impl Read) -> Result<Self, StatsError> {
        let mut csv = Reader::from_reader(reader);
        let columns = Columns::of(&mut csv)?;
        let mut scores = Self {
            metrics: columns
                .metrics
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            ..Self::default()
        };
        let mut datasets = HashMap::new();
        let mut record = ByteRecord::new();
        while csv.read_byte_record(&mut record)? {
            let row = Row {
                record: &record,
                line: record.position().map_or(0, csv::Position::line),
            };
            scores.add(&columns, row, &mut datasets)?;
        }
        if scores.groups.is_empty() {
            return Err(StatsError::NoRows);
        }
        Ok(scores)
    }

    fn add(
        &mut self,
        columns: &Columns,
        row: Row<'_>,
        datasets: &mut HashMap<Box<[u8]>, u32>,
    ) -> Result<(), StatsError> {
        let temp: Temperature = row.parsed(columns.temp, "temp", "a temperature of 0 to 2")?;
        let item_type: ItemType = row.parsed(columns.item_type, "type", "open or closed")?;
        let condition: Condition =
            row.parsed(columns.condition, "condition", "control or treatment")?;
        let key = row.cell(columns.item_key);
        let name = key.split(|b| *b == b'|').next().unwrap_or(key);
        let dataset = if let Some(dataset) = datasets.get(name) {
            *dataset
        } else {
            let dataset = count(self.datasets.len())?;
            datasets.insert(name.into(), dataset);
            self.datasets
                .push(String::from_utf8_lossy(name).into_owned());
            dataset
        };
        let group = self.groups.entry((temp, item_type)).or_default();
        group.width = columns.metrics.len();
        let item = group.item(key, dataset)?;
        let side = condition as usize;
        if std::mem::replace(&mut group.items[item].seen[side], true) {
            return Err(StatsError::DuplicateRow {
                line: row.line,
                item: shown(key),
                condition,
            });
        }
        if let Some(column) = columns.is_unanswerable {
            group.items[item].unanswerable = row.flag(column, "is_unanswerable")?;
        }
        let start = (2 * item + side) * group.width;
        for (i, (name, column)) in columns.metrics.iter().enumerate() {
            group.scores[start + i] = row.score(*column, name)?;
        }
        Ok(())
    }

    /// Metrics in the order of their columns.
    pub fn metrics(&self) -> &[String] {
        &self.metrics
    }

    /// Dataset names in the order of their first row.
    pub fn datasets(&self) -> &[String] {
        &self.datasets
    }

    /// Groups by temperature and type.
    pub fn groups(&self) -> impl Iterator<Item = (Temperature, ItemType, &Group)> {
        self.groups
            .iter()
            .map(|((temp, kind), group)| (*temp, *kind, group))
    }
}

impl Group {
    /// The position of an item, made where it is new.
    fn item(&mut self, key: &[u8], dataset: u32) -> Result<usize, StatsError> {
        if let Some(index) = self.index.get(key) {
            return Ok(*index as usize);
        }
        let index = count(self.items.len())?;
        self.index.insert(key.into(), index);
        self.items.push(ItemFacts {
            dataset,
            seen: [false; 2],
            unanswerable: None,
        });
        self.scores
            .resize(self.items.len() * 2 * self.width, f64::NAN);
        Ok(index as usize)
    }

    /// Items with a row under one condition only.
    pub fn unpaired(&self) -> u64 {
        self.items.len() as u64 - self.all().len()
    }

    /// All paired items.
    pub fn all(&self) -> Selection {
        self.select(|_| true)
    }

    /// Paired items of a dataset, by its position in [`PairedScores::datasets`].
    pub fn of_dataset(&self, dataset: usize) -> Selection {
        self.select(|item| item.dataset as usize == dataset)
    }

    /// Paired items that have no answer, or that have one.
    pub fn of_answerability(&self, unanswerable: Answerability) -> Selection {
        let wanted = unanswerable == Answerability::Unanswerable;
        self.select(|item| item.unanswerable == Some(wanted))
    }

    fn select(&self, wanted: impl Fn(&ItemFacts) -> bool) -> Selection {
        Selection(
            self.items
                .iter()
                .zip(0_u32..)
                .filter(|(item, _)| item.seen == [true; 2] && wanted(item))
                .map(|(_, index)| index)
                .collect(),
        )
    }

    /// Scores of selected items on a metric, by its position in [`PairedScores::metrics`]: (control, treatment), NaN
    /// where the metric does not apply.
    pub fn pairs<'a>(
        &'a self,
        selection: &'a Selection,
        metric: usize,
    ) -> impl Iterator<Item = (f64, f64)> + Clone + 'a {
        selection.0.iter().map(move |item| {
            let start = 2 * *item as usize * self.width + metric;
            (self.scores[start], self.scores[start + self.width])
        })
    }
}

/// Whether an item has an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerability {
    /// It has.
    Answerable,
    /// The right answer is to abstain.
    Unanswerable,
}

impl Answerability {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Answerable, Self::Unanswerable];

    /// The word in `significance.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answerable => "answerable",
            Self::Unanswerable => "unanswerable",
        }
    }
}

fn count(len: usize) -> Result<u32, StatsError> {
    u32::try_from(len)
        .ok()
        .filter(|n| *n < u32::MAX)
        .ok_or(StatsError::TooManyItems { max: u32::MAX })
}

fn shown(bytes: &[u8]) -> String {
    shorten(&printable(&String::from_utf8_lossy(bytes)), 80)
}

/// Where the columns are.
struct Columns {
    item_key: usize,
    item_type: usize,
    condition: usize,
    temp: usize,
    is_unanswerable: Option<usize>,
    metrics: Vec<(String, usize)>,
}

impl Columns {
    fn of(csv: &mut Reader<impl Read>) -> Result<Self, StatsError> {
        let header = csv.headers()?;
        let find = |name: &str| header.iter().position(|h| h == name);
        let need = |column: &'static str| find(column).ok_or(StatsError::MissingColumn { column });
        let metrics: Vec<_> = header
            .iter()
            .enumerate()
            .filter(|(_, name)| find(&format!("{name}_std")).is_some())
            .map(|(i, name)| (name.to_owned(), i))
            .collect();
        if metrics.is_empty() {
            return Err(StatsError::NoMetric);
        }
        need("em")?;
        Ok(Self {
            item_key: need("item_key")?,
            item_type: need("type")?,
            condition: need("condition")?,
            temp: need("temp")?,
            is_unanswerable: find("is_unanswerable"),
            metrics,
        })
    }
}

/// One row with its line.
#[derive(Clone, Copy)]
struct Row<'a> {
    record: &'a ByteRecord,
    line: u64,
}

impl<'a> Row<'a> {
    fn cell(self, column: usize) -> &'a [u8] {
        self.record.get(column).unwrap_or_default()
    }

    fn bad(self, column: usize, name: &str, expected: &'static str) -> StatsError {
        StatsError::BadCell {
            line: self.line,
            column: name.to_owned(),
            text: shown(self.cell(column)),
            expected,
        }
    }

    fn parsed<T: std::str::FromStr>(
        self,
        column: usize,
        name: &str,
        expected: &'static str,
    ) -> Result<T, StatsError> {
        std::str::from_utf8(self.cell(column))
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| self.bad(column, name, expected))
    }

    /// A finite number; NaN for an empty cell and for `nan`.
    fn score(self, column: usize, name: &str) -> Result<f64, StatsError> {
        if self.cell(column).is_empty() {
            return Ok(f64::NAN);
        }
        let score: f64 = self.parsed(column, name, "a number or nothing")?;
        if score.is_infinite() {
            return Err(self.bad(column, name, "a finite number"));
        }
        Ok(score)
    }

    fn flag(self, column: usize, name: &str) -> Result<Option<bool>, StatsError> {
        match self.cell(column) {
            b"" => Ok(None),
            b"true" | b"True" | b"1" => Ok(Some(true)),
            b"false" | b"False" | b"0" => Ok(Some(false)),
            _ => Err(self.bad(column, name, "true, false or nothing")),
        }
    }
}
