//! The list of runs: is anything on fire, and where. What needs a person comes first, then what is live, then by time.

use std::sync::Arc;

use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::text::{printable, thousands};
use crate::domain::{Phase, PhaseStatus, RunId};
use crate::engine::RunSummary;
use crate::ui::cursor::Cursor;
use crate::ui::format;
use crate::ui::widgets::gauge;
use crate::ui::widgets::pen::{Pen, Spot, split_bottom, split_top};
use crate::ui::widgets::phase_strip;
use crate::ui::widgets::vtable::{Cell, Column, Focus, Row, Table};

/// State of the screen.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// All runs, newest first.
    pub all: Arc<[RunSummary]>,
    /// Whether the list has arrived.
    pub loaded: bool,
    /// Positions of the runs on screen.
    pub visible: Vec<usize>,
    /// The selected run.
    pub cursor: Cursor<RunId>,
    /// Words that a run must hold.
    pub filter: String,
    /// Only what needs a person.
    pub attention: bool,
    details: Option<bool>,
}

/// Rows of the details, without the note.
const DETAIL_ROWS: u16 = 4;

impl Runs {
    /// Takes a new list.
    pub fn take(&mut self, all: Arc<[RunSummary]>) {
        self.all = all;
        self.loaded = true;
        self.arrange();
    }

    /// The selected run.
    pub fn selected(&self) -> Option<&RunSummary> {
        let row = self.cursor.row(self.visible.len())?;
        self.all.get(*self.visible.get(row)?)
    }

    /// Goes to a row.
    pub fn put(&mut self, index: usize) {
        let (all, visible) = (&self.all, &self.visible);
        let id = |i: usize| visible.get(i).map(|p| all[*p].run_id.clone());
        self.cursor.put(index, visible.len(), id);
    }

    /// Shows only runs that hold these words.
    pub fn set_filter(&mut self, text: &str) {
        text.clone_into(&mut self.filter);
        self.arrange();
    }

    /// Shows only what needs a person, or all.
    pub fn toggle_attention(&mut self) {
        self.attention = !self.attention;
        self.arrange();
    }

    /// Shows all.
    pub fn show_all(&mut self) {
        self.attention = false;
        self.arrange();
    }

    /// Shows or hides the details.
    pub fn toggle_details(&mut self, size: Size) {
        self.details = Some(!self.shows_details(size.height.saturating_sub(3)));
    }

    fn shows_details(&self, height: u16) -> bool {
        self.details.unwrap_or(height >= 24)
    }

    fn arrange(&mut self) {
        let rank = |s: &RunSummary| match (s.standing.needs_person(), s.standing.is_live()) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let mut visible: Vec<usize> = (0..self.all.len())
            .filter(|i| self.accepts(&self.all[*i]))
            .collect();
        visible.sort_by_key(|i| rank(&self.all[*i]));
        self.visible = visible;
        let (all, visible) = (&self.all, &self.visible);
        let find = |id: &RunId| visible.iter().position(|p| all[*p].run_id == *id);
        let at = |i: usize| visible.get(i).map(|p| all[*p].run_id.clone());
        self.cursor.settle(visible.len(), find, at);
    }

