//! One drive from launch to exit code: begin, drive, record the end. Used by the headless mode and the console alike.

use std::time::Duration;

use tokio::sync::watch;

use super::drive::{Drive, is_stop};
use super::error::EngineError;
use super::launch::{Begun, Host, Request, begin};
use super::recorder::{About, Outlets};
use super::stop::StopSwitch;
use crate::domain::{Event, ExitCode, LogLevel, RunId};
use crate::store::{Durability, RunPaths, sentinel};

/// How often the stop files are looked at.
const SENTINEL_EVERY: Duration = Duration::from_millis(250);

/// How a drive ended.
#[derive(Debug)]
pub struct Ended {
    /// The run; `None` where it was never made.
    pub run_id: Option<RunId>,
    /// The exit code.
    pub exit: ExitCode,
    /// What ended it early.
    pub error: Option<EngineError>,
    /// Whether there was nothing to do.
    pub idle: bool,
}

/// Does what a request asks for. `started` learns the run's id as soon as it is under the lock.
pub async fn run(
    host: Host,
    request: Request,
    stop: StopSwitch,
    outlets: Outlets,
    started: watch::Sender<Option<RunId>>,
) -> Ended {
    let switch = stop.clone();
    let begun = tokio::task::spawn_blocking(move || begin(&host, &request, &switch, outlets)).await;
    let drive = match begun {
        Err(died) => return failed(None, EngineError::TaskDied(died.to_string())),
        Ok(Err(error)) => return failed(None, error),
        Ok(Ok(Begun::NothingToDo(run_id))) => {
            started.send_replace(Some(run_id.clone()));
            return Ended {
                run_id: Some(run_id),
                exit: ExitCode::Done,
                error: None,
                idle: true,
            };
        }
        Ok(Ok(Begun::Ready(drive))) => drive,
    };
    let run_id = drive.recorder.view().run_id.clone();
    started.send_replace(Some(run_id.clone()));
    let files = tokio::spawn(watch_stop_files(drive.paths.clone(), stop));
    let ended = drive_to_end(*drive, run_id).await;
    files.abort();
    ended
}

fn failed(run_id: Option<RunId>, error: EngineError) -> Ended {
    Ended {
        run_id,
        exit: error.exit(),
        error: Some(error),
        idle: false,
    }
}

async fn drive_to_end(mut drive: Drive, run_id: RunId) -> Ended {
    let outcome = drive.run().await;
    let exit = outcome
        .as_ref()
        .err()
        .map_or(ExitCode::Done, EngineError::exit);
    let farewell = farewell(&mut drive, &outcome, exit);
    match outcome.and(farewell) {
        Ok(()) => Ended {
            run_id: Some(run_id),
            exit,
            error: None,
            idle: false,
        },
        Err(error) => failed(Some(run_id), error),
    }
}

/// Records that the driver leaves, so that nobody takes the run for an orphan.
fn farewell(
    drive: &mut Drive,
    outcome: &Result<(), EngineError>,
    exit: ExitCode,
) -> Result<(), EngineError> {
    let words = match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) if is_stop(error).is_some() => "stopped as asked; resume continues".to_owned(),
        Err(error) => format!("ended early: {error}"),
    };
    let level = if outcome.is_ok() {
        LogLevel::Info
    } else {
        LogLevel::Warn
    };
    drive.recorder.say(level, About::default(), &words);
    drive
        .recorder
        .record(vec![Event::DriverEnded { exit }], Durability::Fsync)?;
    drive.recorder.face()
}

/// Turns stop files into stops. The files are how other processes ask.
async fn watch_stop_files(paths: RunPaths, stop: StopSwitch) {
    loop {
        tokio::time::sleep(SENTINEL_EVERY).await;
        if let Some(level) = sentinel::read(&paths) {
            stop.request(level, "file");
        }
    }
}
