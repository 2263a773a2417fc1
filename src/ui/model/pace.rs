//! Answered requests over time.

use jiff::Timestamp;

use crate::snapshot::RunView;
use crate::ui::format::since;

/// Answered requests over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Length of the window in milliseconds.
    pub window_ms: u64,
    /// Requests answered in each of the window's equal parts, oldest first.
    pub buckets: Vec<u64>,
    /// Requests answered per minute over the window.
    pub per_minute: u64,
}

/// The pace of the last minutes: the shortest round window that holds all of a short run.
pub fn pace(view: &RunView, now: Timestamp, buckets: usize) -> Option<Pace> {
    const MINUTE: u64 = 60_000;
    let first = view.pace.front()?;
    let began = since(first.at, now).saturating_add(first.turnaround_ms);
    let window_ms = [1, 2, 5, 10, 20, 30, 60, 120, 180, 240, 360, 720, 1440]
        .map(|m| m * MINUTE)
        .into_iter()
        .find(|w| *w >= began)
        .unwrap_or(1440 * MINUTE);
    let mut pace = Pace {
        window_ms,
        buckets: vec![0; buckets.max(1)],
        per_minute: 0,
    };
    let slots = pace.buckets.len() as u64;
    let mut rows = 0;
    for sample in &view.pace {
        let age = since(sample.at, now);
        if age >= window_ms {
            continue;
        }
        rows += sample.rows;
        let bucket = slots - 1 - (age * slots / window_ms).min(slots - 1);
        if let Some(cell) = usize::try_from(bucket)
            .ok()
            .and_then(|i| pace.buckets.get_mut(i))
        {
            *cell += sample.rows;
        }
    }
    pace.per_minute = rows * MINUTE / began.clamp(1_000, window_ms);
    Some(pace)
}
