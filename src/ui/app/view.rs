//! Draws the console: header, screen, notice, hints, and what lies over them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{App, Place};
use crate::domain::text::printable;
use crate::domain::{LogLevel, StopLevel};
use crate::ui::dialogs;
use crate::ui::event::Target;
use crate::ui::format;
use crate::ui::screens::cockpit;
use crate::ui::theme::{GlyphSet, to_ascii};
use crate::ui::widgets::hints;
use crate::ui::widgets::pen::{Hits, Pen, split_bottom, split_left, split_top};
use crate::ui::widgets::vtable::Focus;

impl App {
    /// Draws everything; says where lists are, for [`App::drawn`].
    pub fn view(&self, buf: &mut Buffer) -> Hits {
        let area = buf.area;
        let mut pen = Pen {
            buf,
            theme: &self.setting.theme,
            now: self.now,
            zone: &self.setting.zone,
            before: &self.hits,
            hits: Hits::default(),
        };
        let (header, rest) = split_top(area, 1);
        let (rest, footer) = split_bottom(rest, 1);
        let (body, notice) = split_bottom(rest, 1);
        self.draw_header(&mut pen, header);
        self.draw_body(&mut pen, body);
        self.draw_notice(&mut pen, notice);
        self.draw_footer(&mut pen, footer);
        if let Some(dialog) = &self.dialog {
            dialog.draw(self, &mut pen);
        }
        let hits = pen.hits;
        if self.setting.glyphs == GlyphSet::Ascii {
            to_ascii(buf);
        }
        hits
    }

    /// Takes in where lists were drawn.
    pub fn drawn(&mut self, hits: Hits) {
        self.hits = hits;
        self.dirty = false;
    }

    fn draw_header(&self, pen: &mut Pen<'_>, area: Rect) {
        let theme = *pen.theme;
        let right = match self.place() {
            Place::Runs => self.fleet_words(pen),
            Place::Cockpit | Place::Plan | Place::Queue | Place::Log => self.run_words(pen),
        };
        let room = usize::from(area.width).saturating_sub(right.width() + 2);
        let crumb = Span::styled(" ▸ ", theme.rule);
        let (name, screen) = (self.subject(), self.screen_name());
        let mut left = vec![Span::raw(" ")];
        let short = name.len() + screen.len() + 16 > room;
        if !short || name.is_empty() {
            left.push(Span::styled("evaltui", theme.accent));
            left.push(crumb.clone());
        }
        if !name.is_empty() {
            left.push(Span::styled(
                format::cut_middle(&name, room.saturating_sub(screen.len() + 5).max(6)),
                theme.strong,
            ));
            left.push(crumb);
        }
        left.push(Span::styled(screen, theme.text));
        let (left_area, _) = split_left(area, u16::try_from(room.max(12)).unwrap_or(u16::MAX));
        pen.line(left_area, 0, &Line::from(left));
        pen.line_right(area, 0, &right);
    }

    fn subject(&self) -> String {
        match (self.place(), &self.plan, &self.open) {
            (Place::Runs, ..) => String::new(),
            (Place::Plan, Some(plan), _) => match &plan.target {
                Target::Run(run_id) => run_id.to_string(),
                Target::New(_) => "new run".to_owned(),
            },
            (_, _, Some(run_id)) => run_id.to_string(),
            _ => String::new(),
        }
    }

