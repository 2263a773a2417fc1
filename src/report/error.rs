//! What can go wrong while a report's inputs are read.

use thiserror::Error;

use crate::domain::text::{printable, shorten};

/// A problem with an artifact that a report is made from.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The CSV itself is malformed or could not be read.
    #[error("cannot read {artifact}")]
    Csv {
        /// The artifact's name.
        artifact: &'static str,
        /// The cause.
        source: csv::Error,
    },
    /// A column of the contract is not there.
    #[error("{artifact} has no column {column:?}")]
    MissingColumn {
        /// The artifact's name.
        artifact: &'static str,
        /// The column's name.
        column: &'static str,
    },
    /// A cell does not hold what its column promises.
    #[error("line {line} of {artifact}: {column} is {text:?}")]
    BadCell {
        /// The artifact's name.
        artifact: &'static str,
        /// Line in the file, from 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// The cell, made printable and shortened.
        text: String,
    },
    /// `significance.json` does not have the shape that a report needs.
    #[error("cannot read significance.json")]
    Estimates(#[from] serde_json::Error),
}

/// A CSV artifact under its name, with the columns that a reader asked for.
#[derive(Debug)]
pub(crate) struct Table<R> {
    artifact: &'static str,
    csv: csv::Reader<R>,
    record: csv::ByteRecord,
}

impl<R: std::io::Read> Table<R> {
    /// Opens an artifact.
    pub(crate) fn new(artifact: &'static str, reader: R) -> Self {
        Self {
            artifact,
            csv: csv::Reader::from_reader(reader),
            record: csv::ByteRecord::new(),
        }
    }

    /// Where the columns are.
    pub(crate) fn columns<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Result<[usize; N], ReportError> {
        let artifact = self.artifact;
        let header = self
            .csv
            .headers()
            .map_err(|source| ReportError::Csv { artifact, source })?;
        let mut places = [0; N];
        for (place, column) in places.iter_mut().zip(names) {
            *place = header
                .iter()
                .position(|h| h == column)
                .ok_or(ReportError::MissingColumn { artifact, column })?;
        }
        Ok(places)
    }

    /// Moves to the next row; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, ReportError> {
        let artifact = self.artifact;
        self.csv
            .read_byte_record(&mut self.record)
            .map_err(|source| ReportError::Csv { artifact, source })
    }

    /// A cell of the row, which must be UTF-8.
    pub(crate) fn text(&self, place: usize, column: &'static str) -> Result<&str, ReportError> {
        std::str::from_utf8(self.cell(place)).map_err(|_error| self.bad(place, column))
    }

    /// A cell of the row as a value.
    pub(crate) fn value<T: std::str::FromStr>(
        &self,
        place: usize,
        column: &'static str,
    ) -> Result<T, ReportError> {
        self.text(place, column)?
            .parse()
            .map_err(|_error| self.bad(place, column))
    }

    /// A cell of the row as a value, or `None` where it is empty.
    pub(crate) fn optional<T: std::str::FromStr>(
        &self,
        place: usize,
        column: &'static str,
    ) -> Result<Option<T>, ReportError> {
        if self.cell(place).is_empty() {
            return Ok(None);
        }
        self.value(place, column).map(Some)
    }

    fn cell(&self, place: usize) -> &[u8] {
        self.record.get(place).unwrap_or_default()
    }

    fn bad(&self, place: usize, column: &'static str) -> ReportError {
        ReportError::BadCell {
            artifact: self.artifact,
            line: self.record.position().map_or(0, csv::Position::line),
            column,
            text: shorten(&printable(&String::from_utf8_lossy(self.cell(place))), 80),
        }
    }
}
