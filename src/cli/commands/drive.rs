//! Commands that move a run: `run`, `resume`, `archive`, `stop`, `migrate`.

use super::{
    DEFAULT_CONFIG, chosen, experiments_dir, gate, latest_or_fail, no_state, overrides, throughput,
};
use crate::cli::args::{self, ArchiveArgs, Format, ResumeArgs, RunArgs, ShowArgs, StopArgs};
use crate::cli::compose::World;
use crate::cli::{Outcome, headless, print};
use crate::config::Overrides;
use crate::domain::{ExitCode, Gate, Phase, StopLevel};
use crate::engine::launch::{self, Force, Host, Request, Which};

/// Drives a request, or prints its plan.
async fn drive_or_plan(host: Host, request: Request, args: &args::DriveArgs) -> Outcome {
    if args.plan_only {
        return super::look::show_plan(&host, &request, args.output.format());
    }
    headless::drive(host, request, args.output.format()).await
}

/// `run`.
pub(in crate::cli) async fn run(world: &World, args: RunArgs) -> Outcome {
    let gate = gate(&args.drive.gate)?;
    let config = args.config.clone().unwrap_or_else(|| DEFAULT_CONFIG.into());
    let overrides = overrides(&args.overrides);
    if overrides.simulate {
        print::note(
            "--simulate (--dry-run): the embedded provider answers instead of the configured one; the plan is -n/--plan-only",
        );
    }
    let dir = experiments_dir(world, &config, &overrides)?;
    let host = world.host(&dir);
    let existing = args
        .run_id
        .as_ref()
        .is_some_and(|id| launch::exists(&host.experiments.run(id)));
    let which = match (&args.run_id, existing, args.resume) {
        (Some(id), true, _) => Which::Existing(id.clone()),
        (Some(id), false, true) => return Err(no_state(&host, id)),
        (None, _, true) => Which::Existing(latest_or_fail(&host)?),
        (wanted, false, false) => Which::New(wanted.clone()),
        (None, true, false) => Which::New(None),
    };
    // An existing run is compared with the config only where one was named: its own effective config is the default.
    let config = if matches!(which, Which::New(_)) || args.config.is_some() {
        Some(config)
    } else {
        None
    };
    let request = Request {
        which,
        config,
        overrides,
        gate,
        force: args.drive.force(),
        condition: args.condition.only(),
    };
    drive_or_plan(host, request, &args.drive).await
}

/// `resume`.
pub(in crate::cli) async fn resume(world: &World, args: ResumeArgs) -> Outcome {
    let gate = gate(&args.drive.gate)?;
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let run_id = chosen(&host, args.run.as_ref())?;
    if !launch::exists(&host.experiments.run(&run_id)) {
        return Err(no_state(&host, &run_id));
    }
    let overrides = Overrides {
        throughput: throughput(&args.throughput),
        ..Overrides::default()
    };
    let request = Request {
        which: Which::Existing(run_id),
        config: args.config,
        overrides,
        gate,
        force: args.drive.force(),
        condition: None,
    };
    drive_or_plan(host, request, &args.drive).await
}

/// `archive`.
pub(in crate::cli) async fn archive(world: &World, args: ArchiveArgs) -> Outcome {
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let request = Request {
        which: Which::Existing(args.run),
        config: None,
        overrides: Overrides::default(),
        gate: Gate::only(Phase::Archive),
        force: Force::No,
        condition: None,
    };
    headless::drive(host, request, args.output.format()).await
}

/// `stop`.
pub(in crate::cli) fn stop(world: &World, args: &StopArgs) -> Outcome {
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let run_id = chosen(&host, args.run.as_ref())?;
    let level = if args.now {
        StopLevel::Now
    } else {
        StopLevel::Soft
    };
    launch::request_stop(&host, &run_id, level)?;
    let driven = crate::store::lock::is_held(&host.experiments.run(&run_id)) == Some(true);
    print::out(&match (driven, level) {
        (true, StopLevel::Soft) => format!(
            "run {run_id}: stop asked for; no new submission, running jobs are waited for and downloaded"
        ),
        (true, StopLevel::Now) => format!(
            "run {run_id}: stop now asked for; running jobs are left at the provider, resume adopts them"
        ),
        (false, _) => format!(
            "run {run_id}: nobody drives it; the stop is noted and cleared at the next resume"
        ),
    });
    Ok(ExitCode::Done)
}

/// `migrate`.
pub(in crate::cli) fn migrate(world: &World, args: &ShowArgs) -> Outcome {
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let run_id = chosen(&host, args.run.as_ref())?;
    let migration = crate::engine::migrate::migrate(&host, &run_id)?;
    if args.output.format() == Format::Json {
        print::json(&migration);
        return Ok(ExitCode::Done);
    }
    let parts = format!(
        "{} parts, {} downloaded, {} in doubt (resume asks the provider)",
        migration.parts, migration.parts_done, migration.parts_in_doubt
    );
    print::out(&match migration.facts {
        0 => format!("run {run_id}: its ledger is there, nothing to migrate; {parts}"),
        facts => format!("run {run_id}: ledger rebuilt with {facts} facts; {parts}"),
    });
    Ok(ExitCode::Done)
}
