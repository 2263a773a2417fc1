//! The phases as a ruler, with the gate as two brackets.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::PlanScreen;
use crate::domain::{Decision, Gate, Phase};
use crate::ui::widgets::pen::{Hit, Pen, Spot, split_top};
use crate::ui::widgets::phase_strip;

impl PlanScreen {
    pub(super) fn draw_ruler(&self, pen: &mut Pen<'_>, area: Rect) {
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
        if phase == self.gate.from {
            // The first phase has no column before it: its bracket stands in the margin.
            let margin = Rect {
                x: area.x.saturating_sub(1),
                width: area.width + 1,
                ..area
            };
            bracket(pen, margin, x);
        }
        if phase == self.gate.to {
            bracket(pen, area, (x + width).saturating_sub(1 + u16::from(wide)));
        }
        if here {
            mark(pen, area, x);
        }
    }
}

fn bracket(pen: &mut Pen<'_>, area: Rect, x: u16) {
    for row in 0..2 {
        pen.line_at(area, (x, row), &Line::styled("┃", pen.theme.accent));
    }
}

/// The mark under the phase that the keys mean, and the keys, on the side where there is room.
fn mark(pen: &mut Pen<'_>, area: Rect, x: u16) {
    let keys = "f from  t to  o only  * whole";
    if area.height < 3 {
        return;
    }
    pen.line_at(area, (x, 2), &Line::styled("▲", pen.theme.accent));
    let room = usize::from(area.width.saturating_sub(x + 2));
    let at = if room >= keys.len() {
        x + 2
    } else {
        x.saturating_sub(30)
    };
    pen.line_at(area, (at, 2), &Line::styled(keys, pen.theme.dim));
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