    fn screen_name(&self) -> &'static str {
        match self.place() {
            Place::Runs => "runs",
            Place::Cockpit => "1 cockpit",
            Place::Plan => "2 plan",
            Place::Queue => "3 queue",
            Place::Log => "7 log",
        }
    }

    /// The clock, while it is kept going; a clock that stands would lie.
    fn clock(&self) -> String {
        if self.is_ticking() {
            format!("   {} ", format::time_of_day(self.now, &self.setting.zone))
        } else {
            " ".to_owned()
        }
    }

    fn fleet_words(&self, pen: &Pen<'_>) -> Line<'static> {
        let theme = pen.theme;
        let live = self
            .runs
            .all
            .iter()
            .filter(|r| r.standing.is_live())
            .count();
        let need = self
            .runs
            .all
            .iter()
            .filter(|r| r.standing.needs_person())
            .count();
        let mut spans = vec![Span::styled(
            format::count(self.runs.all.len() as u64, "run"),
            theme.dim,
        )];
        if live > 0 {
            spans.push(Span::styled(" · ", theme.rule));
            spans.push(Span::styled(format!("{live} live"), theme.run));
        }
        if need > 0 {
            let needs = if need == 1 { "needs" } else { "need" };
            spans.push(Span::styled(" · ", theme.rule));
            spans.push(Span::styled(format!("{need} {needs} you"), theme.warn));
        }
        let spent: crate::domain::Usd = self.runs.all.iter().map(|r| r.spent).sum();
        if spent.nanos() > 0 {
            spans.push(Span::styled(" · ", theme.rule));
            spans.push(Span::styled(format!("{spent} in all"), theme.dim));
        }
        spans.push(Span::styled(self.clock(), theme.text));
        Line::from(spans)
    }

    fn run_words(&self, pen: &Pen<'_>) -> Line<'static> {
        let theme = pen.theme;
        let Some(picture) = &self.picture else {
            return Line::from(vec![Span::raw(" ")]);
        };
        let (glyph, style) = theme.standing(picture.standing);
        let wide = self.size.width >= 100;
        let word = picture.standing.as_str();
        let word = if wide || !picture.standing.is_live() {
            word.to_uppercase()
        } else {
            word.to_owned()
        };
        let mut spans = vec![Span::styled(format!("{glyph} {word}"), style)];
        if let Some(driver) = picture
            .view
            .driver
            .as_ref()
            .filter(|_| wide && picture.standing.is_live())
        {
            let since = format::minute_of_day(driver.since, pen.zone);
            let host = printable(&driver.host).into_owned();
            spans.push(Span::styled(
                format!(" {}@{host} since {since}", driver.pid),
                theme.dim,
            ));
        }
        let dot = || Span::styled(" · ", theme.rule);
        let others = self
            .runs
            .all
            .iter()
            .filter(|r| r.standing.is_live() && r.run_id != *picture.run_id())
            .count();
        if wide && others > 0 {
            spans.push(dot());
            spans.push(Span::styled(format!("{others} other live"), theme.dim));
        }
        spans.push(dot());
        let totals = &picture.view.totals;
        spans.push(Span::styled(totals.spent.to_string(), theme.text));
        if let Some(budget) = picture.view.budget {
            spans.push(Span::styled(
                format!("/{}", format::money(budget)),
                theme.dim,
            ));
        }
        spans.push(Span::styled(self.clock(), theme.text));
        Line::from(spans)
    }

    fn draw_body(&self, pen: &mut Pen<'_>, area: Rect) {
        match (self.place(), &self.picture) {
            (Place::Runs, _) => self.runs.draw(pen, area, &self.setting.experiments),
            (Place::Plan, _) => {
                if let Some(plan) = &self.plan {
                    plan.draw(pen, area);
                }
            }
            (_, None) => self.draw_blind(pen, area),
            (Place::Cockpit, Some(picture)) => cockpit::draw(self, pen, area, picture),
            (Place::Queue, Some(picture)) => {
                let (rule, rest) = split_top(area, 1);
                let title = Line::styled("queue", pen.theme.accent);
                let remark = Line::styled(self.queue.remark(picture), pen.theme.dim);
                pen.rule(rule, title, remark);
                self.queue.draw(pen, rest, picture, Focus::Here);
            }
            (Place::Log, Some(_)) => {
                let (rule, rest) = split_top(area, 1);
                let title = Line::styled("events", pen.theme.accent);
                pen.rule(rule, title, Line::styled(self.log.remark(), pen.theme.dim));
                self.log.draw(pen, rest);
            }
        }
    }

    fn draw_blind(&self, pen: &mut Pen<'_>, area: Rect) {
        let text = self.blind.as_deref().unwrap_or("reading the run");
        let style = if self.blind.is_some() {
            pen.theme.fail
        } else {
            pen.theme.dim
        };
        for (row, line) in (1..).zip(text.lines()) {
            pen.line_at(area, (2, row), &Line::styled(line.to_owned(), style));
        }
    }

    /// The line above the hints: the filter being typed, what needs the user, or the newest notice.
    fn draw_notice(&self, pen: &mut Pen<'_>, area: Rect) {
        let theme = *pen.theme;
        if let Some(prompt) = &self.prompt {
            pen.line(area, 0, &Line::styled(" /", theme.accent));
            let (_, rest) = split_left(area, 3);
            dialogs::field(pen, rest, 0, prompt);
            let words = "Enter keeps  Esc clears ";
            pen.line_right(area, 0, &Line::styled(words, theme.dim));
            return;
        }
        let (glyph, text, style) = self.what_to_say(pen);
        let end = match self.notices.len() {
            0 => String::new(),
            n => format!("  @ notices {n} "),
        };
        let room = usize::from(area.width).saturating_sub(end.len());
        let line = Line::from(vec![
            Span::styled(format!(" {glyph} "), style),
            Span::styled(
                format::cut(&text, room.saturating_sub(3)),
                if glyph == "·" { theme.dim } else { style },
            ),
        ]);
        let (left, _) = split_left(area, u16::try_from(room).unwrap_or(u16::MAX));
        pen.line(left, 0, &line);
        pen.line_right(area, 0, &Line::styled(end, theme.dim));
    }

    fn what_to_say(&self, pen: &Pen<'_>) -> (&'static str, String, ratatui::style::Style) {
        let theme = pen.theme;
        if let Some(leaving) = self.leaving {
            let words = match leaving.level {
                StopLevel::Soft => {
                    "leaving when the jobs at the provider are downloaded · Ctrl-c again stops now"
                }
                StopLevel::Now => {
                    "leaving now; jobs stay at the provider · Ctrl-c again leaves at once"
                }
            };
            return ("■", words.to_owned(), theme.warn);
        }
        let fresh = self
            .notices
            .back()
            .filter(|n| format::since(n.at, self.now) < 10_000 || n.level > LogLevel::Info);
        let run = self
            .picture
            .as_ref()
            .filter(|_| matches!(self.place(), Place::Cockpit | Place::Queue | Place::Log));
        if fresh.is_none()
            && let Some(picture) = run
        {
            if let Some(error) = cockpit::failure(picture) {
                return (
                    "✗",
                    format!("{error} · r shows what resume would do"),
                    theme.fail,
                );
            }
            let n = picture.attention();
            if n > 0 && !self.queue.filter.attention {
                let needs = if n == 1 { "needs" } else { "need" };
                return (
                    "!",
                    format!(
                        "{} {needs} a look: ! shows only them",
                        format::count(n, "part")
                    ),
                    theme.warn,
                );
            }
        }
        match self.notices.back() {
            None => ("", String::new(), theme.dim),
            Some(notice) => match notice.level {
                LogLevel::Info => ("·", notice.text.clone(), theme.dim),
                LogLevel::Warn => ("!", notice.text.clone(), theme.warn),
                LogLevel::Error => ("✗", notice.text.clone(), theme.fail),
            },
        }
    }

    fn draw_footer(&self, pen: &mut Pen<'_>, area: Rect) {
        let context = self.place().context();
        let works = |action| self.can(action).is_ok();
        let back = if self.place() == Place::Runs {
            "quit"
        } else {
            "back"
        };
        hints::draw(pen, area, hints::of(context, works), back);
    }
}
