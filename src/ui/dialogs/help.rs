//! All keys of a screen, printed from the key table. Enter runs the selected one, `/` searches.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Answer, field, frame, hint};
use crate::ui::app::App;
use crate::ui::cursor::step;
use crate::ui::format;
use crate::ui::keymap::{Action, Binding, Chord, Context, Group, Lookup, lookup, of_screen};
use crate::ui::widgets::pen::{Hit, Pen, Spot, split_left, split_top};

/// The dialog.
#[derive(Debug, Clone, Default)]
pub struct Help {
    /// The selected row.
    pub cursor: usize,
    /// What is searched.
    pub search: Option<Input>,
    half: Option<char>,
}

enum Row {
    Title(Group),
    Key(&'static Binding),
    Gap,
}

impl Help {
    fn rows(&self, context: Context) -> Vec<Row> {
        let query = self
            .search
            .as_ref()
            .map_or_else(String::new, |s| s.value().to_lowercase());
        let mut rows = Vec::new();
        for group in Group::ALL {
            let holds = |b: &&Binding| {
                b.group == group
                    && (b.help.contains(&query) || keys(b).to_lowercase().contains(&query))
            };
            let mut bindings = of_screen(context).filter(holds).peekable();
            if bindings.peek().is_none() {
                continue;
            }
            if !rows.is_empty() {
                rows.push(Row::Gap);
            }
            rows.push(Row::Title(group));
            rows.extend(bindings.map(Row::Key));
        }
        rows
    }

    /// Moves the selection.
    pub fn step(&mut self, action: Action, page: usize) {
        self.cursor = step(action, self.cursor, (1_000, page)).unwrap_or(self.cursor);
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, app: &App) -> Answer {
        let rows = self.rows(app.place().context());
        self.cursor = self.cursor.min(rows.len().saturating_sub(1));
        if let Some(search) = &mut self.search {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "all other keys edit the text"
            )]
            match key.code {
                KeyCode::Esc => {
                    self.search = None;
                    return Answer::Stay;
                }
                KeyCode::Enter
                | KeyCode::Up
                | KeyCode::Down
                | KeyCode::PageUp
                | KeyCode::PageDown => {}
                _ => {
                    search.handle_event(&crossterm::event::Event::Key(key));
                    self.cursor = 1;
                    return Answer::Stay;
                }
            }
        }
        match lookup(Context::Panel, Chord::of(key), self.half.take()) {
            Lookup::Does(Action::Escape) => Answer::Close,
            Lookup::Does(Action::Filter) => {
                self.search = Some(Input::default());
                Answer::Stay
            }
            Lookup::Does(Action::Enter) => match rows.get(self.cursor) {
                Some(Row::Key(binding)) => Answer::Act(binding.action),
                _ => Answer::Stay,
            },
            Lookup::Does(action) => {
                self.cursor = step(action, self.cursor, (rows.len(), 10)).unwrap_or(self.cursor);
                Answer::Stay
            }
            Lookup::Half(c) => {
                self.half = Some(c);
                Answer::Stay
            }
            Lookup::Nothing => Answer::Stay,
        }
    }

    /// Draws it.
    pub fn draw(&self, app: &App, pen: &mut Pen<'_>) {
        let context = app.place().context();
        let rows = self.rows(context);
        let title = format!("help: {}", format!("{context:?}").to_lowercase());
        let height = pen.buf.area.height.saturating_sub(2).clamp(5, 34);
        let keys = [
            hint(pen, "Enter", "runs the selected key"),
            hint(pen, "/", "search"),
            hint(pen, "Esc", "close"),
        ]
        .concat();
        let inner = frame(pen, (84, height), &title, Line::from(keys));
        let mut list = inner;
        if let Some(search) = &self.search {
            let (head, rest) = split_top(inner, 1);
            pen.line(head, 0, &Line::styled("/", pen.theme.accent));
            let (_, room) = split_left(head, 2);
            field(pen, room, 0, search);
            list = rest;
        }
        let height = usize::from(list.height);
        let cursor = self.cursor.min(rows.len().saturating_sub(1));
        let first = pen.first_row(Spot::Dialog, rows.len(), Some(cursor), height);
        for (line, (index, row)) in (0..).zip(rows.iter().enumerate().skip(first).take(height)) {
            let text = match row {
                Row::Title(group) => Line::styled(group.title(), pen.theme.dim),
                Row::Key(binding) => key_line(pen, app, binding),
                Row::Gap => Line::default(),
            };
            pen.line(list, line, &text);
            if index == cursor && matches!(row, Row::Key(_)) {
                pen.shade(list, line, pen.theme.selection);
            }
        }
        pen.hits.0.push(Hit {
            spot: Spot::Dialog,
            area: list,
            first,
            rows: rows.len(),
        });
    }
}

fn keys(binding: &Binding) -> String {
    let labels: Vec<String> = binding.chords.iter().map(|c| c.label()).collect();
    labels.join(" ")
}

fn key_line(pen: &Pen<'_>, app: &App, binding: &Binding) -> Line<'static> {
    let off = app.can(binding.action).err().filter(|w| !w.is_empty());
    let style = if off.is_some() {
        pen.theme.dim
    } else {
        pen.theme.text
    };
    let why = off.map_or_else(String::new, |w| format!("  off: {w}"));
    Line::from(vec![
        Span::styled(
            format!("  {}", format::left(&keys(binding), 16)),
            pen.theme.accent,
        ),
        Span::styled(binding.help, style),
        Span::styled(why, pen.theme.dim),
    ])
}
