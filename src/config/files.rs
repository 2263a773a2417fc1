//! The files that an experiment depends on: prompts, task instructions, datasets. Each is read once and digested.
//!
//! Dataset files are digested as a stream and may be of any size; texts are held in memory and have a limit.

use std::io::{self, Read};

use crate::domain::ids::{DatasetName, PromptSetName};
use crate::domain::{DatasetFormat, Digest, FieldMap, ItemType, ScorerName, SourceSpec, Trial};

use super::check::join;
use super::error::{Fault, Place};
use super::file::Node;
use super::read::{Origin, Reader, maybe, text};
use super::settings::{PromptSet, TaskInstructions, TextFile};

/// The largest prompt or instruction file, in bytes.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// The inputs of a run with their digests.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Inputs {
    /// Datasets in the order of the file.
    pub(super) datasets: Vec<(SourceSpec, Digest)>,
    /// Ready items, by item type in the predecessor's words, with path and digest; where there are no datasets.
    pub(super) prepared: Vec<(&'static str, String, Digest)>,
}

/// A file as the config names it.
struct Named<'n> {
    path: &'n str,
    wanted: Option<Digest>,
    at: Place,
    key: String,
}

/// The prompt sets that trials use, in order of first use.
pub(super) fn prompt_sets(reader: &mut Reader<'_>, trials: &[Trial]) -> Vec<PromptSet> {
    let Some(sets) = reader.section("prompt_sets") else {
        return Vec::new();
    };
    for entry in sets.entries() {
        if let Err(error) = PromptSetName::new(&entry.key) {
            let key = join("prompt_sets", &entry.key);
            reader.report(entry.at, &key, Fault::Name(error));
        }
    }
    let mut read: Vec<PromptSet> = Vec::new();
    for name in trials.iter().map(|trial| &trial.prompt_set) {
        if read.iter().any(|set| set.name == *name) {
            continue;
        }
        let Some(node) = sets.get(name.as_str()) else {
            continue;
        };
        let key = join("prompt_sets", name.as_str());
        let control = text_file(reader, node, &key, "control");
        let treatment = text_file(reader, node, &key, "treatment");
        if let (Some(control), Some(treatment)) = (control, treatment) {
            let name = name.clone();
            read.push(PromptSet {
                name,
                control,
                treatment,
            });
        }
    }
    read
}

/// The task instructions.
pub(super) fn instructions(reader: &mut Reader<'_>) -> Option<TaskInstructions> {
    let node = reader.section("task_instructions")?;
    let closed_book = text_file(reader, node, "task_instructions", "closed_book");
    let open_book = text_file(reader, node, "task_instructions", "open_book");
    Some(TaskInstructions {
        closed_book: closed_book?,
        open_book: open_book?,
    })
}

/// Datasets, or the ready items that stand in for them.
pub(super) fn inputs(reader: &mut Reader<'_>) -> Inputs {
    let listed = reader.section("datasets").map_or(&[][..], Node::items);
    if listed.is_empty() {
        return Inputs {
            prepared: prepared(reader),
            datasets: Vec::new(),
        };
    }
    let mut datasets: Vec<(SourceSpec, Digest)> = Vec::new();
    for (i, node) in listed.iter().enumerate() {
        let key = format!("datasets[{i}]");
        let Some((spec, digest)) = dataset(reader, node, &key) else {
            continue;
        };
        let first = datasets
            .iter()
            .position(|(other, _)| other.name == spec.name);
        if let (Some(first), Some(name)) = (first, node.get("name")) {
            let fault = Fault::Repeated {
                text: spec.name.to_string(),
                first: format!("datasets[{first}].name"),
            };
            reader.report(name.at, &join(&key, "name"), fault);
        }
        datasets.push((spec, digest));
    }
    Inputs {
        datasets,
        prepared: Vec::new(),
    }
}

