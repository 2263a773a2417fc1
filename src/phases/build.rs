//! Build: prepared items to parts of batch input, one input per (prompt set, temperature, condition).
//!
//! Streams the prepared files once per input. A line is what the predecessor wrote, byte for byte:
//! `{"custom_id": ..., "body": {"messages": [...]}}`; model and decoding settings belong to the job, not to the line.
//! All samples of an item stay in one part. Where the output limits of open and closed items differ, a part holds only one
//! of the two, so that each job has one limit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

mod census;

use super::ctx::{Ctx, Made, Outcome, Sink, finish, open, write_json};
use super::error::PhaseError;
use crate::config::settings::{PromptSet, TextFile};
use crate::domain::ids::PromptSetName;
use crate::domain::json::{read_line, write_line};
use crate::domain::{Condition, CustomId, Digest, ItemType, Temperature, Trial, WorkState};
use crate::plan::parts::BUILD_MANIFEST_VERSION;
use crate::plan::{BuildManifest, Shard};
use crate::store::{AtomicFile, RunPaths, atomic, batch_input_name};

/// Parts stay below this size: services refuse files far below their documented limit (batch-apis.md, section 3.4).
const MAX_PART_BYTES: u64 = 95_000_000;
/// Most requests in one part: the smallest documented limit of the services (batch-apis.md, section 1).
const MAX_PART_LINES: u64 = 50_000;
/// The way on where a prepared file is not as expected.
const REPAIR: &str = "`--only-step prepare` makes it again";

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
    let items = census::count_items(&ctx.paths)?;
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
        items,
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
            let series = writer.series((input, *plan), set, condition)?;
            writer.build(series)?;
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
        let (path, name) = (entry.path(), entry.file_name());
        let is_part = path.extension().is_some_and(|end| end == "jsonl");
        if is_part && !shards.contains_key(&*name.to_string_lossy()) {
            atomic::remove(&path)?;
        }
    }
    Ok(())
}

fn prepared_file(paths: &RunPaths, item_type: ItemType) -> PathBuf {
    match item_type {
        ItemType::Closed => paths.closed_book(),
        ItemType::Open => paths.open_book(),
    }
}

/// Shows every line of a file that is not empty, with its number from 1.
fn for_each_line(
    path: &Path,
    mut see: impl FnMut(u64, &[u8]) -> Result<(), PhaseError>,
) -> Result<(), PhaseError> {
    let mut reader = open(path)?;
    let (mut row, mut line) = (0, Vec::new());
    while read_line(&mut reader, &mut line).map_err(|source| PhaseError::Read {
        path: path.to_path_buf(),
        source,
    })? {
        row += 1;
        if !line.is_empty() {
            see(row, &line)?;
        }
    }
    Ok(())
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
            // Writing to memory cannot fail.
            write!(text, "\n{letter}. {choice}").ok();
        }
    }
    text
}

/// The parts of one input under one condition: what they have in common.
#[derive(Clone, Copy)]
struct Series<'a> {
    input: &'a Input,
    plan: InputPlan,
    condition: Condition,
    prompt: &'a str,
    most_lines: u64,
}

struct Builder<'a> {
    ctx: &'a Ctx,
    sink: &'a dyn Sink,
    items: u64,
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
    number: u32,
    lines: u64,
    bytes: u64,
    item_type: ItemType,
}

