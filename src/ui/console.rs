//! The loop: waits for anything, takes in all that is there, and draws once, at most every 8 ms.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as Input, EventStream, MouseEventKind};
use futures_util::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::app::{App, Setting};
use super::effect::Effects;
use super::event::{Effect, Event, Signal};
use super::guard::{self, PanicGuard, Signals};
use super::terminal::Screen;
use super::{ConsoleOptions, UiError};
use crate::domain::{ExitCode, LogLevel};
use crate::engine::Fleet;
use crate::sys::Clock;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(8);

/// Everything that the loop owns.
#[derive(Debug)]
pub(super) struct Console {
    app: App,
    effects: Effects,
    clock: Arc<dyn Clock>,
    options: ConsoleOptions,
    events: UnboundedReceiver<Event>,
    signals: Signals,
    /// `None` once the terminal is gone or while it is given back.
    input: Option<EventStream>,
    screen: Option<Screen>,
    drawn_at: Instant,
    second: Instant,
    _guard: PanicGuard,
    sender: UnboundedSender<Event>,
}

/// What the loop woke up for.
enum Woken {
    Event(Event),
    /// The reader of keys has ended.
    Deaf,
    Time,
}

impl Console {
    /// Takes the terminal over and starts to look at the runs.
    pub(super) fn open(
        fleet: Arc<dyn Fleet>,
        clock: Arc<dyn Clock>,
        options: ConsoleOptions,
    ) -> Result<Self, UiError> {
        let doing = |doing| move |source| UiError::Terminal { doing, source };
        let (sender, events) = unbounded_channel();
        let mut setting = Setting::new(&options, crossterm::style::available_color_count());
        setting.experiments = fleet.experiments_dir().display().to_string();
        setting.default_config = fleet.default_config();
        let guard = PanicGuard::new(sender.clone());
        let signals = Signals::new().map_err(doing("listen to the signals of"))?;
        let screen = Screen::enter(options.mouse)?;
        guard::watch_terminal(sender.clone()).map_err(doing("watch"))?;
        let now = Instant::now();
        Ok(Self {
            app: App::new(setting, clock.now(), screen.size()),
            effects: Effects::new(fleet, sender.clone()),
            clock,
            options,
            events,
            signals,
            input: Some(EventStream::new()),
            screen: Some(screen),
            // The first frame is due at once.
            drawn_at: now.checked_sub(FRAME).unwrap_or(now),
            second: now,
            _guard: guard,
            sender,
        })
    }

    pub(super) async fn run(mut self) -> Result<ExitCode, UiError> {
        loop {
            self.draw_if_due();
            let woken = self.wait().await;
            let mut batch = match woken {
                Woken::Event(event) => vec![event],
                Woken::Time if self.app.is_ticking() && self.second <= Instant::now() => {
                    vec![Event::Second]
                }
                Woken::Time => Vec::new(),
                Woken::Deaf => {
                    self.input = None;
                    vec![Event::Signal(Signal::HangUp)]
                }
            };
            while let Ok(event) = self.events.try_recv() {
                batch.push(event);
            }
            if self.second <= Instant::now() {
                self.second = Instant::now() + Duration::from_secs(1);
            }
            for event in newest_pictures(batch) {
                if let Some(exit) = self.take(event)? {
                    return Ok(exit);
                }
            }
        }
    }

    /// Waits for the next thing to happen, or for the time of the next frame or second.
    async fn wait(&mut self) -> Woken {
        let mut due = None;
        if self.app.dirty && self.screen.is_some() {
            due = Some(self.drawn_at + FRAME);
        }
        if self.app.is_ticking() && self.screen.is_some() {
            due = Some(due.map_or(self.second, |d: Instant| d.min(self.second)));
        }
        let timer = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let input = async {
            match &mut self.input {
                Some(stream) => stream.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            key = input => match key {
                Some(Ok(input)) => Woken::Event(Event::Input(input)),
                Some(Err(_)) | None => Woken::Deaf,
            },
            signal = self.signals.next() => Woken::Event(Event::Signal(signal)),
            Some(event) = self.events.recv() => Woken::Event(event),
            () = timer => Woken::Time,
        }
    }

    fn take(&mut self, event: Event) -> Result<Option<ExitCode>, UiError> {
        if is_noise(&event) {
            return Ok(None);
        }
        let resized = matches!(event, Event::Input(Input::Resize(..)));
        if matches!(event, Event::Signal(Signal::HangUp)) {
            // Nothing more can be shown or read; what is driven still stops in order.
            self.input = None;
            self.screen = None;
        }
        if resized && let Some(screen) = &mut self.screen {
            let renewed = screen.renew();
            self.survive(&renewed);
        }
        for effect in self.app.update(self.clock.now(), event) {
            match self.effects.run(effect) {
                None => {}
                Some(Effect::Quit(exit)) => return Ok(Some(exit)),
                Some(other) => self.on_terminal(other)?,
            }
        }
        Ok(None)
    }

    fn on_terminal(&mut self, effect: Effect) -> Result<(), UiError> {
        let outcome = match (effect, &mut self.screen) {
            (Effect::Copy(text), Some(screen)) => screen.copy(&text),
            (Effect::Repaint, Some(screen)) => {
                self.app.dirty = true;
                screen.renew()
            }
            (Effect::Suspend, Some(_)) => return self.suspend(),
            _ => Ok(()),
        };
        self.survive(&outcome);
        Ok(())
    }

    /// A terminal that fails is a terminal that is gone: the loop goes on without it until what it drives has stopped.
    fn survive(&mut self, outcome: &Result<(), UiError>) {
        if outcome.is_err() {
            drop(self.sender.send(Event::Signal(Signal::HangUp)));
        }
    }

    /// Gives the terminal back, stops, and takes it over again when continued.
    fn suspend(&mut self) -> Result<(), UiError> {
        if !guard::can_suspend() {
            let why = "there is no shell to return to: not suspended";
            self.app.notify(LogLevel::Warn, why);
            return Ok(());
        }
        // The reader goes first, or it would eat keys that are meant for the shell.
        self.input = None;
        self.screen = None;
        let stopped = guard::suspend();
        let screen = Screen::enter(self.options.mouse)?;
        self.app.size = screen.size();
        self.screen = Some(screen);
        self.input = Some(EventStream::new());
        if let Err(error) = stopped {
            self.app
                .notify(LogLevel::Warn, format!("cannot suspend: {error}"));
        }
        drop(self.sender.send(Event::Resumed));
        Ok(())
    }

    fn draw_if_due(&mut self) {
        let Some(screen) = &mut self.screen else {
            return;
        };
        if !self.app.dirty || self.drawn_at.elapsed() < FRAME {
            return;
        }
        let app = &self.app;
        let outcome = screen.draw(|buffer| app.view(buffer));
        self.drawn_at = Instant::now();
        let outcome = outcome.map(|hits| self.app.drawn(hits));
        self.app.dirty = false;
        self.survive(&outcome);
    }
}

/// Mouse moves come by the hundred and mean nothing here.
fn is_noise(event: &Event) -> bool {
    matches!(
        event,
        Event::Input(Input::Mouse(mouse)) if matches!(mouse.kind, MouseEventKind::Moved)
    )
}

/// Of several pictures in a row only the last one counts.
fn newest_pictures(batch: Vec<Event>) -> Vec<Event> {
    let last = batch.iter().rposition(|e| matches!(e, Event::Picture(_)));
    let mut index = 0;
    batch
        .into_iter()
        .filter(|e| {
            index += 1;
            !matches!(e, Event::Picture(_)) || Some(index - 1) == last
        })
        .collect()
}
