//! What the run screens show, derived once per new view and off the drawing thread.
//!
//! Nothing here is state: a [`RunPicture`] is a function of a view, a standing and a filter. What depends on the present
//! time is a method that costs the same for any number of parts.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{PhaseStatus, RunId, TrialSlug, Usd, WorkStatus};
use crate::engine::Standing;
use crate::snapshot::{RunView, WorkView};

mod pace;
mod queue;

pub use pace::{Pace, pace};
pub use queue::{QueueFilter, QueueOrder, Section, needs_look};

/// Finished jobs needed before an end is predicted.
pub const SAMPLES_FOR_ETA: usize = 3;

/// A trial's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRow {
    /// The trial.
    pub slug: TrialSlug,
    /// Its name without what all trials of the run share.
    pub label: String,
    /// Requests.
    pub requests: u64,
    /// Requests answered.
    pub answered: u64,
    /// Requests failed or missing.
    pub failed: u64,
    /// Parts given up.
    pub parts_failed: u64,
    /// Money of the parts that it owns.
    pub cost: Usd,
    /// Parts.
    pub parts: u64,
    /// Parts downloaded.
    pub parts_done: u64,
    /// Parts that wait up to and including its last one.
    ahead: u64,
    /// When its youngest job at the provider was submitted.
    youngest: Option<Timestamp>,
}

/// How long jobs took, by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turnaround {
    /// Finished jobs.
    pub jobs: usize,
    /// Half of them took at most this, in milliseconds.
    pub p50_ms: u64,
    /// Nine of ten took at most this, in milliseconds.
    pub p90_ms: u64,
}

/// When something will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eta {
    /// Fewer than [`SAMPLES_FOR_ETA`] finished jobs.
    TooEarly,
    /// Milliseconds from now, at the median and at the ninth decile of turnaround.
    Range(u64, u64),
    /// Nothing is left to wait for.
    Done,
}

/// What the run screens show.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPicture {
    /// The view it was made from.
    pub view: Arc<RunView>,
    /// How the run stands.
    pub standing: Standing,
    /// Trials in order.
    pub trials: Vec<TrialRow>,
    /// The state of each piece of work in use, in order, for the part map.
    pub cells: Vec<WorkStatus>,
    /// The queue.
    pub queue: QueueOrder,
    /// Turnaround of finished jobs.
    pub turnaround: Turnaround,
    /// When the oldest job at the provider was submitted.
    pub oldest: Option<Timestamp>,
    youngest: Option<Timestamp>,
    /// Attempts beyond the first.
    pub retries: u64,
}

impl RunPicture {
    /// Derives the picture. Linear in the number of parts.
    pub fn of(view: &Arc<RunView>, standing: Standing, filter: &QueueFilter) -> Self {
        let mut picture = Self {
            trials: Vec::with_capacity(view.trials.len()),
            cells: Vec::with_capacity(view.works.len()),
            queue: QueueOrder {
                filter: filter.clone(),
                ..QueueOrder::default()
            },
            turnaround: turnaround(view),
            oldest: None,
            youngest: None,
            retries: 0,
            standing,
            view: Arc::clone(view),
        };
        let mut ahead = vec![0_u64; view.works.len()];
        let mut waiting = 0;
        for (index, work) in view.works.iter().enumerate() {
            if work.used_by == 0 {
                continue;
            }
            let status = shown(work, standing);
            waiting += u64::from(status == WorkStatus::Pending);
            ahead[index] = if status == WorkStatus::Pending {
                waiting
            } else {
                0
            };
            picture.take(index, work, filter);
        }
        // Jobs keep their place among each other by age of submission, so that rows do not jump.
        let submitted = |i: &u32| view.works[*i as usize].submitted_at;
        picture.queue.sections[Section::Flight as usize].sort_by_key(submitted);
        let slugs: Vec<&str> = view.trials.iter().map(|t| t.trial.slug.as_str()).collect();
        let labels = super::format::short_names(&slugs);
        for (trial, label) in view.trials.iter().zip(labels) {
            let mut row = TrialRow {
                slug: trial.trial.slug.clone(),
                label,
                requests: 0,
                answered: 0,
                failed: 0,
                parts_failed: 0,
                cost: Usd::ZERO,
                parts: trial.parts.len() as u64,
                parts_done: 0,
                ahead: 0,
                youngest: None,
            };
            for part in &trial.parts {
                if let Some(work) = view.works.get(part.work) {
                    row.take(work, shown(work, standing), ahead[part.work]);
                }
            }
            picture.trials.push(row);
        }
        picture
    }

