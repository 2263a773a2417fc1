//! Parts: what needs a look, what runs, what waits, what is here. Groups that are only counted are folded into a line.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::WorkStatus;
use crate::domain::text::{printable, thousands};
use crate::snapshot::WorkView;
use crate::ui::cursor::Cursor;
use crate::ui::format;
use crate::ui::model::{QueueFilter, QueueOrder, RunPicture, Section, attempts, shown};
use crate::ui::theme::Theme;
use crate::ui::widgets::pen::{Pen, Spot, split_top};
use crate::ui::widgets::vtable::{Cell, Column, Focus, Row, Table};

/// A row of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueRow {
    /// A part: its position in the view's works.
    Work(u32),
    /// The line of a group.
    Group(Section),
}

/// State of the queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// The selected row.
    pub cursor: Cursor<QueueRow>,
    /// What the user wants to see; the picture's own filter follows.
    pub filter: QueueFilter,
    unfolded: [bool; 4],
}

impl Queue {
    /// Takes a new picture.
    pub fn take(&mut self, picture: &RunPicture) {
        let order = &picture.queue;
        let mut cursor = std::mem::take(&mut self.cursor);
        cursor.settle(
            self.rows(order),
            |row| self.find(order, *row),
            |i| self.at(order, i),
        );
        self.cursor = cursor;
    }

    /// Goes to a row.
    pub fn put(&mut self, index: usize, order: &QueueOrder) {
        let mut cursor = std::mem::take(&mut self.cursor);
        cursor.put(index, self.rows(order), |i| self.at(order, i));
        self.cursor = cursor;
    }

    /// Folds or unfolds the group that the cursor is on.
    pub fn toggle(&mut self, order: &QueueOrder) {
        if let Some(QueueRow::Group(section)) = self.at(order, self.cursor.index) {
            self.unfolded[section as usize] = !self.unfolded[section as usize];
            let index = self.find(order, QueueRow::Group(section)).unwrap_or(0);
            self.put(index, order);
        }
    }

    /// Rows in all.
    pub fn rows(&self, order: &QueueOrder) -> usize {
        Section::ALL
            .into_iter()
            .map(|s| self.rows_of(order, s))
            .sum()
    }

    /// Whether a section shows a line of its own above its parts, and whether its parts are shown.
    fn shape(&self, order: &QueueOrder, section: Section) -> (bool, bool) {
        let few = order.section(section).len() <= 1;
        if !section.folds() || !order.filter.is_empty() || few {
            return (false, true);
        }
        (true, self.unfolded[section as usize])
    }

    fn rows_of(&self, order: &QueueOrder, section: Section) -> usize {
        let (line, parts) = self.shape(order, section);
        usize::from(line)
            + if parts {
                order.section(section).len()
            } else {
                0
            }
    }

    /// What is on a row.
    pub fn at(&self, order: &QueueOrder, mut index: usize) -> Option<QueueRow> {
        for section in Section::ALL {
            let rows = self.rows_of(order, section);
            if index >= rows {
                index -= rows;
                continue;
            }
            let (line, _) = self.shape(order, section);
            if line && index == 0 {
                return Some(QueueRow::Group(section));
            }
            let part = order.section(section).get(index - usize::from(line))?;
            return Some(QueueRow::Work(*part));
        }
        None
    }

    fn find(&self, order: &QueueOrder, row: QueueRow) -> Option<usize> {
        let mut above = 0;
        for section in Section::ALL {
            let (line, parts) = self.shape(order, section);
            let inside = match row {
                QueueRow::Group(wanted) => (line && wanted == section).then_some(0),
                QueueRow::Work(wanted) if parts => order
                    .section(section)
                    .iter()
                    .position(|p| *p == wanted)
                    .map(|i| i + usize::from(line)),
                QueueRow::Work(_) => None,
            };
            if let Some(inside) = inside {
                return Some(above + inside);
            }
            above += self.rows_of(order, section);
        }
        None
    }

    /// What the rule above the queue says.
    pub fn remark(&self, picture: &RunPicture) -> String {
        let shown: usize = picture.queue.sections.iter().map(Vec::len).sum();
        match (self.filter.text.trim(), self.filter.attention) {
            ("", false) => "needs you, at the provider, waiting, here".to_owned(),
            ("", true) => format!("{shown} need you · ! shows all"),
            (text, _) => format!("{shown} pass {} · Esc clears", printable(text)),
        }
    }

