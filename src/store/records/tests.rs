//! Tests of the faces: the contract's keys, and the way from a picture to the files and back.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::event::PlannedPart;
use crate::domain::ids::{PromptSetName, WorkKey};
use crate::domain::work::{Attempt, RowTally, WorkEvent};
use crate::domain::{
    Event, ExitCode, FileMark, Gate, JobCounts, JobState, MaxNewTokens, Phase, PhaseStatus,
    RemoteId, Stamp, StopLevel, SubmissionKey, TokenUsage, Trial, Usd, WorkState,
};
use crate::store::fixture::{put, run, run_id};

fn slug(n: usize) -> TrialSlug {
    TrialSlug::new(&format!("trial-{n}")).expect("a plain slug")
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn trial(n: usize) -> Trial {
    let temp = |v| crate::domain::Temperature::new(v).expect("a temperature");
    Trial {
        slug: slug(n),
        model: "m".into(),
        prompt_set: PromptSetName::new("p").expect("plain"),
        temps: vec![temp(0.7), temp(0.0)],
        samples: vec![3, 1],
        top_p: 0.95,
        top_k: None,
        max_new_tokens: MaxNewTokens {
            closed_book: 64,
            open_book: 128,
        },
        stop: vec!["\n".into()],
    }
}

/// A part of which the control ones are shared by all trials.
fn part(trial: usize, key: &str) -> PlannedPart {
    let shared = key.contains("control");
    let work = digest(&format!("{key} {}", if shared { 0 } else { trial }));
    PlannedPart {
        key: key.parse().expect("a part key"),
        work: WorkKey(work),
        input: format!("{key}.jsonl"),
        rows: 10,
        bytes: 100,
        sha256: work,
    }
}

const PARTS: [&str; 4] = [
    "t07_control_p01",
    "t07_treatment_p01",
    "t0_control_p01",
    "t0_treatment_p100",
];

fn attempt(work: WorkKey, number: u32) -> Attempt {
    let bytes = work.0;
    Attempt {
        number,
        submission: SubmissionKey::derive(work, number, bytes),
        rows: 10,
        bytes,
    }
}

/// Some fact about a work, by a number; many of them do not fit and are refused.
fn work_event(work: WorkKey, pick: u8) -> WorkEvent {
    let attempt = attempt(work, 1 + u32::from(pick / 64));
    let submission = attempt.submission;
    let rows = RowTally {
        answered: 7,
        failed: 2,
        missing: 1,
    };
    match pick % 12 {
        0..=2 => WorkEvent::Intent { attempt },
        3 => WorkEvent::Uploaded {
            submission,
            input: RemoteId(format!("in-{pick}")),
        },
        4 | 5 => WorkEvent::Accepted {
            submission,
            job: RemoteId(format!("job-{pick}")),
            adopted: pick.is_multiple_of(2),
        },
        6 => WorkEvent::Observed {
            submission,
            state: JobState::Unknown("ODD\u{1b}".into()),
            counts: JobCounts {
                succeeded: 3,
                failed: 1,
            },
        },
        7 | 8 => WorkEvent::Collected {
            submission,
            rows,
            retryable: u64::from(pick) % 3,
            usage: TokenUsage {
                prompt_tokens: 5,
                completion_tokens: u64::from(pick),
                cached_tokens: 1,
            },
            cost: (!pick.is_multiple_of(5)).then(|| Usd::from_nanos(i64::from(pick))),
        },
        9 => WorkEvent::Finished {
            rows,
            results: digest("results"),
        },
        10 => WorkEvent::GaveUp {
            reason: "because".into(),
            expired: pick > 100,
        },
        _ => WorkEvent::Requeued {
            reason: "again".into(),
        },
    }
}

fn stamp(phase: Phase, trial: Option<TrialSlug>) -> Stamp {
    let mark = |path: &str| FileMark {
        path: path.into(),
        sha256: digest(path),
        bytes: 3,
        rows: Some(2),
    };
    Stamp {
        phase,
        trial,
        knobs: digest("knobs"),
        inputs: vec![mark("in")],
        outputs: vec![mark("out")],
    }
}

/// Which of the two trials plans its parts first and so owns what they share.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Earlier,
    Later,
}

