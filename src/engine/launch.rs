//! From a request to a run that can be driven: find or make the run, check drift, take the lock, replay the ledger.
//!
//! [`look`] only reads and needs no lock; it serves plan, show and the check "is there anything to do". [`begin`] takes the
//! lock and is the only way to a [`Drive`].

use std::path::PathBuf;
use std::sync::Arc;

use super::drive::{Drive, ProviderSource};
use super::error::EngineError;
use super::facts;
use super::recorder::{About, Outlets, Recorder, RecorderParts};
use super::stop::StopSwitch;
use crate::config::{self, Change, Config, Overrides};
use crate::domain::{Condition, Event, Gate, LogLevel, Phase, Plan, RunId, StopLevel};
use crate::phases::Ctx;
use crate::plan::{Facts, Redo, decide};
use crate::snapshot::RunView;
use crate::store::records::{self, Faces, PromptMark, Prompts};
use crate::store::{
    Digests, Durability, EventLog, ExperimentsDir, Holder, Ledger, LedgerTail, RunLock, RunPaths,
    StoreError, atomic, sentinel,
};
use crate::sys::clock::compact;
use crate::sys::{Clock, Environment};

/// What the engine is told about its surroundings.
#[derive(Debug, Clone)]
pub struct Host {
    /// The folder of the runs.
    pub experiments: ExperimentsDir,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// The environment.
    pub env: Environment,
    /// Where providers come from.
    pub providers: Arc<dyn ProviderSource>,
}

/// Which run is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// A new one, under this id or a made one.
    New(Option<RunId>),
    /// One that exists.
    Existing(RunId),
}

/// What is asked of the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which run.
    pub which: Which,
    /// The config file; for an existing run `None` takes the run's own.
    pub config: Option<PathBuf>,
    /// Settings from the command line.
    pub overrides: Overrides,
    /// The range.
    pub gate: Gate,
    /// Whether drift is accepted and fresh local phases are done again.
    pub force: Force,
    /// Submit this condition only, where one is named.
    pub condition: Option<Condition>,
}

/// Whether to go on where a decision is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Ask (exit 4).
    No,
    /// `--force`.
    Yes,
}

/// A run as seen without its lock.
#[derive(Debug)]
pub struct Look {
    /// The run.
    pub run_id: RunId,
    /// Its files.
    pub paths: RunPaths,
    /// Its configuration as of now.
    pub config: Arc<Config>,
    /// Differences to the recorded configuration.
    pub drift: Vec<Change>,
    /// Its picture.
    pub view: RunView,
    /// Whether the picture was rebuilt because the ledger is missing.
    pub recovered: bool,
}

/// Whether the run's folder holds a run.
pub fn exists(paths: &RunPaths) -> bool {
    paths.effective_config().exists() || paths.ledger().exists() || paths.run_state().exists()
}

/// Makes an id for a new run from the time, e.g. `r20261121T032201Z`; a second run in the same second gets a suffix.
pub fn new_run_id(host: &Host) -> Result<RunId, EngineError> {
    let stem = format!("r{}", compact(host.clock.now()));
    for n in 0..1000 {
        let id = RunId::new(&if n == 0 {
            stem.clone()
        } else {
            format!("{stem}-{n}")
        })
        .map_err(StoreError::from)?;
        if !host.experiments.run(&id).root().exists() {
            return Ok(id);
        }
    }
    Err(EngineError::Usage {
        message: format!("there are a thousand runs {stem}; name one with --run-id"),
    })
}

/// Reads a run without its lock.
pub fn look(
    host: &Host,
    run_id: &RunId,
    config: Option<&PathBuf>,
    overrides: &Overrides,
) -> Result<Look, EngineError> {
    let paths = host.experiments.run(run_id);
    if !exists(&paths) {
        return Err(StoreError::NoSuchRun {
            run_id: run_id.clone(),
            dir: host.experiments.path().to_path_buf(),
        }
        .into());
    }
    let recorded =
        config::load_effective(&paths.effective_config(), overrides.throughput, &host.env)?;
    let current = match config {
        Some(path) => config::load(path, overrides, &host.env)?,
        None => recorded.config,
    };
    let drift = config::diff(&recorded.effective, &current.effective);
    let (view, recovered) = read_view(run_id, &paths)?;
    Ok(Look {
        run_id: run_id.clone(),
        paths,
        config: Arc::new(current),
        drift,
        view,
        recovered,
    })
}

