//! How fast it goes and what it costs: a pane, or one line where the room is short.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::text::thousands;
use crate::ui::format;
use crate::ui::model::{Pace, RunPicture, pace};
use crate::ui::widgets::gauge;
use crate::ui::widgets::pen::{Pen, split_top};

/// Width of the labels.
const LABEL: usize = 13;

/// The moment that "now" means: a run at rest keeps its last pace.
fn moment(pen: &Pen<'_>, picture: &RunPicture) -> jiff::Timestamp {
    let last = picture.view.as_of.unwrap_or(pen.now);
    if picture.standing.is_live() {
        pen.now.max(last)
    } else {
        last
    }
}

/// Draws the pane.
pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let (rule, body) = split_top(area, 1);
    let now = moment(pen, picture);
    let room = usize::from(area.width).saturating_sub(LABEL + 9);
    let pace = pace(&picture.view, now, room.clamp(4, 40));
    let window = pace
        .as_ref()
        .map_or_else(String::new, |p| format!(" last {}", window(p)));
    let title = Line::from(vec![
        Span::styled("pace", pen.theme.strong),
        Span::styled(window, pen.theme.dim),
    ]);
    pen.rule(rule, title, Line::default());
    let rows = [
        ("requests/min", requests(pen, pace.as_ref())),
        ("turnaround", turnaround(pen, picture)),
        ("requests", answered(pen, picture)),
        ("jobs", jobs(pen, picture)),
        ("tokens", tokens(pen, picture)),
        ("cost", cost(pen, picture)),
        ("budget", budget(pen, picture, room)),
    ];
    for (row, (label, value)) in (0..).zip(rows) {
        let mut line = Line::from(Span::styled(format::left(label, LABEL), pen.theme.dim));
        line.spans.extend(value);
        pen.line_at(body, (1, row), &line);
    }
}

fn window(pace: &Pace) -> String {
    format::rough_span(pace.window_ms)
        .replace(" m", " min")
        .replace(" h 00 min", " h")
}

