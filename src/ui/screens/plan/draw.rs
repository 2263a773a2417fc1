//! Draws the plan.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{PlanPane, PlanScreen, WhyRow};
use crate::domain::decision::Action as Work;
use crate::domain::text::{printable, printable_lines, thousands};
use crate::domain::{Decision, Plan, TrialSlug, WorklistEntry};
use crate::engine::FleetError;
use crate::ui::format;
use crate::ui::theme::Theme;
use crate::ui::widgets::pen::{Pen, Spot, split_bottom, split_top};
use crate::ui::widgets::vtable::{Cell, Column, Focus, Row, Table};

impl PlanScreen {
    /// Draws everything between the header and the notice.
    pub fn draw(&self, pen: &mut Pen<'_>, area: Rect) {
        let (command, area) = {
            let (rest, last) = split_bottom(area, 1);
            (last, rest)
        };
        let line = Line::from(vec![
            Span::styled(" = ", pen.theme.dim),
            Span::styled(self.command_line(), pen.theme.text),
        ]);
        pen.line(command, 0, &line);
        pen.line_right(command, 0, &Line::styled("y copies ", pen.theme.dim));
        let (ruler, rest) = split_top(area, if area.height >= 14 { 4 } else { 3 });
        self.draw_ruler(pen, ruler);
        match &self.answer {
            None => pen.line_at(rest, (2, 1), &Line::styled("planning", pen.theme.dim)),
            Some(Err(error)) => draw_error(pen, rest, error),
            Some(Ok(plan)) => self.draw_panes(pen, rest, plan),
        }
    }

    fn draw_panes(&self, pen: &mut Pen<'_>, area: Rect, plan: &Plan) {
        if self.zoom || area.height < 20 {
            match self.pane {
                PlanPane::Why => self.draw_why(pen, area, plan),
                PlanPane::Worklist => self.draw_worklist(pen, area, plan),
            }
            return;
        }
        let reasons = u16::try_from(self.why_rows().len() + 1).unwrap_or(u16::MAX);
        let height = if self.reasons {
            reasons.min(area.height * 3 / 5)
        } else {
            0
        };
        let (why, work) = split_top(area, height);
        if self.reasons {
            self.draw_why(pen, why, plan);
        }
        self.draw_worklist(pen, work, plan);
    }

    fn draw_why(&self, pen: &mut Pen<'_>, area: Rect, plan: &Plan) {
        const COLUMNS: [Column; 3] = [
            Column::left("", 26, 0),
            Column::left("", 9, 0),
            Column::rest("", 20),
        ];
        let focus = Focus::of(PlanPane::Why, self.pane);
        let (rule, body) = split_top(area, 1);
        let style = if focus == Focus::Here {
            pen.theme.accent
        } else {
            pen.theme.strong
        };
        let remark = match plan.drift.len() {
            0 => "no drift".to_owned(),
            n => format!("{} of the config differ", format::count(n as u64, "value")),
        };
        pen.rule(
            rule,
            Line::styled("why", style),
            Line::styled(remark, pen.theme.dim),
        );
        let rows = self.why_rows();
        let table = Table {
            spot: Spot::Why,
            columns: &COLUMNS[..],
            rows: rows.len(),
            cursor: (!rows.is_empty()).then(|| self.why.min(rows.len() - 1)),
            focus,
        };
        let theme = *pen.theme;
        let labels = labels(plan);
        table.draw(pen, body, |i| {
            let cells = |name: String, decision: Decision, reason: &str, dim: Style| {
                Row::Cells(vec![
                    Cell::Name(name, dim),
                    Cell::Text(decision.as_str().to_owned(), theme.decision(decision)),
                    Cell::Text(printable(reason).into_owned(), theme.text),
                ])
            };
            match rows[i] {
                WhyRow::Drift(d) => Row::Cells(vec![
                    Cell::Text("config".to_owned(), theme.warn),
                    Cell::Text("differs".to_owned(), theme.warn),
                    Cell::Text(printable(&plan.drift[d]).into_owned(), theme.warn),
                ]),
                WhyRow::Phase(p) => {
                    let d = &plan.phases[p];
                    cells(d.phase.to_string(), d.decision, &d.reason, theme.text)
                }
                WhyRow::Trial(p, t) => {
                    let d = &plan.phases[p].trials[t];
                    cells(
                        format!("  {}", label(plan, &labels, &d.trial)),
                        d.decision,
                        &d.reason,
                        theme.dim,
                    )
                }
            }
        });
    }

