//! Build: prepared items to parts of batch input, one input per (prompt set, temperature, condition).
//!
//! Streams the prepared files once per input. A line is what the predecessor wrote, byte for byte:
//! `{"custom_id": ..., "body": {"messages": [...]}}`; model and decoding settings belong to the job, not to the line.
//! All samples of an item stay in one part. Where the output limits of open and closed items differ, a part holds only one
//! of the two, so that each job has one limit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::ctx::{Ctx, Made, Outcome, Sink, finish, open, write_json};
use super::error::PhaseError;
use crate::config::settings::{PromptSet, TextFile};
use crate::domain::ids::PromptSetName;
use crate::domain::json::{read_line, write_line};
use crate::domain::{Condition, CustomId, Digest, ItemType, Temperature, Trial, WorkState};
use crate::plan::parts::BUILD_MANIFEST_VERSION;
use crate::plan::{BuildManifest, Shard};
use crate::store::{AtomicFile, atomic, batch_input_name};

/// Parts stay below this size: services refuse files far below their documented limit (batch-apis.md, section 3.4).
const MAX_PART_BYTES: u64 = 95_000_000;
/// Most requests in one part: the smallest documented limit of the services (batch-apis.md, section 1).
const MAX_PART_LINES: u64 = 50_000;

/// The files read.
pub fn needs(ctx: &Ctx) -> Vec<PathBuf> {
    vec![ctx.paths.closed_book(), ctx.paths.open_book()]
}

/// The files written: the manifest and, where it can be read, the parts that it lists.
pub fn makes(ctx: &Ctx) -> Vec<PathBuf> {
    let mut files = vec![ctx.paths.build_manifest()];
    if let Ok(manifest) = read_manifest(ctx) {
        files.extend(
            manifest
                .shards
                .keys()
                .filter_map(|name| ctx.paths.batch_input(name).ok()),
        );
    }
    files
}

