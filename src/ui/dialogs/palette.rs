//! Commands by name: every key of the screen, found by the letters of its words. What cannot be done says why.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Answer, field, frame, hint};
use crate::ui::app::App;
use crate::ui::cursor::step;
use crate::ui::format;
use crate::ui::keymap::{Action, Binding, Group, of_screen};
use crate::ui::widgets::pen::{Hit, Pen, Spot, split_left, split_top};

/// The dialog.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    /// What is typed.
    pub input: Input,
    /// The selected row.
    pub cursor: usize,
}

/// How well a text holds the letters of a query in order; smaller is better, `None` where it does not.
fn score(query: &str, text: &str) -> Option<usize> {
    if query.is_empty() {
        return Some(0);
    }
    if let Some(at) = text.find(query) {
        return Some(at);
    }
    let mut letters = text.char_indices();
    let mut last = 0;
    let mut gaps = 0;
    for wanted in query.chars().filter(|c| !c.is_whitespace()) {
        let (at, _) = letters.find(|(_, c)| *c == wanted)?;
        gaps += at - last;
        last = at;
    }
    Some(1_000 + gaps)
}

impl Palette {
    fn entries(&self, app: &App) -> Vec<&'static Binding> {
        let query = self.input.value().trim().to_lowercase();
        let mut found: Vec<(usize, &Binding)> = of_screen(app.place().context())
            .filter(|b| b.group != Group::Move && b.action != Action::Palette)
            .filter_map(|b| score(&query, &b.help.to_lowercase()).map(|s| (s, b)))
            .collect();
        found.sort_by_key(|(score, b)| (app.can(b.action).is_err(), *score));
        found.into_iter().map(|(_, b)| b).collect()
    }

    /// Moves the selection.
    pub fn step(&mut self, action: Action) {
        self.cursor = step(action, self.cursor, (usize::MAX, 1)).unwrap_or(self.cursor);
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, app: &App) -> Answer {
        let entries = self.entries(app);
        let last = entries.len().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other keys edit the text"
        )]
        match key.code {
            KeyCode::Esc => return Answer::Close,
            KeyCode::Up => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down => self.cursor = (self.cursor + 1).min(last),
            KeyCode::Enter => {
                return match entries.get(self.cursor) {
                    Some(binding) if app.can(binding.action).is_ok() => Answer::Act(binding.action),
                    _ => Answer::Stay,
                };
            }
            KeyCode::Tab => {
                if let Some(binding) = entries.get(self.cursor) {
                    self.input = Input::new(binding.help.to_owned());
                    self.cursor = 0;
                }
            }
            _ => {
                self.input.handle_event(&crossterm::event::Event::Key(key));
                self.cursor = 0;
            }
        }
        Answer::Stay
    }

    /// Draws it.
    pub fn draw(&self, app: &App, pen: &mut Pen<'_>) {
        let entries = self.entries(app);
        let height = pen.buf.area.height.saturating_sub(4).clamp(6, 18);
        let keys = [
            hint(pen, "Enter", "does it"),
            hint(pen, "Tab", "completes"),
            hint(pen, "Esc", "close"),
        ]
        .concat();
        let inner = frame(pen, (90, height), ":", Line::from(keys));
        let (head, list) = split_top(inner, 2);
        pen.line(head, 0, &Line::styled(">", pen.theme.accent));
        let (_, rest) = split_left(head, 2);
        field(pen, rest, 0, &self.input);
        let rows = usize::from(list.height);
        let cursor = self.cursor.min(entries.len().saturating_sub(1));
        let first = pen.first_row(Spot::Dialog, entries.len(), Some(cursor), rows);
        for (row, (index, binding)) in (0..).zip(entries.iter().enumerate().skip(first).take(rows))
        {
            let line = line(pen, app, binding, usize::from(list.width));
            pen.line_at(list, (1, row), &line);
            if index == cursor {
                pen.shade(list, row, pen.theme.selection);
            }
        }
        if entries.is_empty() {
            pen.line_at(
                list,
                (1, 0),
                &Line::styled("no command holds these letters", pen.theme.dim),
            );
        }
        pen.hits.0.push(Hit {
            spot: Spot::Dialog,
            area: list,
            first,
            rows: entries.len(),
        });
    }
}

/// A command, its key, and why it is off.
pub(super) fn line(pen: &Pen<'_>, app: &App, binding: &Binding, width: usize) -> Line<'static> {
    let key = binding
        .chords
        .first()
        .map_or_else(String::new, |c| c.label());
    let off = app.can(binding.action).err();
    let style = if off.is_some() {
        pen.theme.dim
    } else {
        pen.theme.text
    };
    let why = off
        .filter(|w| !w.is_empty())
        .map_or_else(String::new, |w| format!("  {w}"));
    let words = format!("{}{why}", binding.help);
    Line::from(vec![
        Span::styled(format::left(&words, width.saturating_sub(11)), style),
        Span::styled(format::right(&key, 9), pen.theme.accent),
    ])
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn letters_in_order_find_a_command_and_whole_words_come_first() {
        assert!(score("sto", "stop softly") < score("sft", "stop softly"));
        assert_eq!(score("xyz", "stop softly"), None);
        assert!(score("", "anything").is_some());
    }
}
