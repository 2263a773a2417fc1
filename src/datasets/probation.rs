//! Tells the wrong file from a bad row: a file is wrong where not one of its first rows has the shape of its format.

use std::ops::ControlFlow;

use super::error::SourceError;
use super::row::{Row, Sink};

/// How many rows of a wrong shape in a row at the start make the file a wrong one.
const PATIENCE: usize = 100;

/// Holds back rows of a wrong shape at the start until one has the right shape.
pub(super) struct Probation<'a, 's> {
    sink: &'a mut Sink<'s>,
    held: Vec<Row>,
    is_over: bool,
    rows: u64,
}

impl<'a, 's> Probation<'a, 's> {
    /// Nothing has been read yet.
    pub(super) fn new(sink: &'a mut Sink<'s>) -> Self {
        Self {
            sink,
            held: Vec::new(),
            is_over: false,
            rows: 0,
        }
    }

    /// Passes a row on, or holds it back.
    pub(super) fn take(&mut self, row: Row) -> ControlFlow<()> {
        self.rows += 1;
        if self.is_over {
            return (self.sink)(row);
        }
        let is_misshapen = matches!(&row.outcome, Err(reject) if reject.reason.is_about_shape());
        self.held.push(row);
        if !is_misshapen {
            self.is_over = true;
            self.held.drain(..).try_for_each(&mut *self.sink)
        } else if self.held.len() < PATIENCE {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Fails where there was no row, or none of the right shape.
    pub(super) fn finish(self, path: &str, format: &'static str) -> Result<(), SourceError> {
        if self.rows == 0 {
            return Err(SourceError::Empty {
                path: path.to_owned(),
            });
        }
        let rows = self.held.len();
        match self
            .held
            .into_iter()
            .next()
            .map(|row| (row.line, row.outcome))
        {
            Some((line, Err(reject))) => Err(SourceError::NoUsableRow {
                path: path.to_owned(),
                format,
                rows,
                line,
                reason: Box::new(reject.reason),
            }),
            _ => Ok(()),
        }
    }
}
