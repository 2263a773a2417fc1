//! The fleet of one experiments folder: what the console is given.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::catalogue::{Catalogue, standing_of};
use super::error::EngineError;
use super::fleet::{Fleet, FleetError, Launch, RunSummary, Standing, WatchHandle};
use super::launch::{self, Force, Host, Request, Which};
use super::recorder::Outlets;
use super::session::{self, Ended};
use super::stop::StopSwitch;
use super::watch::Follower;
use crate::config::Overrides;
use crate::domain::{ExitCode, Gate, Plan, RunId, StopLevel};
use crate::snapshot::RunView;

/// A run that this process drives.
#[derive(Debug)]
struct Driven {
    switch: StopSwitch,
    view: watch::Receiver<Arc<RunView>>,
}

/// All runs of an experiments folder, and the drives of this process.
#[derive(Debug, Clone)]
pub struct LocalFleet {
    host: Host,
    overrides: Overrides,
    default_config: PathBuf,
    catalogue: Arc<Catalogue>,
    driven: Arc<Mutex<HashMap<RunId, Driven>>>,
    changed: watch::Sender<u64>,
}

impl LocalFleet {
    /// A fleet; `overrides` are the command line's settings for runs begun here.
    pub fn new(host: Host, overrides: Overrides, default_config: PathBuf) -> Self {
        Self {
            host,
            overrides,
            default_config,
            catalogue: Arc::default(),
            driven: Arc::default(),
            changed: watch::Sender::new(0),
        }
    }

    fn driven(&self) -> MutexGuard<'_, HashMap<RunId, Driven>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, run_id: Option<&RunId>, config: Option<PathBuf>, gate: Gate) -> Request {
        let which = run_id.map_or(Which::New(None), |id| Which::Existing(id.clone()));
        let config = if matches!(which, Which::New(_)) {
            Some(config.unwrap_or_else(|| self.default_config.clone()))
        } else {
            config
        };
        Request {
            which,
            config,
            overrides: self.overrides.clone(),
            gate,
            force: Force::No,
            condition: None,
        }
    }
}

impl From<EngineError> for FleetError {
    fn from(error: EngineError) -> Self {
        Self {
            exit: error.exit(),
            message: error.to_string(),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, FleetError> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(|died| EngineError::TaskDied(died.to_string()))?;
    Ok(done?)
}

#[async_trait]
impl Fleet for LocalFleet {
    async fn list(&self) -> Result<Vec<RunSummary>, FleetError> {
        let (catalogue, experiments, driving) = (
            Arc::clone(&self.catalogue),
            self.host.experiments.clone(),
            Fleet::driving(self),
        );
        blocking(move || Ok(catalogue.list(&experiments, &driving)?)).await
    }

    async fn watch(&self, run_id: &RunId) -> Result<WatchHandle, FleetError> {
        let paths = self.host.experiments.run(run_id);
        let known = launch::exists(&paths);
        if !known {
            return Err(EngineError::Usage {
                message: format!(
                    "there is no run {run_id} in {}",
                    self.host.experiments.path().display()
                ),
            }
            .into());
        }
        let driven = self.driven().get(run_id).map(|d| d.view.clone());
        let first = driven.as_ref().map_or_else(
            || Arc::new(RunView::new(run_id.clone())),
            |view| view.borrow().clone(),
        );
        let (view, view_receiver) = watch::channel(first);
        let begin = if driven.is_some() {
            Standing::Driving
        } else {
            standing_of(&RunView::new(run_id.clone()), &paths)
        };
        let (standing, standing_receiver) = watch::channel(begin);
        let follower = Follower::new(run_id.clone(), paths);
        tokio::spawn(async move {
            if let Some(driven) = driven {
                forward(driven, &view).await;
            }
            follower.follow(view, standing).await;
        });
        Ok(WatchHandle {
            view: view_receiver,
            standing: standing_receiver,
        })
    }

    async fn plan(&self, run_id: Option<&RunId>, gate: Gate) -> Result<Plan, FleetError> {
        let (host, request) = (self.host.clone(), self.request(run_id, None, gate));
        blocking(move || launch::plan(&host, &request)).await
    }

    async fn plan_new(&self, config: &Path, gate: Gate) -> Result<Plan, FleetError> {
        let (host, request) = (
            self.host.clone(),
            self.request(None, Some(config.to_path_buf()), gate),
        );
        blocking(move || launch::plan(&host, &request)).await
    }

    async fn launch(&self, launch: Launch) -> Result<RunId, FleetError> {
        let mut request = self.request(launch.run_id.as_ref(), launch.config, launch.gate);
        if launch.force {
            request.force = Force::Yes;
        }
        let switch = StopSwitch::default();
        // The name is replaced with the first picture; until then the run has none.
        let placeholder = launch
            .run_id
            .map_or_else(|| launch::new_run_id(&self.host), Ok)?;
        let (outlets, view) = quiet(placeholder);
        let (started, mut learned) = watch::channel(None);
        let drive = tokio::spawn(session::run(
            self.host.clone(),
            request,
            switch.clone(),
            outlets,
            started,
        ));
        let run_id = learned
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|id| id.clone());
        let Some(run_id) = run_id else {
            let ended = drive
                .await
                .map_err(|died| EngineError::TaskDied(died.to_string()))?;
            return Err(early_end(ended));
        };
        self.driven()
            .insert(run_id.clone(), Driven { switch, view });
        let (fleet, id) = (self.clone(), run_id.clone());
        tokio::spawn(async move {
            // How it ended is in the run's log and picture.
            drive.await.ok();
            fleet.driven().remove(&id);
            fleet.changed.send_modify(|n| *n += 1);
        });
        Ok(run_id)
    }

    async fn stop(&self, run_id: &RunId, level: StopLevel) -> Result<(), FleetError> {
        if let Some(driven) = self.driven().get(run_id) {
            driven.switch.request(level, "key");
            return Ok(());
        }
        let (host, run_id) = (self.host.clone(), run_id.clone());
        blocking(move || launch::request_stop(&host, &run_id, level)).await
    }

    fn driving(&self) -> Vec<RunId> {
        let mut ids: Vec<RunId> = self.driven().keys().cloned().collect();
        ids.sort();
        ids
    }

    async fn settled(&self) {
        let mut changed = self.changed.subscribe();
        while !self.driven().is_empty() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn experiments_dir(&self) -> PathBuf {
        self.host.experiments.path().to_path_buf()
    }

    fn default_config(&self) -> PathBuf {
        self.default_config.clone()
    }
}

fn quiet(run_id: RunId) -> (Outlets, watch::Receiver<Arc<RunView>>) {
    let (view, receiver) = watch::channel(Arc::new(RunView::new(run_id)));
    (Outlets { view, lines: None }, receiver)
}

fn early_end(ended: Ended) -> FleetError {
    match ended.error {
        Some(error) => error.into(),
        None => FleetError {
            message: "there is nothing to do: every phase of the gate is done".into(),
            exit: ExitCode::Done,
        },
    }
}

/// Hands a driver's pictures on until it is gone.
async fn forward(mut from: watch::Receiver<Arc<RunView>>, to: &watch::Sender<Arc<RunView>>) {
    loop {
        let picture = from.borrow_and_update().clone();
        to.send_replace(picture);
        tokio::select! {
            changed = from.changed() => if changed.is_err() { return },
            () = to.closed() => return,
        }
    }
}
