//! Reads a ledger from its first line and judges its end. Changes nothing.

use std::io::{BufRead, ErrorKind};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::Recorded;
use crate::store::error::{Result, StoreError};

/// What follows the last sound line.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The last line has no end (or the rest is zeros, as a power cut leaves it).
    pub(super) torn: bool,
    /// Whole lines that are no JSON.
    pub(super) damaged: Vec<u64>,
}

/// What a ledger holds.
#[derive(Debug)]
pub(super) struct Scan {
    /// The number of the last fact.
    pub(super) seq: u64,
    /// Bytes up to the end of the last sound line.
    pub(super) sound_bytes: u64,
    /// What follows them.
    pub(super) tail: Option<Tail>,
}

/// The least that a fact of any version has.
#[derive(Deserialize)]
struct AnyFact {
    #[expect(dead_code, reason = "its presence is what counts")]
    seq: u64,
    #[expect(dead_code, reason = "its presence is what counts")]
    kind: String,
}

impl Scan {
    pub(super) fn read(
        mut reader: impl BufRead,
        path: &Path,
        take: &mut dyn FnMut(Recorded),
    ) -> Result<Self> {
        let mut scan = Self {
            seq: 0,
            sound_bytes: 0,
            tail: None,
        };
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            while let Err(error) = reader.read_until(b'\n', &mut line) {
                if error.kind() != ErrorKind::Interrupted {
                    return Err(StoreError::io("read", path)(error));
                }
            }
            match line.last() {
                None => break,
                // Without its end a line was never acknowledged, even where it reads well.
                Some(end) if *end != b'\n' => {
                    scan.tail.get_or_insert_default().torn = true;
                    break;
                }
                Some(_) => scan.whole_line(&line, number, path, take)?,
            }
        }
        Ok(scan)
    }

    fn whole_line(
        &mut self,
        line: &[u8],
        number: u64,
        path: &Path,
        take: &mut dyn FnMut(Recorded),
    ) -> Result<()> {
        let corrupt = |reason: String| Err(StoreError::corrupt(path, &reason));
        match (serde_json::from_slice::<Recorded>(line), &mut self.tail) {
            // Facts are missing before it: guessing what they were could pay twice.
            (Ok(_), Some(tail)) => corrupt(format!(
                "line {} cannot be read, but line {number} after it can",
                tail.damaged.first().unwrap_or(&number)
            )),
            (Ok(fact), None) if fact.seq == self.seq + 1 => {
                self.seq = fact.seq;
                self.sound_bytes += line.len() as u64;
                take(fact);
                Ok(())
            }
            (Ok(fact), None) => corrupt(format!(
                "line {number} has seq {} where {} was expected",
                fact.seq,
                self.seq + 1
            )),
            (Err(_), _) if serde_json::from_slice::<AnyFact>(line).is_ok() => {
                Err(StoreError::UnknownFact {
                    path: path.to_path_buf(),
                    line: number,
                })
            }
            (Err(error), _) if serde_json::from_slice::<IgnoredAny>(line).is_ok() => {
                corrupt(format!("line {number} is no fact: {error}"))
            }
            (Err(_), tail) => {
                tail.get_or_insert_default().damaged.push(number);
                Ok(())
            }
        }
    }
}
