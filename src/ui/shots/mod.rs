//! Pictures of the screens as SVG, drawn from a fixed world by the same code that draws the terminal.

mod svg;
pub mod world;

use std::sync::Arc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::ConsoleOptions;
use super::app::{App, Setting};
use super::event::{Effect, Event};
use super::model::RunPicture;
use world::Scene;

/// The size of the pictures, in cells.
const SIZE: Size = Size {
    width: 120,
    height: 36,
};

/// Draws every screen; gives file names and their SVG text.
pub fn shots() -> Vec<(String, String)> {
    let mut console = Stage::new(SIZE, Scene::Running, &ConsoleOptions::default());
    let mut pictures = vec![("runs.svg".to_owned(), console.svg())];
    console.keys("\n");
    pictures.push(("cockpit.svg".to_owned(), console.svg()));
    console.keys("s");
    pictures.push(("stop.svg".to_owned(), console.svg()));
    let mut console = Stage::new(SIZE, Scene::Stopped, &ConsoleOptions::default());
    console.keys("\nrlllllt");
    pictures.push(("plan.svg".to_owned(), console.svg()));
    pictures
}

/// A console on a stage: a fixed world answers its effects at once.
#[derive(Debug)]
pub struct Stage {
    /// The console.
    pub app: App,
    scene: Scene,
}

impl Stage {
    /// Opens the console on a scene.
    pub fn new(size: Size, scene: Scene, options: &ConsoleOptions) -> Self {
        let mut app = App::new(Setting::new(options, u16::MAX), world::now(scene), size);
        let (runs, driving) = world::catalogue(scene);
        app.update(
            world::now(scene),
            Event::Catalogue {
                runs: runs.into(),
                driving,
            },
        );
        let mut stage = Self { app, scene };
        stage.draw();
        stage.select();
        stage
    }

    /// Goes to the run that the scene is about.
    fn select(&mut self) {
        for _ in 0..self.app.runs.visible.len() {
            if self.app.current() == Some(world::run_id()) {
                break;
            }
            self.keys("j");
        }
    }

    /// Types letters; a line feed is Enter, a tab Tab, ESC Esc.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for c in keys.chars() {
            let code = match c {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\u{1b}' => KeyCode::Esc,
                c => KeyCode::Char(c),
            };
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            effects.extend(self.event(Event::Input(Input::Key(key))));
            self.draw();
        }
        effects
    }

    /// Sends an event and answers what the fixed world can answer; gives the other effects.
    pub fn event(&mut self, event: Event) -> Vec<Effect> {
        let mut open = self.app.update(world::now(self.scene), event);
        let mut rest = Vec::new();
        while !open.is_empty() {
            for effect in std::mem::take(&mut open) {
                match self.answer(&effect) {
                    Some(answer) => open.extend(self.app.update(world::now(self.scene), answer)),
                    None => rest.push(effect),
                }
            }
        }
        rest
    }

    fn answer(&self, effect: &Effect) -> Option<Event> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the stage answers what screens need"
        )]
        match effect {
            Effect::Watch(Some(_), filter) | Effect::Arrange(filter) => {
                let view = Arc::new(world::run(self.scene));
                let standing = world::standing(self.scene);
                Some(Event::Picture(Arc::new(RunPicture::of(
                    &view, standing, filter,
                ))))
            }
            Effect::Plan(question, _, gate) => {
                Some(Event::Planned(*question, Ok(world::plan(*gate))))
            }
            _ => None,
        }
    }

    /// Draws a frame.
    pub fn draw(&mut self) -> Buffer {
        let size = self.app.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        let hits = self.app.view(&mut buffer);
        self.app.drawn(hits);
        buffer
    }

    fn svg(&mut self) -> String {
        svg::render(&self.draw())
    }
}
