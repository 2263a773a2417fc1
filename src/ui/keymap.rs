//! The one table of keys. Footer, help and palette are printed from it; nothing else knows which key does what.
//!
//! Never bound: what terminal multiplexers and flow control take, and the control codes that are other keys' bytes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

mod table;

pub use table::BINDINGS;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One phase to the left.
    Left,
    /// One phase to the right.
    Right,
    /// First line.
    Top,
    /// Last line.
    Bottom,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Open, expand, start.
    Enter,
    /// Close or go back; on the list of runs, leave.
    Back,
    /// Leave at once what was opened last, like `Back`, but never quits.
    Escape,
    /// The list of runs.
    GoRuns,
    /// The cockpit.
    GoCockpit,
    /// The plan.
    GoPlan,
    /// The queue.
    GoQueue,
    /// The log.
    GoLog,
    /// Focus the next pane.
    NextPane,
    /// Focus the pane before.
    PrevPane,
    /// Give the focused pane all the room.
    Zoom,
    /// Show or hide details.
    Details,
    /// Search a command by name.
    Palette,
    /// Filter the focused list.
    Filter,
    /// Show the keys.
    Help,
    /// Show notices.
    Notices,
    /// Only what needs a person.
    Attention,
    /// Follow the log's end.
    Follow,
    /// Scroll the log down.
    LogDown,
    /// Scroll the log up.
    LogUp,
    /// Stop softly.
    Stop,
    /// Stop now.
    StopNow,
    /// Resume.
    Resume,
    /// Make a new run.
    NewRun,
    /// The gate begins here.
    GateFrom,
    /// The gate ends here.
    GateTo,
    /// The gate is this phase.
    GateOnly,
    /// No gate.
    GateWhole,
    /// Copy the command line or the run id.
    Copy,
    /// Read again from disk.
    Reread,
    /// Paint again.
    Repaint,
    /// Suspend.
    Suspend,
    /// Interrupt.
    Interrupt,
    /// Agree.
    Yes,
    /// Disagree.
    No,
    /// The sharper choice of a dialog.
    Now,
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// On every screen.
    Everywhere,
    /// List of runs.
    Runs,
    /// Cockpit.
    Cockpit,
    /// Plan.
    Plan,
    /// Queue.
    Queue,
    /// Log.
    Log,
    /// A question.
    Confirm,
    /// A text over the screen.
    Panel,
}

/// The heading of a binding in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Only on this screen.
    Screen,
    /// About the run.
    Run,
    /// Moving about.
    Move,
    /// The rest.
    Console,
}

impl Group {
    /// All, in the order of the help.
    pub const ALL: [Self; 4] = [Self::Screen, Self::Run, Self::Move, Self::Console];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Screen => "THIS SCREEN",
            Self::Run => "RUN",
            Self::Move => "MOVE",
            Self::Console => "CONSOLE",
        }
    }
}

/// A key, or a letter typed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    /// The key.
    pub code: KeyCode,
    /// Whether Ctrl is held.
    pub ctrl: bool,
    /// Whether it is typed twice.
    pub twice: bool,
}

impl Chord {
    /// The chord of a key press. Shift is already in the letter.
    pub fn of(event: KeyEvent) -> Self {
        Self {
            code: event.code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            twice: false,
        }
    }

    /// The key's name, e.g. `Ctrl-d`, `gg`, `Enter`.
    pub fn label(self) -> String {
        #[expect(clippy::wildcard_enum_match_arm, reason = "keys that are not bound")]
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => "Enter".to_owned(),
            KeyCode::Esc => "Esc".to_owned(),
            KeyCode::Tab => "Tab".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "Left".to_owned(),
            KeyCode::Right => "Right".to_owned(),
            KeyCode::Home => "Home".to_owned(),
            KeyCode::End => "End".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => format!("{other:?}"),
        };
        match (self.ctrl, self.twice) {
            (true, _) => format!("Ctrl-{name}"),
            (false, true) => format!("{name}{name}"),
            (false, false) => name,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// Its keys; the first is the one that is shown.
    pub chords: &'static [Chord],
    /// What it does.
    pub action: Action,
    /// What it does, in words.
    pub help: &'static str,
    /// Its word in the footer; empty where it has none.
    pub hint: &'static str,
    /// Its heading in the help.
    pub group: Group,
}

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A bound key.
    Does(Action),
    /// The first half of a letter typed twice.
    Half(char),
    /// Nothing is bound.
    Nothing,
}

/// Finds what a chord does: the context's own bindings first, then those of everywhere (dialogs have only their own).
pub fn lookup(context: Context, chord: Chord, half: Option<char>) -> Lookup {
    let holds = |b: &&Binding| b.context == context || falls_through(context, b.context);
    let find = |chord: Chord| {
        let with = |b: &&Binding| b.chords.contains(&chord);
        let mut matching = BINDINGS.iter().filter(holds).filter(with);
        let own = BINDINGS
            .iter()
            .find(|b| b.context == context && b.chords.contains(&chord));
        own.or_else(|| matching.next())
    };
    let double = Chord {
        twice: true,
        ..chord
    };
    if let KeyCode::Char(c) = chord.code
        && !chord.ctrl
        && let Some(binding) = find(double)
    {
        return if half == Some(c) {
            Lookup::Does(binding.action)
        } else {
            Lookup::Half(c)
        };
    }
    find(chord).map_or(Lookup::Nothing, |b| Lookup::Does(b.action))
}

fn falls_through(context: Context, other: Context) -> bool {
    other == Context::Everywhere && !matches!(context, Context::Confirm | Context::Panel)
}

/// The bindings of a screen, its own first.
pub fn of_screen(context: Context) -> impl Iterator<Item = &'static Binding> {
    let own = BINDINGS.iter().filter(move |b| b.context == context);
    own.chain(
        BINDINGS
            .iter()
            .filter(move |b| falls_through(context, b.context)),
    )
}

#[cfg(test)]
mod tests;