fn dataset(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<(SourceSpec, Digest)> {
    let word = |name: &str| node.get(name).and_then(Node::text);
    let format =
        word("format").and_then(|w| DatasetFormat::ALL.into_iter().find(|f| f.as_str() == w));
    let name = node.get("name").and_then(|n| {
        let name = DatasetName::new(n.text()?);
        name.map_err(|error| reader.report(n.at, &join(key, "name"), Fault::Name(error)))
            .ok()
    });
    if let Some(format) = format
        && !matches!(format, DatasetFormat::Jsonl | DatasetFormat::Csv)
    {
        for general in ["type", "fields"] {
            if let Some(node) = node.get(general) {
                let problem = format!("is for jsonl and csv only; {} has its own", format.as_str());
                reader.report(node.at, &join(key, general), Fault::DoesNotFit { problem });
            }
        }
    }
    let path = node.get("path")?;
    let named = Named {
        path: path.text()?,
        wanted: wanted(reader, node, key),
        at: path.at,
        key: join(key, "path"),
    };
    let digest = digest(reader, &named);
    let spec = SourceSpec {
        name: name?,
        format: format?,
        path: named.path.to_owned(),
        max_items: maybe(Some(node), "max_items"),
        item_type: word("type").and_then(|w| w.parse::<ItemType>().ok()),
        scorer: word("scorer").and_then(|w| ScorerName::ALL.into_iter().find(|s| s.as_str() == w)),
        fields: node.get("fields").map_or_else(FieldMap::default, fields),
    };
    Some((spec, digest?))
}

fn fields(node: &Node) -> FieldMap {
    let name = |key| text(Some(node), key);
    FieldMap {
        id: name("id"),
        question: name("question"),
        answers: name("answers"),
        context: name("context"),
        choices: name("choices"),
        cluster: name("cluster"),
        is_unanswerable: name("is_unanswerable"),
    }
}

/// The ready items below `paths.prepared_dir`, where there are no datasets.
fn prepared(reader: &mut Reader<'_>) -> Vec<(&'static str, String, Digest)> {
    let folder = reader.prepared_dir();
    let recorded = reader.section("prepared");
    let mut found = Vec::new();
    for name in ["closed_book", "open_book"] {
        let usual = format!("{}/{name}.jsonl", folder.trim_end_matches('/'));
        let key = join("prepared", name);
        let node = recorded.and_then(|r| r.get(name));
        let Some(named) = node.and_then(|node| named(reader, node, &key)) else {
            match reader.open(&usual).and_then(Digest::of_reader) {
                Ok((digest, _)) => found.push((name, usual, digest)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let fault = unreadable(&usual, &error);
                    reader.report(Place::WholeFile, "paths.prepared_dir", fault);
                }
            }
            continue;
        };
        if let Some(digest) = digest(reader, &named) {
            found.push((name, named.path.to_owned(), digest));
        }
    }
    // A run that is continued may have its items in its own folder already.
    if found.is_empty() && reader.ctx.origin == Origin::Fresh {
        let problem = format!(
            "there are no questions: no datasets are listed, and {folder} (paths.prepared_dir) holds neither closed_book.jsonl nor open_book.jsonl"
        );
        reader.report(Place::WholeFile, "datasets", Fault::DoesNotFit { problem });
    }
    found
}

/// Path and wanted digest of a file that is given by path, or by path and digest.
fn named<'n>(reader: &mut Reader<'_>, node: &'n Node, key: &str) -> Option<Named<'n>> {
    let path = match node.text() {
        Some(path) => path,
        None => node.get("path")?.text()?,
    };
    Some(Named {
        path,
        wanted: wanted(reader, node, key),
        at: node.at,
        key: key.to_owned(),
    })
}

fn wanted(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Digest> {
    let node = node.get("sha256")?;
    let digest = node.text()?.parse().ok();
    if digest.is_none() {
        let expected = "64 hexadecimal digits".to_owned();
        let found = "another text".to_owned();
        let fault = Fault::OutOfRange { expected, found };
        reader.report(node.at, &join(key, "sha256"), fault);
    }
    digest
}

fn text_file(reader: &mut Reader<'_>, parent: &Node, key: &str, name: &str) -> Option<TextFile> {
    let key = join(key, name);
    let named = named(reader, parent.get(name)?, &key)?;
    let path = named.path.to_owned();
    match read_text(reader, named.path) {
        Ok((text, sha256)) => accept(reader, &named, sha256).then_some(TextFile {
            path,
            sha256,
            text: Some(text),
        }),
        Err(error) => settle(reader, &named, &error).map(|sha256| TextFile {
            path,
            sha256,
            text: None,
        }),
    }
}

fn digest(reader: &mut Reader<'_>, named: &Named<'_>) -> Option<Digest> {
    match reader.open(named.path).and_then(Digest::of_reader) {
        Ok((digest, _)) => accept(reader, named, digest).then_some(digest),
        Err(error) => settle(reader, named, &error),
    }
}

/// Whether the digest is the wanted one. In a recorded config another one is drift, which the caller decides on.
fn accept(reader: &mut Reader<'_>, named: &Named<'_>, found: Digest) -> bool {
    match named.wanted {
        Some(wanted) if wanted != found && reader.ctx.origin == Origin::Fresh => {
            let path = named.path.to_owned();
            let fault = Fault::DigestDiffers {
                path,
                wanted,
                found,
            };
            reader.report(named.at, &named.key, fault);
            false
        }
        _ => true,
    }
}

/// The recorded digest of a file that is gone; a problem for a new run.
fn settle(reader: &mut Reader<'_>, named: &Named<'_>, error: &io::Error) -> Option<Digest> {
    let gone = error.kind() == io::ErrorKind::NotFound;
    if gone && reader.ctx.origin != Origin::Fresh && named.wanted.is_some() {
        return named.wanted;
    }
    let fault = unreadable(named.path, error);
    reader.report(named.at, &named.key, fault);
    None
}

fn unreadable(path: &str, error: &io::Error) -> Fault {
    Fault::FileUnreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// A file's text without the white space around it, and the digest of all its bytes.
fn read_text(reader: &Reader<'_>, path: &str) -> io::Result<(String, Digest)> {
    let invalid = |problem: &str| io::Error::new(io::ErrorKind::InvalidData, problem.to_owned());
    let mut bytes = Vec::new();
    let read = reader
        .open(path)?
        .take(MAX_TEXT_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > MAX_TEXT_BYTES {
        return Err(invalid("is larger than 1 MiB"));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| invalid(&format!("is not UTF-8 text: {error}")))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    Ok((text.to_owned(), Digest::of(&bytes)))
}
