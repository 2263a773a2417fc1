//! Effects against a scripted fleet.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::domain::{ExitCode, Gate, Plan, StopLevel};
use crate::engine::{FleetError, Launch, Standing};
use crate::snapshot::RunView;
use crate::ui::shots::world::{self, Scene};

#[derive(Debug)]
struct Scripted {
    view: watch::Sender<Arc<RunView>>,
    standing: watch::Sender<Standing>,
    calls: Mutex<Vec<String>>,
}

impl Scripted {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            view: watch::Sender::new(Arc::new(world::run(Scene::Running))),
            standing: watch::Sender::new(Standing::Driving),
            calls: Mutex::default(),
        })
    }

    fn note(&self, call: &str) {
        self.calls.lock().expect("no panic").push(call.to_owned());
    }
}

#[async_trait::async_trait]
impl Fleet for Scripted {
    async fn list(&self) -> Result<Vec<RunSummary>, FleetError> {
        self.note("list");
        Ok(world::catalogue(Scene::Running).0)
    }

    async fn watch(&self, run_id: &RunId) -> Result<WatchHandle, FleetError> {
        if *run_id == world::run_id() {
            return Ok(WatchHandle {
                view: self.view.subscribe(),
                standing: self.standing.subscribe(),
            });
        }
        Err(FleetError {
            message: "no such run".to_owned(),
            exit: ExitCode::Usage,
        })
    }

    async fn plan(&self, _: Option<&RunId>, gate: Gate) -> Result<Plan, FleetError> {
        Ok(world::plan(gate))
    }

    async fn launch(&self, _: Launch) -> Result<RunId, FleetError> {
        Ok(world::run_id())
    }

    async fn stop(&self, run_id: &RunId, level: StopLevel) -> Result<(), FleetError> {
        self.note(&format!("stop {run_id} {level:?}"));
        Ok(())
    }

    fn driving(&self) -> Vec<RunId> {
        vec![world::run_id()]
    }

    async fn settled(&self) {}

    fn experiments_dir(&self) -> PathBuf {
        PathBuf::from("experiments")
    }

    fn default_config(&self) -> PathBuf {
        PathBuf::from("config/eval_config.yaml")
    }
}

/// The next event that is not the list of runs.
async fn next(events: &mut UnboundedReceiver<Event>) -> Event {
    loop {
        let event = events.recv().await.expect("open");
        if !matches!(event, Event::Catalogue { .. }) {
            return event;
        }
    }
}

async fn next_picture(events: &mut UnboundedReceiver<Event>) -> Arc<RunPicture> {
    let event = next(events).await;
    let Event::Picture(picture) = event else {
        panic!("{event:?}")
    };
    picture
}

#[tokio::test]
async fn a_picture_follows_the_view_the_standing_and_the_filter() {
    let fleet = Scripted::new();
    let (sender, mut events) = unbounded_channel();
    let mut effects = Effects::new(Arc::<Scripted>::clone(&fleet), sender);
    effects.run(Effect::Watch(Some(world::run_id()), QueueFilter::default()));
    let first = next_picture(&mut events).await;
    assert_eq!(
        (first.standing, first.cells.len()),
        (Standing::Driving, 160)
    );

    let failed = QueueFilter {
        text: "state:failed".to_owned(),
        attention: false,
    };
    effects.run(Effect::Arrange(failed));
    let narrowed = next_picture(&mut events).await;
    assert_eq!(
        narrowed.queue.sections.iter().map(Vec::len).sum::<usize>(),
        2
    );

    fleet.standing.send_replace(Standing::Orphan);
    assert_eq!(next_picture(&mut events).await.standing, Standing::Orphan);
    fleet
        .view
        .send_replace(Arc::new(world::run(Scene::Stopped)));
    assert!(next_picture(&mut events).await.view.stop.is_some());
}

#[tokio::test]
async fn answers_carry_the_question_they_are_for() {
    let (sender, mut events) = unbounded_channel();
    let fleet = Scripted::new();
    let mut effects = Effects::new(Arc::<Scripted>::clone(&fleet), sender);
    let target = Target::New(Path::new("other.yaml").to_owned());
    effects.run(Effect::Plan(7, target, Gate::default()));
    assert!(
        matches!(next(&mut events).await, Event::Planned(7, Err(error)) if error.message.contains("other.yaml"))
    );
    effects.run(Effect::Stop(world::run_id(), StopLevel::Soft));
    assert!(matches!(
        next(&mut events).await,
        Event::StopAsked(_, StopLevel::Soft, Ok(()))
    ));
    assert!(
        fleet
            .calls
            .lock()
            .expect("no panic")
            .iter()
            .any(|c| c.ends_with("Soft"))
    );
    effects.run(Effect::AskToLeave);
    assert!(matches!(next(&mut events).await, Event::Driving(runs) if runs.len() == 1));
    let unknown = RunId::new("elsewhere").expect("plain");
    effects.run(Effect::Watch(Some(unknown.clone()), QueueFilter::default()));
    assert!(matches!(next(&mut events).await, Event::WatchFailed(run_id, _) if run_id == unknown));
}

#[tokio::test]
async fn an_unchanged_list_is_told_once() {
    let (sender, mut events) = unbounded_channel();
    let fleet = Scripted::new();
    let mut effects = Effects::new(Arc::<Scripted>::clone(&fleet), sender);
    assert!(matches!(events.recv().await, Some(Event::Catalogue { .. })));
    let listed = || fleet.calls.lock().expect("no panic").len();
    effects.run(Effect::Refresh);
    while listed() < 2 {
        tokio::task::yield_now().await;
    }
    effects.run(Effect::AskToLeave);
    assert!(matches!(events.recv().await, Some(Event::Driving(_))));
}

#[test]
fn effects_on_the_terminal_come_back_to_the_loop() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (sender, _events) = unbounded_channel();
        let mut effects = Effects::new(Scripted::new(), sender);
        for effect in [
            Effect::Repaint,
            Effect::Suspend,
            Effect::Quit(ExitCode::Done),
        ] {
            assert_eq!(effects.run(effect.clone()), Some(effect));
        }
    });
}