    fn draw_worklist(&self, pen: &mut Pen<'_>, area: Rect, plan: &Plan) {
        const COLUMNS: [Column; 7] = [
            Column::right("#", 5, 3),
            Column::left("PHASE", 7, 0),
            Column::left("TRIAL", 24, 2),
            Column::left("PART", 18, 0),
            Column::left("DO", 8, 0),
            Column::rest("BECAUSE", 14),
            Column::right("MOST $", 8, 1),
        ];
        let focus = Focus::of(PlanPane::Worklist, self.pane);
        let (rule, body) = split_top(area, 1);
        let style = if focus == Focus::Here {
            pen.theme.accent
        } else {
            pen.theme.strong
        };
        let title = Line::from(vec![
            Span::styled("worklist", style),
            Span::styled(
                format!(" {}", thousands(self.visible.len() as u64)),
                pen.theme.dim,
            ),
        ]);
        pen.rule(rule, title, Line::styled(self.remark(), pen.theme.dim));
        if self.visible.is_empty() {
            let words = if plan.worklist.is_empty() {
                "nothing to do"
            } else {
                "no line passes the filter"
            };
            pen.line_at(body, (2, 1), &Line::styled(words, pen.theme.dim));
            return;
        }
        let table = Table {
            spot: Spot::Worklist,
            columns: &COLUMNS,
            rows: self.visible.len(),
            cursor: Some(self.work),
            focus,
        };
        let theme = *pen.theme;
        let labels = labels(plan);
        table.draw(pen, body, |i| {
            let position = self.visible[i];
            let entry = &plan.worklist[position];
            let trial = entry.trial.as_ref();
            let trial = trial.map_or_else(String::new, |t| label(plan, &labels, t));
            work_cells(&theme, position, entry, trial)
        });
    }
}

/// A line of the worklist.
fn work_cells(theme: &Theme, place: usize, entry: &WorklistEntry, trial: String) -> Row {
    let style = match entry.action {
        Work::Blocked => theme.fail,
        Work::Submit => theme.run,
        Work::Settle => theme.warn,
        Work::Run | Work::Wait | Work::Download | Work::Share => theme.text,
    };
    let part = entry.part.map_or_else(String::new, |p| p.to_string());
    let most = entry.estimate.map_or_else(String::new, |u| u.to_string());
    Row::Cells(vec![
        Cell::Text(thousands(place as u64 + 1), theme.dim),
        Cell::Text(entry.phase.to_string(), theme.text),
        Cell::Name(trial, theme.dim),
        Cell::Text(part, theme.text),
        Cell::Text(entry.action.as_str().to_owned(), style),
        Cell::Text(printable(&entry.reason).into_owned(), theme.dim),
        Cell::Text(most, theme.text),
    ])
}

/// The trials' names without what they share.
fn labels(plan: &Plan) -> Vec<String> {
    let slugs: Vec<&str> = plan.trials.iter().map(TrialSlug::as_str).collect();
    format::short_names(&slugs)
}

fn label(plan: &Plan, labels: &[String], slug: &TrialSlug) -> String {
    let position = plan.trials.iter().position(|t| t == slug);
    position
        .and_then(|p| labels.get(p))
        .map_or_else(|| slug.to_string(), Clone::clone)
}

fn draw_error(pen: &mut Pen<'_>, area: Rect, error: &FleetError) {
    let (rule, body) = split_top(area, 1);
    pen.rule(
        rule,
        Line::styled("no plan", pen.theme.fail),
        Line::default(),
    );
    let text = printable_lines(&error.message);
    for (row, line) in (1..).zip(text.lines()) {
        pen.line_at(body, (2, row), &Line::styled(line, pen.theme.text));
    }
}
