//! The one way to put text on the screen: clipped to its area, and remembering where lists are for the mouse.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::ui::theme::Theme;

/// A list or a row of things that can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spot {
    /// List of runs.
    Runs,
    /// Trials of the cockpit.
    Trials,
    /// The queue.
    Queue,
    /// The log.
    Log,
    /// The ruler of phases; "rows" are columns.
    Ruler,
    /// Reasons of the plan.
    Why,
    /// Worklist of the plan.
    Worklist,
    /// A text or a list over the screen.
    Dialog,
}

/// Where a list was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub spot: Spot,
    /// Its lines, without headings.
    pub area: Rect,
    /// The index of its first visible row.
    pub first: usize,
    /// Rows in all.
    pub rows: usize,
}

/// Where everything was drawn in one frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits(pub Vec<Hit>);

impl Hits {
    /// The list of that kind. A dialog hides what lies below it.
    pub fn find(&self, spot: Spot) -> Option<&Hit> {
        self.0.iter().rev().find(|h| h.spot == spot)
    }

    /// The topmost list at a place.
    pub fn at(&self, x: u16, y: u16) -> Option<&Hit> {
        let inside = |h: &&Hit| h.area.contains(ratatui::layout::Position { x, y });
        self.0.iter().rev().find(inside)
    }
}

/// Draws one frame.
#[derive(Debug)]
pub struct Pen<'a> {
    /// What is drawn into.
    pub buf: &'a mut Buffer,
    /// Styles.
    pub theme: &'a Theme,
    /// The present time.
    pub now: Timestamp,
    /// The zone of times on screen.
    pub zone: &'a TimeZone,
    /// Where lists were in the frame before, so that they do not jump.
    pub before: &'a Hits,
    /// Where lists are in this frame.
    pub hits: Hits,
}

impl Pen<'_> {
    /// Puts a line on a row of an area, from its left edge.
    pub fn line(&mut self, area: Rect, row: u16, line: &Line<'_>) {
        self.line_at(area, (0, row), line);
    }

    /// Puts a line at a column and row of an area.
    pub fn line_at(&mut self, area: Rect, (column, row): (u16, u16), line: &Line<'_>) {
        let area = area.intersection(self.buf.area);
        if row >= area.height || column >= area.width {
            return;
        }
        self.buf
            .set_line(area.x + column, area.y + row, line, area.width - column);
    }

    /// Puts a line on a row of an area, up to its right edge; nothing where it does not fit.
    pub fn line_right(&mut self, area: Rect, row: u16, line: &Line<'_>) {
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        if let Some(column) = area.width.checked_sub(width) {
            self.line_at(area, (column, row), line);
        }
    }

    /// A title inside a rule, with a remark at its end where there is room.
    pub fn rule(&mut self, area: Rect, title: Line<'_>, remark: Line<'_>) {
        if area.height == 0 {
            return;
        }
        let rule = self.theme.rule;
        self.line(area, 0, &Line::styled("─".repeat(area.width.into()), rule));
        let padded = |line: Line<'static>| {
            let mut spans = vec![Span::raw(" ")];
            spans.extend(line.spans);
            spans.push(Span::raw(" "));
            Line::from(spans)
        };
        let title_width = title.width() + 4;
        if !title.spans.is_empty() {
            self.line_at(area, (2, 0), &padded(owned(title)));
        }
        if !remark.spans.is_empty() && title_width + remark.width() + 5 <= usize::from(area.width) {
            let inner = Rect {
                width: area.width - 2,
                ..area
            };
            self.line_right(inner, 0, &padded(owned(remark)));
        }
    }

    /// Lays a style over a row.
    pub fn shade(&mut self, area: Rect, row: u16, style: Style) {
        let area = area.intersection(self.buf.area);
        if row < area.height {
            let line = Rect {
                y: area.y + row,
                height: 1,
                ..area
            };
            self.buf.set_style(line, style);
        }
    }

    /// Empties an area.
    pub fn wipe(&mut self, area: Rect) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// The first visible row of a list, so that `cursor` is visible and the list moves as little as can be.
    pub fn first_row(
        &self,
        spot: Spot,
        rows: usize,
        cursor: Option<usize>,
        height: usize,
    ) -> usize {
        let last = rows.saturating_sub(height);
        let before = self.before.find(spot).map_or(0, |h| h.first).min(last);
        match cursor {
            _ if height == 0 => 0,
            Some(cursor) if cursor < before => cursor,
            Some(cursor) if cursor >= before + height => (cursor + 1 - height).min(last),
            _ => before,
        }
    }
}

fn owned(line: Line<'_>) -> Line<'static> {
    let under = line.style;
    Line::from(
        line.spans
            .into_iter()
            .map(|s| Span::styled(s.content.into_owned(), under.patch(s.style)))
            .collect::<Vec<_>>(),
    )
}

/// The first `height` rows of an area, and the rest.
pub fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let top = Rect { height, ..area };
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (top, rest)
}

/// All but the last `height` rows of an area, and those.
pub fn split_bottom(area: Rect, height: u16) -> (Rect, Rect) {
    split_top(area, area.height.saturating_sub(height))
}

/// The first `width` columns of an area, and the rest.
pub fn split_left(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    let left = Rect { width, ..area };
    let rest = Rect {
        x: area.x + width,
        width: area.width - width,
        ..area
    };
    (left, rest)
}
