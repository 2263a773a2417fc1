//! The top of the cockpit: the phase strip, the progress of the run in one line, and what it comes to.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::text::printable;
use crate::domain::{Phase, PhaseStatus};
use crate::engine::Standing;
use crate::ui::format;
use crate::ui::model::{Eta, RunPicture};
use crate::ui::widgets::gauge;
use crate::ui::widgets::pen::{Pen, split_bottom};
use crate::ui::widgets::phase_strip;

/// Draws the strip and, on the last row, the progress line.
pub fn draw(pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let (strip, line) = split_bottom(area, 1);
    let inner = Rect {
        x: strip.x.saturating_add(1),
        width: strip.width.saturating_sub(1),
        ..strip
    };
    phase_strip::draw(pen, inner, &picture.view);
    let totals = &picture.view.totals;
    let end = headline(picture, pen.now, pen.zone);
    let (words, style) = (end, tone(pen, picture.standing));
    let percent = format!(
        " {:>3} %  ",
        format::percent(totals.answered, totals.requests)
    );
    let label = if area.width >= 100 { "run " } else { "" };
    let used = label.len() + percent.len() + words.chars().count() + 2;
    let width = usize::from(area.width).saturating_sub(used).max(8);
    let mut spans = vec![Span::styled(format!(" {label}"), pen.theme.dim)];
    spans.extend(gauge::thin(
        pen.theme,
        totals.answered,
        totals.requests,
        (width, style),
    ));
    spans.push(Span::styled(percent, pen.theme.strong));
    spans.push(Span::styled(words, pen.theme.text));
    pen.line(line, 0, &Line::from(spans));
}

fn tone(pen: &Pen<'_>, standing: Standing) -> Style {
    match standing {
        Standing::Driving | Standing::Watched => pen.theme.run,
        Standing::Done | Standing::Paused => pen.theme.ok,
        Standing::Failed | Standing::Unreadable => pen.theme.fail,
        Standing::Orphan | Standing::NeedsDecision | Standing::Stopped => pen.theme.warn,
    }
}

/// What the run comes to, in a few words.
pub fn headline(picture: &RunPicture, now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let view = &picture.view;
    match picture.standing {
        Standing::Driving | Standing::Watched => live(picture, now, zone),
        Standing::Done => match (view.created_at, view.as_of) {
            (Some(from), Some(to)) => {
                format!("done in {}", format::rough_span(format::since(from, to)))
            }
            _ => "done".to_owned(),
        },
        Standing::Failed => match picture.current_phase() {
            Some(phase) => format!("failed at {phase}"),
            None => "failed".to_owned(),
        },
        Standing::Stopped | Standing::Orphan | Standing::NeedsDecision | Standing::Paused => {
            match (picture.parts_left(), picture.standing) {
                (_, Standing::NeedsDecision) => "waits for your decision: p".to_owned(),
                (0, Standing::Paused) => "left before its end".to_owned(),
                (0, standing) => format!("{}, all parts are here", standing.as_str()),
                (n, standing) => {
                    format!("{}, {} left", standing.as_str(), format::count(n, "part"))
                }
            }
        }
        Standing::Unreadable => "cannot be read".to_owned(),
    }
}

fn live(picture: &RunPicture, now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let view = &picture.view;
    if view.stop.is_some() {
        return match picture.in_flight() {
            0 => "stopping".to_owned(),
            n => format!("stopping, {} finish", format::count(n, "job")),
        };
    }
    let busy = |phase: &Phase| view.phase(*phase).status == PhaseStatus::InProgress;
    match picture.eta(now) {
        Eta::Done => match Phase::ALL.into_iter().rev().find(busy) {
            Some(phase) => format!("{phase} under way"),
            None => "between phases".to_owned(),
        },
        Eta::TooEarly => "end: too early to tell".to_owned(),
        Eta::Range(0, 0) => "any moment now".to_owned(),
        Eta::Range(p50, p90) => {
            let at = |ms: u64| {
                let span = jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
                now.saturating_add(span).unwrap_or(now)
            };
            let (from, to) = (at(p50), at(p90));
            // Seconds matter for a short run, days for a long one.
            let text = |t| match p90 {
                0..600_000 => format::time_of_day(t, zone),
                600_000..72_000_000 => format::minute_of_day(t, zone),
                _ => format::day_and_time(t, zone),
            };
            format!("done {} to {} (p50-p90)", text(from), text(to))
        }
    }
}

/// The newest error of the run's phases, where one failed.
pub fn failure(picture: &RunPicture) -> Option<String> {
    let failed = |p: &Phase| picture.view.phase(*p).status == PhaseStatus::Failed;
    let phase = Phase::ALL.into_iter().find(failed)?;
    let error = picture
        .view
        .phase(phase)
        .last_error
        .as_deref()
        .unwrap_or("no reason is recorded");
    Some(format!("{phase}: {}", printable(error)))
}
