//! `per_item_scores.csv`: one row per item, condition and temperature, with mean and sample deviation over its samples.
//!
//! Columns: the contract's (section 5), then `n_samples`, `dataset`, `cluster`. Floats are written as Python's `repr`
//! writes them, so that they read back as the same number.

use std::borrow::Cow;
use std::io::Write;

use csv::{Terminator, WriterBuilder};

use crate::domain::{Condition, ItemType, Temperature};

use super::em_f1::count;
use super::error::ScoreError;
use super::scorer::ItemScore;

/// The columns of the file, in their order.
pub const COLUMNS: [&str; 17] = [
    "item_key",
    "type",
    "condition",
    "temp",
    "em",
    "em_std",
    "f1",
    "f1_std",
    "abstain_rate",
    "abstain_rate_std",
    "false_answer_rate",
    "false_answer_rate_std",
    "unsupported_rate",
    "unsupported_rate_std",
    "n_samples",
    "dataset",
    "cluster",
];

/// The scores of one item under one condition at one temperature.
#[derive(Debug, Clone, Copy)]
pub struct ItemRow<'a> {
    /// The item's dataset.
    pub dataset: &'a str,
    /// The item's id in its dataset.
    pub item_id: &'a str,
    /// The unit that the item was drawn from; empty where it has none.
    pub cluster: &'a str,
    /// Open or closed.
    pub item_type: ItemType,
    /// The condition.
    pub condition: Condition,
    /// The temperature.
    pub temp: Temperature,
    /// The scores of its answered samples, at least one.
    pub samples: &'a [ItemScore],
}

/// Writes the file row by row. [`PerItemWriter::finish`] must end it.
pub struct PerItemWriter<W: Write> {
    csv: csv::Writer<W>,
    values: Vec<f64>,
}

impl<W: Write> std::fmt::Debug for PerItemWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PerItemWriter").finish_non_exhaustive()
    }
}

impl<W: Write> PerItemWriter<W> {
    /// Starts the file with its header.
    pub fn new(out: W) -> Result<Self, ScoreError> {
        let mut csv = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .buffer_capacity(1 << 16)
            .from_writer(out);
        csv.write_record(COLUMNS).map_err(ScoreError::WriteScores)?;
        Ok(Self {
            csv,
            values: Vec::new(),
        })
    }

    /// Writes one row.
    pub fn write(&mut self, row: &ItemRow<'_>) -> Result<(), ScoreError> {
        self.fields(row).map_err(ScoreError::WriteScores)
    }

    fn fields(&mut self, row: &ItemRow<'_>) -> Result<(), csv::Error> {
        self.csv
            .write_field(format!("{}|{}", row.dataset, row.item_id))?;
        self.csv.write_field(row.item_type.as_str())?;
        self.csv.write_field(row.condition.as_str())?;
        self.csv.write_field(row.temp.to_string())?;
        let metrics: [fn(&ItemScore) -> Option<f64>; 5] = [
            |s| Some(s.em),
            |s| s.f1,
            |s| Some(s.abstain),
            |s| s.false_answer,
            |s| s.unsupported,
        ];
        for metric in metrics {
            self.values.clear();
            self.values.extend(row.samples.iter().filter_map(metric));
            if self.values.is_empty() {
                self.csv.write_field("")?;
                self.csv.write_field("")?;
            } else {
                let (mean, deviation) = mean_and_deviation(&self.values);
                self.csv.write_field(&*python_float(mean))?;
                self.csv.write_field(&*python_float(deviation))?;
            }
        }
        self.csv.write_field(row.samples.len().to_string())?;
        self.csv.write_field(row.dataset)?;
        self.csv.write_field(row.cluster)?;
        self.csv.write_record(None::<&[u8]>)
    }

    /// Flushes the last rows and gives the writer back.
    pub fn finish(self) -> Result<W, ScoreError> {
        self.csv
            .into_inner()
            .map_err(|error| ScoreError::WriteScores(error.into_error().into()))
    }
}

/// Mean and sample standard deviation (n - 1; 0 for a single value), summed in the order of the samples.
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = count(values.len());
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return (mean, 0.0);
    }
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// A float as Python's `repr` writes it: the shortest text that reads back, with `.0` on whole numbers and exponents of
/// at least two digits.
pub fn python_float(value: f64) -> Cow<'static, str> {
    if value.to_bits() == 0 {
        return Cow::Borrowed("0.0");
    }
    if value.to_bits() == 1.0_f64.to_bits() {
        return Cow::Borrowed("1.0");
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        None => Cow::Owned(text),
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            Cow::Owned(format!("{digits}e{sign}{exponent:0>2}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_pythons_repr() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.0 / 3.0, "0.3333333333333333"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (5e-324, "5e-324"),
            (1e22, "1e+22"),
        ] {
            assert_eq!(python_float(value), text);
        }
    }

    #[test]
    fn deviations_are_those_of_a_sample() {
        assert_eq!(mean_and_deviation(&[0.25]), (0.25, 0.0));
        assert_eq!(
            mean_and_deviation(&[1.0, 2.0, 3.0, 4.0]),
            (2.5, (5.0_f64 / 3.0).sqrt())
        );
    }
}