/// What happens before the parts: the run, its driver, the first phase, two trials.
fn beginning() -> Vec<Event> {
    vec![
        Event::RunCreated {
            run_id: run_id(),
            config_path: "c.yaml".into(),
            config_hash: digest("config"),
            budget: Usd::from_dollars(20.0),
            migrated: false,
        },
        Event::DriverStarted {
            pid: 7,
            host: "h".into(),
            gate: Gate::only(Phase::Poll),
        },
        Event::PhaseStarted {
            phase: Phase::Prepare,
        },
        Event::Stamped {
            stamp: stamp(Phase::Prepare, None),
        },
        Event::PhaseEnded {
            phase: Phase::Prepare,
            status: PhaseStatus::Completed,
            error: None,
        },
        Event::TrialPlanned { trial: trial(0) },
        Event::TrialPlanned { trial: trial(1) },
    ]
}

/// What happens after the works have moved.
fn end() -> Vec<Event> {
    vec![
        Event::PhaseStarted { phase: Phase::Poll },
        Event::PhaseEnded {
            phase: Phase::Poll,
            status: PhaseStatus::Failed,
            error: Some("no".into()),
        },
        Event::Stamped {
            stamp: stamp(Phase::Parse, Some(slug(1))),
        },
        Event::DriftAccepted {
            config_hash: digest("other"),
            changes: vec!["top_p: 1 -> 0.9".into()],
        },
        Event::StopRequested {
            level: StopLevel::Now,
            source: "key".into(),
        },
        Event::DriverEnded {
            exit: ExitCode::Stopped,
        },
    ]
}

/// The picture of a run with two trials and a history made of the numbers.
fn view(history: &[(u8, u8)], owner: Owner) -> RunView {
    let order = match owner {
        Owner::Earlier => [0, 1],
        Owner::Later => [1, 0],
    };
    let planned = order.map(|n| Event::PartsPlanned {
        trial: slug(n),
        first: true,
        parts: PARTS.map(|key| part(n, key)).to_vec(),
    });
    let moves = history.iter().map(|(which, pick)| {
        let which = usize::from(*which);
        let work = part(which % 2, PARTS[which / 2 % 4]).work;
        let event = work_event(work, *pick);
        Event::Work { work, event }
    });
    let all = beginning()
        .into_iter()
        .chain(planned)
        .chain(moves)
        .chain(end());
    let start: Timestamp = "2026-11-21T03:22:01.5Z".parse().expect("a time");
    let mut view = RunView::new(run_id());
    for (seconds, event) in (1..).zip(all) {
        // Facts that do not fit are refused by the picture and change nothing.
        view.apply_event(start + SignedDuration::from_secs(seconds), &event)
            .ok();
    }
    view
}

/// What is lost on the way through the faces: only what no decision is made from.
fn without_passing_things(view: &RunView) -> RunView {
    let mut view = view.clone();
    let fresh = RunView::new(run_id());
    (view.seq, view.as_of, view.oddities) = (0, None, 0);
    (view.totals.jobs, view.totals.adopted) = (0, 0);
    view.pace = fresh.pace;
    view.log = fresh.log;
    // The order of works is that of first appearance; ask for them by key.
    let mut works: Vec<_> = view.works.iter().map(|w| (**w).clone()).collect();
    works.sort_by_key(|w| w.key);
    for work in &mut works {
        // True of a rebuilt picture only: its waiting parts are asked for before they are submitted.
        work.restored = false;
        if !matches!(work.state, WorkState::Submitted { .. }) {
            work.counts = JobCounts::default();
        }
    }
    let position = |key| works.iter().position(|w| w.key == key).expect("known");
    for trial in &mut view.trials {
        let trial = Arc::make_mut(trial);
        for part in &mut trial.parts {
            part.work = position(view.works[part.work].key);
        }
    }
    view.work_index = Arc::new(works.iter().enumerate().map(|(i, w)| (w.key, i)).collect());
    view.works = works.into_iter().map(Arc::new).collect();
    view
}

