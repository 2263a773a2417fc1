//! What lies over a screen: one at a time, Esc always closes. Each takes keys and draws itself; what follows is the app's.

pub mod confirm;
pub mod help;
pub mod message;
pub mod new_run;
pub mod palette;

use std::path::PathBuf;

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::app::App;
use super::keymap::Action;
use super::widgets::pen::Pen;

pub use confirm::{Confirm, Question};
pub use help::Help;
pub use message::Message;
pub use new_run::NewRun;
pub use palette::Palette;

/// What lies over the screen.
#[derive(Debug, Clone)]
pub enum Dialog {
    /// A question.
    Confirm(Confirm),
    /// The keys.
    Help(Help),
    /// Commands by name.
    Palette(Palette),
    /// A text: notices, an error.
    Message(Message),
    /// The config of a new run.
    NewRun(NewRun),
}

/// What a key in a dialog led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The dialog stays.
    Stay,
    /// It closes.
    Close,
    /// It closes, and this is done.
    Act(Action),
    /// The user agreed.
    Agreed(Question),
    /// The console is left at once, with jobs left behind.
    StopNow,
    /// Another question follows.
    Ask(Question),
    /// A new run of this config is to be planned.
    NewRun(PathBuf),
}

impl Dialog {
    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, app: &App) -> Answer {
        match self {
            Self::Confirm(confirm) => confirm.key(key, app),
            Self::Help(help) => help.key(key, app),
            Self::Palette(palette) => palette.key(key, app),
            Self::Message(message) => message.key(key),
            Self::NewRun(new_run) => new_run.key(key),
        }
    }

    /// Its text field, for pasting.
    pub fn field(&mut self) -> Option<&mut Input> {
        match self {
            Self::Confirm(confirm) => confirm.typed.as_mut(),
            Self::Help(help) => help.search.as_mut(),
            Self::Palette(palette) => Some(&mut palette.input),
            Self::NewRun(new_run) => Some(&mut new_run.path),
            Self::Message(_) => None,
        }
    }

    /// Scrolls by a line.
    pub fn scroll(&mut self, action: Action) {
        match self {
            Self::Help(help) => help.step(action, 1),
            Self::Palette(palette) => palette.step(action),
            Self::Message(message) => message.step(action, 1),
            Self::Confirm(_) | Self::NewRun(_) => {}
        }
    }

    /// Selects a row.
    pub fn put(&mut self, row: usize) {
        match self {
            Self::Help(help) => help.cursor = row,
            Self::Palette(palette) => palette.cursor = row,
            Self::Confirm(_) | Self::NewRun(_) | Self::Message(_) => {}
        }
    }

    /// Draws it over the dimmed screen.
    pub fn draw(&self, app: &App, pen: &mut Pen<'_>) {
        dim(pen);
        match self {
            Self::Confirm(confirm) => confirm.draw(app, pen),
            Self::Help(help) => help.draw(app, pen),
            Self::Palette(palette) => palette.draw(app, pen),
            Self::Message(message) => message.draw(pen),
            Self::NewRun(new_run) => new_run.draw(pen),
        }
    }
}

/// Takes the colours out of what lies below.
fn dim(pen: &mut Pen<'_>) {
    let style = pen
        .theme
        .rule
        .remove_modifier(Modifier::BOLD | Modifier::REVERSED);
    for cell in &mut pen.buf.content {
        cell.bg = ratatui::style::Color::Reset;
        cell.set_style(style);
    }
}

/// A box in the middle, with a title and a last line; gives the room inside.
fn frame(pen: &mut Pen<'_>, size: (u16, u16), title: &str, last: Line<'_>) -> Rect {
    let screen = pen.buf.area;
    let width = size.0.min(screen.width);
    let height = size.1.min(screen.height);
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    pen.wipe(area);
    let style = pen.theme.accent;
    let bar = "─".repeat(usize::from(width.saturating_sub(2)));
    pen.line(area, 0, &Line::styled(format!("┌{bar}┐"), style));
    for row in 1..height.saturating_sub(1) {
        pen.line(area, row, &Line::styled("│", style));
        pen.line_right(area, row, &Line::styled("│", style));
    }
    if height > 1 {
        pen.line(area, height - 1, &Line::styled(format!("└{bar}┘"), style));
    }
    let inside = Rect {
        width: width.saturating_sub(4),
        x: area.x + 2.min(width),
        ..area
    };
    let title = Line::styled(format!(" {title} "), pen.theme.strong);
    pen.line(inside, 0, &title);
    if !last.spans.is_empty() && height > 2 {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(last.spans);
        spans.push(Span::raw(" "));
        pen.line(inside, height - 1, &Line::from(spans));
    }
    Rect {
        y: area.y + 1.min(height),
        height: height.saturating_sub(2),
        ..inside
    }
}

/// A key and its word, as in the footer.
fn hint(pen: &Pen<'_>, key: &str, word: &str) -> Vec<Span<'static>> {
    vec![
        Span::styled(key.to_owned(), pen.theme.accent),
        Span::styled(format!(" {word}  "), pen.theme.dim),
    ]
}

/// A text field with its cursor, scrolled so that the cursor is seen.
pub(super) fn field(pen: &mut Pen<'_>, area: Rect, row: u16, input: &Input) {
    let width = usize::from(area.width);
    if width < 2 {
        return;
    }
    let scroll = input.visual_scroll(width - 1);
    let value = crate::domain::text::printable(input.value()).into_owned();
    let shown: String = value.chars().skip(scroll).take(width).collect();
    pen.line(area, row, &Line::styled(shown, pen.theme.text));
    let at = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(0);
    let place = (area.x.saturating_add(at), area.y.saturating_add(row));
    if at < area.width
        && row < area.height
        && let Some(cell) = pen.buf.cell_mut(place)
    {
        cell.modifier |= Modifier::REVERSED;
    }
}
