//! From built shards to parts of trials and the work that makes them.
//!
//! A part says where it belongs ([`PartKey`]), its work what it is ([`WorkKey`]): two trials whose shards, model and
//! parameters are equal get the same work and pay once (contract, section 6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::event::PlannedPart;
use crate::domain::ids::PromptSetName;
use crate::domain::{
    Condition, Digest, ItemType, JobParams, PartKey, RunId, Temperature, Trial, WorkKey,
};

/// The version of `build_manifest.json` that this program writes and reads.
pub const BUILD_MANIFEST_VERSION: u32 = 1;

/// One built input file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// The prompt set it was built with.
    pub prompt_set: PromptSetName,
    /// The condition.
    pub condition: Condition,
    /// The temperature that its `custom_id`s carry.
    pub temp: Temperature,
    /// File name below `batch_inputs/`.
    pub path: String,
    /// Requests.
    pub lines: u64,
    /// Bytes.
    pub size: u64,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Place in its (prompt set, temperature, condition), from 0 as in the predecessor.
    pub part_index: u32,
    /// The type of all its items, where the output limits of the types differ; absent where they share the part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_type: Option<ItemType>,
}

/// `build_manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildManifest {
    /// [`BUILD_MANIFEST_VERSION`].
    pub schema_version: u32,
    /// Requests per part that were asked for.
    pub lines_per_part: u64,
    /// Built files by name.
    pub shards: BTreeMap<String, Shard>,
    /// Temperatures, in the order of the config.
    pub temps: Vec<Temperature>,
    /// Digests of the system prompts by prompt set and condition.
    pub prompt_sets: BTreeMap<String, BTreeMap<String, Digest>>,
}

impl BuildManifest {
    /// The shards of one (prompt set, temperature, condition) in order.
    pub fn shards_of<'a>(
        &'a self,
        prompt_set: &'a PromptSetName,
        temp: Temperature,
        condition: Condition,
    ) -> Vec<&'a Shard> {
        let mut shards: Vec<&Shard> = self
            .shards
            .values()
            .filter(|s| s.prompt_set == *prompt_set && s.temp == temp && s.condition == condition)
            .collect();
        shards.sort_by_key(|s| s.part_index);
        shards
    }
}

/// The settings of the job that runs a shard for a trial.
pub fn job_params(trial: &Trial, shard_type: Option<ItemType>, temp: Temperature) -> JobParams {
    JobParams {
        model: trial.model.clone(),
        temp,
        top_p: trial.top_p,
        top_k: trial.top_k,
        max_tokens: trial
            .max_new_tokens
            .of(shard_type.unwrap_or(ItemType::Closed)),
        stop: trial.stop.clone(),
    }
}

/// Derives the key of a piece of work (contract, section 7).
pub fn work_key(run_id: &RunId, provider: &str, params: &JobParams, bytes: Digest) -> WorkKey {
    let params = params.to_json().to_string();
    WorkKey(Digest::of_parts(&[
        "work/1",
        run_id.as_str(),
        provider,
        &params,
        &bytes.to_string(),
    ]))
}

/// The parts of a trial, in order: temperatures, then conditions, then part numbers.
pub fn plan_parts(
    run_id: &RunId,
    provider: &str,
    trial: &Trial,
    manifest: &BuildManifest,
) -> Vec<PlannedPart> {
    let mut parts = Vec::new();
    for &temp in &trial.temps {
        for condition in Condition::ALL {
            for shard in manifest.shards_of(&trial.prompt_set, temp, condition) {
                let params = job_params(trial, shard.item_type, temp);
                parts.push(PlannedPart {
                    key: PartKey {
                        temp,
                        condition,
                        number: shard.part_index + 1,
                    },
                    work: work_key(run_id, provider, &params, shard.sha256),
                    input: shard.path.clone(),
                    rows: shard.lines,
                    bytes: shard.size,
                    sha256: shard.sha256,
                });
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MaxNewTokens;

    fn trial(model: &str, set: &str, closed_book: u32) -> Trial {
        let prompt_set = PromptSetName::new(set).expect("plain");
        let max = MaxNewTokens {
            closed_book,
            open_book: 1024,
        };
        Trial {
            slug: Trial::slug_of(model, &prompt_set, 1.0, None, max).expect("plain"),
            model: model.into(),
            prompt_set,
            temps: vec![Temperature::default()],
            samples: vec![1],
            top_p: 1.0,
            top_k: None,
            max_new_tokens: max,
            stop: Vec::new(),
        }
    }

    fn manifest() -> BuildManifest {
        let mut shards = BTreeMap::new();
        for set in ["a", "b"] {
            for condition in Condition::ALL {
                let path = format!("t0_{set}_{condition}.p01.jsonl");
                // The control prompt of both sets is the same text, so the bytes are the same.
                let bytes = if condition == Condition::Control {
                    "same".to_owned()
                } else {
                    path.clone()
                };
                let shard = Shard {
                    prompt_set: PromptSetName::new(set).expect("plain"),
                    condition,
                    temp: Temperature::default(),
                    path: path.clone(),
                    lines: 10,
                    size: 100,
                    sha256: Digest::of(bytes.as_bytes()),
                    part_index: 0,
                    item_type: Some(ItemType::Closed),
                };
                shards.insert(path, shard);
            }
        }
        BuildManifest {
            schema_version: 1,
            lines_per_part: 10,
            shards,
            temps: vec![Temperature::default()],
            prompt_sets: BTreeMap::new(),
        }
    }

    #[test]
    fn equal_control_parts_are_one_piece_of_work_and_others_are_not() {
        let run = RunId::new("r").expect("plain");
        let parts = |model, set, max| plan_parts(&run, "sim", &trial(model, set, max), &manifest());
        let (a, b) = (parts("m", "a", 64), parts("m", "b", 64));
        assert_eq!(a[0].work, b[0].work, "same bytes, model and parameters");
        assert_ne!(a[1].work, b[1].work, "other treatment prompt");
        assert_ne!(a[0].work, parts("other", "a", 64)[0].work, "other model");
        assert_ne!(a[0].work, parts("m", "a", 65)[0].work, "other output limit");
        let elsewhere = plan_parts(
            &RunId::new("r2").expect("plain"),
            "sim",
            &trial("m", "a", 64),
            &manifest(),
        );
        assert_ne!(a[0].work, elsewhere[0].work, "other run");
    }
}
