//! The last line: keys that work here and now, from the key table.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use crate::ui::keymap::{Action, Binding, Context, Group};

/// The hints of a screen, in order: key and word. Help and back are not among them, they have their own place.
pub fn of<'a>(
    context: Context,
    works: impl Fn(Action) -> bool + 'a,
) -> impl Iterator<Item = (String, &'static str)> + 'a {
    // What a run can be told comes first, except where a screen has a main key of its own.
    let main = matches!(context, Context::Runs | Context::Plan);
    let rank = move |b: &&Binding| match (b.context == context, b.group) {
        (true, _) if main => 0,
        (_, Group::Run) => 1,
        (true, _) => 2,
        (false, _) => 3,
    };
    let mut bindings: Vec<_> = crate::ui::keymap::of_screen(context).collect();
    bindings.sort_by_key(rank);
    bindings
        .into_iter()
        .filter(|b| !b.hint.is_empty() && !matches!(b.action, Action::Help | Action::Back))
        .filter(move |b| works(b.action))
        .map(|b| (keys(b), b.hint))
}

fn keys(binding: &Binding) -> String {
    if binding.action == Action::Right {
        return "h/l".to_owned();
    }
    binding
        .chords
        .first()
        .map_or_else(String::new, |c| c.label())
}

/// Draws as many hints as fit, `? help` and the way back always.
pub fn draw(
    pen: &mut Pen<'_>,
    area: Rect,
    hints: impl Iterator<Item = (String, &'static str)>,
    back: &str,
) {
    let theme = *pen.theme;
    let hint = |key: String, word: &str| {
        [
            Span::styled(key, theme.accent),
            Span::styled(format!(" {word}"), theme.dim),
        ]
    };
    let mut end: Vec<Span<'_>> = hint("?".to_owned(), "help").into();
    end.push(Span::raw("  "));
    end.extend(hint("q".to_owned(), back));
    end.push(Span::raw(" "));
    let end = Line::from(end);
    let room = usize::from(area.width).saturating_sub(end.width() + 2);
    let mut line = Line::from(" ");
    for (key, word) in hints {
        let spans = hint(key, word);
        let width: usize = spans.iter().map(Span::width).sum();
        if line.width() + width > room {
            break;
        }
        line.spans.extend(spans);
        line.spans.push(Span::raw("  "));
    }
    pen.line(area, 0, &line);
    pen.line_right(area, 0, &end);
}
