//! Every key and what it does, one line each. Order is the order of footer and help.

use crossterm::event::KeyCode;

use super::{Action, Binding, Chord, Context, Group};

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

/// All bindings.
#[rustfmt::skip]
pub static BINDINGS: &[Binding] = &[
    // List of runs
    bind(C::Runs, &[key(KeyCode::Enter)], A::Enter, ("open", "open the run")),
    bind(C::Runs, &[ch('a')], A::NewRun, ("new", "make a new run")),
    bind(C::Runs, &[ch('!')], A::Attention, ("", "only runs that need a person")),
    bind(C::Runs, &[ch('d')], A::Details, ("", "details of the selected run")),
    bind(C::Runs, &[ch('y')], A::Copy, ("", "copy the run id")),
    // Cockpit
    bind(C::Cockpit, &[key(KeyCode::Tab)], A::NextPane, ("pane", "next pane")),
    bind(C::Cockpit, &[key(KeyCode::BackTab)], A::PrevPane, ("", "pane before")),
    bind(C::Cockpit, &[ch('z')], A::Zoom, ("zoom", "zoom the focused pane")),
    bind(C::Cockpit, &[key(KeyCode::Enter)], A::Enter, ("", "unfold a group; a trial's parts only")),
    bind(C::Cockpit, &[ch('!')], A::Attention, ("", "only parts that need a look")),
    bind(C::Cockpit, &[ch('F')], A::Follow, ("follow", "follow the events")),
    bind(C::Cockpit, &[ch('J')], A::LogDown, ("", "scroll the events down")),
    bind(C::Cockpit, &[ch('K')], A::LogUp, ("", "scroll the events up")),
    bind(C::Cockpit, &[ch('y')], A::Copy, ("", "copy the run id")),
    // Plan
    bind(C::Plan, &[ch('h'), key(KeyCode::Left)], A::Left, ("", "phase to the left")),
    bind(C::Plan, &[ch('l'), key(KeyCode::Right)], A::Right, ("phase", "phase to the right")),
    bind(C::Plan, &[ch('f')], A::GateFrom, ("from", "begin at this phase")),
    bind(C::Plan, &[ch('t')], A::GateTo, ("to", "end with this phase")),
    bind(C::Plan, &[ch('o')], A::GateOnly, ("only", "only this phase")),
    bind(C::Plan, &[ch('*')], A::GateWhole, ("whole", "the whole run")),
    bind(C::Plan, &[key(KeyCode::Enter)], A::Enter, ("start", "start, after a question")),
    bind(C::Plan, &[key(KeyCode::Tab)], A::NextPane, ("pane", "other pane")),
    bind(C::Plan, &[key(KeyCode::BackTab)], A::PrevPane, ("", "pane before")),
    bind(C::Plan, &[ch('z')], A::Zoom, ("", "zoom the focused pane")),
    bind(C::Plan, &[ch('d')], A::Details, ("", "show or hide the reasons")),
    bind(C::Plan, &[ch('y')], A::Copy, ("copy", "copy the command line")),
    // Queue
    bind(C::Queue, &[key(KeyCode::Enter)], A::Enter, ("unfold", "unfold or fold a group")),
    bind(C::Queue, &[ch('!')], A::Attention, ("needs you", "only parts that need a look")),
    bind(C::Queue, &[ch('y')], A::Copy, ("", "copy the run id")),
    // Log
    bind(C::Log, &[ch('F')], A::Follow, ("follow", "follow the log's end")),
    bind(C::Log, &[ch('!')], A::Attention, ("needs you", "only warnings and errors")),
    // The run, the screens and the console, everywhere
    bind(C::Everywhere, &[ch('s')], A::Stop, ("stop", "stop softly: finish what runs, send nothing new")),
    bind(C::Everywhere, &[ch('S')], A::StopNow, ("", "stop now: leave jobs at the provider")),
    bind(C::Everywhere, &[ch('r')], A::Resume, ("resume", "resume: plan of all that is left")),
    bind(C::Everywhere, &[ch('p'), ch('2')], A::GoPlan, ("plan", "plan and gate")),
    bind(C::Everywhere, &[ch('0')], A::GoRuns, ("", "list of runs")),
    bind(C::Everywhere, &[ch('1')], A::GoCockpit, ("", "cockpit")),
    bind(C::Everywhere, &[ch('3')], A::GoQueue, ("queue", "queue")),
    bind(C::Everywhere, &[ch('7')], A::GoLog, ("log", "log")),
    bind(C::Everywhere, &[ch('/')], A::Filter, ("filter", "filter the list")),
    bind(C::Everywhere, &[ch(':')], A::Palette, ("cmds", "commands by name")),
    bind(C::Everywhere, &[ch('@')], A::Notices, ("", "notices")),
    bind(C::Everywhere, &[ctrl('r')], A::Reread, ("", "read again from disk")),
    bind(C::Everywhere, &[ctrl('l')], A::Repaint, ("", "paint again")),
    bind(C::Everywhere, &[ctrl('z')], A::Suspend, ("", "suspend")),
    bind(C::Everywhere, &[ctrl('c')], A::Interrupt, ("", "quit; asks while runs are driven here")),
    bind(C::Everywhere, &[key(KeyCode::Esc)], A::Escape, ("", "close, clear the filter, go back")),
    bind(C::Everywhere, &[ch('?')], A::Help, ("help", "this help")),
    bind(C::Everywhere, &[ch('q')], A::Back, ("back", "back; on the list of runs: quit")),
    // Moving about, everywhere
    moves(&[ch('j'), key(KeyCode::Down)], A::Down, "line down"),
    moves(&[ch('k'), key(KeyCode::Up)], A::Up, "line up"),
    moves(&[ctrl('d')], A::HalfDown, "half a page down"),
    moves(&[ctrl('u')], A::HalfUp, "half a page up"),
    moves(&[key(KeyCode::PageDown), ctrl('f')], A::PageDown, "page down"),
    moves(&[key(KeyCode::PageUp), ctrl('b')], A::PageUp, "page up"),
    moves(&[twice('g'), key(KeyCode::Home)], A::Top, "first line"),
    moves(&[ch('G'), key(KeyCode::End)], A::Bottom, "last line"),
    // A question
    bind(C::Confirm, &[ch('y')], A::Yes, ("", "agree")),
    bind(C::Confirm, &[ch('n'), ch('q'), key(KeyCode::Esc)], A::No, ("", "cancel")),
    bind(C::Confirm, &[ch('S')], A::Now, ("", "stop now instead")),
    bind(C::Confirm, &[key(KeyCode::Enter)], A::Enter, ("", "press the chosen button")),
    bind(C::Confirm, &[key(KeyCode::Tab), key(KeyCode::BackTab), key(KeyCode::Left), key(KeyCode::Right)], A::NextPane, ("", "other button")),
    // A text over the screen
    bind(C::Panel, &[ch('q'), key(KeyCode::Esc), ch('?'), ch('@')], A::Escape, ("", "close")),
    bind(C::Panel, &[ch('j'), key(KeyCode::Down)], A::Down, ("", "down")),
    bind(C::Panel, &[ch('k'), key(KeyCode::Up)], A::Up, ("", "up")),
    bind(C::Panel, &[key(KeyCode::PageDown), ctrl('d'), ctrl('f'), ch(' ')], A::PageDown, ("", "page down")),
    bind(C::Panel, &[key(KeyCode::PageUp), ctrl('u'), ctrl('b')], A::PageUp, ("", "page up")),
    bind(C::Panel, &[twice('g'), key(KeyCode::Home)], A::Top, ("", "first line")),
    bind(C::Panel, &[ch('G'), key(KeyCode::End)], A::Bottom, ("", "last line")),
    bind(C::Panel, &[ch('/')], A::Filter, ("", "search")),
    bind(C::Panel, &[key(KeyCode::Enter)], A::Enter, ("", "run the selected key")),
];
