//! The state of the console and what each event does to it. No input or output, no clock, no run state of its own.

mod answers;
mod flows;
mod keys;
mod lists;
#[cfg(test)]
mod tests;
mod view;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tui_input::Input;

use crate::domain::{ExitCode, LogLevel, RunId, StopLevel};
use crate::engine::{RunSummary, Standing};

use super::ConsoleOptions;
use super::dialogs::Dialog;
use super::event::{Effect, Event};
use super::keymap::Context;
use super::model::RunPicture;
use super::screens::cockpit::Cockpit;
use super::screens::log::Log;
use super::screens::plan::PlanScreen;
use super::screens::queue::Queue;
use super::screens::runs::Runs;
use super::theme::{GlyphSet, Theme};
use super::widgets::pen::Hits;

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// List of runs.
    Runs,
    /// One run at a glance.
    Cockpit,
    /// Plan and gate.
    Plan,
    /// Parts.
    Queue,
    /// Events.
    Log,
}

impl Place {
    /// Its part of the key table.
    pub fn context(self) -> Context {
        match self {
            Self::Runs => Context::Runs,
            Self::Cockpit => Context::Cockpit,
            Self::Plan => Context::Plan,
            Self::Queue => Context::Queue,
            Self::Log => Context::Log,
        }
    }
}

/// A sentence for the user, kept until the console ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// What, safe to print.
    pub text: String,
}

/// Notices kept.
const NOTICES_KEPT: usize = 200;

/// On the way out: how runs are stopped, and the exit code then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// How runs driven here are stopped.
    pub level: StopLevel,
    /// The exit code once they are.
    pub exit: ExitCode,
}

/// Who asked to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A key: may be asked back.
    Key,
    /// A signal: nobody is there to answer.
    Signal,
}

/// What does not change while the console runs.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The folder of the runs.
    pub experiments: String,
    /// The config of a new run.
    pub default_config: PathBuf,
    /// Zone of times on screen.
    pub zone: TimeZone,
    /// Styles.
    pub theme: Theme,
    /// Characters.
    pub glyphs: GlyphSet,
}

impl Setting {
    /// From the options, on a terminal with that many colours.
    pub fn new(options: &ConsoleOptions, colours: u16) -> Self {
        Self {
            experiments: "experiments".to_owned(),
            default_config: PathBuf::from("config/eval_config.yaml"),
            zone: options.zone.clone(),
            theme: Theme::new(options.theme, colours),
            glyphs: options.glyphs,
        }
    }
}

/// The console.
#[derive(Debug)]
pub struct App {
    /// What does not change.
    pub setting: Setting,
    /// The present time, as of the last event.
    pub now: Timestamp,
    /// The size of the terminal.
    pub size: Size,
    /// Screens, the top one last; the list of runs is always the first.
    pub stack: Vec<Place>,
    /// List of runs.
    pub runs: Runs,
    /// The run of the other screens.
    pub open: Option<RunId>,
    /// The newest picture of the watched run.
    pub picture: Option<Arc<RunPicture>>,
    /// Why the watched run cannot be seen.
    pub blind: Option<String>,
    /// Cockpit.
    pub cockpit: Cockpit,
    /// Queue, in the cockpit and on its own.
    pub queue: Queue,
    /// Log, in the cockpit and on its own.
    pub log: Log,
    /// Plan.
    pub plan: Option<PlanScreen>,
    /// What lies over the screen.
    pub dialog: Option<Dialog>,
    /// The filter being typed.
    pub prompt: Option<Input>,
    /// Notices, oldest first.
    pub notices: VecDeque<Notice>,
    /// Runs driven by this process.
    pub driving: Vec<RunId>,
    /// On the way out.
    pub leaving: Option<Leaving>,
    /// Whether something must be drawn.
    pub dirty: bool,
    asked_to_leave: Option<Asker>,
    hits: Hits,
    half: Option<char>,
    watched: Option<RunId>,
    focused: bool,
    questions: u64,
}

impl App {
    /// The console before anything is known.
    pub fn new(setting: Setting, now: Timestamp, size: Size) -> Self {
        Self {
            setting,
            now,
            size,
            stack: vec![Place::Runs],
            runs: Runs::default(),
            open: None,
            picture: None,
            blind: None,
            cockpit: Cockpit::default(),
            queue: Queue::default(),
            log: Log::default(),
            plan: None,
            dialog: None,
            prompt: None,
            notices: VecDeque::new(),
            driving: Vec::new(),
            leaving: None,
            dirty: true,
            asked_to_leave: None,
            hits: Hits::default(),
            half: None,
            watched: None,
            focused: true,
            questions: 0,
        }
    }

    /// Takes an event in; says what is to be done.
    pub fn update(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        self.now = now;
        let mut effects = if let Event::Input(input) = event {
            self.input(input)
        } else {
            self.answer(event)
        };
        effects.extend(self.watch_what_is_shown());
        effects
    }

    /// The top screen.
    pub fn place(&self) -> Place {
        self.stack.last().copied().unwrap_or(Place::Runs)
    }

    /// The run that `s`, `r` and `p` mean.
    pub fn current(&self) -> Option<RunId> {
        match self.place() {
            Place::Runs => self.runs.selected().map(|s| s.run_id.clone()),
            Place::Cockpit | Place::Plan | Place::Queue | Place::Log => self.open.clone(),
        }
    }

    /// The picture of a run, if it is the one that is watched.
    pub fn picture_of(&self, run_id: &RunId) -> Option<&Arc<RunPicture>> {
        self.picture.as_ref().filter(|p| p.run_id() == run_id)
    }

    /// The line of a run in the list.
    pub fn summary_of(&self, run_id: &RunId) -> Option<&RunSummary> {
        self.runs.all.iter().find(|s| s.run_id == *run_id)
    }

    /// How a run stands.
    pub fn standing_of(&self, run_id: &RunId) -> Option<Standing> {
        self.picture_of(run_id)
            .map(|p| p.standing)
            .or_else(|| self.summary_of(run_id).map(|s| s.standing))
    }

    /// Tells the user something.
    pub fn notify(&mut self, level: LogLevel, text: impl Into<String>) {
        if self.notices.len() == NOTICES_KEPT {
            self.notices.pop_front();
        }
        let text = crate::domain::text::printable(&text.into()).into_owned();
        self.notices.push_back(Notice {
            at: self.now,
            level,
            text,
        });
        self.dirty = true;
    }

    /// Whether a clock on the screen moves, so that a second's tick is wanted.
    pub fn is_ticking(&self) -> bool {
        let listed =
            self.place() == Place::Runs && self.runs.all.iter().any(|s| s.standing.is_live());
        let shown = self.picture.as_ref().is_some_and(|p| p.is_ticking());
        self.focused && (listed || shown)
    }

    /// The run whose picture the screen needs, whenever it changes.
    fn watch_what_is_shown(&mut self) -> Option<Effect> {
        let wanted = match (&self.dialog, self.place()) {
            (Some(Dialog::Confirm(confirm)), _) if confirm.run_id().is_some() => {
                confirm.run_id().cloned()
            }
            (_, Place::Runs) => None,
            _ => self.open.clone(),
        };
        if wanted == self.watched {
            return None;
        }
        self.watched.clone_from(&wanted);
        self.blind = None;
        if wanted.as_ref() != self.picture.as_ref().map(|p| p.run_id()) {
            self.picture = None;
        }
        self.dirty = true;
        Some(Effect::Watch(wanted, self.queue.filter.clone()))
    }

    fn next_question(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }
}
