//! What can be typed. The only door to clap.
//!
//! Flags are kebab-case; the predecessor's spellings with underscores are accepted everywhere.

mod groups;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::domain::RunId;

pub use groups::{
    ConditionArg, DriveArgs, Format, GateArgs, OutputArgs, OverrideArgs, PlaceArgs, ThroughputArgs,
};

/// Flight deck for LLM batch evaluations. Without a command it opens the console.
#[derive(Debug, Parser)]
#[command(name = "evaltui", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; the console where absent.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Settings of the console and of runs begun in it.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl Cli {
    /// Reads the process's arguments; the error knows its own text and stream.
    pub fn read() -> Result<Self, clap::Error> {
        Self::try_parse()
    }
}

/// Settings of the console.
#[derive(Debug, Clone, Args)]
pub struct ConsoleArgs {
    /// Config file for new runs
    #[arg(long, value_name = "FILE", default_value = "config/eval_config.yaml")]
    pub config: PathBuf,
    /// Print the plan instead of opening the console
    #[arg(short = 'n', long, alias = "plan_only")]
    pub plan_only: bool,
    /// Folder of the runs [default: `paths.experiments_dir` of the config]
    #[arg(long, value_name = "DIR", alias = "experiments_dir")]
    pub experiments_dir: Option<String>,
    /// Colours of the console
    #[arg(long, value_enum, default_value_t = Theme::Auto)]
    pub theme: Theme,
    /// Characters of the console
    #[arg(long, value_enum, default_value_t = Glyphs::Unicode)]
    pub glyphs: Glyphs,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub no_mouse: bool,
}

/// Colours of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// By the terminal.
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// The terminal's 16 colours.
    Ansi,
    /// No colours.
    Mono,
}

/// Characters of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Glyphs {
    /// Box drawing and symbols.
    Unicode,
    /// Plain ASCII.
    Ascii,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new run and drive it, or continue an existing one
    Run(RunArgs),
    /// Continue a run exactly where it was
    Resume(ResumeArgs),
    /// Ask for a stop; running jobs are waited for and downloaded
    Stop(StopArgs),
    /// Say what would be done and why; changes nothing
    Plan(PlanArgs),
    /// List the runs
    List(ListArgs),
    /// Show one run
    Show(ShowArgs),
    /// Rebuild a lost ledger from `run_state.json` and the trial manifests
    Migrate(ShowArgs),
    /// Write a manifest with the digest of every artifact of a complete run
    Archive(ArchiveArgs),
    /// Serve the embedded provider over HTTP on loopback
    Sim(SimArgs),
    /// Check, show or describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Draw the console's screens as SVG files
    #[command(hide = true)]
    Shots {
        /// The folder to write to
        dir: PathBuf,
    },
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Config file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The run's id; an existing run is continued [default: made from the time]
    #[arg(long, value_name = "ID", alias = "run_id")]
    pub run_id: Option<RunId>,
    /// Insist that the run exists
    #[arg(long)]
    pub resume: bool,
    /// Submit the parts of one condition only
    #[arg(long, value_enum, default_value_t = ConditionArg::Both)]
    pub condition: ConditionArg,
    /// How it is driven.
    #[command(flatten)]
    pub drive: DriveArgs,
    /// Settings over the config file.
    #[command(flatten)]
    pub overrides: OverrideArgs,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run [default: the latest]
    pub run: Option<RunId>,
    /// Config file to compare and continue with [default: the run's own]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How it is driven.
    #[command(flatten)]
    pub drive: DriveArgs,
    /// Folder of the runs.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Settings that change no answer.
    #[command(flatten)]
    pub throughput: ThroughputArgs,
}

/// `stop`.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// The run [default: the latest]
    pub run: Option<RunId>,
    /// Do not wait for running jobs; they stay adoptable
    #[arg(long)]
    pub now: bool,
    /// Folder of the runs.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The run [default: the latest, or a new one from the config where there is none]
    pub run: Option<RunId>,
    /// Plan a new run from this config
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    pub config: Option<PathBuf>,
    /// As JSON.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The range of phases.
    #[command(flatten)]
    pub gate: GateArgs,
    /// Folder of the runs.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// As JSON.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Folder of the runs.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run [default: the latest]
    pub run: Option<RunId>,
    /// As JSON.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Folder of the runs.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `archive`.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// The run
    pub run: RunId,
    /// As JSON.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Folder of the runs.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `sim`.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// Config whose `provider.sim` section says how to answer
    #[arg(long, value_name = "FILE", default_value = "config/eval_config.yaml")]
    pub config: PathBuf,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8765)]
    pub port: u16,
    /// Folder of its datasets and jobs
    #[arg(
        long,
        value_name = "DIR",
        alias = "state_dir",
        default_value = "experiments/.sim/served"
    )]
    pub state_dir: PathBuf,
    /// Prepared items that the oracle answers from: a folder with `open_book.jsonl` and `closed_book.jsonl`
    #[arg(long, value_name = "DIR")]
    pub items: Option<PathBuf>,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report every problem of a config file
    Check {
        /// The file
        #[arg(default_value = "config/eval_config.yaml")]
        file: PathBuf,
    },
    /// Print the effective configuration: defaults, file and environment merged
    Show {
        /// The file
        #[arg(default_value = "config/eval_config.yaml")]
        file: PathBuf,
        /// As JSON.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Print the JSON Schema of the configuration
    Schema,
}

/// The command as clap sees it, for completions.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Gate, Phase};

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_predecessors_spellings_are_understood() {
        let words = [
            "evaltui",
            "run",
            "--run_id",
            "x",
            "--only_step",
            "parse",
            "--max_concurrent_jobs",
            "2",
            "--limit_items",
            "5",
            "--dry_run",
            "--plan_only",
        ];
        let cli = Cli::try_parse_from(words).expect("accepted");
        let Some(Command::Run(run)) = cli.command else {
            panic!("not a run")
        };
        assert_eq!(run.drive.gate.gate(), Ok(Gate::only(Phase::Parse)));
        assert!(run.overrides.simulate && run.drive.plan_only);
        let words = [
            "evaltui",
            "run",
            "--from_step",
            "stats",
            "--to_step",
            "report",
            "--prompt_sets",
            "a,b",
            "--temps",
            "0,0.7",
            "--parts_per_dataset",
            "3",
            "--lines_per_part",
            "9",
            "--account_id",
            "me",
        ];
        assert!(Cli::try_parse_from(words).is_ok());
    }

    #[test]
    fn an_unknown_step_lists_the_allowed_ones() {
        let gate = GateArgs {
            only_step: Some("prase".into()),
            ..GateArgs::default()
        };
        assert!(
            gate.gate()
                .is_err_and(|e| e.contains("prepare, build") && e.contains("parse?"))
        );
        let gate = GateArgs {
            from_step: Some("report".into()),
            to_step: Some("parse".into()),
            ..GateArgs::default()
        };
        assert!(gate.gate().is_err_and(|e| e.contains("comes after")));
    }
}
