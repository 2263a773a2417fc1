//! The list of runs of the fixed world.

use jiff::Timestamp;

use super::{Scene, after, now, run, run_id, standing};
use crate::domain::{PhaseStatus, RunId, Usd, WorkStatus};
use crate::engine::{RunSummary, Standing};

/// The runs of a scene, and which of them are driven here.
pub fn catalogue(scene: Scene) -> (Vec<RunSummary>, Vec<RunId>) {
    if scene == Scene::Nothing {
        return (Vec::new(), Vec::new());
    }
    let view = run(scene);
    let mut runs = vec![RunSummary {
        run_id: view.run_id.clone(),
        standing: standing(scene),
        phases: std::array::from_fn(|i| view.phases[i].status),
        created_at: view.created_at,
        updated_at: view.as_of,
        requests: view.totals.requests,
        answered: view.totals.answered,
        parts: view.totals.all(),
        parts_done: view.totals.with(WorkStatus::Downloaded),
        spent: view.totals.spent,
        budget: view.budget,
        trials: view.trials.len() as u64,
        driver: Some("4242@deck".to_owned()),
        note: if scene == Scene::Failed {
            "score: gold answers are missing for 3 items".to_owned()
        } else {
            String::new()
        },
    }];
    runs.extend(OTHERS.iter().filter_map(|o| other(o, now(scene))));
    let driven = standing(scene) == Standing::Driving;
    let driving = if driven { vec![run_id()] } else { Vec::new() };
    (runs, driving)
}

struct Other {
    id: &'static str,
    standing: Standing,
    phases: &'static str,
    hours_ago: i64,
    parts: (u64, u64),
    cents: (i64, i64),
    driver: &'static str,
    note: &'static str,
}

#[rustfmt::skip]
const OTHERS: [Other; 9] = [
    Other { id: "r20261121T081004Z", standing: Standing::Watched, phases: "✓✓✓►······", hours_ago: 0, parts: (31, 96), cents: (912, 5000), driver: "991@gpu7", note: "" },
    Other { id: "r20261120T225133Z", standing: Standing::Failed, phases: "✓✓✓✓✓✗····", hours_ago: 13, parts: (48, 48), cents: (1877, 2000), driver: "3102@deck", note: "score: gold answers are missing for 3 items" },
    Other { id: "r20261120T170255Z", standing: Standing::Stopped, phases: "✓✓✓■······", hours_ago: 20, parts: (61, 96), cents: (740, 0), driver: "2870@deck", note: "" },
    Other { id: "r20261119T112017Z", standing: Standing::Orphan, phases: "✓✓►►······", hours_ago: 49, parts: (8, 44), cents: (205, 3000), driver: "3991@gpu7", note: "driver 3991@gpu7 is gone" },
    Other { id: "squad-v2-baseline", standing: Standing::Done, phases: "✓✓✓✓✓✓✓✓✓✓", hours_ago: 70, parts: (61, 61), cents: (5510, 6000), driver: "1520@deck", note: "" },
    Other { id: "gsm8k-replay", standing: Standing::Done, phases: "✓✓✓✓✓✓✓✓✓·", hours_ago: 75, parts: (12, 12), cents: (131, 0), driver: "1411@deck", note: "" },
    Other { id: "r20261117T093000Z", standing: Standing::Paused, phases: "✓✓········", hours_ago: 96, parts: (0, 240), cents: (0, 6000), driver: "1090@deck", note: "" },
    Other { id: "r20261116T201500Z", standing: Standing::Done, phases: "✓✓✓✓✓✓✓✓✓·", hours_ago: 109, parts: (24, 24), cents: (402, 1000), driver: "872@deck", note: "" },
    Other { id: "r20261115T074412Z", standing: Standing::Done, phases: "✓✓✓✓✓✓✓✓✓·", hours_ago: 146, parts: (24, 24), cents: (398, 1000), driver: "790@deck", note: "" },
];

fn other(other: &Other, now: Timestamp) -> Option<RunSummary> {
    let mut phases = [PhaseStatus::NotStarted; 10];
    for (slot, glyph) in phases.iter_mut().zip(other.phases.chars()) {
        *slot = match glyph {
            '✓' => PhaseStatus::Completed,
            '►' => PhaseStatus::InProgress,
            '■' => PhaseStatus::Stopped,
            '✗' => PhaseStatus::Failed,
            _ => PhaseStatus::NotStarted,
        };
    }
    let (done, parts) = other.parts;
    let usd = |cents: i64| Usd::from_nanos(cents * 10_000_000);
    let updated = after(now, -other.hours_ago * 3600 - 42);
    Some(RunSummary {
        run_id: RunId::new(other.id).ok()?,
        standing: other.standing,
        phases,
        created_at: Some(after(updated, -2 * 3600)),
        updated_at: Some(updated),
        requests: parts * 412,
        answered: done * 412,
        parts,
        parts_done: done,
        spent: usd(other.cents.0),
        budget: (other.cents.1 > 0).then(|| usd(other.cents.1)),
        trials: 2,
        driver: Some(other.driver.to_owned()),
        note: other.note.to_owned(),
    })
}
