//! What answers, signals and the passing of time do.

use std::sync::Arc;

use super::{App, Asker, Leaving, Place};
use crate::domain::text::printable_lines;
use crate::domain::{ExitCode, LogLevel, RunId, StopLevel};
use crate::engine::{FleetError, Standing};
use crate::ui::dialogs::{Confirm, Dialog, Message, Question};
use crate::ui::event::{Effect, Event, Signal};
use crate::ui::model::RunPicture;

impl App {
    pub(super) fn answer(&mut self, event: Event) -> Vec<Effect> {
        self.dirty = true;
        match event {
            Event::Input(_) | Event::Second | Event::Resumed => Vec::new(),
            Event::Catalogue { runs, driving } => {
                self.driving = driving;
                self.runs.take(runs);
                Vec::new()
            }
            Event::CatalogueFailed(error) => {
                self.notify(LogLevel::Error, first_line(&error));
                Vec::new()
            }
            Event::Picture(picture) => self.take_picture(picture),
            Event::WatchFailed(run_id, error) => {
                if self.watched.as_ref() == Some(&run_id) {
                    self.blind = Some(printable_lines(&error.message));
                }
                Vec::new()
            }
            Event::Planned(question, answer) => {
                if let Some(plan) = self.plan.as_mut().filter(|p| p.asked == question) {
                    plan.take(answer);
                }
                Vec::new()
            }
            Event::Launched(answer) => self.launched(answer),
            Event::StopAsked(run_id, level, answer) => {
                self.stop_asked(&run_id, level, answer);
                Vec::new()
            }
            Event::Driving(driving) => self.may_leave(driving),
            Event::Settled => self.settled(),
            Event::Signal(signal) => self.signal(signal),
            Event::TaskDied(what) => {
                let text = format!("a background task failed: {what}; its run can be resumed");
                self.notify(LogLevel::Error, text);
                Vec::new()
            }
        }
    }

    fn take_picture(&mut self, picture: Arc<RunPicture>) -> Vec<Effect> {
        if self.watched.as_ref() != Some(picture.run_id()) {
            self.dirty = false;
            return Vec::new();
        }
        let before = self.picture.as_ref().map(|p| p.standing);
        self.cockpit.take(&picture);
        self.queue.take(&picture);
        self.log.take(&picture);
        let standing = picture.standing;
        self.picture = Some(picture);
        let changed = before.is_some_and(|b| b != standing);
        if changed && self.place() == Place::Plan && self.dialog.is_none() {
            return self.ask_plan();
        }
        Vec::new()
    }

    fn launched(&mut self, answer: Result<RunId, FleetError>) -> Vec<Effect> {
        match answer {
            Ok(run_id) => {
                self.notify(
                    LogLevel::Info,
                    format!("{run_id} is driven by this console"),
                );
                if !self.driving.contains(&run_id) {
                    self.driving.push(run_id.clone());
                }
                if self.watched.as_ref() == Some(&run_id) {
                    // What is followed are the run's files; from now on there are the driver's own pictures.
                    self.watched = None;
                }
                if self.leaving.is_none() && self.dialog.is_none() {
                    self.open_run(run_id, Place::Cockpit);
                }
                vec![Effect::Refresh]
            }
            Err(error) => {
                self.notify(LogLevel::Error, first_line(&error));
                self.dialog = Some(Dialog::Message(Message::new("not started", &error.message)));
                Vec::new()
            }
        }
    }

    fn stop_asked(&mut self, run_id: &RunId, level: StopLevel, answer: Result<(), FleetError>) {
        match (answer, level) {
            (Ok(()), StopLevel::Soft) => self.notify(
                LogLevel::Info,
                format!("{run_id} stops softly: jobs at the provider are waited for, nothing new is submitted"),
            ),
            (Ok(()), StopLevel::Now) => self.notify(
                LogLevel::Info,
                format!("{run_id} stops now: its jobs stay at the provider, resume adopts them"),
            ),
            (Err(error), _) => self.notify(LogLevel::Error, first_line(&error)),
        }
    }

    /// Asked to leave, and the fleet said what this process drives.
    fn may_leave(&mut self, driving: Vec<RunId>) -> Vec<Effect> {
        let asker = self.asked_to_leave.take();
        self.driving = driving;
        match (asker, self.driving.is_empty()) {
            (None, _) => Vec::new(),
            (Some(_), true) => vec![Effect::Quit(ExitCode::Done)],
            (Some(Asker::Key), false) => {
                self.dialog = Some(Dialog::Confirm(Confirm::new(Question::Leave)));
                Vec::new()
            }
            (Some(Asker::Signal), false) => self.leave(StopLevel::Soft, ExitCode::Stopped),
        }
    }

    /// Stops what is driven here and leaves once it has stopped.
    pub(super) fn leave(&mut self, level: StopLevel, exit: ExitCode) -> Vec<Effect> {
        let first = self.leaving.is_none();
        self.leaving = Some(Leaving { level, exit });
        self.dialog = None;
        self.dirty = true;
        let stop = |run_id: &RunId| Effect::Stop(run_id.clone(), level);
        let mut effects: Vec<Effect> = self.driving.iter().map(stop).collect();
        if first {
            effects.push(Effect::AwaitSettled);
        }
        effects
    }

    fn settled(&mut self) -> Vec<Effect> {
        self.driving.clear();
        match self.leaving {
            Some(leaving) => vec![Effect::Quit(leaving.exit)],
            None => Vec::new(),
        }
    }

    fn signal(&mut self, signal: Signal) -> Vec<Effect> {
        match (signal, self.leaving.map(|l| l.level)) {
            (Signal::Suspend, _) => self.suspend(),
            (Signal::Leave, Some(StopLevel::Soft)) => {
                self.leave(StopLevel::Now, ExitCode::Interrupted)
            }
            (Signal::Leave, Some(StopLevel::Now)) => vec![Effect::Quit(ExitCode::Interrupted)],
            // A lost terminal is told twice, by the line and by SIGHUP: it never counts as a second signal.
            (Signal::HangUp, Some(_)) => Vec::new(),
            (Signal::Leave | Signal::HangUp, None) => {
                // A second signal may come before the answer to the first.
                let again = self.asked_to_leave == Some(Asker::Signal);
                self.asked_to_leave = Some(Asker::Signal);
                if again {
                    Vec::new()
                } else {
                    vec![Effect::AskToLeave]
                }
            }
        }
    }

    /// Gives the terminal back, after a question where that would freeze a run.
    pub(super) fn suspend(&mut self) -> Vec<Effect> {
        let frozen = self
            .driving
            .iter()
            .any(|r| self.standing_of(r) == Some(Standing::Driving));
        if frozen
            && !matches!(&self.dialog, Some(Dialog::Confirm(c)) if *c.question() == Question::Suspend)
        {
            self.dialog = Some(Dialog::Confirm(Confirm::new(Question::Suspend)));
            self.dirty = true;
            return Vec::new();
        }
        self.dialog = None;
        vec![Effect::Suspend]
    }
}

fn first_line(error: &FleetError) -> String {
    error.message.lines().next().unwrap_or_default().to_owned()
}
