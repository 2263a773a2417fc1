//! One cell for each part, or for a few; a cell shows the worst state in it, so one failed part of 100,000 is seen.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use crate::domain::WorkStatus;

/// How loudly a state speaks for its cell.
fn rank(status: WorkStatus) -> u8 {
    match status {
        WorkStatus::Downloaded => 0,
        WorkStatus::Completed => 1,
        WorkStatus::Pending => 2,
        WorkStatus::Submitted => 3,
        WorkStatus::Running => 4,
        WorkStatus::InDoubt => 5,
        WorkStatus::Expired => 6,
        WorkStatus::Failed => 7,
    }
}

/// Draws the map into all of the area.
pub fn draw(pen: &mut Pen<'_>, area: Rect, parts: &[WorkStatus]) {
    let width = usize::from(area.width);
    let rows = usize::from(area.height);
    let room = width * rows;
    if parts.is_empty() || room == 0 {
        return;
    }
    let wide = (width / parts.len()).min(8);
    if wide >= 2 {
        // Few parts: each is a small bar of its own.
        let spans = parts.iter().flat_map(|status| {
            let (glyph, style) = pen.theme.work(*status);
            [Span::styled(glyph.repeat(wide - 1), style), Span::raw(" ")]
        });
        let line = Line::from(spans.collect::<Vec<_>>());
        pen.line(area, 0, &line);
        return;
    }
    let cells = room.min(parts.len());
    for cell in 0..cells {
        let (from, to) = (cell * parts.len() / cells, (cell + 1) * parts.len() / cells);
        let Some(worst) = parts[from..to].iter().copied().max_by_key(|s| rank(*s)) else {
            continue;
        };
        let (glyph, style) = pen.theme.work(worst);
        let (Ok(x), Ok(y)) = (u16::try_from(cell % width), u16::try_from(cell / width)) else {
            continue;
        };
        if let Some(at) = pen.buf.cell_mut((area.x + x, area.y + y)) {
            at.set_symbol(glyph).set_style(style);
        }
    }
}

/// The rows that a map of that many parts wants at a width.
pub fn rows(parts: usize, width: u16, most: u16) -> u16 {
    let wanted = parts.div_ceil(usize::from(width).max(1));
    u16::try_from(wanted).unwrap_or(most).clamp(1, most.max(1))
}
