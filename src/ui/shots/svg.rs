//! A frame as SVG: one text for each run of equal style, one rectangle for each run of equal background. Blocks and
//! lines are drawn as shapes, because fonts leave hairlines between them.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Width and height of a cell in pixels.
const CELL: (f64, f64) = (8.43, 18.0);
const FONT_SIZE: f64 = 14.0;
/// Distance of the text's base line from the top of its cell.
const BASE: f64 = 13.4;
const MARGIN: f64 = 14.0;
const BACKGROUND: &str = "#10141b";
const TEXT: &str = "#d3dae6";

/// Renders a frame on a dark background.
pub(super) fn render(buffer: &Buffer) -> String {
    let area = buffer.area;
    let width = f64::from(area.width) * CELL.0 + 2.0 * MARGIN;
    let height = f64::from(area.height) * CELL.1 + 2.0 * MARGIN;
    let mut out = String::new();
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"'JetBrains Mono','DejaVu Sans Mono','Menlo','Consolas',monospace\" font-size=\"{FONT_SIZE}\" \
         fill=\"{TEXT}\" xml:space=\"preserve\">\n"
    );
    out.push_str(&head);
    for y in 0..area.height {
        let row: Vec<&Cell> = (0..area.width)
            .filter_map(|x| buffer.cell((x, y)))
            .collect();
        backgrounds(&mut out, &row, y);
        runs(&mut out, &row, y);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn at(column: usize, row: u16) -> (f64, f64) {
    let column = u32::try_from(column).unwrap_or(0);
    (
        MARGIN + f64::from(column) * CELL.0,
        MARGIN + f64::from(row) * CELL.1,
    )
}

/// Runs of cells that are alike in some way, as (first, end).
fn alike<K: PartialEq>(row: &[&Cell], key: impl Fn(&Cell) -> K) -> Vec<(usize, usize, K)> {
    let mut runs: Vec<(usize, usize, K)> = Vec::new();
    for (x, cell) in row.iter().enumerate() {
        let this = key(cell);
        match runs.last_mut() {
            Some((_, end, last)) if *last == this => *end = x + 1,
            _ => runs.push((x, x + 1, this)),
        }
    }
    runs
}

fn backgrounds(out: &mut String, row: &[&Cell], y: u16) {
    let shade = |cell: &Cell| {
        if cell.modifier.contains(Modifier::REVERSED) {
            Some(colour(cell.fg).unwrap_or_else(|| TEXT.to_owned()))
        } else {
            colour(cell.bg)
        }
    };
    for (from, end, fill) in alike(row, shade) {
        if let Some(fill) = fill {
            rect(out, (at(from, y), at(end, y).0, CELL.1), (&fill, 1.0));
        }
    }
}

type Run = (bool, Option<String>, bool, Option<Vec<Shape>>);

fn runs(out: &mut String, row: &[&Cell], y: u16) {
    let key = |cell: &Cell| -> Run {
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let fg = if reversed {
            Some(BACKGROUND.to_owned())
        } else {
            colour(cell.fg)
        };
        (
            cell.symbol() == " ",
            fg,
            cell.modifier.contains(Modifier::BOLD),
            shapes(cell.symbol()),
        )
    };
    for (from, end, (blank, fg, bold, shapes)) in alike(row, key) {
        if blank {
            continue;
        }
        let fill = fg.unwrap_or_else(|| TEXT.to_owned());
        if let Some(shapes) = shapes {
            draw_shapes(out, (from, end, y), &shapes, &fill);
            continue;
        }
        let text: String = row[from..end].iter().map(|c| escape(c.symbol())).collect();
        let (x, top) = at(from, y);
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        // Writing to a string cannot fail.
        let _infallible = writeln!(
            out,
            "<text x=\"{x:.2}\" y=\"{:.2}\" fill=\"{fill}\"{weight}>{text}</text>",
            top + BASE
        );
    }
}

/// A part of a cell: left, top, right, bottom from 0 to 1, and how opaque it is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape(f64, f64, f64, f64, f64);

/// The shapes of blocks and lines; `None` for letters.
fn shapes(symbol: &str) -> Option<Vec<Shape>> {
    let lower = |eighths: f64| vec![Shape(0.08, 1.0 - eighths / 8.0 * 0.86, 0.92, 1.0, 1.0)];
    let full = |opaque: f64| vec![Shape(0.0, 0.1, 1.0, 0.9, opaque)];
    Some(match symbol {
        "█" => full(1.0),
        "▓" => full(0.7),
        "▒" => full(0.45),
        "░" => full(0.4),
        "▁" => lower(1.0),
        "▂" => lower(2.0),
        "▃" => lower(3.0),
        "▄" => lower(4.0),
        "▅" => lower(5.0),
        "▆" => lower(6.0),
        "▇" => lower(7.0),
        "▌" => vec![Shape(0.0, 0.0, 0.4, 1.0, 1.0)],
        "┃" => vec![Shape(0.36, 0.0, 0.64, 1.0, 1.0)],
        "│" => vec![Shape(0.46, 0.0, 0.58, 1.0, 1.0)],
        "─" => vec![Shape(0.0, 0.47, 1.0, 0.53, 1.0)],
        "┌" => vec![
            Shape(0.46, 0.47, 0.58, 1.0, 1.0),
            Shape(0.46, 0.47, 1.0, 0.53, 1.0),
        ],
        "┐" => vec![
            Shape(0.46, 0.47, 0.58, 1.0, 1.0),
            Shape(0.0, 0.47, 0.58, 0.53, 1.0),
        ],
        "└" => vec![
            Shape(0.46, 0.0, 0.58, 0.53, 1.0),
            Shape(0.46, 0.47, 1.0, 0.53, 1.0),
        ],
        "┘" => vec![
            Shape(0.46, 0.0, 0.58, 0.53, 1.0),
            Shape(0.0, 0.47, 0.58, 0.53, 1.0),
        ],
        "━" => vec![Shape(0.0, 0.42, 1.0, 0.58, 1.0)],
        "╸" => vec![Shape(0.0, 0.42, 0.5, 0.58, 1.0)],
        "╌" => vec![
            Shape(0.15, 0.46, 0.42, 0.54, 1.0),
            Shape(0.62, 0.46, 0.88, 0.54, 1.0),
        ],
        _ => return None,
    })
}

fn draw_shapes(
    out: &mut String,
    (from, end, y): (usize, usize, u16),
    shapes: &[Shape],
    fill: &str,
) {
    // One rectangle for a whole run where the shape spans its cell; one for each cell else.
    let joined = shapes.len() == 1 && shapes[0].0 <= 0.0 && shapes[0].2 >= 1.0;
    let step = if joined { end - from } else { 1 };
    for first in (from..end).step_by(step.max(1)) {
        let ((x, top), (right, _)) = (at(first, y), at(first + step, y));
        for Shape(l, t, r, b, opaque) in shapes {
            let width = right - x;
            let place = (x + l * width, top + t * CELL.1);
            rect(
                out,
                (place, x + r * width, (b - t) * CELL.1),
                (fill, *opaque),
            );
        }
    }
}

fn rect(
    out: &mut String,
    ((x, y), right, height): ((f64, f64), f64, f64),
    (fill, opaque): (&str, f64),
) {
    let opacity = if opaque < 1.0 {
        format!(" fill-opacity=\"{opaque}\"")
    } else {
        String::new()
    };
    // Writing to a string cannot fail.
    let _infallible = writeln!(
        out,
        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{:.2}\" height=\"{height:.2}\" fill=\"{fill}\"{opacity}/>",
        right - x
    );
}

fn escape(symbol: &str) -> String {
    symbol
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A colour as hexadecimal; `None` for the terminal's own. Pictures are drawn with true colours only.
fn colour(colour: Color) -> Option<String> {
    if let Color::Rgb(r, g, b) = colour {
        return Some(format!("#{r:02x}{g:02x}{b:02x}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn equal_cells_share_one_element_and_markup_is_escaped() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "a<b& ███", Style::new().bg(Color::Rgb(1, 2, 3)));
        let svg = render(&buffer);
        assert_eq!(svg.matches("<text").count(), 1);
        assert!(svg.contains("a&lt;b&amp;"));
        // The background of the page, that of the cells, and the blocks.
        assert_eq!(svg.matches("<rect").count(), 3);
    }
}