    fn take(&mut self, index: usize, work: &WorkView, filter: &QueueFilter) {
        let status = shown(work, self.standing);
        self.cells.push(status);
        self.retries += u64::from(attempts(work).saturating_sub(1));
        if Section::of(status) == Section::Flight {
            self.oldest = earliest(self.oldest, work.submitted_at);
            self.youngest = self.youngest.max(work.submitted_at);
        }
        if let Ok(position) = u32::try_from(index)
            && (filter.is_empty() || filter.accepts(work, status))
        {
            self.queue.sections[Section::of(status) as usize].push(position);
        }
    }

    /// The run.
    pub fn run_id(&self) -> &RunId {
        &self.view.run_id
    }

    /// The short name of a trial.
    pub fn label<'a>(&'a self, slug: &'a TrialSlug) -> &'a str {
        let row = self.trials.iter().find(|t| t.slug == *slug);
        row.map_or(slug.as_str(), |t| &t.label)
    }

    /// Parts in a state.
    pub fn parts(&self, status: WorkStatus) -> u64 {
        let with = |status| self.view.totals.with(status);
        let live = self.standing.is_live();
        if live && status == WorkStatus::InDoubt {
            return 0;
        }
        let under_way = if live && status == WorkStatus::Submitted {
            with(WorkStatus::InDoubt)
        } else {
            0
        };
        with(status) + under_way
    }

    /// Parts at the provider.
    pub fn in_flight(&self) -> u64 {
        self.parts(WorkStatus::Submitted)
            + self.parts(WorkStatus::Running)
            + self.parts(WorkStatus::Completed)
    }

    /// Parts that need a look.
    pub fn attention(&self) -> u64 {
        self.parts(WorkStatus::Failed)
            + self.parts(WorkStatus::Expired)
            + self.parts(WorkStatus::InDoubt)
    }

    /// Parts that still lack results.
    pub fn parts_left(&self) -> u64 {
        let all = self.view.totals.all();
        all.saturating_sub(self.parts(WorkStatus::Downloaded))
    }

    /// When the last part will be here.
    pub fn eta(&self, now: Timestamp) -> Eta {
        let waiting = self.parts(WorkStatus::Pending) + self.parts(WorkStatus::InDoubt);
        if waiting + self.in_flight() == 0 {
            return Eta::Done;
        }
        self.range(waiting, self.youngest, now)
    }

    /// When the jobs at the provider will be here.
    pub fn flight_eta(&self, now: Timestamp) -> Eta {
        if self.in_flight() == 0 {
            return Eta::Done;
        }
        self.range(0, self.youngest, now)
    }

    /// When a trial's last part will be here.
    pub fn trial_eta(&self, row: &TrialRow, now: Timestamp) -> Eta {
        if row.ahead == 0 && row.youngest.is_none() {
            return Eta::Done;
        }
        self.range(row.ahead, row.youngest, now)
    }

    /// Waves of `slots` jobs, each as long as one turnaround, after what the youngest running job still needs.
    fn range(&self, waiting: u64, youngest: Option<Timestamp>, now: Timestamp) -> Eta {
        if self.turnaround.jobs < SAMPLES_FOR_ETA {
            return Eta::TooEarly;
        }
        let waves = waiting.div_ceil(self.in_flight().max(1));
        let age = youngest.map(|at| super::format::since(at, now));
        let at = |turnaround: u64| {
            let running = age.map_or(0, |age| turnaround.saturating_sub(age));
            waves.saturating_mul(turnaround).saturating_add(running)
        };
        Eta::Range(at(self.turnaround.p50_ms), at(self.turnaround.p90_ms))
    }

