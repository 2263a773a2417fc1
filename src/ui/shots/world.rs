//! The fixed world of pictures and tests: a sweep of two models over three prompt sets, played by a small deterministic
//! script through the reducer, so that it can hold nothing that a real ledger could not.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Digest, Event, Gate, Phase, RunId, Usd};
use crate::engine::Standing;
use crate::snapshot::RunView;

mod catalogue;
mod planned;
mod script;

pub use catalogue::catalogue;
pub use planned::plan;
use script::Play;

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// No runs at all.
    Nothing,
    /// A run that has just begun.
    Empty,
    /// Jobs run.
    Running,
    /// Stopped in the middle.
    Stopped,
    /// A later phase failed.
    Failed,
    /// All is done.
    Finished,
}

const MODELS: [&str; 2] = [
    "accounts/lab/models/gpt-oss-120b",
    "accounts/lab/models/qwen3-30b-a3b",
];
const SETS: [&str; 3] = ["operational_only", "structure", "random_len"];
const PARTS: u32 = 10;
const ROWS: u64 = 412;
const SLOTS: usize = 14;
const MINUTE: i64 = 60;

/// When the run was made.
fn began() -> Timestamp {
    // 2026-11-21T09:35:12Z
    Timestamp::UNIX_EPOCH
        .saturating_add(SignedDuration::from_secs(1_795_253_712))
        .unwrap_or_default()
}

fn after(from: Timestamp, seconds: i64) -> Timestamp {
    from.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(from)
}

/// The present time of a scene.
pub fn now(scene: Scene) -> Timestamp {
    let minutes = match scene {
        Scene::Nothing | Scene::Empty => 0,
        Scene::Running | Scene::Stopped => 184,
        Scene::Failed | Scene::Finished => 420,
    };
    after(began(), minutes * MINUTE + 75)
}

/// How the run of a scene stands.
pub fn standing(scene: Scene) -> Standing {
    match scene {
        Scene::Nothing | Scene::Empty | Scene::Running => Standing::Driving,
        Scene::Stopped => Standing::Stopped,
        Scene::Failed => Standing::Failed,
        Scene::Finished => Standing::Done,
    }
}

/// The run of all scenes.
pub fn run_id() -> RunId {
    #[expect(clippy::expect_used, reason = "the name is plain, as a test shows")]
    RunId::new("r20261121T093512Z").expect("a plain name")
}

/// A number from 0 to `below`, always the same for the same labels.
fn chance(labels: &[&str], below: u64) -> u64 {
    let bytes = Digest::of_parts(labels).bytes();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(first) % below.max(1)
}

/// The run of a scene.
pub fn run(scene: Scene) -> RunView {
    let run_id = run_id();
    let mut play = Play {
        view: RunView::new(run_id.clone()),
        script: Vec::new(),
        log: Vec::new(),
        end: now(scene),
    };
    play.say(
        began(),
        Event::RunCreated {
            run_id,
            config_path: "config/sweep.yaml".to_owned(),
            config_hash: Digest::of(b"sweep"),
            budget: Some(Usd::from_nanos(60_000_000_000)),
            migrated: false,
        },
    );
    play.say(
        began(),
        Event::DriverStarted {
            pid: 4242,
            host: "deck".to_owned(),
            gate: Gate::default(),
        },
    );
    play.phase(Phase::Prepare, 0, 41);
    if scene == Scene::Empty || scene == Scene::Nothing {
        play.script
            .retain(|(_, e)| !matches!(e, Event::PhaseEnded { .. }));
        return play.finish();
    }
    let pieces = play.plan();
    play.phase(Phase::Build, 41, 72);
    play.say(
        after(began(), 120),
        Event::PhaseStarted {
            phase: Phase::Submit,
        },
    );
    play.say(
        after(began(), 122),
        Event::PhaseStarted { phase: Phase::Poll },
    );
    play.jobs(&pieces);
    play.close(scene);
    play.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_world_holds_only_facts_that_fit() {
        for scene in [
            Scene::Empty,
            Scene::Running,
            Scene::Stopped,
            Scene::Failed,
            Scene::Finished,
        ] {
            let view = run(scene);
            assert_eq!(view.oddities, 0, "{scene:?}");
        }
        let view = run(Scene::Running);
        assert_eq!((view.trials.len(), view.totals.all()), (6, 160));
    }
}
