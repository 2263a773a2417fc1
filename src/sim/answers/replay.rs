//! Recorded answers, found by prompt set, condition, item and sample.
//!
//! A request does not name its prompt set; its system prompt tells, through the table of the settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::lines::{self, LineIndex, Marks};
use super::{Ask, ReplaySettings};
use crate::domain::ids::PromptSetName;
use crate::domain::text::printable;
use crate::domain::{Condition, CustomId};
use crate::sim::error::SimError;
use crate::sim::row::RowFault;

type Recordings = BTreeMap<(PromptSetName, Condition), LineIndex>;

/// The recorded answers.
#[derive(Debug)]
pub(in crate::sim) struct Replay {
    settings: ReplaySettings,
    loaded: Mutex<Option<(Marks, Arc<Recordings>)>>,
}

/// Answers rows one after the other.
#[derive(Debug)]
pub(in crate::sim) struct ReplaySession<'a> {
    replay: &'a Replay,
    recordings: Arc<Recordings>,
    line: Vec<u8>,
}

#[derive(Deserialize)]
struct Named {
    item_id: ItemId,
    #[serde(default)]
    sample_index: u32,
}

/// Recordings name items by text or by number.
#[derive(Deserialize)]
#[serde(untagged)]
enum ItemId {
    Text(String),
    Number(i64),
}

#[derive(Deserialize)]
struct Recorded {
    response_text: String,
}

impl Replay {
    pub(super) fn new(settings: ReplaySettings) -> Self {
        Self {
            settings,
            loaded: Mutex::new(None),
        }
    }

    /// Loads the index of the recordings, again where the files have changed.
    pub(super) fn session(&self) -> Result<ReplaySession<'_>, SimError> {
        let files = self.files();
        let paths: Vec<PathBuf> = files.iter().map(|(_, path)| path.clone()).collect();
        let marks = lines::marks(&paths);
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let recordings = match &*loaded {
            Some((then, recordings)) if *then == marks => Arc::clone(recordings),
            _ => {
                let recordings = Arc::new(load(files)?);
                *loaded = Some((marks, Arc::clone(&recordings)));
                recordings
            }
        };
        Ok(ReplaySession {
            replay: self,
            recordings,
            line: Vec::new(),
        })
    }

    fn files(&self) -> Vec<((PromptSetName, Condition), PathBuf)> {
        let sets: BTreeSet<_> = self
            .settings
            .prompts
            .iter()
            .map(|p| &p.prompt_set)
            .collect();
        let pairs = sets
            .into_iter()
            .flat_map(|s| Condition::ALL.map(|c| (s.clone(), c)));
        pairs
            .map(|(set, condition)| {
                let path = self.settings.dir.join(format!("{set}.{condition}.jsonl"));
                ((set, condition), path)
            })
            .collect()
    }

    /// The prompt set that a system prompt stands for under a condition: the first that has it, else the only one.
    fn prompt_set(&self, system: &str, condition: Condition) -> Option<&PromptSetName> {
        let prompts = &self.settings.prompts;
        let meant = prompts
            .iter()
            .find(|p| p.condition == condition && p.text.trim() == system.trim());
        let only = || {
            let first = prompts.first()?;
            prompts
                .iter()
                .all(|p| p.prompt_set == first.prompt_set)
                .then_some(first)
        };
        meant.or_else(only).map(|p| &p.prompt_set)
    }
}

fn load(files: Vec<((PromptSetName, Condition), PathBuf)>) -> Result<Recordings, SimError> {
    let index = |path: PathBuf| {
        LineIndex::build(&[path], |line| {
            let named: Named = serde_json::from_slice(line)?;
            let item_id = match named.item_id {
                ItemId::Text(text) => text,
                ItemId::Number(number) => number.to_string(),
            };
            Ok(key(&item_id, named.sample_index))
        })
    };
    files
        .into_iter()
        .map(|(name, path)| Ok((name, index(path)?)))
        .collect()
}

fn key(item_id: &str, sample_index: u32) -> u64 {
    lines::key(&[item_id, &sample_index.to_string()])
}

impl ReplaySession<'_> {
    /// Answers one row with what was recorded.
    pub(super) fn answer(
        &mut self,
        id: &CustomId<'_>,
        ask: &Ask<'_>,
    ) -> Result<Result<String, RowFault>, SimError> {
        let missing = |what: String| Ok(Err(RowFault::invalid(404, what)));
        let Some(set) = self.replay.prompt_set(ask.system, id.condition) else {
            return missing(
                "no recorded answer: the system prompt is of no recorded prompt set".into(),
            );
        };
        let sample = id.sample_index.saturating_add(ask.choice);
        let found = self
            .recordings
            .get(&(set.clone(), id.condition))
            .and_then(|index| Some((index, index.find(key(id.item_id, sample))?)));
        let Some((index, place)) = found else {
            return missing(format!(
                "no recorded answer for item {} sample {sample} in {set}.{}",
                id.item_id, id.condition
            ));
        };
        index
            .read(place, &mut self.line)
            .map_err(SimError::file("read", &self.replay.settings.dir))?;
        match serde_json::from_slice::<Recorded>(&self.line) {
            Ok(recorded) => Ok(Ok(recorded.response_text)),
            Err(error) => missing(format!(
                "no recorded answer: {}",
                printable(&error.to_string())
            )),
        }
    }
}