fn rebuilt(paths: &RunPaths) -> RunView {
    let mut view = RunView::new(run_id());
    for (at, event) in recover(paths).expect("recovered") {
        // Through the ledger's own text, because that is where the facts go.
        let fact = crate::domain::Recorded { seq: 1, at, event };
        let text = serde_json::to_string(&fact).expect("JSON");
        let fact: crate::domain::Recorded = serde_json::from_str(&text).expect("a fact");
        view.apply(&fact).expect("every recovered fact fits");
    }
    view
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_faces_alone_rebuild_the_picture(
        history in prop::collection::vec((0_u8..8, any::<u8>()), 0..120), owner in prop::sample::select(vec![Owner::Earlier, Owner::Later])
    ) {
        let (_dir, paths) = run();
        let view = Arc::new(view(&history, owner));
        Faces::new(paths.clone(), Prompts::new()).write(&view).expect("written");
        let rebuilt = rebuilt(&paths);
        prop_assert_eq!(without_passing_things(&rebuilt), without_passing_things(&view));
        // And the faces of the rebuilt picture are the same faces, but for the place in the ledger.
        for (old, new) in view.trials.iter().zip(&rebuilt.trials) {
            let none = BTreeMap::new();
            prop_assert_eq!(
                TrialManifestRecord::from_view(&view, old, &none),
                TrialManifestRecord::from_view(&rebuilt, new, &none)
            );
        }
    }
}

#[test]
fn tokens_without_a_price_are_never_forgotten_whatever_comes_after() {
    let work = part(0, PARTS[1]).work;
    for costs in [
        [None, Some(Usd::from_nanos(3))],
        [Some(Usd::from_nanos(3)), None],
    ] {
        let (_dir, paths) = run();
        let mut view = view(&[], Owner::Earlier);
        for (number, cost) in (1..).zip(costs) {
            let attempt = attempt(work, number);
            let submission = attempt.submission;
            for event in [
                WorkEvent::Intent { attempt },
                WorkEvent::Accepted {
                    submission,
                    job: RemoteId("j".into()),
                    adopted: false,
                },
                WorkEvent::Collected {
                    submission,
                    rows: RowTally::default(),
                    retryable: 1,
                    usage: TokenUsage {
                        prompt_tokens: 5,
                        ..TokenUsage::default()
                    },
                    cost,
                },
            ] {
                view.apply_event(Timestamp::UNIX_EPOCH, &Event::Work { work, event })
                    .expect("fits");
            }
        }
        assert!(view.totals.unpriced, "{costs:?}");
        Faces::new(paths.clone(), Prompts::new())
            .write(&Arc::new(view))
            .expect("written");
        assert!(rebuilt(&paths).totals.unpriced, "{costs:?}");
    }
}

#[test]
fn a_run_of_many_parts_comes_back_in_order_and_in_short_facts() {
    let (_dir, paths) = run();
    let mut view = RunView::new(run_id());
    let mut tell = |event| {
        view.apply_event(Timestamp::UNIX_EPOCH, &event)
            .expect("fits");
    };
    tell(Event::RunCreated {
        run_id: run_id(),
        config_path: "c".into(),
        config_hash: digest("c"),
        budget: None,
        migrated: true,
    });
    tell(Event::TrialPlanned { trial: trial(0) });
    let parts = |range: std::ops::Range<u32>| {
        range
            .map(|n| part(0, &format!("t0_treatment_p{n:02}")))
            .collect::<Vec<_>>()
    };
    tell(Event::PartsPlanned {
        trial: slug(0),
        first: true,
        parts: parts(1..1300),
    });
    Faces::new(paths.clone(), Prompts::new())
        .write(&Arc::new(view.clone()))
        .expect("written");
    assert_eq!(
        without_passing_things(&rebuilt(&paths)),
        without_passing_things(&view)
    );
    let longest = recover(&paths)
        .expect("recovered")
        .iter()
        .map(|(_, e)| serde_json::to_string(e).expect("JSON").len())
        .max();
    assert!(longest < Some(200_000), "{longest:?}");
}

/// Writes the faces of a run with one part in doubt.
fn shown() -> (TempDir, RunPaths) {
    let (dir, paths) = run();
    let intent = (2, 0);
    let view = Arc::new(view(&[intent], Owner::Earlier));
    let prompt = PromptMark {
        path: "config/p.txt".into(),
        sha256: digest("p"),
    };
    let prompts = BTreeMap::from([("control".to_owned(), prompt)]);
    Faces::new(paths.clone(), Prompts::from([(slug(0), prompts)]))
        .write(&view)
        .expect("written");
    (dir, paths)
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&atomic::read(path).expect("read")).expect("JSON")
}