/// The picture of a run from its ledger, or from its faces where there is none.
pub fn read_view(run_id: &RunId, paths: &RunPaths) -> Result<(RunView, bool), EngineError> {
    let mut view = RunView::new(run_id.clone());
    if paths.ledger().exists() {
        LedgerTail::new(paths.ledger()).poll(&mut |fact| {
            // Counted as an oddity inside the picture.
            view.apply(&fact).ok();
        })?;
        return Ok((view, false));
    }
    for (at, event) in records::recover(paths)? {
        if view.apply_event(at, &event).is_err() {
            view.oddities += 1;
        }
    }
    Ok((view, true))
}

impl Look {
    /// What a phase sees.
    pub fn ctx(&self) -> Ctx {
        Ctx {
            config: Arc::clone(&self.config),
            paths: self.paths.clone(),
            view: Arc::new(self.view.clone()),
        }
    }

    /// Whether the last driver left in order and its faces are whole; otherwise there is something to put right. Refuses
    /// faces of a newer version.
    fn is_in_order(&self) -> Result<bool, EngineError> {
        let faults = records::face_faults(&self.paths, &self.view)?;
        let left = |driver: &crate::snapshot::DriverView| driver.exit.is_some();
        Ok(self.view.driver.as_ref().is_some_and(left)
            && !faults.missing
            && faults.damaged.is_empty())
    }

    /// The facts for the plan.
    pub fn facts(&self, digests: &Digests) -> Result<Facts, EngineError> {
        facts::gather(
            &self.ctx(),
            digests,
            self.drift.iter().map(ToString::to_string).collect(),
        )
    }
}

/// What would be done, and why.
pub fn plan(host: &Host, request: &Request) -> Result<Plan, EngineError> {
    let digests = Digests::default();
    match &request.which {
        Which::Existing(run_id) => {
            let look = look(host, run_id, request.config.as_ref(), &request.overrides)?;
            Ok(decide(&look.facts(&digests)?, request.gate, redo(request)))
        }
        Which::New(_) => {
            let config = load_new(host, request)?;
            Ok(decide(
                &facts::of_new_run(&config),
                request.gate,
                Redo::Stale,
            ))
        }
    }
}

fn redo(request: &Request) -> Redo {
    if request.force == Force::Yes {
        Redo::Local
    } else {
        Redo::Stale
    }
}

fn load_new(host: &Host, request: &Request) -> Result<Config, EngineError> {
    let Some(path) = &request.config else {
        return Err(EngineError::Usage {
            message: "a new run needs a config file; give one with --config".into(),
        });
    };
    Ok(config::load(path, &request.overrides, &host.env)?)
}

/// What `begin` found.
#[derive(Debug)]
pub enum Begun {
    /// Nothing is to be done; no byte was written.
    NothingToDo(RunId),
    /// A run under the lock, ready to be driven.
    Ready(Box<Drive>),
}

/// Finds or makes the run and takes its lock.
pub fn begin(
    host: &Host,
    request: &Request,
    stop: &StopSwitch,
    outlets: Outlets,
) -> Result<Begun, EngineError> {
    let digests = Arc::new(Digests::default());
    match &request.which {
        Which::Existing(run_id) => continue_run(host, request, run_id, (stop, outlets), digests),
        Which::New(wanted) => {
            let config = load_new(host, request)?;
            let run_id = match wanted {
                Some(id) => id.clone(),
                None => new_run_id(host)?,
            };
            let paths = host.experiments.run(&run_id);
            atomic::create_dir_all(paths.root())?;
            let locked = lock(host, &paths)?;
            if exists(&paths) {
                // Made by another process between our look and our lock.
                drop(locked);
                return continue_run(host, request, &run_id, (stop, outlets), digests);
            }
            create_run(
                host,
                request,
                Fresh {
                    run_id,
                    paths,
                    config,
                    locked,
                },
                (stop, outlets),
                digests,
            )
        }
    }
}

fn lock(host: &Host, paths: &RunPaths) -> Result<RunLock, EngineError> {
    Ok(RunLock::acquire(
        paths,
        &Holder::this_process(host.clock.now()),
    )?)
}

/// A run that is about to be made.
struct Fresh {
    run_id: RunId,
    paths: RunPaths,
    config: Config,
    locked: RunLock,
}

