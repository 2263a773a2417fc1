//! The ten phases in a row: glyph, name, and how long each took or how far it is.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use crate::domain::{Phase, PhaseStatus, WorkStatus};
use crate::snapshot::RunView;
use crate::ui::format;

/// Columns a phase needs to be written with its whole name.
const FULL: u16 = 10;

/// The name in three letters.
pub fn short_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "prp",
        Phase::Build => "bld",
        Phase::Submit => "sub",
        Phase::Poll => "pol",
        Phase::Parse => "prs",
        Phase::Score => "sco",
        Phase::Stats => "sta",
        Phase::Costs => "cst",
        Phase::Report => "rep",
        Phase::Archive => "arc",
    }
}

/// The column of a phase, and its width.
pub fn column(area: Rect, phase: Phase) -> (u16, u16) {
    let width = (area.width / 10).min(12);
    let index = u16::try_from(phase.index()).unwrap_or(0);
    (index * width, width)
}

/// Draws names on the first row and, where there is one, progress on the second.
pub fn draw(pen: &mut Pen<'_>, area: Rect, view: &RunView) {
    for phase in Phase::ALL {
        let (x, width) = column(area, phase);
        let status = view.phase(phase).status;
        let asked = phase != Phase::Archive || status != PhaseStatus::NotStarted;
        let (glyph, style) = if asked {
            pen.theme.phase(status)
        } else {
            ("○", pen.theme.dim)
        };
        let name = if width >= FULL {
            phase.as_str()
        } else {
            short_name(phase)
        };
        let name_style = match status {
            PhaseStatus::NotStarted => pen.theme.dim,
            PhaseStatus::InProgress => pen.theme.strong,
            PhaseStatus::Failed | PhaseStatus::Stopped => style,
            PhaseStatus::Completed => pen.theme.text,
        };
        let gap = if width >= FULL { " " } else { "" };
        let line = Line::from(vec![
            Span::styled(glyph, style),
            Span::raw(gap),
            Span::styled(name, name_style),
        ]);
        pen.line_at(area, (x, 0), &line);
        if width >= FULL {
            let below = progress(view, phase, pen.now);
            pen.line_at(area, (x + 2, 1), &Line::styled(below, pen.theme.dim));
        }
    }
}

/// One cell for each phase, for lists.
pub fn glyphs(theme: &crate::ui::theme::Theme, phases: &[PhaseStatus; 10]) -> Vec<Span<'static>> {
    phases
        .iter()
        .map(|status| {
            let (glyph, style) = theme.phase(*status);
            Span::styled(glyph, style)
        })
        .collect()
}

fn progress(view: &RunView, phase: Phase, now: jiff::Timestamp) -> String {
    let seen = view.phase(phase);
    match seen.status {
        PhaseStatus::NotStarted if phase == Phase::Archive => "not asked".to_owned(),
        PhaseStatus::NotStarted => String::new(),
        PhaseStatus::Failed => "failed".to_owned(),
        PhaseStatus::Stopped => "stopped".to_owned(),
        PhaseStatus::Completed => match (seen.started_at, seen.updated_at) {
            (Some(from), Some(to)) => format::rough_span(format::since(from, to)),
            _ => String::new(),
        },
        PhaseStatus::InProgress => {
            let all = view.totals.all();
            match (phase, seen.progress) {
                (Phase::Submit, _) if all > 0 => {
                    let waiting = view.totals.with(WorkStatus::Pending)
                        + view.totals.with(WorkStatus::InDoubt);
                    format!("{}/{all}", all.saturating_sub(waiting))
                }
                (Phase::Poll, _) if all > 0 => {
                    format!("{}/{all}", view.totals.with(WorkStatus::Downloaded))
                }
                (_, Some((done, total))) if total > 0 => {
                    format!("{}/{}", format::compact(done), format::compact(total))
                }
                _ => seen.started_at.map_or_else(String::new, |from| {
                    format::clock_span(format::since(from, now))
                }),
            }
        }
    }
}
