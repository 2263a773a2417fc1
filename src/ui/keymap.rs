//! The one table of keys. Footer, help and palette are printed from it; nothing else knows which key does what.
//!
//! Never bound: what terminal multiplexers and flow control take, and the control codes that are other keys' bytes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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

const fn key(code: KeyCode) -> Chord {
    Chord {
        code,
        ctrl: false,
        twice: false,
    }
}

const fn ch(c: char) -> Chord {
    key(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Chord {
    Chord {
        code: KeyCode::Char(c),
        ctrl: true,
        twice: false,
    }
}

const fn twice(c: char) -> Chord {
    Chord {
        code: KeyCode::Char(c),
        ctrl: false,
        twice: true,
    }
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

const fn bind(
    context: Context,
    chords: &'static [Chord],
    action: Action,
    (hint, help): (&'static str, &'static str),
) -> Binding {
    let group = match (context, action) {
        (_, Action::Stop | Action::StopNow | Action::Resume | Action::GoPlan) => Group::Run,
        (Context::Everywhere, _) => Group::Console,
        _ => Group::Screen,
    };
    Binding {
        context,
        chords,
        action,
        help,
        hint,
        group,
    }
}

const fn moves(chords: &'static [Chord], action: Action, help: &'static str) -> Binding {
    Binding {
        context: Context::Everywhere,
        chords,
        action,
        help,
        hint: "",
        group: Group::Move,
    }
}

use Action as A;
use Context as C;

/// All bindings. A screen's own come first in its footer, then those of everywhere; both in this order.
pub static BINDINGS: &[Binding] = &[
    // Runs
    bind(
        C::Runs,
        &[key(KeyCode::Enter)],
        A::Enter,
        ("open", "open the run"),
    ),
    bind(C::Runs, &[ch('a')], A::NewRun, ("new", "make a new run")),
    bind(
        C::Runs,
        &[ch('!')],
        A::Attention,
        ("", "only runs that need a person"),
    ),
    bind(
        C::Runs,
        &[ch('d')],
        A::Details,
        ("", "details of the selected run"),
    ),
    bind(C::Runs, &[ch('y')], A::Copy, ("", "copy the run id")),
    // Cockpit
    bind(
        C::Cockpit,
        &[key(KeyCode::Tab)],
        A::NextPane,
        ("pane", "next pane"),
    ),
    bind(
        C::Cockpit,
        &[key(KeyCode::BackTab)],
        A::PrevPane,
        ("", "pane before"),
    ),
    bind(
        C::Cockpit,
        &[ch('z')],
        A::Zoom,
        ("zoom", "zoom the focused pane"),
    ),
    bind(
        C::Cockpit,
        &[key(KeyCode::Enter)],
        A::Enter,
        ("", "unfold a group; a trial's parts only"),
    ),
    bind(
        C::Cockpit,
        &[ch('!')],
        A::Attention,
        ("", "only parts that need a look"),
    ),
    bind(
        C::Cockpit,
        &[ch('F')],
        A::Follow,
        ("follow", "follow the events"),
    ),
    bind(
        C::Cockpit,
        &[ch('J')],
        A::LogDown,
        ("", "scroll the events down"),
    ),
    bind(
        C::Cockpit,
        &[ch('K')],
        A::LogUp,
        ("", "scroll the events up"),
    ),
    bind(C::Cockpit, &[ch('y')], A::Copy, ("", "copy the run id")),
    // Plan
    bind(
        C::Plan,
        &[ch('h'), key(KeyCode::Left)],
        A::Left,
        ("", "phase to the left"),
    ),
    bind(
        C::Plan,
        &[ch('l'), key(KeyCode::Right)],
        A::Right,
        ("phase", "phase to the right"),
    ),
    bind(
        C::Plan,
        &[ch('f')],
        A::GateFrom,
        ("from", "begin at this phase"),
    ),
    bind(
        C::Plan,
        &[ch('t')],
        A::GateTo,
        ("to", "end with this phase"),
    ),
    bind(
        C::Plan,
        &[ch('o')],
        A::GateOnly,
        ("only", "only this phase"),
    ),
    bind(
        C::Plan,
        &[ch('*')],
        A::GateWhole,
        ("whole", "the whole run"),
    ),
    bind(
        C::Plan,
        &[key(KeyCode::Enter)],
        A::Enter,
        ("start", "start, after a question"),
    ),
    bind(
        C::Plan,
        &[key(KeyCode::Tab)],
        A::NextPane,
        ("pane", "other pane"),
    ),
    bind(
        C::Plan,
        &[key(KeyCode::BackTab)],
        A::PrevPane,
        ("", "pane before"),
    ),
    bind(C::Plan, &[ch('z')], A::Zoom, ("", "zoom the focused pane")),
    bind(
        C::Plan,
        &[ch('d')],
        A::Details,
        ("", "show or hide the reasons"),
    ),
    bind(
        C::Plan,
        &[ch('y')],
        A::Copy,
        ("copy", "copy the command line"),
    ),
    // Queue
    bind(
        C::Queue,
        &[key(KeyCode::Enter)],
        A::Enter,
        ("unfold", "unfold or fold a group"),
    ),
    bind(
        C::Queue,
        &[ch('!')],
        A::Attention,
        ("needs you", "only parts that need a look"),
    ),
    bind(C::Queue, &[ch('y')], A::Copy, ("", "copy the run id")),
    // Log
    bind(
        C::Log,
        &[ch('F')],
        A::Follow,
        ("follow", "follow the log's end"),
    ),
    bind(
        C::Log,
        &[ch('!')],
        A::Attention,
        ("needs you", "only warnings and errors"),
    ),
    // The run, on every screen
    bind(
        C::Everywhere,
        &[ch('s')],
        A::Stop,
        ("stop", "stop softly: finish what runs, send nothing new"),
    ),
    bind(
        C::Everywhere,
        &[ch('S')],
        A::StopNow,
        ("", "stop now: leave jobs at the provider"),
    ),
    bind(
        C::Everywhere,
        &[ch('r')],
        A::Resume,
        ("resume", "resume: plan of all that is left"),
    ),
    bind(
        C::Everywhere,
        &[ch('p'), ch('2')],
        A::GoPlan,
        ("plan", "plan and gate"),
    ),
    bind(C::Everywhere, &[ch('0')], A::GoRuns, ("", "list of runs")),
    bind(C::Everywhere, &[ch('1')], A::GoCockpit, ("", "cockpit")),
    bind(C::Everywhere, &[ch('3')], A::GoQueue, ("queue", "queue")),
    bind(C::Everywhere, &[ch('7')], A::GoLog, ("log", "log")),
    bind(
        C::Everywhere,
        &[ch('/')],
        A::Filter,
        ("filter", "filter the list"),
    ),
    bind(
        C::Everywhere,
        &[ch(':')],
        A::Palette,
        ("cmds", "commands by name"),
    ),
    bind(C::Everywhere, &[ch('@')], A::Notices, ("", "notices")),
    bind(
        C::Everywhere,
        &[ctrl('r')],
        A::Reread,
        ("", "read again from disk"),
    ),
    bind(C::Everywhere, &[ctrl('l')], A::Repaint, ("", "paint again")),
    bind(C::Everywhere, &[ctrl('z')], A::Suspend, ("", "suspend")),
    bind(
        C::Everywhere,
        &[ctrl('c')],
        A::Interrupt,
        ("", "quit; asks while runs are driven here"),
    ),
    bind(
        C::Everywhere,
        &[key(KeyCode::Esc)],
        A::Escape,
        ("", "close, clear the filter, go back"),
    ),
    bind(C::Everywhere, &[ch('?')], A::Help, ("help", "this help")),
    bind(
        C::Everywhere,
        &[ch('q')],
        A::Back,
        ("back", "back; on the list of runs: quit"),
    ),
    moves(&[ch('j'), key(KeyCode::Down)], A::Down, "line down"),
    moves(&[ch('k'), key(KeyCode::Up)], A::Up, "line up"),
    moves(&[ctrl('d')], A::HalfDown, "half a page down"),
    moves(&[ctrl('u')], A::HalfUp, "half a page up"),
    moves(
        &[key(KeyCode::PageDown), ctrl('f')],
        A::PageDown,
        "page down",
    ),
    moves(&[key(KeyCode::PageUp), ctrl('b')], A::PageUp, "page up"),
    moves(&[twice('g'), key(KeyCode::Home)], A::Top, "first line"),
    moves(&[ch('G'), key(KeyCode::End)], A::Bottom, "last line"),
    // A question
    bind(C::Confirm, &[ch('y')], A::Yes, ("", "agree")),
    bind(
        C::Confirm,
        &[ch('n'), ch('q'), key(KeyCode::Esc)],
        A::No,
        ("", "cancel"),
    ),
    bind(C::Confirm, &[ch('S')], A::Now, ("", "stop now instead")),
    bind(
        C::Confirm,
        &[key(KeyCode::Enter)],
        A::Enter,
        ("", "press the chosen button"),
    ),
    bind(
        C::Confirm,
        &[
            key(KeyCode::Tab),
            key(KeyCode::BackTab),
            key(KeyCode::Left),
            key(KeyCode::Right),
        ],
        A::NextPane,
        ("", "other button"),
    ),
    // A text over the screen
    bind(
        C::Panel,
        &[ch('q'), key(KeyCode::Esc), ch('?'), ch('@')],
        A::Escape,
        ("", "close"),
    ),
    bind(
        C::Panel,
        &[ch('j'), key(KeyCode::Down)],
        A::Down,
        ("", "down"),
    ),
    bind(C::Panel, &[ch('k'), key(KeyCode::Up)], A::Up, ("", "up")),
    bind(
        C::Panel,
        &[key(KeyCode::PageDown), ctrl('d'), ctrl('f'), ch(' ')],
        A::PageDown,
        ("", "page down"),
    ),
    bind(
        C::Panel,
        &[key(KeyCode::PageUp), ctrl('u'), ctrl('b')],
        A::PageUp,
        ("", "page up"),
    ),
    bind(
        C::Panel,
        &[twice('g'), key(KeyCode::Home)],
        A::Top,
        ("", "first line"),
    ),
    bind(
        C::Panel,
        &[ch('G'), key(KeyCode::End)],
        A::Bottom,
        ("", "last line"),
    ),
    bind(C::Panel, &[ch('/')], A::Filter, ("", "search")),
    bind(
        C::Panel,
        &[key(KeyCode::Enter)],
        A::Enter,
        ("", "run the selected key"),
    ),
];

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
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    const SCREENS: [Context; 5] = [
        Context::Runs,
        Context::Cockpit,
        Context::Plan,
        Context::Queue,
        Context::Log,
    ];

    #[test]
    fn no_key_is_bound_twice_in_one_context() {
        for context in SCREENS
            .into_iter()
            .chain([Context::Confirm, Context::Panel])
        {
            let mut seen = HashSet::new();
            for binding in of_screen(context) {
                for chord in binding.chords {
                    assert!(
                        seen.insert(*chord),
                        "{} twice in {context:?}",
                        chord.label()
                    );
                }
            }
        }
    }

    #[test]
    fn no_letter_means_two_things_on_two_screens() {
        let mut meaning: HashMap<Chord, Action> = HashMap::new();
        for binding in SCREENS.into_iter().flat_map(of_screen) {
            for chord in binding
                .chords
                .iter()
                .filter(|c| matches!(c.code, KeyCode::Char(_)))
            {
                let first = *meaning.entry(*chord).or_insert(binding.action);
                assert_eq!(first, binding.action, "{}", chord.label());
            }
        }
    }

    #[test]
    fn nothing_reserved_is_bound() {
        for binding in BINDINGS {
            for chord in binding.chords.iter().filter(|c| c.ctrl) {
                let KeyCode::Char(c) = chord.code else {
                    continue;
                };
                assert!(!"agnopqsthijm[".contains(c), "{}", chord.label());
            }
        }
    }

    #[test]
    fn every_binding_is_explained_and_can_be_typed() {
        for binding in BINDINGS {
            assert!(
                !binding.help.is_empty() && !binding.chords.is_empty(),
                "{binding:?}"
            );
            for chord in binding.chords {
                let context = match binding.context {
                    Context::Everywhere => Context::Runs,
                    own => own,
                };
                let half = match chord.code {
                    KeyCode::Char(c) if chord.twice => Some(c),
                    _ => None,
                };
                let typed = Chord {
                    twice: false,
                    ..*chord
                };
                assert_eq!(
                    lookup(context, typed, half),
                    Lookup::Does(binding.action),
                    "{}",
                    chord.label()
                );
            }
        }
    }

    #[test]
    fn half_of_a_double_letter_does_nothing_yet() {
        assert_eq!(lookup(Context::Runs, ch('g'), None), Lookup::Half('g'));
        assert_eq!(
            lookup(Context::Runs, ch('g'), Some('g')),
            Lookup::Does(Action::Top)
        );
        assert_eq!(lookup(Context::Confirm, ch('j'), None), Lookup::Nothing);
    }
}
