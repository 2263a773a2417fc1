//! What a question says: what will happen, with the numbers of the live picture.

use ratatui::text::{Line, Span};

use super::{Question, jobs};
use crate::domain::decision::Action as Work;
use crate::domain::text::{printable, thousands};
use crate::domain::{Plan, WorkStatus};
use crate::engine::Launch;
use crate::ui::app::App;
use crate::ui::format;
use crate::ui::model::{Eta, RunPicture};
use crate::ui::screens::plan::PlanScreen;
use crate::ui::widgets::pen::Pen;

/// The title of the box.
pub(super) fn title(question: &Question, app: &App) -> String {
    match question {
        Question::Stop(run_id) => format!("stop {run_id}?"),
        Question::StopNow(run_id) => format!("stop {run_id} now?"),
        Question::Start(launch) => match &launch.run_id {
            Some(run_id) => format!("resume {run_id}?"),
            None => "start a new run?".to_owned(),
        },
        Question::Leave => format!("leave? {} driven here", are(app.driving.len() as u64)),
        Question::Suspend => "suspend?".to_owned(),
    }
}

fn are(n: u64) -> String {
    format!(
        "{} {}",
        format::count(n, "run"),
        if n == 1 { "is" } else { "are" }
    )
}

/// The word on the button.
pub(super) fn verb(question: &Question) -> &'static str {
    match question {
        Question::Stop(_) => "Stop softly",
        Question::StopNow(_) => "Stop now",
        Question::Start(_) => "Start",
        Question::Leave => "Stop softly, then leave",
        Question::Suspend => "Suspend",
    }
}