impl<'a> Builder<'a> {
    /// What the parts of an input have in common under a condition.
    fn series<'s>(
        &self,
        (input, plan): (&'s Input, InputPlan),
        set: &'s PromptSet,
        condition: Condition,
    ) -> Result<Series<'s>, PhaseError> {
        let prompt = text_of(match condition {
            Condition::Control => &set.control,
            Condition::Treatment => &set.treatment,
        })?;
        let most_lines = kept_part_size(self.ctx, input, condition)
            .unwrap_or_else(|| self.lines_per_part(self.items * u64::from(plan.samples)));
        Ok(Series {
            input,
            plan,
            condition,
            prompt,
            most_lines,
        })
    }

    fn build(&mut self, of: Series<'_>) -> Result<(), PhaseError> {
        let ctx: &'a Ctx = self.ctx;
        let instructions = &ctx.config.instructions;
        let mut current: Option<Open> = None;
        let mut out = Vec::new();
        for item_type in ItemType::ALL {
            let instruction = text_of(match item_type {
                ItemType::Closed => &instructions.closed_book,
                ItemType::Open => &instructions.open_book,
            })?;
            let path = prepared_file(&ctx.paths, item_type);
            for_each_line(&path, |row, line| {
                let item: Source<'_> =
                    serde_json::from_slice(line).map_err(|error| PhaseError::Form {
                        path: path.clone(),
                        reason: format!("line {row}: {error}"),
                        hint: REPAIR,
                    })?;
                out.clear();
                write_samples(&mut out, &item, of, (item_type, instruction));
                self.add(&mut current, of, item_type, &out)?;
                self.advance(of.plan)
            })?;
        }
        self.close(current, of)
    }

    /// Adds the lines of an item to the part being written, or to the next one where they do not fit.
    fn add(
        &mut self,
        current: &mut Option<Open>,
        of: Series<'_>,
        item_type: ItemType,
        lines: &[u8],
    ) -> Result<(), PhaseError> {
        let (samples, bytes) = (u64::from(of.plan.samples), lines.len() as u64);
        let mut part = match current.take() {
            Some(part)
                if part.lines + samples <= of.most_lines
                    && part.bytes + bytes <= MAX_PART_BYTES
                    && (!of.plan.types_apart || part.item_type == item_type) =>
            {
                part
            }
            full => {
                let number = full.as_ref().map_or(0, |part| part.number) + 1;
                self.close(full, of)?;
                self.open(of, number, item_type)?
            }
        };
        part.file
            .write_all(lines)
            .map_err(|source| PhaseError::Write {
                path: part.path.clone(),
                source,
            })?;
        part.lines += samples;
        part.bytes += bytes;
        *current = Some(part);
        Ok(())
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

    fn open(&self, of: Series<'_>, number: u32, item_type: ItemType) -> Result<Open, PhaseError> {
        let name = batch_input_name(of.input.temp, &of.input.prompt_set, of.condition, number);
        let path = self.ctx.paths.batch_input(&name)?;
        Ok(Open {
            file: AtomicFile::create(&path)?,
            path,
            name,
            number,
            lines: 0,
            bytes: 0,
            item_type,
        })
    }

    fn close(&mut self, part: Option<Open>, of: Series<'_>) -> Result<(), PhaseError> {
        let Some(Open {
            file,
            path,
            name,
            number,
            lines,
            item_type,
            ..
        }) = part
        else {
            return Ok(());
        };
        let made = finish(file, &path, Some(lines))?;
        let shard = Shard {
            prompt_set: of.input.prompt_set.clone(),
            condition: of.condition,
            temp: of.input.temp,
            path: name.clone(),
            lines,
            size: made.sum.bytes,
            sha256: made.sum.sha256,
            part_index: number - 1,
            item_type: of.plan.types_apart.then_some(item_type),
        };
        self.shards.insert(name, shard);
        self.made.push(made);
        Ok(())
    }
}

/// Writes the lines of all samples of one item.
fn write_samples(
    out: &mut Vec<u8>,
    item: &Source<'_>,
    of: Series<'_>,
    (item_type, instruction): (ItemType, &str),
) {
    let user = user_message(instruction, item);
    let both = [
        Message {
            role: "system",
            content: of.prompt,
        },
        Message {
            role: "user",
            content: &user,
        },
    ];
    // An empty system prompt is no message: services differ in what they make of one.
    let messages = if of.prompt.is_empty() {
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
            item_type,
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
