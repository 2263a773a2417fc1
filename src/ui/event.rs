//! What reaches the console and what it asks for. Both are plain values, so that every flow is a table in a test.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::{ExitCode, Gate, Plan, RunId, StopLevel};
use crate::engine::{FleetError, Launch, RunSummary};

use super::model::{QueueFilter, RunPicture};

/// A signal of the operating system that ends the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Asked to leave: SIGTERM, or SIGINT from outside.
    Leave,
    /// The terminal went away: SIGHUP, or its line hung up.
    HangUp,
    /// Asked to suspend: SIGTSTP.
    Suspend,
}

/// What the console learns.
#[derive(Debug, Clone)]
pub enum Event {
    /// A key, a mouse button, pasted text, a new size.
    Input(crossterm::event::Event),
    /// The runs, and which of them this process drives.
    Catalogue {
        /// Newest first.
        runs: Arc<[RunSummary]>,
        /// Driven here.
        driving: Vec<RunId>,
    },
    /// The runs could not be listed.
    CatalogueFailed(FleetError),
    /// The watched run has moved on.
    Picture(Arc<RunPicture>),
    /// A run could not be watched.
    WatchFailed(RunId, FleetError),
    /// A plan was made, for the question of that number.
    Planned(u64, Result<Plan, FleetError>),
    /// A run was begun, or not.
    Launched(Result<RunId, FleetError>),
    /// A stop was asked for, or could not be.
    StopAsked(RunId, StopLevel, Result<(), FleetError>),
    /// The answer to [`Effect::AskToLeave`]: what this process drives now.
    Driving(Vec<RunId>),
    /// Nothing is driven by this process any more.
    Settled,
    /// A second passed.
    Second,
    /// A signal came.
    Signal(Signal),
    /// A background task ended in a panic.
    TaskDied(String),
    /// The process was suspended and is back.
    Resumed,
}

/// What a plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A run that exists.
    Run(RunId),
    /// A new run of this config.
    New(PathBuf),
}

/// What the console wants done. Answers come back as [`Event`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Watch this run and no other (`None` watches none), and show these parts of its queue.
    Watch(Option<RunId>, QueueFilter),
    /// Show other parts of the watched run's queue.
    Arrange(QueueFilter),
    /// Make a plan; the number comes back with it.
    Plan(u64, Target, Gate),
    /// Drive a run.
    Launch(Launch),
    /// Ask for a stop.
    Stop(RunId, StopLevel),
    /// Ask what this process drives, before leaving.
    AskToLeave,
    /// Tell when nothing is driven any more.
    AwaitSettled,
    /// Read the list of runs again at once.
    Refresh,
    /// Put a text on the clipboard of the terminal.
    Copy(String),
    /// Paint everything anew.
    Repaint,
    /// Give the terminal back and stop until continued.
    Suspend,
    /// End.
    Quit(ExitCode),
}