/// Prompts, instructions, temperatures and samples. Not the part size: once built, parts keep theirs, or paid work would be lost.
pub fn knobs(ctx: &Ctx) -> Digest {
    let mut text = vec!["build/1".to_owned()];
    for set in &ctx.config.prompt_sets {
        text.extend([
            set.name.to_string(),
            set.control.sha256.to_string(),
            set.treatment.sha256.to_string(),
        ]);
    }
    let instructions = &ctx.config.instructions;
    text.extend([
        instructions.closed_book.sha256.to_string(),
        instructions.open_book.sha256.to_string(),
    ]);
    for (input, plan) in inputs(ctx) {
        text.push(format!(
            "{} {} {} {}",
            input.prompt_set, input.temp, plan.samples, plan.types_apart
        ));
    }
    Digest::of_parts(&text.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Reads and checks `build_manifest.json`.
pub fn read_manifest(ctx: &Ctx) -> Result<BuildManifest, PhaseError> {
    let path = ctx.paths.build_manifest();
    let form = |reason: String| PhaseError::Form {
        path: path.clone(),
        reason,
        hint: "`--only-step build` makes it again",
    };
    let manifest: BuildManifest =
        serde_json::from_reader(open(&path)?).map_err(|error| form(error.to_string()))?;
    if manifest.schema_version != BUILD_MANIFEST_VERSION {
        return Err(form(format!(
            "schema_version {} is not {BUILD_MANIFEST_VERSION}",
            manifest.schema_version
        )));
    }
    if let Some((name, _)) = manifest
        .shards
        .iter()
        .find(|(name, shard)| shard.path != **name || ctx.paths.batch_input(name).is_err())
    {
        return Err(form(format!("part name {name:?} is not a plain file name")));
    }
    Ok(manifest)
}

/// One input: what its `custom_id`s and prompts have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Input {
    prompt_set: PromptSetName,
    temp: Temperature,
}

#[derive(Debug, Clone, Copy, Default)]
struct InputPlan {
    samples: u32,
    types_apart: bool,
}

/// The inputs of all trials, each with the most samples any trial wants.
fn inputs(ctx: &Ctx) -> BTreeMap<Input, InputPlan> {
    let mut inputs: BTreeMap<Input, InputPlan> = BTreeMap::new();
    for trial in &ctx.config.trials {
        for &temp in &trial.temps {
            let plan = inputs
                .entry(Input {
                    prompt_set: trial.prompt_set.clone(),
                    temp,
                })
                .or_default();
            plan.samples = plan.samples.max(trial.samples_at(temp));
            plan.types_apart |= trial.max_new_tokens.closed_book != trial.max_new_tokens.open_book;
        }
    }
    inputs
}

/// Trials that share an input must want the same number of samples: the others would be sent, and pay for, too many.
fn check_samples(ctx: &Ctx) -> Result<(), PhaseError> {
    let mut first: BTreeMap<Input, (u32, &Trial)> = BTreeMap::new();
    for trial in &ctx.config.trials {
        for &temp in &trial.temps {
            let input = Input {
                prompt_set: trial.prompt_set.clone(),
                temp,
            };
            let samples = trial.samples_at(temp);
            let (known, other) = *first.entry(input).or_insert((samples, trial));
            if known != samples {
                return Err(PhaseError::Conflict(format!(
                    "trials {} and {} share prompt set {} at temperature {temp} but want {known} and {samples} samples per item; give both the same number in samples_per_item, or make two runs",
                    other.slug, trial.slug, trial.prompt_set
                )));
            }
        }
    }
    Ok(())
}

/// The part size of an input whose parts have, or may have, jobs: built again, it must come out as it was.
fn kept_part_size(ctx: &Ctx, input: &Input, condition: Condition) -> Option<u64> {
    let of_input = ctx
        .view
        .trials
        .iter()
        .filter(|t| t.trial.prompt_set == input.prompt_set)
        .flat_map(|t| &t.parts)
        .filter(|p| p.key.temp == input.temp && p.key.condition == condition)
        .map(|p| &ctx.view.works[p.work]);
    let (mut size, mut is_used) = (0, false);
    for work in of_input {
        size = size.max(work.part.rows);
        is_used |= work.state != WorkState::Pending || !work.jobs.is_empty();
    }
    is_used.then_some(size)
}

/// Builds every input.
pub fn run(ctx: &Ctx, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    check_samples(ctx)?;
    let dir = ctx.paths.batch_inputs_dir();
    atomic::create_dir_all(&dir)?;
    let items = count_items(ctx)?;
    if items == 0 {
        return Err(PhaseError::Nothing("no items to build from: every row was rejected or left out by the size limits; see prepared/rejects.jsonl".into()));
    }
    let inputs = inputs(ctx);
    let total: u64 = inputs
        .values()
        .map(|plan| 2 * items * u64::from(plan.samples))
        .sum();
    let mut writer = Builder {
        ctx,
        sink,
        done: 0,
        total,
        shards: BTreeMap::new(),
        made: Vec::new(),
    };
    for (input, plan) in &inputs {
        let Some(set) = ctx.config.prompt_set(&input.prompt_set) else {
            continue;
        };
        for condition in Condition::ALL {
            writer.build(input, *plan, condition, set, items)?;
        }
    }
    let Builder {
        shards, mut made, ..
    } = writer;
    remove_others(ctx, &shards)?;
    let manifest = BuildManifest {
        schema_version: BUILD_MANIFEST_VERSION,
        lines_per_part: ctx.config.execution.lines_per_part,
        temps: inputs
            .keys()
            .map(|i| i.temp)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        prompt_sets: ctx.config.prompt_sets.iter().map(prompt_digests).collect(),
        shards,
    };
    let parts = manifest.shards.len();
    // The manifest is written last: as long as it is not there, nothing of this build counts.
    made.push(write_json(&ctx.paths.build_manifest(), &manifest)?);
    Ok(Outcome {
        made,
        message: format!(
            "{} requests in {parts} parts",
            crate::domain::text::thousands(total)
        ),
    })
}

fn prompt_digests(set: &PromptSet) -> (String, BTreeMap<String, Digest>) {
    let digests = [
        (Condition::Control, set.control.sha256),
        (Condition::Treatment, set.treatment.sha256),
    ];
    (
        set.name.to_string(),
        digests
            .into_iter()
            .map(|(c, d)| (c.to_string(), d))
            .collect(),
    )
}

/// Removes parts of an earlier build that this one does not have.
fn remove_others(ctx: &Ctx, shards: &BTreeMap<String, Shard>) -> Result<(), PhaseError> {
    let dir = ctx.paths.batch_inputs_dir();
    let fail = |source| PhaseError::Read {
        path: dir.clone(),
        source,
    };
    for entry in std::fs::read_dir(&dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".jsonl") && !shards.contains_key(&name) {
            atomic::remove(&entry.path())?;
        }
    }
    Ok(())
}