/// What will happen.
pub(super) fn body(question: &Question, app: &App, pen: &Pen<'_>) -> Vec<Line<'static>> {
    match question {
        Question::Stop(run_id) => match app.picture_of(run_id) {
            Some(picture) => stop(picture, pen),
            None => vec![dim(
                pen,
                "What is submitted is finished and downloaded; nothing new is submitted.",
            )],
        },
        Question::StopNow(run_id) => match app.picture_of(run_id) {
            Some(picture) => stop_now(picture, pen),
            None => vec![dim(
                pen,
                "Running jobs stay at the provider; resume adopts them.",
            )],
        },
        Question::Start(launch) => start(launch, app, pen),
        Question::Leave => leave(app, pen),
        Question::Suspend => vec![
            Line::from("Runs driven here stand still while the console is suspended."),
            dim(
                pen,
                "Jobs at the provider go on; nothing is lost. fg brings it back.",
            ),
        ],
    }
}

fn dim(pen: &Pen<'_>, text: impl Into<String>) -> Line<'static> {
    Line::styled(text.into(), pen.theme.dim)
}

/// A number that matters and what follows from it.
fn fact(pen: &Pen<'_>, number: String, rest: impl Into<String>) -> Line<'static> {
    Line::from(vec![
        Span::styled(number, pen.theme.strong),
        Span::styled(format!(": {}", rest.into()), pen.theme.text),
    ])
}

fn stop(picture: &RunPicture, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let flight = picture.in_flight() + picture.parts(WorkStatus::InDoubt);
    let waiting = picture.parts(WorkStatus::Pending);
    let mut lines = vec![if flight == 0 {
        Line::from("No job is at the provider.")
    } else {
        fact(
            pen,
            jobs(flight, ("is at the provider", "are at the provider")),
            "waited for, then downloaded",
        )
    }];
    if flight > 0 {
        lines.push(dim(
            pen,
            match running_time(picture, pen) {
                Some(span) => format!("   about {span} (p90 of turnaround); it cannot be refunded"),
                None => "   too early to say how long; it cannot be refunded".to_owned(),
            },
        ));
    }
    if waiting > 0 {
        let saved = match picture.cost_left(picture.requests_waiting()) {
            Some(usd) if usd.nanos() > 0 => format!("not submitted, about {usd} not spent"),
            _ => "not submitted".to_owned(),
        };
        lines.push(fact(pen, waits(waiting), saved));
    }
    lines.extend(given_up(picture, pen));
    let left = waiting + picture.parts(WorkStatus::Failed) + picture.parts(WorkStatus::Expired);
    lines.push(dim(
        pen,
        match left {
            0 => "afterwards: no part is left, resume does the later phases".to_owned(),
            n => format!(
                "afterwards: resume does {}, nothing is lost",
                format::count(n, "part")
            ),
        },
    ));
    lines
}

fn stop_now(picture: &RunPicture, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let flight = picture.in_flight() + picture.parts(WorkStatus::InDoubt);
    let mut lines = vec![if flight == 0 {
        Line::from("No job is at the provider.")
    } else {
        fact(
            pen,
            jobs(flight, ("is at the provider", "are at the provider")),
            "left there, still running, still paid",
        )
    }];
    let waiting = picture.parts(WorkStatus::Pending);
    if waiting > 0 {
        lines.push(fact(pen, waits(waiting), "not submitted"));
    }
    lines.extend(given_up(picture, pen));
    lines.push(dim(
        pen,
        "afterwards: resume adopts the jobs by their keys, none is sent twice",
    ));
    lines
}

fn waits(n: u64) -> String {
    format!(
        "{} {}",
        format::count(n, "part"),
        if n == 1 { "waits" } else { "wait" }
    )
}

fn given_up(picture: &RunPicture, pen: &Pen<'_>) -> Option<Line<'static>> {
    let n = picture.parts(WorkStatus::Failed) + picture.parts(WorkStatus::Expired);
    (n > 0).then(|| {
        fact(
            pen,
            format!("{} failed or expired", format::count(n, "part")),
            "not tried again",
        )
    })
}

/// How long the jobs at the provider still take, at the ninth decile.
fn running_time(picture: &RunPicture, pen: &Pen<'_>) -> Option<String> {
    match picture.flight_eta(pen.now) {
        Eta::Range(_, p90) => Some(format::rough_span(p90)),
        Eta::TooEarly | Eta::Done => None,
    }
}

fn start(launch: &Launch, app: &App, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let Some(Ok(plan)) = app.plan.as_ref().and_then(|p| p.answer.as_ref()) else {
        return vec![dim(pen, "the plan is gone")];
    };
    let mut lines = Vec::new();
    let todo: Vec<&str> = plan
        .phases
        .iter()
        .filter(|d| d.decision.is_work())
        .map(|d| d.phase.as_str())
        .collect();
    lines.push(Line::from(vec![
        Span::styled("phases: ", pen.theme.dim),
        Span::styled(todo.join(", "), pen.theme.strong),
    ]));
    lines.extend(worklist(plan, pen));
    lines.push(money(plan, pen));
    if launch.force {
        lines.push(Line::default());
        lines.push(Line::styled(
            "The config differs from the one the run was made with:",
            pen.theme.warn,
        ));
        let drift = plan.drift.iter().take(5);
        lines.extend(drift.map(|d| Line::styled(format!("  {}", printable(d)), pen.theme.warn)));
        if plan.drift.len() > 5 {
            lines.push(dim(pen, format!("  and {} more", plan.drift.len() - 5)));
        }
    }
    if let Some(plan) = &app.plan {
        lines.push(dim(pen, format!("= {}", plan.command_line())));
    }
    lines
}

fn worklist(plan: &Plan, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let kinds = [
        (Work::Submit, "submitted as new jobs"),
        (
            Work::Settle,
            "settled with the provider first: its outcome is not known",
        ),
        (Work::Wait, "waited for: running at the provider"),
        (Work::Download, "downloaded: ended at the provider"),
        (Work::Share, "shared with another trial, not paid again"),
        (Work::Blocked, "blocked by the gate, left as they are"),
    ];
    let count = |action: Work| plan.worklist.iter().filter(|e| e.action == action).count() as u64;
    kinds
        .into_iter()
        .map(|(action, words)| (count(action), words))
        .filter(|(n, _)| *n > 0)
        .map(|(n, words)| fact(pen, format::count(n, "part"), words))
        .collect()
}

fn money(plan: &Plan, pen: &Pen<'_>) -> Line<'static> {
    let requests = plan.quote.map_or_else(String::new, |q| {
        format!(", {} requests unanswered", thousands(q.requests_left))
    });
    let submits = plan.worklist.iter().any(|e| e.action == Work::Submit);
    let known = plan.quote.is_some()
        || !plan
            .phases
            .iter()
            .any(|d| d.phase == crate::domain::Phase::Build && d.decision.is_work());
    let spend = match (PlanScreen::spend(plan), submits, known) {
        (_, false, false) => {
            "known once the parts are built; the budget of the config holds".to_owned()
        }
        (_, false, true) => "none".to_owned(),
        (Some(usd), true, _) => format!("at most {usd}"),
        (None, true, _) => "unknown: a model has no price".to_owned(),
    };
    fact(pen, "new spend".to_owned(), format!("{spend}{requests}"))
}

fn leave(app: &App, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for run_id in app.driving.iter().take(5) {
        let parts = match (app.picture_of(run_id), app.summary_of(run_id)) {
            (Some(picture), _) => format!(
                "{} at the provider, {} waiting",
                format::count(picture.in_flight(), "job"),
                picture.parts(WorkStatus::Pending)
            ),
            (None, Some(run)) => format!("{} of {} parts are here", run.parts_done, run.parts),
            (None, None) => "just begun".to_owned(),
        };
        lines.push(fact(pen, run_id.to_string(), parts));
    }
    lines.push(Line::default());
    lines.push(dim(
        pen,
        "Softly: waits for the jobs at the provider, submits nothing new, then leaves.",
    ));
    lines.push(dim(
        pen,
        "Now: leaves the jobs there. Either way resume goes on, nothing is paid twice.",
    ));
    lines.push(dim(pen, "Ctrl-c again stops softly."));
    lines
}
