//! From input to action: dialogs and text fields first, then the key table.

use crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Size;
use tui_input::backend::crossterm::EventHandler;

use super::{App, Asker, Place};
use crate::domain::{ExitCode, LogLevel, StopLevel};
use crate::ui::dialogs::{Answer, Dialog, Help, Message, NewRun, Palette, Question};
use crate::ui::event::Effect;
use crate::ui::keymap::{Action, Chord, Context, Lookup, lookup};
use crate::ui::widgets::pen::Spot;

impl App {
    pub(super) fn input(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Resize(width, height) => {
                self.size = Size { width, height };
                self.dirty = true;
                Vec::new()
            }
            Input::FocusGained | Input::FocusLost => {
                self.focused = input == Input::FocusGained;
                self.dirty |= self.focused;
                Vec::new()
            }
            Input::Paste(text) => {
                self.paste(&text);
                Vec::new()
            }
            Input::Mouse(mouse) => self.mouse(mouse),
            Input::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Input::Key(key) => self.key(key),
        }
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.dirty = true;
        let chord = Chord::of(key);
        // Ctrl-c and Ctrl-z work everywhere, also in a text field.
        match lookup(Context::Runs, chord, None) {
            Lookup::Does(Action::Interrupt) => return self.interrupt(),
            Lookup::Does(Action::Suspend) => return self.suspend(),
            Lookup::Does(_) | Lookup::Half(_) | Lookup::Nothing => {}
        }
        if self.prompt.is_some() {
            return self.prompt_key(key);
        }
        if let Some(mut dialog) = self.dialog.take() {
            let answer = dialog.key(key, self);
            return self.dialog_answer(dialog, answer);
        }
        match lookup(self.place().context(), chord, self.half.take()) {
            Lookup::Does(action) => self.act(action),
            Lookup::Half(c) => {
                self.half = Some(c);
                Vec::new()
            }
            Lookup::Nothing => Vec::new(),
        }
    }

    fn dialog_answer(&mut self, dialog: Dialog, answer: Answer) -> Vec<Effect> {
        match answer {
            Answer::Stay => {
                self.dialog = Some(dialog);
                Vec::new()
            }
            Answer::Close => Vec::new(),
            Answer::Act(action) => self.act(action),
            Answer::Agreed(question) => self.agreed(question),
            Answer::StopNow => self.leave(StopLevel::Now, ExitCode::Stopped),
            Answer::Ask(question) => {
                self.ask(question);
                Vec::new()
            }
            Answer::NewRun(config) => self.plan_new(config),
        }
    }

    /// Does what a key of the table says, or tells why it cannot.
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        self.dirty = true;
        if let Err(why) = self.can(action) {
            if !why.is_empty() {
                self.notify(LogLevel::Warn, why);
            }
            return Vec::new();
        }
        if self.move_in_list(action) {
            return Vec::new();
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the rest belongs to single screens"
        )]
        match action {
            Action::Back => self.back(),
            Action::Escape => self.escape(),
            Action::Enter => self.enter(),
            Action::GoRuns => self.back_to_runs(),
            Action::GoCockpit => self.go(Place::Cockpit),
            Action::GoQueue => self.go(Place::Queue),
            Action::GoLog => self.go(Place::Log),
            Action::GoPlan | Action::Resume => self.plan_run(),
            Action::Stop => self.ask_about_current(Question::Stop),
            Action::StopNow => self.ask_about_current(Question::StopNow),
            Action::NewRun => self.show(Dialog::NewRun(NewRun::new(&self.setting.default_config))),
            Action::Palette => self.show(Dialog::Palette(Palette::default())),
            Action::Help => self.show(Dialog::Help(Help::default())),
            Action::Notices => {
                let notices = Message::notices(self);
                self.show(Dialog::Message(notices))
            }
            Action::Interrupt => self.interrupt(),
            Action::Suspend => self.suspend(),
            Action::Reread => self.reread(),
            Action::Repaint => vec![Effect::Repaint],
            Action::Copy => self.copy(),
            Action::Filter => self.open_prompt(),
            other => self.act_on_screen(other),
        }
    }

    fn show(&mut self, dialog: Dialog) -> Vec<Effect> {
        self.dialog = Some(dialog);
        Vec::new()
    }

    /// Ctrl-c: nothing driven, quit; else ask; again, stop softly; again, stop now; again, leave at once.
    fn interrupt(&mut self) -> Vec<Effect> {
        let asking =
            matches!(&self.dialog, Some(Dialog::Confirm(c)) if *c.question() == Question::Leave);
        match self.leaving.map(|l| l.level) {
            None if asking => self.leave(StopLevel::Soft, ExitCode::Stopped),
            None => self.ask_to_leave(),
            Some(StopLevel::Soft) => self.leave(StopLevel::Now, ExitCode::Interrupted),
            Some(StopLevel::Now) => vec![Effect::Quit(ExitCode::Interrupted)],
        }
    }

    pub(super) fn ask_to_leave(&mut self) -> Vec<Effect> {
        self.asked_to_leave = Some(Asker::Key);
        vec![Effect::AskToLeave]
    }

    fn prompt_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other keys edit the text"
        )]
        match key.code {
            KeyCode::Enter | KeyCode::Tab => {
                self.prompt = None;
                Vec::new()
            }
            KeyCode::Esc => {
                self.prompt = None;
                self.set_filter("")
            }
            KeyCode::Up | KeyCode::Down => {
                let up = key.code == KeyCode::Up;
                self.move_in_list(if up { Action::Up } else { Action::Down });
                Vec::new()
            }
            _ => {
                let Some(prompt) = &mut self.prompt else {
                    return Vec::new();
                };
                prompt.handle_event(&Input::Key(key));
                let text = prompt.value().to_owned();
                self.set_filter(&text)
            }
        }
    }

    fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default();
        let safe: String = crate::domain::text::printable(line)
            .chars()
            .take(400)
            .collect();
        if let Some(prompt) = &mut self.prompt {
            let joined = format!("{}{safe}", prompt.value());
            *prompt = joined.clone().into();
            self.set_filter(&joined);
            self.dirty = true;
        } else if let Some(field) = self.dialog.as_mut().and_then(Dialog::field) {
            *field = format!("{}{safe}", field.value()).into();
            self.dirty = true;
        }
    }

    fn mouse(&mut self, mouse: MouseEvent) -> Vec<Effect> {
        let hit = self.hits.at(mouse.column, mouse.row).copied();
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "moves and other buttons mean nothing here"
        )]
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                let Some(hit) = hit else { return Vec::new() };
                if self.dialog.is_some() != (hit.spot == Spot::Dialog) {
                    return Vec::new();
                }
                self.dirty = true;
                let along = if hit.spot == Spot::Ruler {
                    usize::from((mouse.column - hit.area.x) / (hit.area.width / 10).max(1))
                } else {
                    usize::from(mouse.row - hit.area.y)
                };
                self.click(hit.spot, hit.first + along, hit.rows)
            }
            MouseEventKind::ScrollDown => self.wheel(hit.map(|h| h.spot), Action::Down),
            MouseEventKind::ScrollUp => self.wheel(hit.map(|h| h.spot), Action::Up),
            _ => Vec::new(),
        }
    }

    fn wheel(&mut self, spot: Option<Spot>, action: Action) -> Vec<Effect> {
        const LINES: usize = 3;
        self.dirty = true;
        if let Some(dialog) = &mut self.dialog {
            for _ in 0..LINES {
                dialog.scroll(action);
            }
            return Vec::new();
        }
        if spot == Some(Spot::Log) {
            for _ in 0..LINES {
                self.scroll_log(action);
            }
            return Vec::new();
        }
        if let Some(spot) = spot {
            self.focus(spot);
        }
        for _ in 0..LINES {
            self.move_in_list(action);
        }
        Vec::new()
    }
}
