//! The console: a pure `update(event) -> effects`, a pure `view`, and one loop that draws when something changed.
//!
//! Flow: input, signals, and answers of `effect` become [`event::Event`]s; [`app::App`] turns them into a new state and
//! [`event::Effect`]s; effects run against a [`Fleet`] in tasks. No screen keeps its own copy of a run: all of them read
//! the newest [`model::RunPicture`].

pub mod app;
mod console;
pub mod cursor;
pub mod dialogs;
mod effect;
pub mod event;
pub mod format;
mod guard;
pub mod keymap;
pub mod model;
pub mod screens;
pub mod shots;
mod terminal;
pub mod theme;
pub mod widgets;

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::domain::ExitCode;
use crate::engine::Fleet;
use crate::sys::Clock;

pub use theme::{GlyphSet, ThemeName};

/// How the console looks and listens.
#[derive(Debug, Clone)]
pub struct ConsoleOptions {
    /// Colours.
    pub theme: ThemeName,
    /// Characters.
    pub glyphs: GlyphSet,
    /// Whether mouse clicks and the wheel are taken from the terminal.
    pub mouse: Mouse,
    /// The time zone of times on screen.
    pub zone: TimeZone,
}

/// Whether the console listens to the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mouse {
    /// Clicks select, the wheel scrolls; the terminal's own selection needs Shift.
    #[default]
    On,
    /// The terminal keeps the mouse.
    Off,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        Self {
            theme: ThemeName::default(),
            glyphs: GlyphSet::default(),
            mouse: Mouse::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// Why the console could not work.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// Standard input or output is no terminal.
    #[error("the console needs a terminal on standard input and output")]
    NoTerminal,
    /// The terminal failed.
    #[error("cannot {doing} the terminal: {source}")]
    Terminal {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: std::io::Error,
    },
}

/// Runs the console until the user leaves it, and gives the exit code of the process.
///
/// Must be awaited on the main thread (`Runtime::block_on`): a panic there restores the terminal, a panic elsewhere is
/// shown as a notice. Fails with [`UiError::NoTerminal`] before anything is touched where there is none.
pub async fn run(
    fleet: Arc<dyn Fleet>,
    clock: Arc<dyn Clock>,
    options: ConsoleOptions,
) -> Result<ExitCode, UiError> {
    if !terminal::is_there() {
        return Err(UiError::NoTerminal);
    }
    console::Console::open(fleet, clock, options)?.run().await
}
