//! `predictions.csv`: one row per request, RFC 4180 with `\r\n`, as Python's `csv.writer` writes it.
//!
//! The file is data and stays exact: texts are stripped of surrounding white space and otherwise kept byte for byte
//! (no doubled backslashes, NULs kept). A failed request has no text and the finish reason `error:<class>`.

use std::io::{Read, Write};

use csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};

use crate::domain::CustomId;

use super::error::ScoreError;
use super::normalize::python_strip;

/// The columns of the file, in their order.
pub const COLUMNS: [&str; 13] = [
    "custom_id",
    "dataset",
    "item_id",
    "condition",
    "temp",
    "sample_index",
    "type",
    "request_id",
    "finish_reason",
    "response_text",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
];

/// How the finish reason of a failed request starts; the class of the failure follows.
pub const FAILED_PREFIX: &str = "error:";

const BUFFER: usize = 1 << 16;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prediction<'a> {
    /// The request's name as text; the next six columns are its fields.
    pub custom_id: &'a str,
    /// The request's name, read.
    pub id: CustomId<'a>,
    /// The provider's name for the call; empty where it gave none.
    pub request_id: &'a str,
    /// Why the model stopped, or `error:<class>`; empty where the provider does not say.
    pub finish_reason: &'a str,
    /// The answer.
    pub response_text: &'a str,
    /// Input tokens.
    pub prompt_tokens: Option<u64>,
    /// Output tokens.
    pub completion_tokens: Option<u64>,
    /// Both, as the provider counts them.
    pub total_tokens: Option<u64>,
}

impl<'a> Prediction<'a> {
    /// The class of the failure; `None` for an answer.
    pub fn failure(&self) -> Option<&'a str> {
        self.finish_reason.strip_prefix(FAILED_PREFIX)
    }
}

/// Writes the file row by row. [`PredictionWriter::finish`] must end it.
pub struct PredictionWriter<W: Write> {
    csv: csv::Writer<W>,
    number: Vec<u8>,
}

impl<W: Write> std::fmt::Debug for PredictionWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PredictionWriter").finish_non_exhaustive()
    }
}

impl<W: Write> PredictionWriter<W> {
    /// Starts the file with its header.
    pub fn new(out: W) -> Result<Self, ScoreError> {
        let mut csv = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .buffer_capacity(BUFFER)
            .from_writer(out);
        csv.write_record(COLUMNS)
            .map_err(ScoreError::WritePredictions)?;
        Ok(Self {
            csv,
            number: Vec::with_capacity(20),
        })
    }

    /// Writes one row; strips the text as Python's `str.strip()` does.
    pub fn write(&mut self, row: &Prediction<'_>) -> Result<(), ScoreError> {
        self.fields(row).map_err(ScoreError::WritePredictions)
    }

    fn fields(&mut self, row: &Prediction<'_>) -> Result<(), csv::Error> {
        // The fields of the name are written as they stand in it, not as they were understood.
        let mut fields = row.custom_id.splitn(6, '|');
        self.csv.write_field(row.custom_id)?;
        for _ in 0..6 {
            self.csv.write_field(fields.next().unwrap_or_default())?;
        }
        self.csv.write_field(row.request_id)?;
        self.csv.write_field(row.finish_reason)?;
        self.csv.write_field(python_strip(row.response_text))?;
        for count in [row.prompt_tokens, row.completion_tokens, row.total_tokens] {
            self.number.clear();
            if let Some(count) = count {
                write!(self.number, "{count}")?;
            }
            self.csv.write_field(&self.number)?;
        }
        self.csv.write_record(None::<&[u8]>)
    }

    /// Flushes the last rows and gives the writer back.
    pub fn finish(self) -> Result<W, ScoreError> {
        self.csv
            .into_inner()
            .map_err(|error| ScoreError::WritePredictions(error.into_error().into()))
    }
}

/// Reads the file row by row.
pub struct PredictionReader<R> {
    csv: csv::Reader<R>,
    record: ByteRecord,
    number: u64,
}

impl<R> std::fmt::Debug for PredictionReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PredictionReader")
            .field("record", &self.number)
            .finish_non_exhaustive()
    }
}