fn create_run(
    host: &Host,
    request: &Request,
    fresh: Fresh,
    (stop, outlets): (&StopSwitch, Outlets),
    digests: Arc<Digests>,
) -> Result<Begun, EngineError> {
    let Fresh {
        run_id,
        paths,
        config,
        locked,
    } = fresh;
    // The config first: without it there is no run, with it a run can always be continued.
    atomic::write(
        &paths.effective_config(),
        config.effective_yaml().as_bytes(),
    )?;
    let (ledger, _) = Ledger::open(&locked, &paths)?;
    let parts = recorder_parts(
        host,
        &paths,
        &config,
        (locked, ledger, RunView::new(run_id.clone())),
        outlets,
    )?;
    let mut recorder = Recorder::new(parts);
    let created = Event::RunCreated {
        run_id: run_id.clone(),
        config_path: config.path.clone(),
        config_hash: config.hash(),
        budget: config.budget_max_usd,
        migrated: false,
    };
    let events = std::iter::once(created)
        .chain(trial_events(&config))
        .chain(std::iter::once(driver_event(request)))
        .collect();
    recorder.record(events, Durability::Fsync)?;
    recorder.say(
        LogLevel::Info,
        About::default(),
        &format!("run {run_id} made from {}", config.path),
    );
    Ok(ready(
        host,
        request,
        (recorder, Arc::new(config), paths),
        stop,
        digests,
    ))
}

fn trial_events(config: &Config) -> impl Iterator<Item = Event> + '_ {
    config.trials.iter().map(|trial| Event::TrialPlanned {
        trial: trial.clone(),
    })
}

fn driver_event(request: &Request) -> Event {
    Event::DriverStarted {
        pid: std::process::id(),
        host: crate::store::lock::hostname(),
        gate: request.gate,
    }
}

fn recorder_parts(
    host: &Host,
    paths: &RunPaths,
    config: &Config,
    (lock, ledger, view): (RunLock, Ledger, RunView),
    outlets: Outlets,
) -> Result<RecorderParts, EngineError> {
    Ok(RecorderParts {
        lock,
        ledger,
        log: EventLog::open(paths)?,
        faces: Faces::new(paths.clone(), prompt_marks(config)),
        view,
        outlets,
        clock: Arc::clone(&host.clock),
    })
}

fn prompt_marks(config: &Config) -> Prompts {
    let mut marks = Prompts::new();
    for trial in &config.trials {
        let Some(set) = config.prompt_set(&trial.prompt_set) else {
            continue;
        };
        let files = [
            ("control", &set.control),
            ("treatment", &set.treatment),
            ("closed_book", &config.instructions.closed_book),
            ("open_book", &config.instructions.open_book),
        ];
        let of_trial = files.into_iter().map(|(role, file)| {
            (
                role.to_owned(),
                PromptMark {
                    path: file.path.clone(),
                    sha256: file.sha256,
                },
            )
        });
        marks.insert(trial.slug.clone(), of_trial.collect());
    }
    marks
}

fn ready(
    host: &Host,
    request: &Request,
    (recorder, config, paths): (Recorder, Arc<Config>, RunPaths),
    stop: &StopSwitch,
    digests: Arc<Digests>,
) -> Begun {
    Begun::Ready(Box::new(Drive {
        recorder,
        config,
        paths,
        digests,
        stop: stop.watch(),
        providers: Arc::clone(&host.providers),
        gate: request.gate,
        redo: redo(request),
        condition: request.condition,
    }))
}

fn continue_run(
    host: &Host,
    request: &Request,
    run_id: &RunId,
    (stop, outlets): (&StopSwitch, Outlets),
    digests: Arc<Digests>,
) -> Result<Begun, EngineError> {
    let seen = look(host, run_id, request.config.as_ref(), &request.overrides)?;
    if !seen.drift.is_empty() && request.force == Force::No {
        return Err(EngineError::NeedsDecision {
            message: drift_message(run_id, &seen.drift),
        });
    }
    let nothing = seen.is_in_order()?
        && seen.drift.is_empty()
        && !seen.recovered
        && decide(&seen.facts(&digests)?, request.gate, redo(request)).is_done();
    if nothing && statuses_tell(&seen.view, request.gate) && sentinel::read(&seen.paths).is_none() {
        return Ok(Begun::NothingToDo(run_id.clone()));
    }
    let locked = lock(host, &seen.paths)?;
    let (mut ledger, replay) = Ledger::open(&locked, &seen.paths)?;
    let mut view = RunView::new(run_id.clone());
    // Another process may have rebuilt it between our look and our lock.
    let recovers = seen.recovered && replay.recorded.is_empty();
    let recorded = if recovers {
        ledger.append_dated(records::recover(&seen.paths)?)?
    } else {
        replay.recorded
    };
    for fact in &recorded {
        // Counted as an oddity inside the picture.
        view.apply(fact).ok();
    }
    let parts = recorder_parts(
        host,
        &seen.paths,
        &seen.config,
        (locked, ledger, view),
        outlets,
    )?;
    let mut recorder = Recorder::new(parts);
    atomic::remove_stale_temps(seen.paths.root())?;
    let tail = if replay.torn_tail {
        Tail::Torn
    } else {
        Tail::Whole
    };
    settle_leftovers(&mut recorder, &seen, tail)?;
    recorder.record(vec![driver_event(request)], Durability::Fsync)?;
    Ok(ready(
        host,
        request,
        (recorder, Arc::clone(&seen.config), seen.paths.clone()),
        stop,
        digests,
    ))
}