#[test]
fn the_contracts_keys_of_a_run_are_there() {
    let (_dir, paths) = shown();
    let state = json(&paths.run_state());
    assert_eq!(state["schema_version"], 1);
    for key in [
        "run_id",
        "config_path",
        "config_hash",
        "created_at",
        "phases",
        "last_checkpoint",
        "stop_requested",
        "migrated",
        "drift",
        "writer",
    ] {
        assert!(state.get(key).is_some(), "{key}");
    }
    assert_eq!(
        state["phases"].as_object().map(serde_json::Map::len),
        Some(10)
    );
    assert_eq!(state["phases"]["poll"]["status"], "failed");
    assert_eq!(state["stop_requested"], true);
    assert_eq!(state["writer"]["pid"], 7);
    assert_eq!(state["last_checkpoint"]["phase"], "poll");
    assert_eq!(state["last_checkpoint"]["resume_key"], "t07_treatment_p01");
}

#[test]
fn the_contracts_keys_of_a_trial_are_there() {
    let (_dir, paths) = shown();
    let manifest = json(&paths.trial(&slug(0)).trial_manifest());
    assert_eq!(manifest["schema_version"], 2);
    assert_eq!(manifest["temps"], serde_json::json!([0.7, 0.0]));
    assert_eq!(manifest["samples_per_item"]["0.7"], 3);
    assert_eq!(manifest["prompts"]["control"]["path"], "config/p.txt");
    assert_eq!(manifest["job_status"]["t07_treatment_p01"], "pending");
    assert_eq!(manifest["works"][1]["state"]["is"], "intended");
    assert_eq!(manifest["jobs"]["t0_control"], serde_json::json!([null]));
    let stages = manifest["stage_status"].as_object().expect("an object");
    assert_eq!(stages.len(), 7);
    let other = json(&paths.trial(&slug(1)).trial_manifest());
    assert_eq!(other["stage_status"]["parsed"]["status"], "completed");
    assert_eq!(
        other["stage_status"]["parsed"]["artifacts"][0]["path"],
        "out"
    );
    assert_eq!(other["works"][0]["shared_with"], "trial-0");
}

#[test]
fn only_the_faces_that_changed_are_written() {
    let (_dir, paths) = run();
    let first = Arc::new(view(&[], Owner::Earlier));
    let mut faces = Faces::new(paths.clone(), Prompts::new());
    assert_eq!(faces.write(&first).expect("written"), 3);
    assert_eq!(faces.write(&first).expect("written"), 0);
    // Another process with the same picture finds the same bytes on disk.
    let mut again = Faces::new(paths.clone(), Prompts::new());
    assert_eq!(again.write(&first).expect("written"), 0);
    let mut next = (*first).clone();
    let work = part(1, "t0_treatment_p100").work;
    let event = WorkEvent::Intent {
        attempt: attempt(work, 1),
    };
    let at = first.as_of.unwrap_or_default() + SignedDuration::from_hours(999_999);
    next.apply_event(at, &Event::Work { work, event })
        .expect("fits");
    assert_eq!(
        faces.write(&Arc::new(next)).expect("written"),
        2,
        "one trial and the run"
    );
}

#[test]
fn a_newer_older_cut_or_empty_face_is_named_and_untouched() {
    let (_dir, paths) = run();
    Faces::new(paths.clone(), Prompts::new())
        .write(&Arc::new(view(&[], Owner::Earlier)))
        .expect("written");
    for (path, version) in [
        (paths.run_state(), 1),
        (paths.trial(&slug(1)).trial_manifest(), 2),
    ] {
        let good = atomic::read(&path).expect("read");
        let text = String::from_utf8(good.clone()).expect("UTF-8");
        let mark = |v: u32| format!("\"schema_version\": {v}");
        let with = |v| text.replace(&mark(version), &mark(v)).into_bytes();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let refused = |bytes: &[u8]| {
            put(&path, bytes);
            let error = recover(&paths).expect_err("refused");
            assert!(error.to_string().contains(&name), "{error}");
            assert_eq!(std::fs::read(&path).expect("read"), bytes);
            error
        };
        assert!(matches!(
            refused(&with(version + 1)),
            StoreError::NewerSchema { found, .. } if found == u64::from(version + 1)
        ));
        assert!(matches!(
            refused(&with(0)),
            StoreError::OlderSchema { found: 0, .. }
        ));
        for cut in [0, 1, good.len() / 2, good.len() - 3] {
            assert!(matches!(refused(&good[..cut]), StoreError::Corrupt { .. }));
        }
        for odd in [
            "[]",
            "{}",
            "null",
            "{\"schema_version\": \"1\"}",
            "\u{0}\u{0}",
        ] {
            assert!(matches!(
                refused(odd.as_bytes()),
                StoreError::Corrupt { .. }
            ));
        }
        put(&path, &good);
        recover(&paths).expect("whole again");
    }
}
