//! One-line bars: progress as blocks or as a line, and a row of small columns.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::ui::theme::Theme;

/// How many of `width` cells are full; never all while something is left, never none once something is done.
fn cells(done: u64, all: u64, width: usize) -> usize {
    if all == 0 || width == 0 {
        return 0;
    }
    let filled = u128::from(done.min(all)) * width as u128 / u128::from(all);
    let filled = usize::try_from(filled).unwrap_or(width);
    if filled == 0 && done > 0 && width > 1 {
        1
    } else {
        filled
    }
}

/// A bar of blocks: done, failed, open.
pub fn blocks(
    theme: &Theme,
    (done, failed, all): (u64, u64, u64),
    width: usize,
) -> Vec<Span<'static>> {
    let bad = if failed > 0 {
        cells(failed, all, width).max(1)
    } else {
        0
    };
    let good = cells(done, all, width).min(width.saturating_sub(bad));
    vec![
        Span::styled("█".repeat(good), theme.ok),
        Span::styled("✗".repeat(bad.min(width)), theme.fail),
        Span::styled("░".repeat(width.saturating_sub(good + bad)), theme.rule),
    ]
}

/// A thin line: heavy up to where it has come, dotted after it.
pub fn thin(
    theme: &Theme,
    done: u64,
    all: u64,
    (width, style): (usize, Style),
) -> Vec<Span<'static>> {
    let filled = cells(done, all, width);
    let head = usize::from(filled < width && filled > 0);
    vec![
        Span::styled("━".repeat(filled - head.min(filled)), style),
        Span::styled("╸".repeat(head), style),
        Span::styled("╌".repeat(width - filled), theme.rule),
    ]
}

/// Small columns, the highest value a full cell; a blank where there is nothing.
pub fn spark(values: &[u64]) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = values.iter().copied().max().unwrap_or(0);
    let step = |v: &u64| match (*v, top) {
        (0, _) | (_, 0) => ' ',
        (v, top) => {
            let rank = (u128::from(v) * 8).div_ceil(u128::from(top)).clamp(1, 8);
            STEPS[usize::try_from(rank).unwrap_or(1) - 1]
        }
    };
    values.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::ThemeName;

    #[test]
    fn bars_always_have_their_width() {
        let theme = Theme::new(ThemeName::Dark, u16::MAX);
        let length = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
        for width in 0..9 {
            for (done, failed, all) in [
                (0, 0, 0),
                (0, 9, 9),
                (3, 1, 9),
                (9, 0, 9),
                (20, 20, 9),
                (1, 1, 900_000),
            ] {
                assert_eq!(length(&blocks(&theme, (done, failed, all), width)), width);
                assert_eq!(length(&thin(&theme, done, all, (width, theme.run))), width);
            }
        }
    }

    #[test]
    fn a_bar_is_full_only_when_all_is_done() {
        assert_eq!(cells(999_999, 1_000_000, 10), 9);
        assert_eq!(cells(1, 1_000_000, 10), 1);
        assert_eq!(spark(&[0, 1, 8]), " ▁█");
    }
}
