//! Finds the item of each prediction by walking the prepared files forward, so that memory holds one item.
//!
//! Within one (temperature, condition, type) the predictions follow the order of the prepared items; between them the
//! walk goes round: closed file, open file, closed file again. A key that a full round does not meet is unknown.

use std::io::{self, BufRead};

use crate::domain::json::read_line;
use crate::domain::text::printable;
use crate::domain::{CustomId, Item, ItemType};

use super::error::ScoreError;

/// A place in the prepared items; later items are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Closed before open.
    pub item_type: ItemType,
    /// The line in its file, from 1.
    pub line: u64,
}

/// Walks the prepared items. `open` opens one of the two files from its start; a file that is not there is an empty reader.
pub struct ItemCursor<F> {
    open: F,
    reader: Option<Box<dyn BufRead>>,
    place: Place,
    bytes: Vec<u8>,
    item: Option<Item>,
}

impl<F> std::fmt::Debug for ItemCursor<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ItemCursor")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl<F: FnMut(ItemType) -> io::Result<Box<dyn BufRead>>> ItemCursor<F> {
    /// Starts before the first item.
    pub fn new(open: F) -> Self {
        Self {
            open,
            reader: None,
            place: Place {
                item_type: ItemType::Closed,
                line: 0,
            },
            bytes: Vec::new(),
            item: None,
        }
    }

    /// Goes forward, and round at most once, to the item of a request.
    pub fn find(&mut self, id: &CustomId<'_>) -> Result<(Place, &Item), ScoreError> {
        let is_here = self.place.item_type == id.item_type
            && self
                .item
                .as_ref()
                .is_some_and(|i| i.dataset == id.dataset && i.id == id.item_id);
        if !is_here {
            self.item = None;
            self.walk_to(id)?;
        }
        match &self.item {
            Some(item) => Ok((self.place, item)),
            None => Err(ScoreError::UnknownItem {
                key: printable(&id.item_key()).into_owned(),
                item_type: id.item_type,
            }),
        }
    }

    fn walk_to(&mut self, id: &CustomId<'_>) -> Result<(), ScoreError> {
        // Three ends of a file close the round from anywhere: this file's, the other's, this one's again.
        let mut ends = 0;
        while ends < 3 {
            if self.next_line()? {
                if self.place.item_type == id.item_type && self.take_if(id)? {
                    return Ok(());
                }
            } else {
                ends += 1;
                self.turn();
            }
        }
        Ok(())
    }

    fn turn(&mut self) {
        self.reader = None;
        self.place = Place {
            item_type: match self.place.item_type {
                ItemType::Closed => ItemType::Open,
                ItemType::Open => ItemType::Closed,
            },
            line: 0,
        };
    }

    fn next_line(&mut self) -> Result<bool, ScoreError> {
        let item_type = self.place.item_type;
        let failed = |source| ScoreError::ReadItems { item_type, source };
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert((self.open)(item_type).map_err(failed)?),
        };
        self.place.line += 1;
        read_line(reader, &mut self.bytes).map_err(failed)
    }

    fn take_if(&mut self, id: &CustomId<'_>) -> Result<bool, ScoreError> {
        if self.bytes.trim_ascii().is_empty() {
            return Ok(false);
        }
        let Place { item_type, line } = self.place;
        let failed = |source| ScoreError::Item {
            item_type,
            line,
            source,
        };
        // Read whole at once: in the usual order every line is the wanted one.
        let item: Item = serde_json::from_slice(&self.bytes).map_err(failed)?;
        let found = item.dataset == id.dataset && item.id == id.item_id;
        self.item = found.then_some(item);
        Ok(found)
    }
}
