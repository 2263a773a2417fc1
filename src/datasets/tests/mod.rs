//! Tests of the room: each format with good and bad rows, wrong files, the choice, the preparation, real files.

mod formats;
mod preparation;
mod shipped_and_real;
mod wrong_files;

use std::ops::ControlFlow;

use super::{RejectReason, Row, SourceError, read};
use crate::domain::ids::DatasetName;
use crate::domain::{DatasetFormat, FieldMap, Item, SourceSpec};

/// A source of this format with everything else as usual.
fn spec(format: DatasetFormat) -> SourceSpec {
    SourceSpec {
        name: DatasetName::new("d").unwrap(),
        format,
        path: "data/file".to_owned(),
        max_items: None,
        item_type: None,
        scorer: None,
        fields: FieldMap::default(),
    }
}

fn rows(spec: &SourceSpec, mut input: &[u8]) -> Result<Vec<Row>, SourceError> {
    let mut rows = Vec::new();
    read(spec, &mut input, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

/// Items and rejects (line and reason), each in order.
fn sorted(spec: &SourceSpec, input: &str) -> (Vec<Item>, Vec<(u64, RejectReason)>) {
    let mut items = Vec::new();
    let mut rejects = Vec::new();
    for row in rows(spec, input.as_bytes()).unwrap() {
        match row.outcome {
            Ok(item) => items.push(item),
            Err(reject) => rejects.push((reject.line, reject.reason)),
        }
    }
    (items, rejects)
}

/// Lines and tags of rejects.
fn tags(rejects: &[(u64, RejectReason)]) -> Vec<(u64, &'static str)> {
    rejects.iter().map(|(line, r)| (*line, r.tag())).collect()
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|i| i.id.as_str()).collect()
}
