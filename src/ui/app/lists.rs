//! Moving in lists: which list has the keys, and what its rows are.

use super::{App, Place};
use crate::ui::cursor::step;
use crate::ui::event::Effect;
use crate::ui::keymap::Action;
use crate::ui::screens::cockpit::Pane;
use crate::ui::screens::plan::PlanPane;
use crate::ui::widgets::pen::Spot;

impl App {
    /// The list that movements go to.
    pub(super) fn focused_list(&self) -> Spot {
        match self.place() {
            Place::Runs => Spot::Runs,
            Place::Cockpit => match self.cockpit.pane {
                Pane::Trials => Spot::Trials,
                Pane::Queue => Spot::Queue,
                Pane::Events => Spot::Log,
            },
            Place::Plan => match self.plan.as_ref().map(|p| p.pane) {
                Some(PlanPane::Worklist) => Spot::Worklist,
                Some(PlanPane::Why) | None => Spot::Why,
            },
            Place::Queue => Spot::Queue,
            Place::Log => Spot::Log,
        }
    }

    /// Gives the keys to the list that the mouse is on.
    pub(super) fn focus(&mut self, spot: Spot) {
        let pane = match spot {
            Spot::Trials => Some(Pane::Trials),
            Spot::Queue => Some(Pane::Queue),
            Spot::Log => Some(Pane::Events),
            Spot::Runs | Spot::Ruler | Spot::Why | Spot::Worklist | Spot::Dialog => None,
        };
        if let Some(pane) = pane {
            self.cockpit.pane = pane;
        }
        if let Some(plan) = &mut self.plan {
            match spot {
                Spot::Why => plan.pane = PlanPane::Why,
                Spot::Worklist => plan.pane = PlanPane::Worklist,
                Spot::Runs
                | Spot::Trials
                | Spot::Queue
                | Spot::Log
                | Spot::Ruler
                | Spot::Dialog => {}
            }
        }
    }

    /// Moves in the focused list; says whether the action was a movement.
    pub(super) fn move_in_list(&mut self, action: Action) -> bool {
        let spot = self.focused_list();
        if spot == Spot::Log {
            return self.scroll_log(action);
        }
        let page = self
            .hits
            .find(spot)
            .map_or(10, |h| usize::from(h.area.height));
        let (index, rows) = self.row_and_rows(spot);
        let Some(to) = step(action, index, (rows, page)) else {
            return false;
        };
        self.put_cursor(spot, to);
        true
    }

    /// Scrolls the log; says whether the action was a movement.
    pub(super) fn scroll_log(&mut self, action: Action) -> bool {
        let page = self
            .hits
            .find(Spot::Log)
            .map_or(10, |h| usize::from(h.area.height));
        self.log.scroll(action, page)
    }

    fn row_and_rows(&self, spot: Spot) -> (usize, usize) {
        let queue = self.picture.as_ref().map(|p| &p.queue);
        match spot {
            Spot::Runs => (self.runs.cursor.index, self.runs.visible.len()),
            Spot::Trials => {
                let rows = self.picture.as_ref().map_or(0, |p| p.trials.len());
                (self.cockpit.trials.index, rows)
            }
            Spot::Queue => (
                self.queue.cursor.index,
                queue.map_or(0, |q| self.queue.rows(q)),
            ),
            Spot::Why => self
                .plan
                .as_ref()
                .map_or((0, 0), |p| (p.why, p.why_rows().len())),
            Spot::Worklist => self
                .plan
                .as_ref()
                .map_or((0, 0), |p| (p.work, p.visible.len())),
            Spot::Log | Spot::Ruler | Spot::Dialog => (0, 0),
        }
    }

    fn put_cursor(&mut self, spot: Spot, index: usize) {
        match (spot, &self.picture) {
            (Spot::Runs, _) => self.runs.put(index),
            (Spot::Trials, Some(picture)) => self.cockpit.put(index, picture),
            (Spot::Queue, Some(picture)) => self.queue.put(index, &picture.queue),
            (Spot::Why | Spot::Worklist, _) => {
                if let Some(plan) = &mut self.plan {
                    if spot == Spot::Why {
                        plan.why = index;
                    } else {
                        plan.work = index;
                    }
                }
            }
            _ => {}
        }
    }

    /// A click: the first one selects a row, one on the selected row opens it.
    pub(super) fn click(&mut self, spot: Spot, row: usize, rows: usize) -> Vec<Effect> {
        if let Some(dialog) = &mut self.dialog {
            dialog.put(row);
            return Vec::new();
        }
        if spot == Spot::Ruler {
            if let Some(plan) = &mut self.plan {
                plan.put_phase(row);
            }
            return Vec::new();
        }
        let focused = self.focused_list() == spot;
        self.focus(spot);
        if row >= rows || spot == Spot::Log {
            return Vec::new();
        }
        if focused
            && self.row_and_rows(spot).0 == row
            && matches!(spot, Spot::Runs | Spot::Queue | Spot::Trials)
        {
            return self.enter();
        }
        self.put_cursor(spot, row);
        Vec::new()
    }
}
