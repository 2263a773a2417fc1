//! Groups of flags that several commands share.

use clap::{Args, ValueEnum};

use crate::domain::{Condition, Gate, Phase};
use crate::engine::Force;

/// Which conditions are submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConditionArg {
    /// Control and treatment.
    Both,
    /// Control only.
    Control,
    /// Treatment only.
    Treatment,
}

impl ConditionArg {
    /// The condition, where one is named.
    pub fn only(self) -> Option<Condition> {
        match self {
            Self::Both => None,
            Self::Control => Some(Condition::Control),
            Self::Treatment => Some(Condition::Treatment),
        }
    }
}

/// The range of phases.
#[derive(Debug, Clone, Default, Args)]
pub struct GateArgs {
    /// Do one step only
    #[arg(long, value_name = "STEP", alias = "only_step", alias = "only", conflicts_with_all = ["from_step", "to_step"])]
    pub only_step: Option<String>,
    /// Begin with this step
    #[arg(long, value_name = "STEP", alias = "from_step", alias = "from")]
    pub from_step: Option<String>,
    /// End with this step
    #[arg(long, value_name = "STEP", alias = "to_step", alias = "to")]
    pub to_step: Option<String>,
    /// Archive at the end
    #[arg(long)]
    pub archive: bool,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How results are printed.
#[derive(Debug, Clone, Default, Args)]
pub struct OutputArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

impl OutputArgs {
    /// The format asked for.
    pub fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Text
        }
    }
}

/// How a run is driven.
#[derive(Debug, Clone, Default, Args)]
pub struct DriveArgs {
    /// Print the plan and change nothing
    #[arg(short = 'n', long, alias = "plan_only")]
    pub plan_only: bool,
    /// Accept a changed configuration; do fresh local steps of the gate again
    #[arg(long)]
    pub force: bool,
    /// The range of phases.
    #[command(flatten)]
    pub gate: GateArgs,
    /// The plan or the result as JSON.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl DriveArgs {
    /// Whether to go on where a decision is needed.
    pub fn force(&self) -> Force {
        if self.force { Force::Yes } else { Force::No }
    }
}

impl GateArgs {
    /// The gate these flags select. The error lists the allowed steps.
    pub fn gate(&self) -> Result<Gate, String> {
        let read = |text: &Option<String>| {
            text.as_deref()
                .map(str::parse::<Phase>)
                .transpose()
                .map_err(|error| error.to_string())
        };
        if let Some(only) = read(&self.only_step)? {
            return Ok(Gate::only(only));
        }
        let from = read(&self.from_step)?.unwrap_or(Phase::Prepare);
        let last = if self.archive {
            Phase::Archive
        } else {
            Phase::Report
        };
        let to = read(&self.to_step)?.unwrap_or(last.max(from));
        Gate::new(from, to).ok_or_else(|| {
            format!(
                "--from-step {from} comes after --to-step {to}; the order is {}",
                Phase::ALL.map(Phase::as_str).join(", ")
            )
        })
    }
}

/// Settings that lie over the config file.
#[derive(Debug, Clone, Default, Args)]
pub struct OverrideArgs {
    /// Prompt sets to run, separated by commas
    #[arg(
        long,
        value_name = "NAMES",
        alias = "prompt_sets",
        value_delimiter = ','
    )]
    pub prompt_sets: Vec<String>,
    /// Temperatures to run, separated by commas
    #[arg(long, value_name = "TEMPS", value_delimiter = ',')]
    pub temps: Vec<f64>,
    /// Most items of each dataset
    #[arg(long, value_name = "N", alias = "limit_items", alias = "limit")]
    pub limit_items: Option<u64>,
    /// Use the embedded provider instead of the configured one (the predecessor's `--dry_run`)
    #[arg(long, alias = "dry-run", alias = "dry_run")]
    pub simulate: bool,
    /// Account at the provider
    #[arg(long, value_name = "ID", alias = "account_id")]
    pub account_id: Option<String>,
    /// Folder of the runs [default: `paths.experiments_dir` of the config]
    #[arg(long, value_name = "DIR", alias = "experiments_dir")]
    pub experiments_dir: Option<String>,
    /// Settings that change no answer.
    #[command(flatten)]
    pub throughput: ThroughputArgs,
}

/// Settings that change no answer.
#[derive(Debug, Clone, Default, Args)]
pub struct ThroughputArgs {
    /// Jobs at the provider at once
    #[arg(long, value_name = "N", alias = "max_concurrent_jobs")]
    pub max_concurrent_jobs: Option<u32>,
    /// Parts of each prompt set, temperature and condition (fixed once built)
    #[arg(long, value_name = "N", alias = "parts_per_dataset")]
    pub parts_per_dataset: Option<u32>,
    /// Requests in a part (fixed once built)
    #[arg(long, value_name = "N", alias = "lines_per_part")]
    pub lines_per_part: Option<u64>,
}

/// Where the runs are.
#[derive(Debug, Clone, Default, Args)]
pub struct PlaceArgs {
    /// Folder of the runs [default: experiments]
    #[arg(long, value_name = "DIR", alias = "experiments_dir")]
    pub experiments_dir: Option<String>,
}
