//! Commands that stay up: the console and the embedded provider; and the pictures of the console.

use std::path::Path;
use std::sync::Arc;

use super::experiments_dir;
use crate::cli::args::{self, ConsoleArgs, SimArgs};
use crate::cli::compose::{Place, World, sim_config};
use crate::cli::{Failure, Outcome, print};
use crate::config::{self, Overrides};
use crate::domain::ExitCode;
use crate::engine::{Fleet, LocalFleet};
use crate::ui;

/// The variable that holds the key which the served provider accepts.
const SIM_KEY: &str = "EVALTUI_SIM_KEY";
/// The key where the variable is not set.
const DEFAULT_KEY: &str = "sim";

/// `sim`.
pub(in crate::cli) async fn sim(world: &World, args: &SimArgs) -> Outcome {
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
    let mut settings = sim_config(&config, place, Arc::clone(&world.clock));
    // A fixed key, because its clients are other processes; it guards nothing but made-up answers on loopback.
    let key = world.env.get(SIM_KEY).unwrap_or(DEFAULT_KEY).to_owned();
    settings.api_key = Some(key.into());
    let failed = |error: String| Failure::new(ExitCode::Failed, error);
    let server = crate::sim::SimServer::start(settings)
        .await
        .map_err(|error| failed(error.to_string()))?;
    print::out(&format!(
        "embedded provider on {}, account {}, key from {SIM_KEY} (default {DEFAULT_KEY}); Ctrl-C ends it, its jobs stay in {}",
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

/// `shots`.
pub(in crate::cli) fn shots(dir: &Path) -> Outcome {
    crate::store::atomic::create_dir_all(dir)?;
    for (name, svg) in ui::shots::shots() {
        let path = dir.join(name);
        crate::store::atomic::write(&path, svg.as_bytes())?;
        print::out(&path.display().to_string());
    }
    Ok(ExitCode::Done)
}

/// The console.
pub(in crate::cli) async fn console(world: &World, args: &ConsoleArgs) -> Outcome {
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