fn count_items(ctx: &Ctx) -> Result<u64, PhaseError> {
    let mut items = 0;
    let mut line = Vec::new();
    for path in needs(ctx) {
        let mut reader = open(&path)?;
        while read_line(&mut reader, &mut line).map_err(|source| PhaseError::Read {
            path: path.clone(),
            source,
        })? {
            items += u64::from(!line.is_empty());
        }
    }
    Ok(items)
}

/// What a built line holds of an item, borrowed from the prepared line where it can be.
#[derive(Debug, serde::Deserialize)]
struct Source<'a> {
    #[serde(borrow)]
    dataset: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    context: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    question: std::borrow::Cow<'a, str>,
    #[serde(default)]
    choices: Vec<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    custom_id: &'a str,
    body: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    messages: &'a [Message<'a>],
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

fn text_of(file: &TextFile) -> Result<&str, PhaseError> {
    file.text.as_deref().ok_or_else(|| {
        let source = std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "the file is gone; the parts cannot be built again without it",
        );
        PhaseError::Read {
            path: file.path.clone().into(),
            source,
        }
    })
}

/// The user's message: instruction, passage where there is one, question, options where there are any.
fn user_message(instruction: &str, item: &Source<'_>) -> String {
    let mut text = String::with_capacity(
        instruction.len() + item.question.len() + item.context.as_ref().map_or(0, |c| c.len()) + 64,
    );
    text.push_str(instruction);
    if let Some(context) = &item.context {
        text.push_str("\n\nCONTEXT:\n");
        text.push_str(context);
    }
    text.push_str("\n\nQUESTION:\n");
    text.push_str(&item.question);
    if !item.choices.is_empty() {
        text.push_str("\n\nOPTIONS:");
        for (letter, choice) in ('A'..='Z').zip(&item.choices) {
            text.push_str(&format!("\n{letter}. {choice}"));
        }
    }
    text
}

struct Builder<'a> {
    ctx: &'a Ctx,
    sink: &'a dyn Sink,
    done: u64,
    total: u64,
    shards: BTreeMap<String, Shard>,
    made: Vec<Made>,
}

/// The part being written.
struct Open {
    file: AtomicFile,
    path: PathBuf,
    name: String,
    lines: u64,
    bytes: u64,
    item_type: ItemType,
}

