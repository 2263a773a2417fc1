//! A drive without the console: one line per event in a pipe, a progress line on a terminal. Signals become stops.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::args::Format;
use super::print;
use super::{Failure, Outcome};
use crate::domain::text::thousands;
use crate::domain::{
    ExitCode, LogLevel, LogLine, Phase, PhaseStatus, RunId, StopLevel, WorkStatus,
};
use crate::engine::session::{self, Ended};
use crate::engine::{Host, Outlets, Request, StopSwitch};
use crate::snapshot::RunView;

/// Drives a request to its end.
pub(super) async fn drive(host: Host, request: Request, format: Format) -> Outcome {
    let stop = StopSwitch::default();
    let signals = Arc::new(AtomicU8::new(0));
    tokio::spawn(heed_signals(stop.clone(), Arc::clone(&signals)));
    let (line_sender, lines) = mpsc::unbounded_channel();
    let placeholder = RunId::new("new").map_err(|error| Failure::usage(error.to_string()))?;
    let (view_sender, view) = watch::channel(Arc::new(RunView::new(placeholder)));
    let (started, _) = watch::channel(None);
    let outlets = Outlets {
        view: view_sender,
        lines: Some(line_sender),
    };
    let printer = tokio::spawn(print_lines(lines, view.clone()));
    let experiments = host.experiments.clone();
    let ended = session::run(host, request, stop, outlets, started).await;
    // The printer ends when the recorder, and with it the sender, is gone.
    if printer.await.is_err() {
        print::note("the printer died");
    }
    let ended = if signals.load(Ordering::SeqCst) > 1 {
        Ended {
            exit: interrupted(ended.exit),
            ..ended
        }
    } else {
        ended
    };
    report(&ended, &view.borrow(), &experiments, format);
    match ended.error {
        Some(error) => Err(Failure::new(ended.exit, error.to_string())),
        None => Ok(ended.exit),
    }
}

/// A second signal is an interruption, unless everything was done all the same.
fn interrupted(exit: ExitCode) -> ExitCode {
    if exit == ExitCode::Done {
        exit
    } else {
        ExitCode::Interrupted
    }
}

/// Turns the first signal into a soft stop and the second into an urgent one.
async fn heed_signals(stop: StopSwitch, count: Arc<AtomicU8>) {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let (sender, mut heard) = mpsc::unbounded_channel();
    for kind in kinds {
        let sender = sender.clone();
        let Ok(mut stream) = signal(kind) else {
            continue;
        };
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(()).is_err() {
                    return;
                }
            }
        });
    }
    while heard.recv().await.is_some() {
        let n = count.fetch_add(1, Ordering::SeqCst) + 1;
        let (level, words) = match n {
            1 => (
                StopLevel::Soft,
                "stopping: no new submission; running jobs are waited for and downloaded (again: stop now)",
            ),
            _ => (
                StopLevel::Now,
                "stopping now: running jobs are left at the provider; resume adopts them",
            ),
        };
        print::note(words);
        stop.request(level, "signal");
    }
}

async fn print_lines(
    mut lines: mpsc::UnboundedReceiver<Arc<LogLine>>,
    mut view: watch::Receiver<Arc<RunView>>,
) {
    let bar = std::io::stderr().is_terminal().then(progress_bar);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => match &bar {
                    // Ordinary lines are for the log; on a terminal the progress line tells the same.
                    Some(_) if line.level == LogLevel::Info && line.part.is_some() => {}
                    Some(bar) => bar.suspend(|| print::note(&format_line(&line))),
                    None => print::note(&format_line(&line)),
                },
                None => break,
            },
            _ = tick.tick(), if bar.is_some() => {
                if let Some(bar) = &bar {
                    show_progress(bar, &view.borrow_and_update());
                }
            }
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn format_line(line: &LogLine) -> String {
    let time = line.at.strftime("%H:%M:%S");
    let level = match line.level {
        LogLevel::Info => "",
        LogLevel::Warn => "! ",
        LogLevel::Error => "✗ ",
    };
    let phase = line.phase.map_or("-", Phase::as_str);
    let scope = match (&line.trial, line.part) {
        (Some(trial), Some(part)) => format!("{trial} {part}: "),
        (Some(trial), None) => format!("{trial}: "),
        (None, _) => String::new(),
    };
    format!("{time} {phase:<8} {level}{scope}{}", line.message)
}

fn progress_bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix} {bar:30.cyan/dim} {pos}/{len} requests  {msg}");
    let bar = ProgressBar::new(0);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show_progress(bar: &ProgressBar, view: &RunView) {
    let running = Phase::ALL
        .into_iter()
        .filter(|p| view.phase(*p).status == PhaseStatus::InProgress);
    let running: Vec<&str> = running.map(Phase::as_str).collect();
    bar.set_prefix(running.join("+"));
    let totals = &view.totals;
    bar.set_length(totals.requests);
    bar.set_position(totals.answered);
    let live = totals.with(WorkStatus::Submitted) + totals.with(WorkStatus::Running);
    bar.set_message(format!(
        "parts {}/{} ({live} live)  {}",
        totals.with(WorkStatus::Downloaded),
        totals.all(),
        totals.spent
    ));
}

/// What a drive ends with, for programs.
#[derive(Debug, serde::Serialize)]
struct ResultJson {
    run_id: Option<String>,
    exit: u8,
    outcome: ExitCode,
    answered: u64,
    requests: u64,
    spent_usd: f64,
    reports: Vec<String>,
    error: Option<String>,
}

fn report(
    ended: &Ended,
    view: &RunView,
    experiments: &crate::store::ExperimentsDir,
    format: Format,
) {
    let reports = ended
        .run_id
        .as_ref()
        .map_or_else(Vec::new, |id| written_reports(&experiments.run(id), view));
    if format == Format::Json {
        print::json(&ResultJson {
            run_id: ended.run_id.as_ref().map(ToString::to_string),
            exit: ended.exit.code(),
            outcome: ended.exit,
            answered: view.totals.answered,
            requests: view.totals.requests,
            spent_usd: view.totals.spent.dollars(),
            reports,
            error: ended.error.as_ref().map(ToString::to_string),
        });
        return;
    }
    let Some(run_id) = &ended.run_id else { return };
    if ended.idle {
        print::out(&format!(
            "run {run_id}: nothing to do, everything asked for is done"
        ));
        return;
    }
    let totals = &view.totals;
    print::out(&format!(
        "run {run_id}: {} of {} requests answered in {} jobs ({} adopted), {} spent",
        thousands(totals.answered),
        thousands(totals.requests),
        totals.jobs,
        totals.adopted,
        totals.spent,
    ));
    for path in reports {
        print::out(&format!("  {path}"));
    }
}

fn written_reports(paths: &crate::store::RunPaths, view: &RunView) -> Vec<String> {
    let trials = view
        .trials
        .iter()
        .map(|t| paths.trial(&t.trial.slug).report_md());
    let all = std::iter::once(paths.aggregate_report()).chain(trials);
    all.filter(|p| p.exists())
        .map(|p| p.display().to_string())
        .collect()
}
