//! Questions before anything costs or ends. The numbers follow the run while the dialog is open; where the run has moved
//! on in kind, the dialog says so and cannot be agreed to.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::{Answer, field, frame, hint};
use crate::domain::RunId;
use crate::engine::{Launch, Standing};
use crate::ui::app::App;
use crate::ui::format;
use crate::ui::keymap::{Action, Chord, Context, Lookup, lookup};
use crate::ui::widgets::pen::Pen;

mod words;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Stop a run softly.
    Stop(RunId),
    /// Stop a run and leave its jobs behind.
    StopNow(RunId),
    /// Drive a run.
    Start(Launch),
    /// Leave the console while it drives runs.
    Leave,
    /// Suspend the console while it drives runs.
    Suspend,
}

/// The button that Enter presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Button {
    Cancel,
    Agree,
}

/// A question on screen.
#[derive(Debug, Clone)]
pub struct Confirm {
    question: Question,
    button: Button,
    /// What is typed, where a key is not enough.
    pub typed: Option<Input>,
}

impl Confirm {
    /// Asks.
    pub fn new(question: Question) -> Self {
        let typed = match &question {
            Question::StopNow(_) => Some(Input::default()),
            Question::Start(launch) if launch.force && launch.run_id.is_some() => {
                Some(Input::default())
            }
            Question::Start(_) | Question::Stop(_) | Question::Leave | Question::Suspend => None,
        };
        Self {
            question,
            button: Button::Cancel,
            typed,
        }
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The run that it is about, whose numbers are wanted.
    pub fn run_id(&self) -> Option<&RunId> {
        match &self.question {
            Question::Stop(run_id) | Question::StopNow(run_id) => Some(run_id),
            Question::Start(launch) => launch.run_id.as_ref(),
            Question::Leave | Question::Suspend => None,
        }
    }

    /// The end of the run id that must be typed, where typing is wanted.
    fn wanted(&self) -> Option<String> {
        self.typed.as_ref()?;
        let run_id = self.run_id()?.as_str();
        Some(run_id[run_id.len().saturating_sub(4)..].to_owned())
    }

    /// Whether the question still fits the run, or why not.
    fn armed(&self, app: &App) -> Result<(), String> {
        let Some(run_id) = self.run_id() else {
            return Ok(());
        };
        let live = app.standing_of(run_id).is_some_and(Standing::is_live);
        match self.question {
            Question::Stop(_) | Question::StopNow(_) if !live => {
                Err("nobody drives the run any more: nothing to stop".to_owned())
            }
            Question::Start(_) if live => {
                Err("the run is driven by now: nothing to start".to_owned())
            }
            Question::Stop(_)
            | Question::StopNow(_)
            | Question::Start(_)
            | Question::Leave
            | Question::Suspend => Ok(()),
        }
    }

    fn agree(&self, app: &App) -> Answer {
        let typed = self.typed.as_ref().map(Input::value);
        let fits = match (self.wanted(), typed) {
            (Some(wanted), Some(typed)) => wanted == typed.trim(),
            _ => true,
        };
        if fits && self.armed(app).is_ok() {
            Answer::Agreed(self.question.clone())
        } else {
            Answer::Stay
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, app: &App) -> Answer {
        if let Some(typed) = &mut self.typed {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "all other keys edit the text"
            )]
            return match key.code {
                KeyCode::Esc => Answer::Close,
                KeyCode::Enter => self.agree(app),
                _ => {
                    typed.handle_event(&crossterm::event::Event::Key(key));
                    Answer::Stay
                }
            };
        }
        let Lookup::Does(action) = lookup(Context::Confirm, Chord::of(key), None) else {
            return Answer::Stay;
        };
        match (action, &self.question) {
            (Action::No, _) => Answer::Close,
            (Action::Now, Question::Stop(run_id)) => Answer::Ask(Question::StopNow(run_id.clone())),
            (Action::Now, Question::Leave) => Answer::StopNow,
            (Action::NextPane, _) => {
                self.button = match self.button {
                    Button::Cancel => Button::Agree,
                    Button::Agree => Button::Cancel,
                };
                Answer::Stay
            }
            (Action::Enter, _) if self.button == Button::Cancel => Answer::Close,
            (Action::Enter | Action::Yes, _) => self.agree(app),
            _ => Answer::Stay,
        }
    }

    /// Draws it.
    pub fn draw(&self, app: &App, pen: &mut Pen<'_>) {
        let mut lines = words::body(&self.question, app, pen);
        let armed = self.armed(app);
        if let Err(why) = &armed {
            lines.push(Line::default());
            lines.push(Line::styled(why.clone(), pen.theme.warn));
        }
        let title = words::title(&self.question, app);
        let widest = lines.iter().map(Line::width).max().unwrap_or(0);
        let width = widest.max(title.len() + 4).clamp(56, 92) + 6;
        let height = lines.len() + 5;
        let size = (
            u16::try_from(width).unwrap_or(u16::MAX),
            u16::try_from(height).unwrap_or(u16::MAX),
        );
        let inner = frame(pen, size, &title, Line::default());
        let last = inner.height.saturating_sub(1);
        for (row, line) in (1..last).zip(&lines) {
            pen.line(inner, row, line);
        }
        pen.shade(inner, last, pen.theme.text);
        match (&self.typed, self.wanted()) {
            (Some(typed), Some(wanted)) => {
                let label = format!("type {wanted} and press Enter: ");
                let used = u16::try_from(label.len()).unwrap_or(0);
                pen.line(inner, last, &Line::styled(label, pen.theme.accent));
                let (_, rest) = crate::ui::widgets::pen::split_left(inner, used);
                let (box_area, _) = crate::ui::widgets::pen::split_left(rest, 6);
                field(pen, box_area, last, typed);
                pen.line_right(inner, last, &Line::from(hint(pen, "Esc", "cancel")));
            }
            _ => self.draw_buttons(pen, inner, last, armed.is_ok()),
        }
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "the state of a button")]
    fn draw_buttons(&self, pen: &mut Pen<'_>, area: ratatui::layout::Rect, row: u16, armed: bool) {
        let theme = *pen.theme;
        let button = |text: String, which: Button| {
            let style = if self.button == which {
                theme.accent.patch(theme.selection)
            } else {
                theme.text
            };
            Span::styled(text, style)
        };
        let verb = words::verb(&self.question);
        let mut spans = vec![
            button("[ Cancel ]".to_owned(), Button::Cancel),
            Span::raw("   "),
        ];
        if armed {
            spans.push(button(format!("[ y {verb} ]"), Button::Agree));
            if matches!(self.question, Question::Stop(_) | Question::Leave) {
                spans.push(Span::raw("   "));
                spans.extend(hint(pen, "S", "stop now instead"));
            }
        }
        pen.line(area, row, &Line::from(spans));
    }
}

/// `1 job runs`, `2 jobs run`.
pub(super) fn jobs(n: u64, (one, many): (&str, &str)) -> String {
    format!(
        "{} {}",
        format::count(n, "job"),
        if n == 1 { one } else { many }
    )
}
