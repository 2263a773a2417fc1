//! Events, newest last. Follows the end until the user scrolls away from it.

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::text::{printable, thousands};
use crate::domain::{LogLevel, LogLine};
use crate::ui::cursor::step;
use crate::ui::format;
use crate::ui::keymap::Action;
use crate::ui::model::RunPicture;
use crate::ui::widgets::pen::{Hit, Pen, Spot};

/// State of the log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Words that a line must hold.
    pub filter: String,
    /// Only warnings and errors.
    pub attention: bool,
    /// Lines that pass the filter, oldest first.
    visible: Vec<Arc<LogLine>>,
    /// The last line on screen; `None` follows the end.
    bottom: Option<usize>,
}

impl Log {
    /// Takes a new picture.
    pub fn take(&mut self, picture: &RunPicture) {
        let anchor = self.bottom.and_then(|b| self.visible.get(b).cloned());
        self.arrange(&picture.view.log);
        if let Some(anchor) = anchor {
            self.bottom = self
                .visible
                .iter()
                .rposition(|l| Arc::ptr_eq(l, &anchor) || *l == anchor);
        }
    }

    /// Shows only lines that hold these words.
    pub fn set_filter(&mut self, text: &str, lines: Option<&VecDeque<Arc<LogLine>>>) {
        text.clone_into(&mut self.filter);
        self.bottom = None;
        if let Some(lines) = lines {
            self.arrange(lines);
        }
    }

    /// Only warnings and errors, or all.
    pub fn toggle_attention(&mut self, lines: Option<&VecDeque<Arc<LogLine>>>) {
        self.attention = !self.attention;
        self.bottom = None;
        if let Some(lines) = lines {
            self.arrange(lines);
        }
    }

    /// Stays where it is, or follows the end.
    pub fn toggle_follow(&mut self) {
        self.bottom = match self.bottom {
            Some(_) => None,
            None => self.visible.len().checked_sub(1),
        };
    }

    /// Scrolls; says whether the action was a movement.
    pub fn scroll(&mut self, action: Action, page: usize) -> bool {
        let rows = self.visible.len();
        let last = rows.saturating_sub(1);
        let bottom = self.bottom.unwrap_or(last);
        let Some(to) = step(action, bottom, (rows, page)) else {
            return false;
        };
        // The first page is the top: scrolling further would empty the pane.
        let to = to.max(page.saturating_sub(1).min(last));
        self.bottom = (to < last).then_some(to);
        true
    }

    fn arrange(&mut self, lines: &VecDeque<Arc<LogLine>>) {
        let words: Vec<String> = self
            .filter
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let attention = self.attention;
        self.visible = lines
            .iter()
            .filter(|l| !attention || l.level > LogLevel::Info)
            .filter(|l| words.iter().all(|w| accepts(l, w)))
            .cloned()
            .collect();
    }

    /// What the rule above the log says.
    pub fn remark(&self) -> String {
        let kept = thousands(self.visible.len() as u64);
        let follow = if self.bottom.is_none() {
            "follows"
        } else {
            "stands · F follows"
        };
        let only = if self.attention {
            " · only what needs you"
        } else {
            ""
        };
        let filter = if self.filter.is_empty() {
            String::new()
        } else {
            format!(" · {} · Esc clears", printable(&self.filter))
        };
        format!("{follow} · {kept} lines{only}{filter}")
    }

    /// Draws the lines up to the bottom one.
    pub fn draw(&self, pen: &mut Pen<'_>, area: Rect) {
        let height = usize::from(area.height);
        let end = self
            .bottom
            .map_or(self.visible.len(), |b| b + 1)
            .min(self.visible.len());
        let end = end.max(height.min(self.visible.len()));
        let first = end.saturating_sub(height);
        if self.visible.is_empty() {
            pen.line_at(area, (2, 0), &Line::styled("nothing yet", pen.theme.dim));
        }
        for (row, line) in (0..).zip(&self.visible[first..end]) {
            let line = Self::line(pen, line, usize::from(area.width));
            pen.line_at(area, (1, row), &line);
        }
        pen.hits.0.push(Hit {
            spot: Spot::Log,
            area,
            first,
            rows: self.visible.len(),
        });
    }

    fn line(pen: &Pen<'_>, line: &LogLine, width: usize) -> Line<'static> {
        let theme = pen.theme;
        let phase = line.phase.map_or("", crate::domain::Phase::as_str);
        let part = line.part.map_or_else(String::new, |p| format!("{p:<17}  "));
        let phase = format!("  {phase:<7}  ");
        // The clock takes eight cells, the margins two.
        let room = width.saturating_sub(10 + phase.len() + part.len());
        let message = format::cut(&printable(&line.message), room);
        Line::from(vec![
            Span::styled(format::time_of_day(line.at, pen.zone), theme.dim),
            Span::styled(phase, theme.accent),
            Span::styled(part, theme.dim),
            Span::styled(message, theme.level(line.level)),
        ])
    }
}

fn accepts(line: &LogLine, word: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(word);
    has(&line.message)
        || line.phase.is_some_and(|p| has(p.as_str()))
        || line.trial.as_ref().is_some_and(|t| has(t.as_str()))
        || line.part.is_some_and(|p| has(&p.to_string()))
}
