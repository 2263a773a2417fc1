//! Does what the console asks for, in tasks. Every answer comes back as an event; nothing here touches the screen.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::event::{Effect, Event, Target};
use super::model::{QueueFilter, RunPicture};
use crate::domain::RunId;
use crate::engine::{Fleet, RunSummary, WatchHandle};

/// Time between two looks at the list while some run is live.
const LIST_LIVE: Duration = Duration::from_secs(1);
/// The same while nothing is.
const LIST_REST: Duration = Duration::from_secs(3);
/// The same with very many runs, whose stats alone take a tenth of a second.
const LIST_MANY: (usize, Duration) = (2_000, Duration::from_secs(10));

/// Runs effects against a fleet.
#[derive(Debug)]
pub(super) struct Effects {
    fleet: Arc<dyn Fleet>,
    events: UnboundedSender<Event>,
    refresh: Arc<Notify>,
    filter: watch::Sender<QueueFilter>,
    lister: JoinHandle<()>,
    watcher: Option<JoinHandle<()>>,
}

impl Effects {
    /// Starts to list the runs.
    pub(super) fn new(fleet: Arc<dyn Fleet>, events: UnboundedSender<Event>) -> Self {
        let refresh = Arc::new(Notify::new());
        let lister = tokio::spawn(list(
            Arc::clone(&fleet),
            events.clone(),
            Arc::clone(&refresh),
        ));
        Self {
            fleet,
            events,
            refresh,
            filter: watch::Sender::new(QueueFilter::default()),
            lister,
            watcher: None,
        }
    }

    /// Does an effect; gives it back where it is about the terminal or the end, which belong to the loop.
    pub(super) fn run(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Watch(run_id, filter) => {
                self.filter.send_replace(filter);
                self.watch(run_id);
            }
            Effect::Arrange(filter) => {
                self.filter.send_replace(filter);
            }
            Effect::Plan(question, target, gate) => self.ask(async move |fleet| {
                let plan = match &target {
                    Target::Run(run_id) => fleet.plan(Some(run_id), gate).await,
                    Target::New(config) => fleet.plan_new(config, gate).await,
                };
                Event::Planned(question, plan)
            }),
            Effect::Launch(launch) => {
                self.ask(async move |fleet| Event::Launched(fleet.launch(launch).await));
            }
            Effect::Stop(run_id, level) => self.ask(async move |fleet| {
                let answer = fleet.stop(&run_id, level).await;
                Event::StopAsked(run_id, level, answer)
            }),
            Effect::AskToLeave => self.ask(async move |fleet| Event::Driving(fleet.driving())),
            Effect::AwaitSettled => self.ask(async move |fleet| {
                fleet.settled().await;
                Event::Settled
            }),
            Effect::Refresh => self.refresh.notify_one(),
            terminal @ (Effect::Copy(_) | Effect::Repaint | Effect::Suspend | Effect::Quit(_)) => {
                return Some(terminal);
            }
        }
        None
    }

    fn ask<F>(&self, question: impl FnOnce(Arc<dyn Fleet>) -> F)
    where
        F: Future<Output = Event> + Send + 'static,
    {
        let events = self.events.clone();
        let answer = question(Arc::clone(&self.fleet));
        // The console may be gone when the answer comes: then nobody wants it.
        tokio::spawn(async move { drop(events.send(answer.await)) });
    }

    fn watch(&mut self, run_id: Option<RunId>) {
        if let Some(watcher) = self.watcher.take() {
            watcher.abort();
        }
        if let Some(run_id) = run_id {
            let fleet = Arc::clone(&self.fleet);
            let task = follow(fleet, run_id, self.filter.subscribe(), self.events.clone());
            self.watcher = Some(tokio::spawn(task));
        }
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        self.lister.abort();
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }
}

/// Lists the runs again and again; tells the console only what is new, so that it sleeps while nothing happens.
async fn list(fleet: Arc<dyn Fleet>, events: UnboundedSender<Event>, refresh: Arc<Notify>) {
    let mut last: Option<(Vec<RunSummary>, Vec<RunId>)> = None;
    let mut complained = false;
    loop {
        let mut live = false;
        let event = match fleet.list().await {
            Ok(runs) => {
                live = runs.iter().any(|r| r.standing.is_live());
                complained = false;
                let new = (runs, fleet.driving());
                (last.as_ref() != Some(&new)).then(|| {
                    let (runs, driving) = new.clone();
                    last = Some(new);
                    Event::Catalogue {
                        runs: runs.into(),
                        driving,
                    }
                })
            }
            Err(error) => {
                let first = !std::mem::replace(&mut complained, true);
                first.then_some(Event::CatalogueFailed(error))
            }
        };
        if let Some(event) = event
            && events.send(event).is_err()
        {
            return;
        }
        let many = last
            .as_ref()
            .is_some_and(|(runs, _)| runs.len() >= LIST_MANY.0);
        let pause = tokio::time::sleep(match (live, many) {
            (true, _) => LIST_LIVE,
            (false, false) => LIST_REST,
            (false, true) => LIST_MANY.1,
        });
        tokio::select! {
            () = pause => {}
            () = refresh.notified() => {}
        }
    }
}

/// Sends a picture whenever the view, the standing or the wanted parts change.
async fn follow(
    fleet: Arc<dyn Fleet>,
    run_id: RunId,
    mut filter: watch::Receiver<QueueFilter>,
    events: UnboundedSender<Event>,
) {
    let handle = match fleet.watch(&run_id).await {
        Ok(handle) => handle,
        Err(error) => {
            drop(events.send(Event::WatchFailed(run_id, error)));
            return;
        }
    };
    let WatchHandle {
        mut view,
        mut standing,
    } = handle;
    loop {
        let newest = Arc::clone(&view.borrow_and_update());
        let stands = *standing.borrow_and_update();
        let wanted = filter.borrow_and_update().clone();
        let made =
            tokio::task::spawn_blocking(move || RunPicture::of(&newest, stands, &wanted)).await;
        // A panic while deriving was told by the hook; the next view is another chance.
        if let Ok(picture) = made
            && events.send(Event::Picture(Arc::new(picture))).is_err()
        {
            return;
        }
        // A closed sender means that this half will not change any more; the others still may.
        tokio::select! {
            Ok(()) = view.changed() => {}
            Ok(()) = standing.changed() => {}
            Ok(()) = filter.changed() => {}
            else => return,
        }
    }
}
