//! A text over the screen: notices, or an error in full.

use crossterm::event::KeyEvent;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Answer, frame, hint};
use crate::domain::text::printable_lines;
use crate::ui::app::App;
use crate::ui::cursor::step;
use crate::ui::format;
use crate::ui::keymap::{Action, Chord, Context, Lookup, lookup};
use crate::ui::widgets::pen::{Hit, Pen, Spot};

/// A text.
#[derive(Debug, Clone)]
pub struct Message {
    title: String,
    lines: Vec<Line<'static>>,
    top: usize,
    half: Option<char>,
}

impl Message {
    /// A text of several lines.
    pub fn new(title: &str, text: &str) -> Self {
        let text = printable_lines(text);
        Self {
            title: title.to_owned(),
            lines: text.lines().map(|l| Line::from(l.to_owned())).collect(),
            top: 0,
            half: None,
        }
    }

    /// The notices, newest first.
    pub fn notices(app: &App) -> Self {
        let theme = &app.setting.theme;
        let line = |n: &crate::ui::app::Notice| {
            Line::from(vec![
                Span::styled(format::time_of_day(n.at, &app.setting.zone), theme.dim),
                Span::styled(format!("  {}", n.text), theme.level(n.level)),
            ])
        };
        let mut lines: Vec<Line<'static>> = app.notices.iter().rev().map(line).collect();
        if lines.is_empty() {
            lines.push(Line::styled("no notices yet", Style::default()));
        }
        Self {
            title: "notices".to_owned(),
            lines,
            top: 0,
            half: None,
        }
    }

    /// Scrolls.
    pub fn step(&mut self, action: Action, page: usize) {
        if let Some(to) = step(action, self.top, (self.lines.len(), page)) {
            self.top = to;
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Answer {
        match lookup(Context::Panel, Chord::of(key), self.half.take()) {
            Lookup::Does(Action::Escape | Action::Enter) => return Answer::Close,
            Lookup::Does(action) => self.step(action, 10),
            Lookup::Half(c) => self.half = Some(c),
            Lookup::Nothing => {}
        }
        Answer::Stay
    }

    /// Draws it.
    pub fn draw(&self, pen: &mut Pen<'_>) {
        let widest = self.lines.iter().map(Line::width).max().unwrap_or(0);
        let width = u16::try_from(widest.clamp(40, 108) + 6).unwrap_or(u16::MAX);
        let height = u16::try_from(self.lines.len() + 4).unwrap_or(u16::MAX);
        let height = height.min(pen.buf.area.height.saturating_sub(4).max(5));
        let last = [hint(pen, "j/k", "scroll"), hint(pen, "Esc", "close")].concat();
        let inner = frame(pen, (width, height), &self.title, Line::from(last));
        let rows = usize::from(inner.height.saturating_sub(2));
        let top = self.top.min(self.lines.len().saturating_sub(rows));
        for (row, line) in (1..).zip(self.lines.iter().skip(top).take(rows)) {
            pen.line(inner, row, line);
        }
        pen.hits.0.push(Hit {
            spot: Spot::Dialog,
            area: inner,
            first: top,
            rows: self.lines.len(),
        });
    }
}