    /// Draws headings and rows.
    pub fn draw(&self, pen: &mut Pen<'_>, area: Rect, picture: &RunPicture, focus: Focus) {
        const COLUMNS: [Column; 9] = [
            Column::left("", 1, 0),
            Column::left("PART", 17, 0),
            Column::left("TRIAL", 18, 4),
            Column::left("JOB", 12, 6),
            Column::left("STATE", 10, 0),
            Column::right("ROWS", 9, 1),
            Column::right("AGE", 7, 2),
            Column::right("TRY", 3, 5),
            Column::rest("NOTE", 12),
        ];
        let order = &picture.queue;
        let rows = self.rows(order);
        if rows == 0 {
            let (_, body) = split_top(area, 1);
            let words = if picture.cells.is_empty() {
                "no parts yet: build makes them"
            } else {
                "no part passes the filter"
            };
            pen.line_at(body, (2, 0), &Line::styled(words, pen.theme.dim));
            return;
        }
        let table = Table {
            spot: Spot::Queue,
            columns: &COLUMNS,
            rows,
            cursor: self.cursor.row(rows),
            focus,
        };
        let (theme, now) = (*pen.theme, picture.standing.is_live().then_some(pen.now));
        table.draw(pen, area, |index| match self.at(order, index) {
            Some(QueueRow::Work(part)) => match picture.view.works.get(part as usize) {
                Some(work) => Row::Cells(cells(
                    &theme,
                    (work, shown(work, picture.standing)),
                    (picture.label(&work.owner), now),
                )),
                None => Row::Line(Line::default()),
            },
            Some(QueueRow::Group(section)) => Row::Line(self.group(&theme, picture, section)),
            None => Row::Line(Line::default()),
        });
    }

    fn group(&self, theme: &Theme, picture: &RunPicture, section: Section) -> Line<'static> {
        let n = thousands(picture.queue.section(section).len() as u64);
        let (status, words) = match section {
            Section::Waiting => (WorkStatus::Pending, format!("{n} waiting for a slot")),
            Section::Downloaded => (WorkStatus::Downloaded, format!("{n} downloaded")),
            Section::Attention => (WorkStatus::Failed, format!("{n} need a look")),
            Section::Flight => (WorkStatus::Running, format!("{n} at the provider")),
        };
        let (glyph, style) = theme.work(status);
        let fold = if self.unfolded[section as usize] {
            "Enter folds"
        } else {
            "Enter unfolds"
        };
        Line::from(vec![
            Span::styled(glyph, style),
            Span::raw("  "),
            Span::styled(format::left(&words, 34), theme.text),
            Span::styled(fold, theme.dim),
        ])
    }
}

fn cells(
    theme: &Theme,
    (work, status): (&WorkView, WorkStatus),
    (trial, now): (&str, Option<jiff::Timestamp>),
) -> Vec<Cell> {
    let (glyph, style) = theme.work(status);
    let loud = crate::ui::model::needs_look(status);
    let text = if loud { style } else { theme.text };
    // Ages pass only while somebody drives: in a run at rest they would be as old as the screen.
    let age = match Section::of(status) {
        Section::Flight => work.submitted_at,
        Section::Attention => work.since,
        Section::Waiting | Section::Downloaded => None,
    };
    let age = match (now, age) {
        (Some(now), Some(at)) => format::clock_span(format::since(at, now)),
        _ => String::new(),
    };
    let job = work
        .state
        .job()
        .map_or_else(String::new, |j| printable(&j.0).into_owned());
    let tries = match attempts(work) {
        0 => String::new(),
        n => n.to_string(),
    };
    vec![
        Cell::Text(glyph.to_owned(), style),
        Cell::Text(work.part.key.to_string(), text),
        Cell::Name(trial.to_owned(), theme.dim),
        Cell::Name(job, theme.dim),
        Cell::Text(status.as_str().replace('_', " "), style),
        Cell::Text(format!("{}/{}", work.rows_done(), work.part.rows), text),
        Cell::Text(age, theme.dim),
        Cell::Text(tries, theme.dim),
        Cell::Text(note(work), if loud { style } else { theme.dim }),
    ]
}

fn note(work: &WorkView) -> String {
    let mut note = printable(&work.note).into_owned();
    if work.used_by > 1 {
        let separator = if note.is_empty() { "" } else { " · " };
        note = format!("{note}{separator}shared by {} trials", work.used_by);
    }
    note
}