    fn accepts(&self, run: &RunSummary) -> bool {
        if self.attention && !run.standing.needs_person() {
            return false;
        }
        self.filter.split_whitespace().all(|word| {
            let (wanted, word) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (false, rest),
                _ => (true, word),
            };
            let word = word.strip_prefix("state:").unwrap_or(word).to_lowercase();
            let found = run.run_id.as_str().to_lowercase().contains(&word)
                || run.standing.as_str().contains(&word)
                || run.note.to_lowercase().contains(&word);
            found == wanted
        })
    }

    /// Draws the list and the details of its selected run.
    pub fn draw(&self, pen: &mut Pen<'_>, area: Rect, experiments: &str) {
        let details = self.shows_details(area.height) && self.selected().is_some();
        let noted = self.selected().is_some_and(|r| !r.note.is_empty());
        let rows = DETAIL_ROWS + u16::from(noted);
        let (list, below) = split_bottom(area, if details { rows } else { 0 });
        let (head, body) = split_top(list, 1);
        let place = self.cursor.row(self.visible.len()).map_or(0, |r| r + 1);
        let title = Line::from(vec![
            Span::styled("runs", pen.theme.strong),
            Span::styled(format!(" {place}/{}", self.visible.len()), pen.theme.dim),
        ]);
        pen.rule(head, title, Line::styled(self.remark(), pen.theme.dim));
        if self.visible.is_empty() {
            self.draw_empty(pen, body, experiments);
        } else {
            self.draw_list(pen, body);
        }
        if let Some(run) = self.selected().filter(|_| details) {
            draw_details(pen, below, run);
        }
    }

    fn remark(&self) -> String {
        match (self.filter.is_empty(), self.attention) {
            (true, false) => "what needs you first, then live, then newest".to_owned(),
            (true, true) => "only what needs you · ! shows all".to_owned(),
            (false, _) => format!("filter {} · Esc clears", printable(&self.filter)),
        }
    }

    fn draw_empty(&self, pen: &mut Pen<'_>, area: Rect, experiments: &str) {
        let dim = pen.theme.dim;
        let key = pen.theme.accent;
        let lines = if !self.loaded {
            vec![Line::styled("reading the runs", dim)]
        } else if self.all.is_empty() {
            vec![
                Line::styled("No runs yet.", pen.theme.strong),
                Line::default(),
                Line::from(vec![
                    Span::styled("a", key),
                    Span::styled(
                        "  makes the first one: shows its plan and asks before it starts",
                        dim,
                    ),
                ]),
                Line::from(vec![
                    Span::styled("?", key),
                    Span::styled("  lists all keys", dim),
                ]),
                Line::default(),
                Line::styled(format!("looked in {}", printable(experiments)), dim),
            ]
        } else {
            vec![Line::styled("no run passes the filter", dim)]
        };
        for (row, line) in (1..).zip(&lines) {
            pen.line_at(area, (3, row), line);
        }
    }

    fn draw_list(&self, pen: &mut Pen<'_>, area: Rect) {
        const COLUMNS: [Column; 9] = [
            Column::left("RUN", 18, 0),
            Column::left("STATE", 10, 0),
            Column::left("PHASES", 10, 1),
            Column::rest("NOW", 24),
            Column::left("PARTS", 10, 3),
            Column::right("", 4, 0),
            Column::right("REQUESTS", 8, 5),
            Column::right("COST/BUDGET", 12, 4),
            Column::right("UPDATED", 7, 2),
        ];
        let table = Table {
            spot: Spot::Runs,
            columns: &COLUMNS,
            rows: self.visible.len(),
            cursor: self.cursor.row(self.visible.len()),
            focus: Focus::Here,
        };
        let (theme, now, zone) = (*pen.theme, pen.now, pen.zone.clone());
        table.draw(pen, area, |row| {
            let run = &self.all[self.visible[row]];
            let (glyph, style) = theme.standing(run.standing);
            let bar = gauge::blocks(&theme, (run.parts_done, 0, run.parts), 10);
            let percent = if run.parts > 0 {
                format!("{}%", format::percent(run.parts_done, run.parts))
            } else {
                String::new()
            };
            let loud = if run.standing.needs_person() {
                style
            } else {
                theme.text
            };
            Row::Cells(vec![
                Cell::Name(run.run_id.to_string(), theme.text),
                Cell::Spans(vec![Span::styled(
                    format!("{glyph} {}", run.standing.as_str()),
                    style,
                )]),
                Cell::Spans(phase_strip::glyphs(&theme, &run.phases)),
                Cell::Text(what_now(run), loud),
                Cell::Spans(if run.parts > 0 { bar } else { Vec::new() }),
                Cell::Text(percent, theme.text),
                Cell::Text(format::compact(run.requests), theme.dim),
                Cell::Text(cost(run), theme.text),
                Cell::Text(updated(run, now, &zone), theme.dim),
            ])
        });
    }
}

fn cost(run: &RunSummary) -> String {
    let spent = format::money(run.spent);
    run.budget.map_or_else(
        || format!("{spent}/   -"),
        |b| format!("{spent}/{}", format::money(b)),
    )
}

