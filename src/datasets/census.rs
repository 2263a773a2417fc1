//! The counting and the writing of a preparation: which row belongs to which dataset, and what became of it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

use serde::Serialize;

use super::error::SourceError;
use super::prepare::{DatasetTally, Opener, Outputs, Preparation, SourceInput};
use super::row::{Reject, Row};
use super::seen::SeenIds;
use super::select::{Draw, RowSet};
use crate::domain::request::ItemType;
use crate::domain::{Item, json};

/// What a row is that became no item.
const REJECTED: u16 = u16::MAX;

/// All rows of all sources, numbered through: two bytes and two bits each.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// The dataset of each row as an index into `tallies`, or [`REJECTED`].
    datasets: Vec<u16>,
    open: RowSet,
    tallies: Vec<DatasetTally>,
    by_name: BTreeMap<String, u16>,
    sources: Vec<Counted>,
}

/// What the first reading of a source found.
#[derive(Debug)]
struct Counted {
    rows: Range<u32>,
    ids: u64,
}

impl Census {
    /// The first reading of a source: counts its rows and writes its rejects.
    pub(super) fn count(
        &mut self,
        source: &SourceInput<'_>,
        seen: &mut SeenIds,
        open: &mut Opener<'_>,
        rejects: &mut dyn Write,
    ) -> Result<(), SourceError> {
        seen.enter(source.path(), source.place_word());
        let first = self.next_row(source)?;
        let mut ids = DefaultHasher::new();
        let mut problem = None;
        source.scan(open, &mut |row| {
            note(&mut ids, &row);
            let row = seen.admit(source.scope(), row);
            match self.enroll(source, &row, rejects) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    problem = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = problem {
            return Err(error);
        }
        self.sources.push(Counted {
            rows: first..self.next_row(source)?,
            ids: ids.finish(),
        });
        Ok(())
    }

    /// The rows to keep: within the limit of each source, then of each dataset, then of each item type.
    pub(super) fn choose(&self, preparation: &Preparation<'_>) -> RowSet {
        let total = u32::try_from(self.datasets.len()).unwrap_or(u32::MAX);
        let mut kept = RowSet::default();
        (0..total)
            .filter(|row| self.dataset_of(*row) != REJECTED)
            .for_each(|row| kept.insert(row));
        let seed = preparation.seed;
        for (index, source) in preparation.sources.iter().enumerate() {
            if let (Some(limit), Some(counted)) = (source.limit(), self.sources.get(index)) {
                // '#' is in no dataset's name, so that no source is drawn like another dataset.
                let label = format!(
                    "{}#{}",
                    source.home(),
                    index_among_namesakes(preparation, index)
                );
                let label = label.strip_suffix("#0").unwrap_or(&label);
                kept.narrow(counted.rows.clone(), limit, Draw { seed, label });
            }
        }
        if let Some(limit) = preparation.limits.per_dataset {
            for (label, dataset) in &self.by_name {
                let members = (0..total).filter(|row| self.dataset_of(*row) == *dataset);
                kept.narrow(members, limit, Draw { seed, label });
            }
        }
        let of_type = |item_type: ItemType| {
            (0..total).filter(move |row| self.open.contains(*row) == (item_type == ItemType::Open))
        };
        if let Some(limit) = preparation.limits.open {
            let label = "open items";
            kept.narrow(of_type(ItemType::Open), limit, Draw { seed, label });
        }
        if let Some(limit) = preparation.limits.closed {
            let label = "closed items";
            kept.narrow(of_type(ItemType::Closed), limit, Draw { seed, label });
        }
        kept
    }

    /// The second reading of a source: writes the chosen items.
    pub(super) fn write(
        &mut self,
        (index, source): (usize, &SourceInput<'_>),
        chosen: &RowSet,
        open: &mut Opener<'_>,
        outputs: &mut Outputs<'_>,
    ) -> Result<(), SourceError> {
        let changed = || SourceError::Changed {
            path: source.path().to_owned(),
        };
        let counted = self.sources.get(index).ok_or_else(changed)?;
        let (mut next, end, expected) = (counted.rows.start, counted.rows.end, counted.ids);
        let mut ids = DefaultHasher::new();
        let mut problem = None;
        source.scan(open, &mut |row| {
            note(&mut ids, &row);
            let place = next;
            next += 1;
            if place >= end {
                problem = Some(changed());
                return ControlFlow::Break(());
            }
            match self.settle(place, &row, chosen, outputs) {
                Some(Err(error)) => problem = Some(error),
                Some(Ok(())) => return ControlFlow::Continue(()),
                None => problem = Some(changed()),
            }
            ControlFlow::Break(())
        })?;
        match problem {
            Some(error) => Err(error),
            None if next != end || ids.finish() != expected => Err(changed()),
            None => Ok(()),
        }
    }

    /// What became of the rows, by dataset in the order of their first row.
    pub(super) fn into_tallies(self) -> Vec<DatasetTally> {
        self.tallies
    }

    fn next_row(&self, source: &SourceInput<'_>) -> Result<u32, SourceError> {
        // The last number is kept free, so that the range of all rows has an end.
        u32::try_from(self.datasets.len())
            .ok()
            .filter(|row| *row < u32::MAX)
            .ok_or_else(|| SourceError::TooManyRows {
                path: source.path().to_owned(),
            })
    }

    fn dataset_of(&self, row: u32) -> u16 {
        self.datasets.get(row as usize).copied().unwrap_or(REJECTED)
    }

    /// Notes one row of the first reading.
    fn enroll(
        &mut self,
        source: &SourceInput<'_>,
        row: &Row,
        rejects: &mut dyn Write,
    ) -> Result<(), SourceError> {
        let place = self.next_row(source)?;
        let name = match &row.outcome {
            Ok(item) => &item.dataset,
            Err(_) => source.home(),
        };
        let dataset = self.index_of(name, source)?;
        let tally = &mut self.tallies[usize::from(dataset)];
        tally.read += 1;
        match &row.outcome {
            Ok(item) => {
                self.datasets.push(dataset);
                if item.item_type() == ItemType::Open {
                    self.open.insert(place);
                }
                Ok(())
            }
            Err(reject) => {
                *tally.rejected.entry(reject.reason.tag()).or_default() += 1;
                self.datasets.push(REJECTED);
                write_reject(rejects, source, row, reject).map_err(writing("rejects"))
            }
        }
    }

    fn index_of(&mut self, name: &str, source: &SourceInput<'_>) -> Result<u16, SourceError> {
        if let Some(index) = self.by_name.get(name) {
            return Ok(*index);
        }
        let index = u16::try_from(self.tallies.len())
            .ok()
            .filter(|index| *index != REJECTED)
            .ok_or_else(|| SourceError::TooManyDatasets {
                path: source.path().to_owned(),
            })?;
        self.by_name.insert(name.to_owned(), index);
        self.tallies.push(DatasetTally {
            name: name.to_owned(),
            ..DatasetTally::default()
        });
        Ok(index)
    }

    /// Writes or counts one row of the second reading; `None` where it is another row than in the first.
    fn settle(
        &mut self,
        place: u32,
        row: &Row,
        chosen: &RowSet,
        outputs: &mut Outputs<'_>,
    ) -> Option<Result<(), SourceError>> {
        let dataset = self.dataset_of(place);
        if dataset == REJECTED {
            // A repeated id is an item here: only the first reading knew it.
            return Some(Ok(()));
        }
        let item = row.outcome.as_ref().ok()?;
        let tally = self.tallies.get_mut(usize::from(dataset))?;
        if tally.name != item.dataset {
            return None;
        }
        if !chosen.contains(place) {
            tally.not_chosen += 1;
            return Some(Ok(()));
        }
        tally.kept += 1;
        tally.unanswerable += u64::from(item.unanswerable());
        Some(match item.item_type() {
            ItemType::Open => {
                tally.open += 1;
                write_item(outputs.open, item).map_err(writing("open items"))
            }
            ItemType::Closed => {
                tally.closed += 1;
                write_item(outputs.closed, item).map_err(writing("closed items"))
            }
        })
    }
}

/// How many sources of the same dataset come before this one.
fn index_among_namesakes(preparation: &Preparation<'_>, index: usize) -> usize {
    let sources = preparation.sources;
    let home = sources.get(index).map(SourceInput::home);
    sources
        .iter()
        .take(index)
        .filter(|s| Some(s.home()) == home)
        .count()
}

/// Adds a row's id to the digest that tells whether the second reading sees the rows of the first.
fn note(ids: &mut DefaultHasher, row: &Row) {
    let id = match &row.outcome {
        Ok(item) => Some(&item.id),
        Err(reject) => reject.id.as_ref(),
    };
    ids.write(id.map_or(b"", String::as_bytes));
    ids.write_u8(0);
}

fn write_item(mut output: &mut dyn Write, item: &Item) -> io::Result<()> {
    json::write_line(&mut output, item)
}

/// One line of the rejects file.
#[derive(Debug, Serialize)]
struct RejectLine<'a> {
    source: &'a str,
    line: u64,
    row: u64,
    id: Option<&'a str>,
    kind: &'static str,
    reason: String,
}

fn write_reject(
    mut output: &mut dyn Write,
    source: &SourceInput<'_>,
    row: &Row,
    reject: &Reject,
) -> io::Result<()> {
    let line = RejectLine {
        source: source.path(),
        line: reject.line,
        row: row.number,
        id: reject.id.as_deref(),
        kind: reject.reason.tag(),
        reason: reject.reason.to_string(),
    };
    json::write_line(&mut output, &line)
}

fn writing(what: &'static str) -> impl FnOnce(io::Error) -> SourceError {
    move |source| SourceError::Write { what, source }
}
