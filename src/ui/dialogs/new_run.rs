//! The config of a new run. Enter makes its plan; nothing starts before the plan is agreed to.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Line;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Answer, field, frame, hint};
use crate::ui::widgets::pen::{Pen, split_left};

/// The dialog.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The path of the config.
    pub path: Input,
}

impl NewRun {
    /// With the usual config filled in.
    pub fn new(default: &Path) -> Self {
        Self {
            path: Input::new(default.display().to_string()),
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Answer {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other keys edit the text"
        )]
        match key.code {
            KeyCode::Esc => Answer::Close,
            KeyCode::Enter if self.path.value().trim().is_empty() => Answer::Stay,
            KeyCode::Enter => Answer::NewRun(PathBuf::from(self.path.value().trim())),
            _ => {
                self.path.handle_event(&crossterm::event::Event::Key(key));
                Answer::Stay
            }
        }
    }

    /// Draws it.
    pub fn draw(&self, pen: &mut Pen<'_>) {
        let keys = [
            hint(pen, "Enter", "shows its plan"),
            hint(pen, "Esc", "cancel"),
        ]
        .concat();
        let inner = frame(pen, (72, 7), "new run", Line::from(keys));
        pen.line(inner, 1, &Line::styled("config", pen.theme.dim));
        let (_, path) = split_left(inner, 8);
        pen.shade(
            ratatui::layout::Rect {
                y: path.y.saturating_add(1),
                height: path.height.saturating_sub(1).min(1),
                ..path
            },
            0,
            pen.theme.selection,
        );
        field(pen, path, 1, &self.path);
        let words = "Nothing is sent and nothing is spent before you agree to the plan.";
        pen.line(inner, 3, &Line::styled(words, pen.theme.dim));
    }
}
