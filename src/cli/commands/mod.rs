//! From arguments to a request, and its result to the terminal: `drive` for what moves a run, `look` for what only reads, `serve`
//! for the console and the embedded provider. What they share is here: which folder, which run, which settings.

mod drive;
mod look;
mod serve;

use std::path::{Path, PathBuf};

use super::args;
use super::compose::{World, latest};
use super::{Failure, print};
use crate::config::{self, Overrides, Throughput};
use crate::domain::{Gate, RunId};
use crate::engine::launch::Host;

pub(super) use drive::{archive, migrate, resume, run, stop};
pub(super) use look::{completions, config, front_plan, list, plan, show};
pub(super) use serve::{console, shots, sim};

fn throughput(args: &args::ThroughputArgs) -> Throughput {
    Throughput {
        max_concurrent_jobs: args.max_concurrent_jobs,
        parts_per_dataset: args.parts_per_dataset,
        lines_per_part: args.lines_per_part,
    }
}

fn overrides(args: &args::OverrideArgs) -> Overrides {
    Overrides {
        prompt_sets: args.prompt_sets.clone(),
        temps: args.temps.clone(),
        limit_items: args.limit_items,
        simulate: args.simulate,
        account_id: args.account_id.clone(),
        experiments_dir: args.experiments_dir.clone(),
        throughput: throughput(&args.throughput),
    }
}

fn gate(args: &args::GateArgs) -> Result<Gate, Failure> {
    args.gate().map_err(Failure::usage)
}

/// The config of a new run where none is named.
const DEFAULT_CONFIG: &str = "config/eval_config.yaml";

/// The folder of the runs: flag, environment, the config's own, default.
fn experiments_dir(
    world: &World,
    config: &Path,
    overrides: &Overrides,
) -> Result<PathBuf, Failure> {
    if overrides.experiments_dir.is_some()
        || world.env.get(crate::sys::env::EXPERIMENTS_DIR).is_some()
        || !config.exists()
    {
        return Ok(world.experiments_dir(overrides.experiments_dir.as_deref()));
    }
    Ok(config::load(config, overrides, &world.env)?
        .paths
        .experiments_dir
        .into())
}

fn no_state(host: &Host, run_id: &RunId) -> Failure {
    let dir = host.experiments.path().display();
    Failure::usage(format!(
        "--resume: there is no state of run {run_id} in {dir}\n  `evaltui resume RUN` continues another run (`evaltui list` names them)\n  `evaltui migrate {run_id}` takes in a run folder of the predecessor\n  `evaltui run --plan-only` shows what a new run would do"
    ))
}

fn latest_or_fail(host: &Host) -> Result<RunId, Failure> {
    match latest(host)? {
        Some(run_id) => {
            print::note(&format!("latest run: {run_id}"));
            Ok(run_id)
        }
        None => Err(Failure::usage(format!(
            "there is no run in {}; `evaltui run` makes one, `evaltui resume RUN --experiments-dir DIR` looks elsewhere, `evaltui run --plan-only` shows what it would do",
            host.experiments.path().display()
        ))),
    }
}

fn chosen(host: &Host, run: Option<&RunId>) -> Result<RunId, Failure> {
    run.map_or_else(|| latest_or_fail(host), |id| Ok(id.clone()))
}
