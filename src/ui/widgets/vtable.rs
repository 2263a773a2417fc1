//! A table that formats only the rows on screen, because the plain one costs all rows in each frame.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::pen::{Hit, Pen, Spot, split_top};
use crate::ui::format;

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// At the right edge.
    Right,
}

/// A column. Where no column has a title there is no row of headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Its width; for the stretching column its smallest one.
    pub width: u16,
    /// Where its text stands.
    pub align: Align,
    /// Columns with the highest number go first where the room is short; 0 stays. The stretching column has 0 too.
    pub drop: u8,
    /// Whether it takes the room that is left.
    pub stretch: bool,
}

impl Column {
    /// A column of fixed width, flush left.
    pub const fn left(title: &'static str, width: u16, drop: u8) -> Self {
        Self {
            title,
            width,
            align: Align::Left,
            drop,
            stretch: false,
        }
    }

    /// A column of fixed width, flush right.
    pub const fn right(title: &'static str, width: u16, drop: u8) -> Self {
        Self {
            align: Align::Right,
            ..Self::left(title, width, drop)
        }
    }

    /// The column that takes the rest.
    pub const fn rest(title: &'static str, width: u16) -> Self {
        Self {
            stretch: true,
            ..Self::left(title, width, 0)
        }
    }
}

/// Whether keys go to a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Here.
    Here,
    /// To another pane.
    Elsewhere,
}

impl Focus {
    /// Of a pane, where that one has the focus.
    pub fn of<P: PartialEq + Copy>(pane: P, focused: P) -> Self {
        if pane == focused {
            Self::Here
        } else {
            Self::Elsewhere
        }
    }
}

/// A cell: spans that fit, or a text that is cut.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Cut at its end.
    Text(String, Style),
    /// Cut in its middle.
    Name(String, Style),
    /// Drawn as it is.
    Spans(Vec<Span<'static>>),
}

/// A row: cells in the order of the columns, or one line over all of them.
#[derive(Debug, Clone)]
pub enum Row {
    /// One cell for each column.
    Cells(Vec<Cell>),
    /// A line over the whole width.
    Line(Line<'static>),
}

/// A table without its rows.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// What it is, for the mouse and for its place.
    pub spot: Spot,
    /// Its columns.
    pub columns: &'a [Column],
    /// Rows in all.
    pub rows: usize,
    /// The selected row.
    pub cursor: Option<usize>,
    /// Whether keys go to it.
    pub focus: Focus,
}

const GAP: u16 = 2;
/// Columns in front of each row, for the mark of the selection.
const MARK: u16 = 2;

impl Table<'_> {
    /// Draws the headings and the visible rows; `row` is asked for those only.
    pub fn draw(&self, pen: &mut Pen<'_>, area: Rect, row: impl Fn(usize) -> Row) {
        let layout = self.layout(area.width);
        let headed = self.columns.iter().any(|c| !c.title.is_empty());
        let (head, body) = split_top(area, u16::from(headed));
        let mut x = MARK;
        for (index, width) in &layout {
            let column = &self.columns[*index];
            let title = place(column.title, usize::from(*width), column.align);
            pen.line_at(head, (x, 0), &Line::styled(title, pen.theme.dim));
            x += width + GAP;
        }
        let height = usize::from(body.height);
        let first = pen.first_row(self.spot, self.rows, self.cursor, height);
        for (line, index) in (first..self.rows.min(first + height)).enumerate() {
            let Ok(line) = u16::try_from(line) else { break };
            match row(index) {
                Row::Cells(cells) => self.cells(pen, (body, line), &layout, &cells),
                Row::Line(text) => pen.line_at(body, (MARK, line), &text),
            }
            if self.cursor == Some(index) {
                self.mark(pen, body, line);
            }
        }
        pen.hits.0.push(Hit {
            spot: self.spot,
            area: body,
            first,
            rows: self.rows,
        });
    }

    fn mark(&self, pen: &mut Pen<'_>, body: Rect, line: u16) {
        let (style, mark) = if self.focus == Focus::Here {
            (pen.theme.selection, pen.theme.accent)
        } else {
            (pen.theme.selection_idle, pen.theme.rule)
        };
        pen.shade(body, line, style);
        pen.line(body, line, &Line::styled("▌", mark.patch(style)));
    }

    fn cells(
        &self,
        pen: &mut Pen<'_>,
        (body, line): (Rect, u16),
        layout: &[(usize, u16)],
        cells: &[Cell],
    ) {
        let mut x = MARK;
        for (index, width) in layout {
            let space = usize::from(*width);
            let align = self.columns[*index].align;
            let text = match cells.get(*index) {
                Some(Cell::Text(text, style)) => Line::styled(place(text, space, align), *style),
                Some(Cell::Name(text, style)) => Line::styled(
                    place(&format::cut_middle(text, space), space, align),
                    *style,
                ),
                Some(Cell::Spans(spans)) => Line::from(spans.clone()),
                None => Line::default(),
            };
            let (cell, _) = super::pen::split_left(
                Rect {
                    x: body.x.saturating_add(x),
                    width: body.width.saturating_sub(x),
                    ..body
                },
                *width,
            );
            pen.line(cell, line, &text);
            x += width + GAP;
        }
    }

    /// The columns that fit, with their widths.
    fn layout(&self, width: u16) -> Vec<(usize, u16)> {
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        let need = |kept: &[usize]| {
            let cells: u16 = kept.iter().map(|i| self.columns[*i].width + GAP).sum();
            (MARK + cells).saturating_sub(GAP)
        };
        while need(&kept) > width {
            let Some(worst) = kept
                .iter()
                .copied()
                .filter(|i| self.columns[*i].drop > 0)
                .max_by_key(|i| self.columns[*i].drop)
            else {
                break;
            };
            kept.retain(|i| *i != worst);
        }
        let spare = width.saturating_sub(need(&kept));
        kept.iter()
            .map(|i| {
                let column = &self.columns[*i];
                (*i, column.width + if column.stretch { spare } else { 0 })
            })
            .collect()
    }
}

fn place(text: &str, width: usize, align: Align) -> String {
    match align {
        Align::Left => format::left(text, width),
        Align::Right => format::right(text, width),
    }
}