    /// What the unanswered rest of the requests would cost at the mean cost so far; `None` before three jobs ended.
    pub fn cost_left(&self, requests: u64) -> Option<Usd> {
        let totals = &self.view.totals;
        if self.turnaround.jobs < SAMPLES_FOR_ETA || totals.answered == 0 || totals.unpriced {
            return None;
        }
        let nanos =
            i128::from(totals.spent.nanos()) * i128::from(requests) / i128::from(totals.answered);
        i64::try_from(nanos).ok().map(Usd::from_nanos)
    }

    /// Whether the run has time on screen that passes.
    pub fn is_ticking(&self) -> bool {
        self.standing.is_live()
    }

    /// Requests in parts that wait.
    pub fn requests_waiting(&self) -> u64 {
        let share = |p: &u32| self.view.works.get(*p as usize).map_or(0, |w| w.part.rows);
        if self.queue.filter.is_empty() {
            self.queue.section(Section::Waiting).iter().map(share).sum()
        } else {
            let left = self.view.totals.requests
                - self.view.totals.answered.min(self.view.totals.requests);
            left * self.parts(WorkStatus::Pending) / self.parts_left().max(1)
        }
    }

    /// The phase that is under way, or else the first one not done.
    pub fn current_phase(&self) -> Option<crate::domain::Phase> {
        use crate::domain::Phase;
        let with = |status| {
            Phase::ALL
                .into_iter()
                .rev()
                .find(|p| self.view.phase(*p).status == status)
        };
        with(PhaseStatus::Failed)
            .or_else(|| with(PhaseStatus::InProgress))
            .or_else(|| with(PhaseStatus::Stopped))
    }
}

impl TrialRow {
    fn take(&mut self, work: &WorkView, status: WorkStatus, ahead: u64) {
        self.requests += work.part.rows;
        self.answered += work.rows_done();
        self.failed += if status == WorkStatus::Failed {
            // Given up: nobody asks for the rest any more.
            work.part.rows.saturating_sub(work.rows_done())
        } else {
            work.rows.failed + work.rows.missing
        };
        self.parts_failed += u64::from(needs_look(status));
        self.parts_done += u64::from(status == WorkStatus::Downloaded);
        self.ahead = self.ahead.max(ahead);
        if Section::of(status) == Section::Flight {
            self.youngest = self.youngest.max(work.submitted_at);
        }
        if work.owner == self.slug {
            self.cost += work.cost.unwrap_or_default();
        }
    }
}

/// The state that a part is shown in.
///
/// While somebody drives, an announced submission is under way: its driver makes the call, or asks the provider what became
/// of it. It is in doubt, and worth a look, only once nobody does.
pub fn shown(work: &WorkView, standing: Standing) -> WorkStatus {
    let status = work.state.status();
    if status == WorkStatus::InDoubt && standing.is_live() {
        WorkStatus::Submitted
    } else {
        status
    }
}

/// Attempts so far, the present one included.
pub fn attempts(work: &WorkView) -> u32 {
    work.state
        .attempt()
        .map_or(work.attempts_ended, |a| a.number.max(work.attempts_ended))
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn turnaround(view: &RunView) -> Turnaround {
    let mut times: Vec<u64> = view.pace.iter().map(|s| s.turnaround_ms).collect();
    times.sort_unstable();
    // Nearest rank: the smallest value with at least that share of the samples at or below it.
    let rank = |percent: usize| {
        let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(index).copied().unwrap_or(0)
    };
    Turnaround {
        jobs: times.len(),
        p50_ms: rank(50),
        p90_ms: rank(90),
    }
}