impl<R: Read> PredictionReader<R> {
    /// Opens the file and checks its header; further columns may follow the contract's.
    pub fn new(input: R) -> Result<Self, ScoreError> {
        let mut csv = ReaderBuilder::new()
            .buffer_capacity(BUFFER)
            .from_reader(input);
        let header = csv.byte_headers().map_err(ScoreError::ReadPredictions)?;
        if header.len() < COLUMNS.len()
            || !header.iter().zip(COLUMNS).all(|(h, c)| h == c.as_bytes())
        {
            return Err(ScoreError::Header {
                expected: COLUMNS.join(","),
            });
        }
        Ok(Self {
            csv,
            record: ByteRecord::new(),
            number: 0,
        })
    }

    /// The next row; `None` at the end. The row lives until the next call.
    pub fn read(&mut self) -> Result<Option<Prediction<'_>>, ScoreError> {
        if !self
            .csv
            .read_byte_record(&mut self.record)
            .map_err(ScoreError::ReadPredictions)?
        {
            return Ok(None);
        }
        self.number += 1;
        let record = self.number;
        let text = |column: usize| {
            std::str::from_utf8(&self.record[column])
                .map_err(|source| ScoreError::NotUtf8 { record, source })
        };
        let count = |column: usize| match text(column)? {
            "" => Ok(None),
            digits => digits
                .parse()
                .map(Some)
                .map_err(|source| ScoreError::TokenCount { record, source }),
        };
        let custom_id = text(0)?;
        Ok(Some(Prediction {
            custom_id,
            id: CustomId::parse(custom_id)
                .map_err(|source| ScoreError::CustomId { record, source })?,
            request_id: text(7)?,
            finish_reason: text(8)?,
            response_text: text(9)?,
            prompt_tokens: count(10)?,
            completion_tokens: count(11)?,
            total_tokens: count(12)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut writer = PredictionWriter::new(Vec::new()).expect("a buffer");
        let custom_id = "d|i|control|0.25|1|open";
        writer
            .write(&Prediction {
                custom_id,
                id: CustomId::parse(custom_id).expect("our name"),
                request_id: "r",
                finish_reason: "",
                response_text: text,
                prompt_tokens: Some(u64::MAX),
                completion_tokens: None,
                total_tokens: Some(0),
            })
            .expect("a buffer");
        String::from_utf8(writer.finish().expect("a buffer")).expect("text")
    }

    #[test]
    fn rows_are_quoted_as_python_quotes_them_and_read_back_exactly() {
        // The third column is what `csv.writer` of Python 3.11 writes for the text after `str.strip()`.
        for (text, kept, quoted) in [
            ("a, b", "a, b", "\"a, b\""),
            ("say \"x\"", "say \"x\"", "\"say \"\"x\"\"\""),
            ("a\nb", "a\nb", "\"a\nb\""),
            ("a\rb", "a\rb", "\"a\rb\""),
            ("\u{1c}\u{a0} x\r\n", "x", "x"),
            ("a\\b\\\"", "a\\b\\\"", "\"a\\b\\\"\"\""),
            ("a\u{0}b\tc;'|", "a\u{0}b\tc;'|", "a\u{0}b\tc;'|"),
            ("=1+1", "=1+1", "=1+1"),
            ("\u{feff}é\u{2028}", "\u{feff}é", "\u{feff}é"),
            ("", "", ""),
        ] {
            let file = written(text);
            let row = file.split_once("\r\n").expect("a header").1;
            assert_eq!(
                row,
                format!(
                    "d|i|control|0.25|1|open,d,i,control,0.25,1,open,r,,{quoted},{},,0\r\n",
                    u64::MAX
                )
            );
            let mut reader = PredictionReader::new(file.as_bytes()).expect("our own file");
            let back = reader.read().expect("a row").expect("a row");
            assert_eq!(back.response_text, kept);
            assert_eq!(back.prompt_tokens, Some(u64::MAX));
            assert_eq!((back.completion_tokens, back.id.sample_index), (None, 1));
        }
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused() {
        assert!(matches!(
            PredictionReader::new(&b"custom_id,dataset\r\n"[..]),
            Err(ScoreError::Header { .. })
        ));
        let broken = [
            ("d|i|control|0.25|1|open,d,i", "d|x,d,i"),
            (",,0\r\n", ",-1,0\r\n"),
            (",,0\r\n", "\r\n"),
        ];
        for (from, to) in broken {
            let file = written("x").replace(from, to);
            let mut reader = PredictionReader::new(file.as_bytes()).expect("our header");
            assert!(reader.read().is_err(), "{file}");
        }
    }
}