/// Today's times as times, older ones as days: neither goes stale while nobody looks.
fn updated(run: &RunSummary, now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let Some(at) = run.updated_at else {
        return "-".to_owned();
    };
    let day = |t: jiff::Timestamp| t.to_zoned(zone.clone()).date();
    if day(at) == day(now) {
        format::minute_of_day(at, zone)
    } else {
        day(at).strftime("%b %d").to_string()
    }
}

/// One line on what the run does or waits for.
fn what_now(run: &RunSummary) -> String {
    if !run.note.is_empty() {
        return printable(&run.note).into_owned();
    }
    let with = |status| {
        Phase::ALL
            .into_iter()
            .rev()
            .find(|p| run.phases[p.index()] == status)
    };
    let running = with(PhaseStatus::InProgress).or_else(|| with(PhaseStatus::Failed));
    match running.or_else(|| with(PhaseStatus::Stopped)) {
        Some(phase @ (Phase::Submit | Phase::Poll)) => {
            format!("{phase} {}/{}", run.parts_done, run.parts)
        }
        Some(phase) => phase.to_string(),
        None if run.phases[Phase::Archive.index()] == PhaseStatus::Completed => {
            "archived".to_owned()
        }
        None if run.phases[Phase::Report.index()] == PhaseStatus::Completed => {
            "report is written".to_owned()
        }
        None => match with(PhaseStatus::Completed) {
            Some(phase) => format!("done up to {phase}"),
            None => "not begun".to_owned(),
        },
    }
}

fn draw_details(pen: &mut Pen<'_>, area: Rect, run: &RunSummary) {
    let (dim, text) = (pen.theme.dim, pen.theme.text);
    let title = Line::styled(run.run_id.to_string(), pen.theme.strong);
    pen.rule(area, title, Line::styled("d hide", dim));
    let at = |t: Option<jiff::Timestamp>| {
        t.map_or_else(|| "-".to_owned(), |t| format::day_and_time(t, pen.zone))
    };
    let facts = [
        fact("trials", thousands(run.trials), (dim, text)),
        fact(
            "requests",
            format!(
                "{} of {} answered",
                thousands(run.answered),
                thousands(run.requests)
            ),
            (dim, text),
        ),
        fact(
            "parts",
            format!("{} of {} downloaded", run.parts_done, run.parts),
            (dim, text),
        ),
    ]
    .concat();
    let times = [
        fact("made", at(run.created_at), (dim, text)),
        fact("last record", at(run.updated_at), (dim, text)),
        fact(
            "driver",
            run.driver
                .clone()
                .map_or_else(|| "-".to_owned(), |d| printable(&d).into_owned()),
            (dim, text),
        ),
    ]
    .concat();
    let (glyph, style) = pen.theme.standing(run.standing);
    let next = Line::from(vec![
        Span::styled(format!("{glyph} "), style),
        Span::styled(next_step(run), text),
    ]);
    for (row, line) in (1..).zip([Line::from(facts), Line::from(times), next]) {
        pen.line_at(area, (2, row), &line);
    }
    if !run.note.is_empty() {
        let note = printable(&run.note).into_owned();
        pen.line_at(area, (4, 4), &Line::styled(note, style));
    }
}

fn fact(name: &str, value: String, (dim, text): (Style, Style)) -> Vec<Span<'static>> {
    vec![
        Span::styled(format!("{name} "), dim),
        Span::styled(value, text),
        Span::raw("   "),
    ]
}

fn next_step(run: &RunSummary) -> &'static str {
    use crate::engine::Standing;
    match run.standing {
        Standing::Driving => "driven by this console; s stops it",
        Standing::Watched => "driven by another process; s asks it to stop",
        Standing::Orphan => "its driver is gone; r shows what resume would do",
        Standing::Failed => "a phase failed; Enter shows where, r shows what resume would do",
        Standing::NeedsDecision => "waits for your decision; p shows the plan and what differs",
        Standing::Stopped => "stopped as asked; r shows what resume would do",
        Standing::Paused => "left before its end; r shows what is left",
        Standing::Done => "done",
        Standing::Unreadable => "its files cannot be read",
    }
}