impl Builder<'_> {
    fn build(
        &mut self,
        input: &Input,
        plan: InputPlan,
        condition: Condition,
        set: &PromptSet,
        items: u64,
    ) -> Result<(), PhaseError> {
        let prompt = text_of(match condition {
            Condition::Control => &set.control,
            Condition::Treatment => &set.treatment,
        })?;
        let limit = kept_part_size(self.ctx, input, condition)
            .unwrap_or_else(|| self.lines_per_part(items * u64::from(plan.samples)));
        let mut current: Option<Open> = None;
        let (mut number, mut raw, mut out) = (0, Vec::new(), Vec::new());
        for item_type in ItemType::ALL {
            let (path, instruction) = match item_type {
                ItemType::Closed => (
                    self.ctx.paths.closed_book(),
                    text_of(&self.ctx.config.instructions.closed_book)?,
                ),
                ItemType::Open => (
                    self.ctx.paths.open_book(),
                    text_of(&self.ctx.config.instructions.open_book)?,
                ),
            };
            let mut reader = open(&path)?;
            let mut row = 0_u64;
            while read_line(&mut reader, &mut raw).map_err(|source| PhaseError::Read {
                path: path.clone(),
                source,
            })? {
                row += 1;
                if raw.is_empty() {
                    continue;
                }
                let item: Source<'_> =
                    serde_json::from_slice(&raw).map_err(|error| PhaseError::Form {
                        path: path.clone(),
                        reason: format!("line {row}: {error}"),
                        hint: "`--only-step prepare` makes it again",
                    })?;
                out.clear();
                write_samples(
                    &mut out,
                    &item,
                    Samples {
                        input,
                        plan,
                        condition,
                        item_type,
                    },
                    (prompt, instruction),
                );
                let fits = current.as_ref().is_some_and(|part| {
                    part.lines + u64::from(plan.samples) <= limit
                        && part.bytes + out.len() as u64 <= MAX_PART_BYTES
                        && (!plan.types_apart || part.item_type == item_type)
                });
                if !fits {
                    self.close(current.take(), input, condition, plan, number)?;
                    number += 1;
                    current = Some(self.open(input, condition, number, item_type)?);
                }
                if let Some(part) = &mut current {
                    part.file
                        .write_all(&out)
                        .map_err(|source| PhaseError::Write {
                            path: part.path.clone(),
                            source,
                        })?;
                    part.lines += u64::from(plan.samples);
                    part.bytes += out.len() as u64;
                }
                self.advance(plan)?;
            }
        }
        self.close(current, input, condition, plan, number)
    }

    fn lines_per_part(&self, lines: u64) -> u64 {
        let execution = &self.ctx.config.execution;
        let wanted = execution
            .parts_per_dataset
            .map_or(execution.lines_per_part, |parts| {
                lines.div_ceil(u64::from(parts.max(1)))
            });
        wanted.clamp(1, MAX_PART_LINES)
    }

    fn advance(&mut self, plan: InputPlan) -> Result<(), PhaseError> {
        self.done += u64::from(plan.samples);
        if self.done.is_multiple_of(4096) {
            self.sink.progress(self.done, self.total);
            self.sink.heed()?;
        }
        Ok(())
    }

    fn open(
        &self,
        input: &Input,
        condition: Condition,
        number: u32,
        item_type: ItemType,
    ) -> Result<Open, PhaseError> {
        let name = batch_input_name(input.temp, &input.prompt_set, condition, number);
        let path = self.ctx.paths.batch_input(&name)?;
        Ok(Open {
            file: AtomicFile::create(&path)?,
            path,
            name,
            lines: 0,
            bytes: 0,
            item_type,
        })
    }

    fn close(
        &mut self,
        part: Option<Open>,
        input: &Input,
        condition: Condition,
        plan: InputPlan,
        number: u32,
    ) -> Result<(), PhaseError> {
        let Some(Open {
            file,
            path,
            name,
            lines,
            item_type,
            ..
        }) = part
        else {
            return Ok(());
        };
        let made = finish(file, &path, Some(lines))?;
        let shard = Shard {
            prompt_set: input.prompt_set.clone(),
            condition,
            temp: input.temp,
            path: name.clone(),
            lines,
            size: made.sum.bytes,
            sha256: made.sum.sha256,
            part_index: number - 1,
            item_type: plan.types_apart.then_some(item_type),
        };
        self.shards.insert(name, shard);
        self.made.push(made);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Samples<'a> {
    input: &'a Input,
    plan: InputPlan,
    condition: Condition,
    item_type: ItemType,
}

/// Writes the lines of all samples of one item.
fn write_samples(
    out: &mut Vec<u8>,
    item: &Source<'_>,
    of: Samples<'_>,
    (prompt, instruction): (&str, &str),
) {
    let user = user_message(instruction, item);
    let both = [
        Message {
            role: "system",
            content: prompt,
        },
        Message {
            role: "user",
            content: &user,
        },
    ];
    // An empty system prompt is no message: services differ in what they make of one.
    let messages = if prompt.is_empty() {
        &both[1..]
    } else {
        &both[..]
    };
    for sample_index in 0..of.plan.samples {
        let id = CustomId {
            dataset: &item.dataset,
            item_id: &item.id,
            condition: of.condition,
            temp: of.input.temp,
            sample_index,
            item_type: of.item_type,
        };
        let custom_id = id.to_string();
        // Writing to memory cannot fail.
        if write_line(
            out,
            &Line {
                custom_id: &custom_id,
                body: Body { messages },
            },
        )
        .is_err()
        {
            return;
        }
    }
}
