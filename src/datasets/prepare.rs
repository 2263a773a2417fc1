//! From sources to prepared items: reads everything twice, first to count and choose, then to write what was chosen.
//!
//! Memory holds one row at a time and about 60 bytes per row while ids are compared (58 MB measured for a million).
//! Every row read is kept, left out or rejected, and counted.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use serde::Serialize;

use super::census::Census;
use super::error::SourceError;
use super::row::Sink;
use super::seen::{PlaceWord, SeenIds};
use super::{place_word, ready, scan};
use crate::domain::SourceSpec;
use crate::domain::request::ItemType;

/// One source of items.
#[derive(Debug, Clone, Copy)]
pub enum SourceInput<'a> {
    /// A dataset in one of the formats.
    Dataset {
        /// Its name, file and format.
        spec: &'a SourceSpec,
        /// The most items to take from it, besides its own `max_items`; the smaller of the two holds.
        limit: Option<u64>,
    },
    /// A ready-made `open_book.jsonl` or `closed_book.jsonl`, which names the dataset on every line.
    Ready {
        /// The file.
        path: &'a str,
        /// What it holds.
        item_type: ItemType,
    },
}

impl SourceInput<'_> {
    /// The file.
    pub fn path(&self) -> &str {
        match self {
            Self::Dataset { spec, .. } => &spec.path,
            Self::Ready { path, .. } => path,
        }
    }

    /// What rejects are counted under: the dataset, or the file where each line names its own.
    pub(super) fn home(&self) -> &str {
        match self {
            Self::Dataset { spec, .. } => spec.name.as_str(),
            Self::Ready { path, .. } => path,
        }
    }

    /// Items of one scope must have different ids: all of a dataset, but ready-made files may share them.
    pub(super) fn scope(&self) -> &str {
        match self {
            Self::Dataset { .. } => "",
            Self::Ready { item_type, .. } => item_type.as_str(),
        }
    }

    pub(super) fn place_word(&self) -> PlaceWord {
        match self {
            Self::Dataset { spec, .. } => place_word(spec.format),
            Self::Ready { .. } => PlaceWord::Line,
        }
    }

    pub(super) fn limit(&self) -> Option<u64> {
        match self {
            Self::Dataset { spec, limit } => spec.max_items.into_iter().chain(*limit).min(),
            Self::Ready { .. } => None,
        }
    }

    pub(super) fn scan(
        &self,
        open: &mut Opener<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), SourceError> {
        let mut input = open(self.path()).map_err(|source| SourceError::Open {
            path: self.path().to_owned(),
            source,
        })?;
        match self {
            Self::Dataset { spec, .. } => scan(spec, &mut *input, sink),
            Self::Ready { path, item_type } => ready::scan(path, *item_type, &mut *input, sink),
        }
    }
}

/// Limits on the number of items beyond those of the sources; `None` takes all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Of each dataset.
    pub per_dataset: Option<u64>,
    /// Over all open items.
    pub open: Option<u64>,
    /// Over all closed items.
    pub closed: Option<u64>,
}

/// What is to be prepared.
#[derive(Debug, Clone, Copy)]
pub struct Preparation<'a> {
    /// The sources, in the order of the outputs.
    pub sources: &'a [SourceInput<'a>],
    /// Limits over the sources.
    pub limits: Limits,
    /// Seed of the choice where a limit is set.
    pub seed: u64,
}

/// Where prepared items and rejects go.
#[expect(missing_debug_implementations, reason = "writers have none")]
pub struct Outputs<'a> {
    /// `open_book.jsonl`.
    pub open: &'a mut dyn Write,
    /// `closed_book.jsonl`.
    pub closed: &'a mut dyn Write,
    /// One line per reject: `{source, line, row, id, kind, reason}`.
    pub rejects: &'a mut dyn Write,
}

/// Opens a file by its path; called twice for each source.
pub type Opener<'a> = dyn FnMut(&str) -> io::Result<Box<dyn BufRead>> + 'a;

/// What became of the rows of one dataset. `read` is the sum of `kept`, `not_chosen` and all `rejected`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DatasetTally {
    /// The dataset; for rejects of a ready-made file, the file.
    pub name: String,
    /// Rows read.
    pub read: u64,
    /// Rejects by [`RejectReason::tag`](super::RejectReason::tag).
    pub rejected: BTreeMap<&'static str, u64>,
    /// Good rows that a limit left out.
    pub not_chosen: u64,
    /// Rows that became prepared items.
    pub kept: u64,
    /// Of the kept ones, the open ones.
    pub open: u64,
    /// Of the kept ones, the closed ones.
    pub closed: u64,
    /// Of the kept ones, those marked unanswerable.
    pub unanswerable: u64,
}

/// What became of all rows, by dataset in the order of the sources.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PrepareTally {
    /// One entry per dataset.
    pub datasets: Vec<DatasetTally>,
}

impl PrepareTally {
    /// Prepared open items.
    pub fn open(&self) -> u64 {
        self.datasets.iter().map(|d| d.open).sum()
    }

    /// Prepared closed items.
    pub fn closed(&self) -> u64 {
        self.datasets.iter().map(|d| d.closed).sum()
    }

    /// Rejected rows.
    pub fn rejected(&self) -> u64 {
        self.datasets.iter().flat_map(|d| d.rejected.values()).sum()
    }

    fn check(self) -> Result<Self, SourceError> {
        for tally in &self.datasets {
            let accounted = tally.kept + tally.not_chosen + tally.rejected.values().sum::<u64>();
            if tally.read != accounted || tally.kept != tally.open + tally.closed {
                return Err(SourceError::Unaccounted {
                    dataset: tally.name.clone(),
                    read: tally.read,
                    accounted,
                });
            }
        }
        Ok(self)
    }
}

/// Reads all sources, chooses within the limits and writes the prepared items in the order of the sources.
///
/// Fails where a source is the wrong file, changes between the two readings, or an output cannot be written. Rejects are
/// written while counting, so that they are there also where a later source fails.
pub fn prepare(
    preparation: &Preparation<'_>,
    open: &mut Opener<'_>,
    outputs: &mut Outputs<'_>,
) -> Result<PrepareTally, SourceError> {
    let mut census = Census::default();
    let mut seen = SeenIds::default();
    for source in preparation.sources {
        census.count(source, &mut seen, open, outputs.rejects)?;
    }
    drop(seen);
    let chosen = census.choose(preparation);
    for (index, source) in preparation.sources.iter().enumerate() {
        census.write((index, source), &chosen, open, outputs)?;
    }
    let datasets = census.into_tallies();
    PrepareTally { datasets }.check()
}
