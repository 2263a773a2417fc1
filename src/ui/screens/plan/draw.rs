//! Draws the plan.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{PlanPane, PlanScreen, WhyRow};
use crate::domain::decision::Action as Work;
use crate::domain::text::{printable, printable_lines, thousands};
use crate::domain::{Decision, Gate, Phase, Plan, TrialSlug};
use crate::engine::FleetError;
use crate::ui::format;
use crate::ui::widgets::pen::{Hit, Pen, Spot, split_bottom, split_top};
use crate::ui::widgets::phase_strip;
use crate::ui::widgets::vtable::{Cell, Column, Row, Table};

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

    fn draw_ruler(&self, pen: &mut Pen<'_>, area: Rect) {
        let (rule, body) = split_top(area, 1);
        let title = Line::from(vec![
            Span::styled("gate", pen.theme.strong),
            Span::styled(format!("  {}", gate_words(self.gate)), pen.theme.accent),
        ]);
        let busy = self.answered != self.asked;
        let remark = if busy {
            "deciding"
        } else {
            "decided by the code behind evaltui plan"
        };
        pen.rule(rule, title, Line::styled(remark, pen.theme.dim));
        let inner = Rect {
            x: body.x.saturating_add(2),
            width: body.width.saturating_sub(2),
            ..body
        };
        for phase in Phase::ALL {
            self.draw_phase(pen, inner, phase);
        }
        pen.hits.0.push(Hit {
            spot: Spot::Ruler,
            area: Rect {
                width: phase_strip::column(inner, Phase::Prepare).1 * 10,
                ..inner
            },
            first: 0,
            rows: 10,
        });
    }

    fn draw_phase(&self, pen: &mut Pen<'_>, area: Rect, phase: Phase) {
        let (x, width) = phase_strip::column(area, phase);
        let wide = width >= 10;
        let inside = self.gate.contains(phase);
        let here = self.phase == phase;
        let name = if wide {
            phase.as_str()
        } else {
            phase_strip::short_name(phase)
        };
        let style = match (here, inside) {
            (true, _) => pen.theme.accent.patch(pen.theme.selection),
            (false, true) => pen.theme.strong,
            (false, false) => pen.theme.dim,
        };
        pen.line_at(area, (x, 0), &Line::styled(name, style));
        let decision = match &self.answer {
            Some(Ok(plan)) => plan.phase(phase).map(|d| d.decision),
            _ => None,
        };
        if let Some(decision) = decision {
            let word = if wide {
                decision.as_str()
            } else {
                short_decision(decision)
            };
            pen.line_at(
                area,
                (x, 1),
                &Line::styled(word, pen.theme.decision(decision)),
            );
        }
        let bracket = |pen: &mut Pen<'_>, x: u16, rows: u16| {
            for row in 0..rows {
                pen.line_at(area, (x, row), &Line::styled("┃", pen.theme.accent));
            }
        };
        let end = (x + width).saturating_sub(1 + u16::from(wide));
        if phase == self.gate.from {
            // The first phase has no column before it: its bracket stands in the margin.
            let margin = Rect {
                x: area.x.saturating_sub(1),
                width: area.width + 1,
                ..area
            };
            for row in 0..2 {
                pen.line_at(margin, (x, row), &Line::styled("┃", pen.theme.accent));
            }
        }
        if phase == self.gate.to {
            bracket(pen, end, 2);
        }
        if here && area.height >= 3 {
            pen.line_at(area, (x, 2), &Line::styled("▲", pen.theme.accent));
            let keys = "f from  t to  o only  * whole";
            let room = usize::from(area.width.saturating_sub(x + 2));
            let keys_at = if room >= keys.len() {
                x + 2
            } else {
                x.saturating_sub(30)
            };
            pen.line_at(area, (keys_at, 2), &Line::styled(keys, pen.theme.dim));
        }
    }

    fn draw_why(&self, pen: &mut Pen<'_>, area: Rect, plan: &Plan) {
        const COLUMNS: [Column; 3] = [
            Column::left("", 26, 0),
            Column::left("", 9, 0),
            Column::rest("", 20),
        ];
        let focused = self.pane == PlanPane::Why;
        let (rule, body) = split_top(area, 1);
        let style = if focused {
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
            focused,
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
        let focused = self.pane == PlanPane::Worklist;
        let (rule, body) = split_top(area, 1);
        let style = if focused {
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
        pen.rule(rule, title, Line::styled(self.sums(plan), pen.theme.dim));
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
            focused,
        };
        let theme = *pen.theme;
        let labels = labels(plan);
        table.draw(pen, body, |i| {
            let position = self.visible[i];
            let entry = &plan.worklist[position];
            let style = match entry.action {
                Work::Blocked => theme.fail,
                Work::Submit => theme.run,
                Work::Settle => theme.warn,
                Work::Run | Work::Wait | Work::Download | Work::Share => theme.text,
            };
            let trial = entry
                .trial
                .as_ref()
                .map_or_else(String::new, |t| label(plan, &labels, t));
            Row::Cells(vec![
                Cell::Text(thousands(position as u64 + 1), theme.dim),
                Cell::Text(entry.phase.to_string(), theme.text),
                Cell::Name(trial, theme.dim),
                Cell::Text(
                    entry.part.map_or_else(String::new, |p| p.to_string()),
                    theme.text,
                ),
                Cell::Text(entry.action.as_str().to_owned(), style),
                Cell::Text(printable(&entry.reason).into_owned(), theme.dim),
                Cell::Text(
                    entry.estimate.map_or_else(String::new, |u| u.to_string()),
                    theme.text,
                ),
            ])
        });
    }

    fn sums(&self, plan: &Plan) -> String {
        if !self.filter.is_empty() {
            return format!("filter {} · Esc clears", printable(&self.filter));
        }
        let count = |action: Work| plan.worklist.iter().filter(|e| e.action == action).count();
        let mut words: Vec<String> = [
            Work::Submit,
            Work::Settle,
            Work::Wait,
            Work::Download,
            Work::Share,
            Work::Run,
            Work::Blocked,
        ]
        .into_iter()
        .map(|action| (action, count(action)))
        .filter(|(_, n)| *n > 0)
        .map(|(action, n)| format!("{n} {}", action.as_str()))
        .collect();
        words.push(match Self::spend(plan) {
            Some(spend) => format!("new spend at most {spend}"),
            None => "new spend unknown".to_owned(),
        });
        words.join(" · ")
    }
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

fn gate_words(gate: Gate) -> String {
    if gate.is_whole() {
        "the whole run".to_owned()
    } else {
        gate.to_string()
    }
}

fn short_decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Skip => "skip",
        Decision::Repair => "repair",
        Decision::Execute => "do",
        Decision::Blocked => "block",
        Decision::Outside => "out",
        Decision::NotAsked => "-",
    }
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
