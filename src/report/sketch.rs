//! Differences with their intervals drawn in characters, one line for each metric.

use super::inert;

/// Characters from the left end of the axis to its right end.
const WIDTH: usize = 41;

/// One line of the sketch.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// What it is about.
    pub label: &'a str,
    /// The difference.
    pub delta: f64,
    /// Its interval.
    pub interval: [f64; 2],
}

/// Draws the lines on one axis, zero in the middle; empty without lines. For a code block.
pub fn sketch(lines: &[Line<'_>]) -> String {
    let reach = lines
        .iter()
        .flat_map(|l| [l.interval[0], l.interval[1], l.delta])
        .filter(|x| x.is_finite())
        .fold(0.0_f64, |reach, x| reach.max(x.abs()));
    if lines.is_empty() {
        return String::new();
    }
    let half = nice(reach * 100.0) / 100.0;
    let label_width = lines
        .iter()
        .map(|l| l.label.chars().count())
        .max()
        .unwrap_or(0)
        .clamp(8, 24);
    let mut out = axis(half, label_width);
    for line in lines {
        let mut cells: Vec<char> = vec![' '; WIDTH];
        cells[WIDTH / 2] = '┊';
        let (from, to) = (place(line.interval[0], half), place(line.interval[1], half));
        for cell in &mut cells[from..=to] {
            *cell = '─';
        }
        if from < WIDTH / 2 && WIDTH / 2 < to {
            cells[WIDTH / 2] = '┼';
        }
        cells[from] = '├';
        cells[to] = '┤';
        cells[place(line.delta, half)] = '●';
        let drawn: String = cells.into_iter().collect();
        out.push_str(&inert::column(line.label, label_width));
        out.push(' ');
        out.push_str(drawn.trim_end());
        out.push('\n');
    }
    out
}

/// The numbers over the axis: its ends and its middle.
fn axis(half: f64, label_width: usize) -> String {
    let end = format!("{:.2}", half * 100.0);
    let end = end.trim_end_matches('0').trim_end_matches('.');
    let left = format!("-{end}");
    let right = format!("+{end} pp");
    let before = WIDTH / 2 - left.len();
    let after = WIDTH / 2 - end.len() - 1;
    format!(
        "{} {left}{}0{}{right}\n",
        inert::column("", label_width),
        " ".repeat(before),
        " ".repeat(after)
    )
}

/// The smallest of 1, 1.5, 2, 3, 5, 7 times a power of ten (in percentage points) that holds `reach`.
fn nice(reach: f64) -> f64 {
    let mut step = 0.01;
    while step < 1000.0 {
        for factor in [1.0, 1.5, 2.0, 3.0, 5.0, 7.0] {
            if reach <= step * factor {
                return step * factor;
            }
        }
        step *= 10.0;
    }
    1000.0
}

/// The cell of a difference on the axis.
fn place(x: f64, half: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to the width, by the clamp; NaN becomes 0"
    )]
    let cell = (f64::midpoint(x / half, 1.0)
        * f64::from(u8::try_from(WIDTH - 1).unwrap_or(u8::MAX)))
    .round()
    .clamp(0.0, 255.0) as usize;
    cell.min(WIDTH - 1)
}

/// Says what the sketch shows.
pub const CAPTION: &str =
    "Differences, treatment less control, with 95% intervals (`┊` marks no difference).";

/// A line from an estimate, where it has an interval.
pub fn line<'a>(label: &'a str, metric: &super::estimates::Metric) -> Option<Line<'a>> {
    Some(Line {
        label,
        delta: metric.delta?,
        interval: metric.ci_95?,
    })
}