/// Whether the recorded statuses of the gate's phases already say what the plan found.
fn statuses_tell(view: &RunView, gate: Gate) -> bool {
    gate.phases()
        .all(|phase: Phase| view.phase(phase).status == crate::domain::PhaseStatus::Completed)
}

fn drift_message(run_id: &RunId, drift: &[Change]) -> String {
    let list: Vec<String> = drift
        .iter()
        .take(30)
        .map(|change| format!("  {change}"))
        .collect();
    format!(
        "the configuration is not the one that run {run_id} was made with:\n{}\nput it back, make a new run, or continue with the new one by --force (recorded in the run)",
        list.join("\n")
    )
}

/// Whether the ledger's last line was whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Whole,
    Torn,
}

/// Records what an earlier process left: a stop, an accepted drift, a torn ledger line, a missing ledger.
fn settle_leftovers(recorder: &mut Recorder, seen: &Look, tail: Tail) -> Result<(), EngineError> {
    if tail == Tail::Torn {
        recorder.say(
            LogLevel::Warn,
            About::default(),
            "the last line of the ledger was torn and is dropped",
        );
    }
    if seen.recovered {
        recorder.say(
            LogLevel::Warn,
            About::default(),
            "the ledger was missing; it was rebuilt from run_state.json and the trial manifests",
        );
    }
    for face in records::face_faults(&seen.paths, recorder.view())?.damaged {
        let kept = atomic::set_aside(&face)?;
        recorder.say(
            LogLevel::Warn,
            About::default(),
            &format!(
                "{} is damaged: kept as {} and written again",
                seen.paths.relative(&face),
                seen.paths.relative(&kept)
            ),
        );
    }
    if sentinel::clear(&seen.paths)? | recorder.view().stop.is_some() {
        recorder.record(vec![Event::StopCleared], Durability::Lazy)?;
        recorder.say(
            LogLevel::Info,
            About::default(),
            "a stop asked for earlier is cleared",
        );
    }
    accept_drift(recorder, seen)?;
    let missing: Vec<Event> = trial_events(&seen.config)
        .filter(|e| matches!(e, Event::TrialPlanned { trial } if recorder.view().trial(&trial.slug).is_none()))
        .collect();
    recorder.record(missing, Durability::Fsync)
}

/// Takes over a changed configuration that the operator accepted; the old one is kept beside it.
fn accept_drift(recorder: &mut Recorder, seen: &Look) -> Result<(), EngineError> {
    if seen.drift.is_empty() {
        return Ok(());
    }
    let changes: Vec<String> = seen.drift.iter().map(ToString::to_string).collect();
    let suffix = format!("backup.{}", compact(recorder.clock().now()));
    atomic::backup(&seen.paths.effective_config(), &suffix)?;
    atomic::write(
        &seen.paths.effective_config(),
        seen.config.effective_yaml().as_bytes(),
    )?;
    recorder.say(
        LogLevel::Warn,
        About::default(),
        &format!(
            "continues with another configuration (--force): {}",
            changes.join("; ")
        ),
    );
    let events = std::iter::once(Event::DriftAccepted {
        config_hash: seen.config.hash(),
        changes,
    })
    .chain(trial_events(&seen.config))
    .collect();
    recorder.record(events, Durability::Fsync)
}

/// Asks the driver of a run, wherever it is, to stop.
pub fn request_stop(host: &Host, run_id: &RunId, level: StopLevel) -> Result<(), EngineError> {
    let paths = host.experiments.run(run_id);
    if !exists(&paths) {
        return Err(StoreError::NoSuchRun {
            run_id: run_id.clone(),
            dir: host.experiments.path().to_path_buf(),
        }
        .into());
    }
    Ok(sentinel::request(&paths, level)?)
}
