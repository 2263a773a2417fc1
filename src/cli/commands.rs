//! One function for each command: from arguments to a request, and its result to the terminal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Format;
use super::args::{
    self, ArchiveArgs, ConfigCommand, ConsoleArgs, ListArgs, PlanArgs, ResumeArgs, RunArgs,
    ShowArgs, SimArgs, StopArgs,
};
use super::compose::{Place, World, latest, sim_config};
use super::headless;
use super::{Failure, Outcome, print};
use crate::config::{self, Overrides, Throughput};
use crate::domain::{ExitCode, Gate, Phase, RunId, StopLevel};
use crate::engine::catalogue::{Catalogue, standing_of};
use crate::engine::launch::{self, Force, Host, Request, Which};
use crate::engine::{Fleet, LocalFleet};
use crate::ui;

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

/// Drives a request, or prints its plan.
async fn drive_or_plan(host: Host, request: Request, args: &args::DriveArgs) -> Outcome {
    if args.plan_only {
        return show_plan(&host, &request, args.output.format());
    }
    headless::drive(host, request, args.output.format()).await
}

/// `run`.
pub(super) async fn run(world: &World, args: RunArgs) -> Outcome {
    let gate = gate(&args.drive.gate)?;
    let config = args
        .config
        .clone()
        .unwrap_or_else(|| ConsoleDefaults::CONFIG.into());
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

/// Defaults that commands share.
struct ConsoleDefaults;

impl ConsoleDefaults {
    const CONFIG: &'static str = "config/eval_config.yaml";
}

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

/// `resume`.
pub(super) async fn resume(world: &World, args: ResumeArgs) -> Outcome {
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
pub(super) async fn archive(world: &World, args: ArchiveArgs) -> Outcome {
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
pub(super) fn stop(world: &World, args: &StopArgs) -> Outcome {
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

/// `plan`.
pub(super) fn plan(world: &World, args: &PlanArgs) -> Outcome {
    let gate = gate(&args.gate)?;
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let which = match (&args.run, &args.config) {
        (Some(id), _) => Which::Existing(id.clone()),
        (None, Some(_)) => Which::New(None),
        (None, None) => latest(&host)?.map_or(Which::New(None), Which::Existing),
    };
    if let (None, Which::Existing(id)) = (&args.run, &which) {
        print::note(&format!("latest run: {id}"));
    }
    let config = args
        .config
        .clone()
        .or_else(|| matches!(which, Which::New(_)).then(|| ConsoleDefaults::CONFIG.into()));
    let request = Request {
        which,
        config,
        overrides: Overrides::default(),
        gate,
        force: Force::No,
        condition: None,
    };
    show_plan(&host, &request, args.output.format())
}

fn show_plan(host: &Host, request: &Request, format: Format) -> Outcome {
    let plan = launch::plan(host, request)?;
    match format {
        Format::Json => print::json(&plan),
        Format::Text => print::plan(&plan),
    }
    Ok(ExitCode::Done)
}

/// `evaltui` without a terminal, or with `--plan-only`.
pub(super) fn front_plan(world: &World, args: &ConsoleArgs) -> Outcome {
    let overrides = Overrides {
        experiments_dir: args.experiments_dir.clone(),
        ..Overrides::default()
    };
    let host = world.host(&experiments_dir(world, &args.config, &overrides)?);
    let (which, config) = match latest(&host)? {
        Some(id) => (Which::Existing(id), None),
        None => (Which::New(None), Some(args.config.clone())),
    };
    show_plan(
        &host,
        &Request {
            which,
            config,
            overrides,
            gate: Gate::default(),
            force: Force::No,
            condition: None,
        },
        Format::Text,
    )
}

/// `list`.
pub(super) fn list(world: &World, args: &ListArgs) -> Outcome {
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let runs = Catalogue::default().list(&host.experiments, &[])?;
    if args.output.json {
        print::json(
            &runs
                .iter()
                .map(print::RunJson::of_summary)
                .collect::<Vec<_>>(),
        );
    } else {
        print::runs(&runs);
    }
    Ok(ExitCode::Done)
}

/// `show`.
pub(super) fn show(world: &World, args: &ShowArgs) -> Outcome {
    let host = world.host(&world.experiments_dir(args.place.experiments_dir.as_deref()));
    let run_id = chosen(&host, args.run.as_ref())?;
    let paths = host.experiments.run(&run_id);
    if !launch::exists(&paths) {
        return Err(no_state(&host, &run_id));
    }
    let (view, _) = launch::read_view(&run_id, &paths)?;
    let standing = standing_of(&view, &paths);
    if args.output.json {
        print::json(&print::RunJson::of_view(&view, standing));
    } else {
        print::run(&view, standing, &paths.root().display().to_string());
    }
    Ok(ExitCode::Done)
}

/// `migrate`.
pub(super) fn migrate(world: &World, args: &ShowArgs) -> Outcome {
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

/// `sim`.
pub(super) async fn sim(world: &World, args: &SimArgs) -> Outcome {
    let config = config::load(&args.config, &Overrides::default(), &world.env)?;
    let items = args
        .items
        .clone()
        .unwrap_or_else(|| config.paths.prepared_dir.clone().into());
    let place = Place {
        state_dir: args.state_dir.clone(),
        items,
        port: args.port,
    };
    let settings = sim_config(&config, place, Arc::clone(&world.clock));
    let failed = |error: String| Failure::new(ExitCode::Failed, error);
    let server = crate::sim::SimServer::start(settings)
        .await
        .map_err(|error| failed(error.to_string()))?;
    print::out(&format!(
        "embedded provider on {} (account {}); Ctrl-C ends it, its jobs stay in {}",
        server.base_url(),
        crate::sim::ACCOUNT,
        args.state_dir.display()
    ));
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| failed(error.to_string()))?;
    server.shutdown().await;
    Ok(ExitCode::Done)
}

/// `config`.
pub(super) fn config(world: &World, command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Check { file } => {
            let config = config::load(file, &Overrides::default(), &world.env)?;
            print::out(&format!(
                "{}: valid; {} trials, {} prompt sets, {} datasets",
                file.display(),
                config.trials.len(),
                config.prompt_sets.len(),
                config.datasets.len()
            ));
        }
        ConfigCommand::Show { file, output } => {
            let config = config::load(file, &Overrides::default(), &world.env)?;
            if output.json {
                print::json(&config.effective);
            } else {
                print::out(config.effective_yaml().trim_end());
            }
        }
        ConfigCommand::Schema => print::json(&config::schema()),
    }
    Ok(ExitCode::Done)
}

/// `completions`.
pub(super) fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "evaltui", &mut script);
    print::out(String::from_utf8_lossy(&script).trim_end());
}

/// `shots`.
pub(super) fn shots(dir: &Path) -> Outcome {
    crate::store::atomic::create_dir_all(dir)?;
    for (name, svg) in ui::shots::shots() {
        let path = dir.join(name);
        crate::store::atomic::write(&path, svg.as_bytes())?;
        print::out(&path.display().to_string());
    }
    Ok(ExitCode::Done)
}

/// The console.
pub(super) async fn console(world: &World, args: &ConsoleArgs) -> Outcome {
    let overrides = Overrides {
        experiments_dir: args.experiments_dir.clone(),
        ..Overrides::default()
    };
    let host = world.host(&experiments_dir(world, &args.config, &overrides)?);
    let fleet: Arc<dyn Fleet> = Arc::new(LocalFleet::new(host, overrides, args.config.clone()));
    let exit = ui::run(
        fleet,
        Arc::clone(&world.clock),
        console_options(world, args),
    )
    .await;
    exit.map_err(|error| Failure::new(ExitCode::Failed, error.to_string()))
}

fn console_options(world: &World, args: &ConsoleArgs) -> ui::ConsoleOptions {
    // NO_COLOR asks for no colours at all; the theme without any shows state by glyph, word and weight.
    let mono = world.env.get(crate::sys::env::NO_COLOR).is_some();
    ui::ConsoleOptions {
        theme: match args.theme {
            _ if mono => ui::ThemeName::Mono,
            args::Theme::Auto => ui::ThemeName::default(),
            args::Theme::Dark => ui::ThemeName::Dark,
            args::Theme::Light => ui::ThemeName::Light,
            args::Theme::Ansi => ui::ThemeName::Ansi16,
            args::Theme::Mono => ui::ThemeName::Mono,
        },
        glyphs: match args.glyphs {
            args::Glyphs::Unicode => ui::GlyphSet::Unicode,
            args::Glyphs::Ascii => ui::GlyphSet::Ascii,
        },
        mouse: if args.no_mouse {
            ui::Mouse::Off
        } else {
            ui::Mouse::On
        },
        zone: jiff::tz::TimeZone::system(),
    }
}