fn requests(pen: &Pen<'_>, pace: Option<&Pace>) -> Vec<Span<'static>> {
    match pace {
        None => vec![Span::styled("no job has ended yet", pen.theme.dim)],
        Some(pace) => vec![
            Span::styled(gauge::spark(&pace.buckets), pen.theme.run),
            Span::styled(format!("  {}", brief(pace.per_minute)), pen.theme.text),
        ],
    }
}

/// A rate that fits its column: exact below ten thousand, in thousands above.
fn brief(rate: u64) -> String {
    if rate < 10_000 {
        thousands(rate)
    } else {
        format!("{}k", thousands(rate / 1000))
    }
}

fn turnaround(pen: &Pen<'_>, picture: &RunPicture) -> Vec<Span<'static>> {
    let t = picture.turnaround;
    let mut spans = if t.jobs == 0 {
        vec![Span::styled("-", pen.theme.dim)]
    } else {
        vec![
            Span::styled("p50 ", pen.theme.dim),
            Span::styled(format::rough_span(t.p50_ms), pen.theme.text),
            Span::styled("  p90 ", pen.theme.dim),
            Span::styled(format::rough_span(t.p90_ms), pen.theme.text),
        ]
    };
    if let Some(oldest) = picture.oldest {
        let age = format::since(oldest, pen.now);
        // A job older than nine of ten finished ones deserves a second look.
        let late = t.jobs >= 3 && age > t.p90_ms.saturating_mul(3) / 2;
        let style = if late { pen.theme.warn } else { pen.theme.text };
        spans.push(Span::styled("  oldest ", pen.theme.dim));
        spans.push(Span::styled(format::rough_span(age), style));
    }
    spans
}

fn answered(pen: &Pen<'_>, picture: &RunPicture) -> Vec<Span<'static>> {
    let totals = &picture.view.totals;
    let mut spans = vec![
        Span::styled(thousands(totals.answered), pen.theme.text),
        Span::styled(format!(" of {}", thousands(totals.requests)), pen.theme.dim),
    ];
    if totals.failed > 0 {
        spans.push(Span::styled(
            format!("  {} failed", thousands(totals.failed)),
            pen.theme.fail,
        ));
    }
    spans
}

fn jobs(pen: &Pen<'_>, picture: &RunPicture) -> Vec<Span<'static>> {
    let totals = &picture.view.totals;
    let mut words = vec![format!("{} accepted", thousands(totals.jobs))];
    if totals.adopted > 0 {
        words.push(format!("{} adopted", thousands(totals.adopted)));
    }
    match picture.retries {
        0 => {}
        1 => words.push("1 retry".to_owned()),
        n => words.push(format!("{} retries", thousands(n))),
    }
    vec![
        Span::styled(format!("{} at work", picture.in_flight()), pen.theme.text),
        Span::styled(format!("  {}", words.join(", ")), pen.theme.dim),
    ]
}

fn tokens(pen: &Pen<'_>, picture: &RunPicture) -> Vec<Span<'static>> {
    let usage = picture.view.totals.usage;
    vec![
        Span::styled(format::compact(usage.prompt_tokens), pen.theme.text),
        Span::styled(" in  ", pen.theme.dim),
        Span::styled(format::compact(usage.completion_tokens), pen.theme.text),
        Span::styled(" out", pen.theme.dim),
    ]
}

fn cost(pen: &Pen<'_>, picture: &RunPicture) -> Vec<Span<'static>> {
    let totals = &picture.view.totals;
    let mut spans = vec![Span::styled(totals.spent.to_string(), pen.theme.strong)];
    if totals.unpriced {
        spans.push(Span::styled("  some tokens have no price", pen.theme.warn));
    } else if picture.standing.is_live() {
        let left = totals.requests.saturating_sub(totals.answered);
        match picture.cost_left(left) {
            Some(more) if left > 0 => {
                let end = totals.spent + more;
                spans.push(Span::styled(
                    format!("  about {end} at the end"),
                    pen.theme.dim,
                ));
            }
            _ => {}
        }
    }
    spans
}

fn budget(pen: &Pen<'_>, picture: &RunPicture, room: usize) -> Vec<Span<'static>> {
    let spent = picture.view.totals.spent;
    let Some(budget) = picture.view.budget else {
        return vec![Span::styled("none", pen.theme.dim)];
    };
    let cents =
        |amount: crate::domain::Usd| u64::try_from(amount.nanos().max(0) / 10_000).unwrap_or(0);
    let percent = format::percent(cents(spent), cents(budget));
    let style = if percent >= 90 {
        pen.theme.warn
    } else {
        pen.theme.ok
    };
    let mut spans = vec![Span::styled(format!("{budget}  "), pen.theme.text)];
    let width = room
        .saturating_sub(budget.to_string().len() + 2)
        .clamp(4, 24);
    spans.extend(gauge::thin(
        pen.theme,
        cents(spent),
        cents(budget),
        (width, style),
    ));
    spans.push(Span::styled(format!(" {percent} %"), pen.theme.text));
    spans
}

/// Draws one line as a rule: for small screens.
pub(super) fn draw_line(pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let now = moment(pen, picture);
    let mut words = Line::default();
    if let Some(pace) = pace(&picture.view, now, 10) {
        words.push_span(Span::styled(
            format!("{} req/min ", thousands(pace.per_minute)),
            pen.theme.text,
        ));
        words.push_span(Span::styled(gauge::spark(&pace.buckets), pen.theme.run));
        words.push_span(Span::styled(
            format!(" · p50 {}", format::rough_span(picture.turnaround.p50_ms)),
            pen.theme.dim,
        ));
    }
    let jobs = format::count(picture.in_flight(), "job");
    let separator = if words.spans.is_empty() { "" } else { " · " };
    words.push_span(Span::styled(
        format!("{separator}{jobs} at work"),
        pen.theme.dim,
    ));
    let title = Line::styled("pace", pen.theme.strong);
    pen.rule(area, title, words);
}
