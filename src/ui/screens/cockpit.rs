//! One run at a glance: will it finish, when, for how much, and what holds it up.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::text::thousands;
use crate::domain::{TrialSlug, WorkStatus};
use crate::ui::app::App;
use crate::ui::cursor::Cursor;
use crate::ui::format;
use crate::ui::model::{Eta, RunPicture, TrialRow};
use crate::ui::widgets::gauge;
use crate::ui::widgets::part_map;
use crate::ui::widgets::pen::{Pen, Spot, split_bottom, split_left, split_top};
use crate::ui::widgets::vtable::{Cell, Column, Focus, Row, Table};

mod pace;
mod progress;

pub use progress::{draw as draw_progress, failure, headline};

/// A pane that can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// Parts.
    #[default]
    Queue,
    /// Events.
    Events,
    /// Trials.
    Trials,
}

impl Pane {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Queue => Self::Events,
            Self::Events => Self::Trials,
            Self::Trials => Self::Queue,
        }
    }
}

/// State of the screen.
#[derive(Debug, Clone, Default)]
pub struct Cockpit {
    /// The pane that has the keys.
    pub pane: Pane,
    /// Whether it has all the room.
    pub zoom: bool,
    /// The selected trial.
    pub trials: Cursor<TrialSlug>,
}

impl Cockpit {
    /// Takes a new picture.
    pub fn take(&mut self, picture: &RunPicture) {
        let rows = &picture.trials;
        let find = |slug: &TrialSlug| rows.iter().position(|t| t.slug == *slug);
        self.trials
            .settle(rows.len(), find, |i| rows.get(i).map(|t| t.slug.clone()));
    }

    /// Selects a trial.
    pub fn put(&mut self, index: usize, picture: &RunPicture) {
        let rows = &picture.trials;
        self.trials
            .put(index, rows.len(), |i| rows.get(i).map(|t| t.slug.clone()));
    }
}

/// Smallest size at which all panes are on screen together.
pub const WIDE: (u16, u16) = (100, 30);

/// Draws everything between the header and the notice.
pub fn draw(app: &App, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let wide = area.width >= WIDE.0 && area.height >= WIDE.1 - 3;
    let (top, rest) = split_top(area, if wide { 3 } else { 2 });
    progress::draw(pen, top, picture);
    if app.cockpit.zoom {
        draw_pane(app, pen, rest, picture);
    } else if wide {
        draw_wide(app, pen, rest, picture);
    } else {
        draw_narrow(app, pen, rest, picture);
    }
}

fn draw_wide(app: &App, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let trials = u16::try_from(picture.trials.len()).unwrap_or(u16::MAX);
    let (top, rest) = split_top(area, 2 + trials.clamp(6, 6 + area.height / 12));
    let (left, right) = split_left(top, top.width * 3 / 5);
    draw_trials(
        app,
        pen,
        Rect {
            width: left.width.saturating_sub(1),
            ..left
        },
        picture,
    );
    pace::draw(pen, right, picture);
    let map_rows = part_map::rows(
        picture.cells.len(),
        area.width.saturating_sub(2),
        area.height / 9,
    );
    let (map, rest) = split_top(rest, 1 + map_rows);
    draw_map(pen, map, picture);
    let (queue, events) = split_bottom(rest, (rest.height * 2 / 5).max(3));
    draw_queue(app, pen, queue, picture);
    draw_events(app, pen, events);
}

fn draw_narrow(app: &App, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let (map, rest) = split_top(area, 2);
    draw_map(pen, map, picture);
    let (line, rest) = split_top(rest, 1);
    pace::draw_line(pen, line, picture);
    draw_pane(app, pen, rest, picture);
}

fn draw_pane(app: &App, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    match app.cockpit.pane {
        Pane::Queue => draw_queue(app, pen, area, picture),
        Pane::Events => draw_events(app, pen, area),
        Pane::Trials => draw_trials(app, pen, area, picture),
    }
}

/// The title of a pane; the focused one shines.
fn title(pen: &Pen<'_>, name: &'static str, count: String, focus: Focus) -> Line<'static> {
    let style = if focus == Focus::Here {
        pen.theme.accent
    } else {
        pen.theme.strong
    };
    Line::from(vec![
        Span::styled(name, style),
        Span::styled(count, pen.theme.dim),
    ])
}

fn draw_queue(app: &App, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let focus = Focus::of(Pane::Queue, app.cockpit.pane);
    let (rule, body) = split_top(area, 1);
    let title = title(pen, "queue", String::new(), focus);
    let remark = Line::styled(app.queue.remark(picture), pen.theme.dim);
    pen.rule(rule, title, remark);
    app.queue.draw(pen, body, picture, focus);
}

fn draw_events(app: &App, pen: &mut Pen<'_>, area: Rect) {
    let focus = Focus::of(Pane::Events, app.cockpit.pane);
    let (rule, body) = split_top(area, 1);
    let title = title(pen, "events", String::new(), focus);
    pen.rule(rule, title, Line::styled(app.log.remark(), pen.theme.dim));
    app.log.draw(pen, body);
}

