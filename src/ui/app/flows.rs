//! The flows over several steps: opening, planning, starting, stopping, going back. What each key needs, and why not.

use std::path::PathBuf;

use tui_input::Input;

use super::{App, Place};
use crate::domain::{Gate, LogLevel, RunId, StopLevel};
use crate::engine::{Launch, Standing};
use crate::ui::dialogs::{Confirm, Dialog, Question};
use crate::ui::event::{Effect, Target};
use crate::ui::keymap::Action;
use crate::ui::screens::cockpit::Pane;
use crate::ui::screens::plan::PlanScreen;

impl App {
    /// Whether an action can be done now, or why not; an empty reason needs no words.
    pub fn can(&self, action: Action) -> Result<(), String> {
        let run = self.current();
        let standing = run.as_ref().and_then(|r| self.standing_of(r));
        let live = standing.is_some_and(Standing::is_live);
        let no_run = || Err("no run is selected".to_owned());
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other actions can always be done"
        )]
        match action {
            Action::Stop | Action::StopNow => match run {
                None => no_run(),
                Some(_) if live => Ok(()),
                Some(_) => Err("nobody drives this run".to_owned()),
            },
            Action::Resume => match run {
                None => no_run(),
                Some(_) if live => Err("the run is driven already".to_owned()),
                Some(_) if self.place() == Place::Plan => {
                    Err("this is the plan: Enter starts it".to_owned())
                }
                Some(_) if standing == Some(Standing::Done) => {
                    Err("nothing to resume: the run is done".to_owned())
                }
                Some(_) => Ok(()),
            },
            Action::GoPlan if self.place() == Place::Plan => Err(String::new()),
            Action::GoQueue if self.place() == Place::Queue => Err(String::new()),
            Action::GoLog if self.place() == Place::Log => Err(String::new()),
            Action::GoPlan | Action::GoCockpit | Action::GoQueue | Action::GoLog
                if run.is_none() =>
            {
                no_run()
            }
            Action::Enter if self.place() == Place::Plan => self.can_start(),
            Action::Enter | Action::Copy if self.place() == Place::Runs && run.is_none() => {
                no_run()
            }
            Action::NewRun if self.leaving.is_some() => {
                Err("the console is on its way out".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn can_start(&self) -> Result<(), String> {
        let Some(screen) = &self.plan else {
            return Err(String::new());
        };
        if let Target::Run(run_id) = &screen.target
            && self.standing_of(run_id).is_some_and(Standing::is_live)
        {
            return Err("the run is driven already".to_owned());
        }
        match &screen.answer {
            None => Err("the plan is not there yet".to_owned()),
            Some(Err(_)) => Err("there is no plan to start".to_owned()),
            Some(Ok(plan)) if plan.is_done() => Err("nothing to do under this gate".to_owned()),
            Some(Ok(_)) => Ok(()),
        }
    }

    pub(super) fn open_run(&mut self, run_id: RunId, place: Place) {
        if self.open.as_ref() != Some(&run_id) {
            self.cockpit = super::Cockpit::default();
            self.queue = super::Queue::default();
            self.log = super::Log::default();
        }
        self.open = Some(run_id);
        self.stack = vec![Place::Runs, place];
    }

    pub(super) fn go(&mut self, place: Place) -> Vec<Effect> {
        match (self.place(), self.current()) {
            (Place::Runs, Some(run_id)) => self.open_run(run_id, place),
            (here, _) if here == place => {}
            _ => {
                self.stack.retain(|p| *p != place);
                self.stack.push(place);
            }
        }
        Vec::new()
    }

    pub(super) fn back_to_runs(&mut self) -> Vec<Effect> {
        self.stack.truncate(1);
        Vec::new()
    }

    pub(super) fn back(&mut self) -> Vec<Effect> {
        if self.cockpit.zoom && self.place() == Place::Cockpit {
            self.cockpit.zoom = false;
            return Vec::new();
        }
        if self.stack.len() > 1 {
            self.stack.pop();
            return Vec::new();
        }
        self.ask_to_leave()
    }

    /// Esc: the filter first, then back; it never leaves the console.
    pub(super) fn escape(&mut self) -> Vec<Effect> {
        if !self.filter_text().is_empty() {
            return self.set_filter("");
        }
        if self.place() == Place::Runs {
            self.runs.show_all();
            return Vec::new();
        }
        if self.queue.filter.attention && matches!(self.place(), Place::Cockpit | Place::Queue) {
            return self.act_on_screen(Action::Attention);
        }
        self.back()
    }

    pub(super) fn enter(&mut self) -> Vec<Effect> {
        match self.place() {
            Place::Runs => self.go(Place::Cockpit),
            Place::Plan => {
                let launch = self.plan.as_ref().and_then(PlanScreen::launch);
                if let Some(launch) = launch {
                    self.ask(Question::Start(launch));
                }
                Vec::new()
            }
            Place::Cockpit if self.cockpit.pane == Pane::Trials => {
                let Some(slug) = self.cockpit.trials.id.clone() else {
                    return Vec::new();
                };
                self.cockpit.pane = Pane::Queue;
                self.set_filter(&format!("trial:{slug}"))
            }
            Place::Cockpit | Place::Queue => {
                if let Some(picture) = &self.picture {
                    self.queue.toggle(&picture.queue);
                }
                Vec::new()
            }
            Place::Log => Vec::new(),
        }
    }

    /// The plan of the current run, under no gate.
    pub(super) fn plan_run(&mut self) -> Vec<Effect> {
        let Some(run_id) = self.current() else {
            return Vec::new();
        };
        if self.place() == Place::Runs {
            self.open_run(run_id.clone(), Place::Plan);
        } else {
            self.go(Place::Plan);
        }
        self.plan = Some(PlanScreen::new(Target::Run(run_id)));
        self.ask_plan()
    }

    /// The plan of a new run.
    pub(super) fn plan_new(&mut self, config: PathBuf) -> Vec<Effect> {
        self.open = None;
        self.stack = vec![Place::Runs, Place::Plan];
        self.plan = Some(PlanScreen::new(Target::New(config)));
        self.ask_plan()
    }

    pub(super) fn ask_plan(&mut self) -> Vec<Effect> {
        let question = self.next_question();
        let Some(plan) = &mut self.plan else {
            return Vec::new();
        };
        plan.asked = question;
        vec![Effect::Plan(question, plan.target.clone(), plan.gate)]
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.dialog = Some(Dialog::Confirm(Confirm::new(question)));
    }

    pub(super) fn ask_about_current(&mut self, question: fn(RunId) -> Question) -> Vec<Effect> {
        if let Some(run_id) = self.current() {
            self.ask(question(run_id));
        }
        Vec::new()
    }

    /// The user agreed.
    pub(super) fn agreed(&mut self, question: Question) -> Vec<Effect> {
        match question {
            Question::Stop(run_id) => vec![Effect::Stop(run_id, StopLevel::Soft)],
            Question::StopNow(run_id) => vec![Effect::Stop(run_id, StopLevel::Now)],
            Question::Start(launch) => self.start(launch),
            Question::Leave => self.leave(StopLevel::Soft, crate::domain::ExitCode::Stopped),
            Question::Suspend => vec![Effect::Suspend],
        }
    }

    fn start(&mut self, launch: Launch) -> Vec<Effect> {
        self.notify(LogLevel::Info, "starting");
        vec![Effect::Launch(launch)]
    }

    pub(super) fn reread(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Refresh];
        if self.place() == Place::Plan {
            effects.extend(self.ask_plan());
        }
        effects
    }

    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let text = match (self.place(), &self.plan, self.current()) {
            (Place::Plan, Some(plan), _) => plan.command_line(),
            (_, _, Some(run_id)) => run_id.to_string(),
            _ => return Vec::new(),
        };
        self.notify(LogLevel::Info, format!("copied: {text}"));
        vec![Effect::Copy(text)]
    }

    pub(super) fn filter_text(&self) -> &str {
        match self.place() {
            Place::Runs => &self.runs.filter,
            Place::Plan => self.plan.as_ref().map_or("", |p| &p.filter),
            Place::Log => &self.log.filter,
            Place::Cockpit if self.cockpit.pane == Pane::Events => &self.log.filter,
            Place::Cockpit | Place::Queue => &self.queue.filter.text,
        }
    }

    pub(super) fn open_prompt(&mut self) -> Vec<Effect> {
        if self.place() == Place::Cockpit && self.cockpit.pane == Pane::Trials {
            self.cockpit.pane = Pane::Queue;
        }
        self.prompt = Some(Input::new(self.filter_text().to_owned()));
        Vec::new()
    }

    pub(super) fn set_filter(&mut self, text: &str) -> Vec<Effect> {
        let lines = self.picture.as_ref().map(|p| &p.view.log);
        match self.place() {
            Place::Runs => self.runs.set_filter(text),
            Place::Plan => {
                if let Some(plan) = &mut self.plan {
                    plan.set_filter(text);
                }
            }
            Place::Log => self.log.set_filter(text, lines),
            Place::Cockpit if self.cockpit.pane == Pane::Events => self.log.set_filter(text, lines),
            Place::Cockpit | Place::Queue => {
                text.clone_into(&mut self.queue.filter.text);
                return vec![Effect::Arrange(self.queue.filter.clone())];
            }
        }
        Vec::new()
    }

    /// Keys that mean something only on some screens.
    pub(super) fn act_on_screen(&mut self, action: Action) -> Vec<Effect> {
        let place = self.place();
        match (place, action) {
            (Place::Runs, Action::Attention) => self.runs.toggle_attention(),
            (Place::Runs, Action::Details) => self.runs.toggle_details(self.size),
            (Place::Log, Action::Attention) => {
                let lines = self.picture.as_ref().map(|p| &p.view.log);
                self.log.toggle_attention(lines);
            }
            (Place::Cockpit | Place::Queue, Action::Attention) => {
                self.queue.filter.attention = !self.queue.filter.attention;
                return vec![Effect::Arrange(self.queue.filter.clone())];
            }
            (Place::Cockpit, Action::NextPane) => self.cockpit.pane = self.cockpit.pane.next(),
            (Place::Cockpit, Action::PrevPane) => {
                self.cockpit.pane = self.cockpit.pane.next().next();
            }
            (Place::Cockpit, Action::Zoom) => self.cockpit.zoom = !self.cockpit.zoom,
            (Place::Cockpit | Place::Log, Action::Follow) => self.log.toggle_follow(),
            (Place::Cockpit, Action::LogDown) => {
                self.scroll_log(Action::Down);
            }
            (Place::Cockpit, Action::LogUp) => {
                self.scroll_log(Action::Up);
            }
            (Place::Plan, action) => return self.act_on_plan(action),
            _ => {}
        }
        Vec::new()
    }

    fn act_on_plan(&mut self, action: Action) -> Vec<Effect> {
        let Some(plan) = &mut self.plan else {
            return Vec::new();
        };
        let phase = plan.phase;
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other key is bound here")]
        let gate = match action {
            Action::Left | Action::Right => {
                plan.step_phase(action);
                return Vec::new();
            }
            Action::NextPane | Action::PrevPane => {
                plan.pane = plan.pane.other();
                return Vec::new();
            }
            Action::Zoom => {
                plan.zoom = !plan.zoom;
                return Vec::new();
            }
            Action::Details => {
                plan.reasons = !plan.reasons;
                return Vec::new();
            }
            Action::GateFrom => Gate::new(phase, plan.gate.to.max(phase)),
            Action::GateTo => Gate::new(plan.gate.from.min(phase), phase),
            Action::GateOnly => Some(Gate::only(phase)),
            Action::GateWhole => Some(Gate::default()),
            _ => None,
        };
        match gate {
            Some(gate) if gate != plan.gate => {
                plan.gate = gate;
                self.ask_plan()
            }
            _ => Vec::new(),
        }
    }
}
