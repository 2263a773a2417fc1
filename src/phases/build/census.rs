//! The one pass over the prepared items before building: counts them and refuses what would make equal `custom_id`s.
//!
//! Keeps sixteen bytes per item; which item is doubled is looked up only when one is.

use std::borrow::Cow;

use serde::Deserialize;

use super::{REPAIR, for_each_line, prepared_file};
use crate::domain::ids::check_custom_id_field;
use crate::domain::text::printable;
use crate::domain::{Digest, ItemType};
use crate::phases::error::PhaseError;
use crate::store::RunPaths;

/// What an item is known by.
#[derive(Deserialize)]
struct Name<'a> {
    #[serde(borrow)]
    dataset: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

impl Name<'_> {
    /// The first half of a digest: among a thousand million items two share it by chance once in 10^20 runs.
    fn mark(&self, item_type: ItemType) -> u128 {
        let digest = Digest::of_parts(&[item_type.as_str(), &self.dataset, &self.id]);
        digest
            .bytes()
            .iter()
            .take(size_of::<u128>())
            .fold(0, |mark, byte| mark << 8 | u128::from(*byte))
    }
}

/// Counts the items of both prepared files, whose `dataset|id` must be usable and different.
pub(super) fn count_items(paths: &RunPaths) -> Result<u64, PhaseError> {
    let mut marks = Vec::new();
    for item_type in ItemType::ALL {
        for_each_name(paths, item_type, |_, name| {
            marks.push(name.mark(item_type));
            Ok(())
        })?;
    }
    marks.sort_unstable();
    if let Some(double) = marks.windows(2).find(|pair| pair[0] == pair[1]) {
        refuse_double(paths, double[0])?;
    }
    Ok(marks.len() as u64)
}

/// Names the second item with the mark.
fn refuse_double(paths: &RunPaths, mark: u128) -> Result<(), PhaseError> {
    for item_type in ItemType::ALL {
        let mut first = None;
        for_each_name(paths, item_type, |row, name| {
            if name.mark(item_type) != mark {
                return Ok(());
            }
            first.replace(row).map_or(Ok(()), |before| {
                let id = format!("{}|{}", name.dataset, name.id);
                Err(form(
                    paths,
                    item_type,
                    format!("lines {before} and {row} are both {}", printable(&id)),
                ))
            })
        })?;
    }
    Ok(())
}

fn for_each_name(
    paths: &RunPaths,
    item_type: ItemType,
    mut see: impl FnMut(u64, &Name<'_>) -> Result<(), PhaseError>,
) -> Result<(), PhaseError> {
    for_each_line(&prepared_file(paths, item_type), |row, line| {
        let wrong = |what: String| form(paths, item_type, format!("line {row}: {what}"));
        let name: Name<'_> =
            serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))?;
        check_custom_id_field("dataset", &name.dataset)
            .and_then(|()| check_custom_id_field("item id", &name.id))
            .map_err(|error| wrong(error.to_string()))?;
        see(row, &name)
    })
}

fn form(paths: &RunPaths, item_type: ItemType, reason: String) -> PhaseError {
    PhaseError::Form {
        path: prepared_file(paths, item_type),
        reason,
        hint: REPAIR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunId;
    use crate::store::{ExperimentsDir, atomic};

    /// Counts closed items with these names, next to one open item `d|a`.
    fn count(closed: &[(&str, &str)]) -> Result<u64, String> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let id = RunId::new("r1").expect("a plain id");
        let paths = ExperimentsDir::new(dir.path().to_path_buf()).run(&id);
        atomic::create_dir_all(&paths.prepared_dir()).expect("made");
        let lines: Vec<String> = closed
            .iter()
            .map(|(dataset, id)| serde_json::json!({"dataset": dataset, "id": id}).to_string())
            .collect();
        atomic::write(&paths.closed_book(), lines.join("\n").as_bytes()).expect("written");
        let open = br#"{"dataset": "d", "id": "a"}"#;
        atomic::write(&paths.open_book(), open).expect("written");
        count_items(&paths).map_err(|error| error.to_string())
    }

    #[test]
    fn an_id_may_be_in_two_datasets_and_in_both_files() {
        assert_eq!(count(&[("d", "a"), ("d", "b"), ("e", "a")]), Ok(4));
    }

    #[test]
    fn a_doubled_item_is_refused_with_file_lines_and_way_on() {
        let message = count(&[("d", "a"), ("d", "b"), ("d", "a")]).expect_err("doubled");
        for words in [
            "closed_book.jsonl",
            "lines 1 and 3 are both d|a",
            "--only-step prepare",
        ] {
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn an_id_that_no_custom_id_can_hold_is_refused() {
        let message = count(&[("d", "a"), ("d", "b|c")]).expect_err("a separator");
        assert!(message.contains("line 2: item id"), "{message}");
    }
}