fn draw_trials(app: &App, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    const COLUMNS: [Column; 5] = [
        Column::rest("TRIAL", 14),
        Column::left("DONE", 13, 0),
        Column::right("FAIL", 5, 1),
        Column::right("COST", 7, 2),
        Column::right("ETA", 9, 3),
    ];
    let focus = Focus::of(Pane::Trials, app.cockpit.pane);
    let (rule, body) = split_top(area, 1);
    let count = format!(" {}", picture.trials.len());
    let title = title(pen, "trials", count, focus);
    let remark = if focus == Focus::Here {
        "Enter: its parts"
    } else {
        ""
    };
    pen.rule(rule, title, Line::styled(remark, pen.theme.dim));
    if picture.trials.is_empty() {
        pen.line_at(
            body,
            (2, 1),
            &Line::styled("not planned yet", pen.theme.dim),
        );
        return;
    }
    let table = Table {
        spot: Spot::Trials,
        columns: &COLUMNS,
        rows: picture.trials.len(),
        cursor: app
            .cockpit
            .trials
            .row(picture.trials.len())
            .filter(|_| focus == Focus::Here),
        focus,
    };
    let (theme, now) = (*pen.theme, pen.now);
    table.draw(pen, body, |index| {
        let row = &picture.trials[index];
        let mut bar = gauge::blocks(&theme, (row.answered, row.failed, row.requests), 8);
        let percent = format!(" {:>3}%", format::percent(row.answered, row.requests));
        bar.push(Span::styled(percent, theme.text));
        let failed = if row.failed > 0 {
            theme.fail
        } else {
            theme.dim
        };
        Row::Cells(vec![
            Cell::Name(row.label.clone(), theme.text),
            Cell::Spans(bar),
            Cell::Text(thousands(row.failed), failed),
            Cell::Text(format::money(row.cost), theme.text),
            Cell::Text(eta(picture, row, now), theme.dim),
        ])
    });
}

fn eta(picture: &RunPicture, row: &TrialRow, now: jiff::Timestamp) -> String {
    if row.parts > 0 && row.parts_done == row.parts {
        return "done".to_owned();
    }
    if !picture.standing.is_live() {
        return "-".to_owned();
    }
    match picture.trial_eta(row, now) {
        Eta::TooEarly => "too early".to_owned(),
        Eta::Range(_, p90) => format::rough_span(p90),
        Eta::Done if row.parts_failed > 0 => "failed".to_owned(),
        Eta::Done => "-".to_owned(),
    }
}

fn draw_map(pen: &mut Pen<'_>, area: Rect, picture: &RunPicture) {
    let (rule, body) = split_top(area, 1);
    let count = format!(" {}", thousands(picture.view.totals.all()));
    let title = Line::from(vec![
        Span::styled("parts", pen.theme.strong),
        Span::styled(count, pen.theme.dim),
    ]);
    let words = area.width >= WIDE.0;
    let mut legend = Line::default();
    for status in [
        WorkStatus::Downloaded,
        WorkStatus::Running,
        WorkStatus::Submitted,
        WorkStatus::Pending,
        WorkStatus::InDoubt,
        WorkStatus::Failed,
        WorkStatus::Expired,
    ] {
        // Completed is a moment between running and downloaded: counted with running.
        let n = if status == WorkStatus::Running {
            picture.parts(status) + picture.parts(WorkStatus::Completed)
        } else {
            picture.parts(status)
        };
        let rare = matches!(
            status,
            WorkStatus::InDoubt | WorkStatus::Expired | WorkStatus::Submitted
        );
        if n == 0 && rare {
            continue;
        }
        let (glyph, style) = pen.theme.work(status);
        let word = if words { word_of(status) } else { "" };
        let style_n = if n == 0 {
            pen.theme.dim
        } else {
            pen.theme.text
        };
        let gap = if legend.spans.is_empty() { "" } else { "  " };
        let space = if words { " " } else { "" };
        legend.push_span(Span::raw(gap));
        legend.push_span(Span::styled(glyph, style));
        legend.push_span(Span::styled(
            format!("{space}{word}{space}{}", thousands(n)),
            style_n,
        ));
    }
    pen.rule(rule, title, legend);
    let inner = Rect {
        x: body.x.saturating_add(1),
        width: body.width.saturating_sub(2),
        ..body
    };
    if picture.cells.is_empty() {
        pen.line(inner, 0, &Line::styled("no parts yet", pen.theme.dim));
    }
    part_map::draw(pen, inner, &picture.cells);
}

fn word_of(status: WorkStatus) -> &'static str {
    if status == WorkStatus::Pending {
        return "waiting";
    }
    if status == WorkStatus::InDoubt {
        "in doubt"
    } else {
        status.as_str()
    }
}
