//! Commands that only read: `plan`, `list`, `show`, `config`, `completions`.

use super::{DEFAULT_CONFIG, chosen, experiments_dir, gate, no_state};
use crate::cli::args::{self, ConfigCommand, ConsoleArgs, Format, ListArgs, PlanArgs, ShowArgs};
use crate::cli::compose::{World, latest};
use crate::cli::{Outcome, print};
use crate::config::{self, Overrides};
use crate::domain::{ExitCode, Gate};
use crate::engine::catalogue::{Catalogue, standing_of};
use crate::engine::launch::{self, Force, Host, Request, Which};

/// `plan`.
pub(in crate::cli) fn plan(world: &World, args: &PlanArgs) -> Outcome {
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
        .or_else(|| matches!(which, Which::New(_)).then(|| DEFAULT_CONFIG.into()));
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

/// Prints a plan.
pub(super) fn show_plan(host: &Host, request: &Request, format: Format) -> Outcome {
    let plan = launch::plan(host, request)?;
    match format {
        Format::Json => print::json(&plan),
        Format::Text => print::plan(&plan),
    }
    Ok(ExitCode::Done)
}

/// `evaltui` without a terminal, or with `--plan-only`.
pub(in crate::cli) fn front_plan(world: &World, args: &ConsoleArgs) -> Outcome {
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
pub(in crate::cli) fn list(world: &World, args: &ListArgs) -> Outcome {
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
pub(in crate::cli) fn show(world: &World, args: &ShowArgs) -> Outcome {
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

/// `config`.
pub(in crate::cli) fn config(world: &World, command: &ConfigCommand) -> Outcome {
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
pub(in crate::cli) fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "evaltui", &mut script);
    print::out(String::from_utf8_lossy(&script).trim_end());
}
