//! Tests of the ledger: torn at every byte, damaged, poisoned, followed.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::ids::WorkKey;
use crate::domain::work::{Attempt, RowTally, WorkEvent};
use crate::domain::{Digest, Phase, RemoteId, SubmissionKey, TokenUsage, Usd};
use crate::store::fixture::{self, put};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn run() -> (TempDir, RunPaths, RunLock) {
    let (dir, paths) = fixture::run();
    let lock = RunLock::acquire(&paths, &fixture::me()).expect("taken");
    (dir, paths, lock)
}

fn some_events() -> Vec<Event> {
    let work = WorkKey(Digest::of(b"w"));
    let bytes = Digest::of(b"rows");
    let submission = SubmissionKey::derive(work, 1, bytes);
    let fact = |event| Event::Work { work, event };
    vec![
        Event::PhaseStarted {
            phase: Phase::Submit,
        },
        fact(WorkEvent::Intent {
            attempt: Attempt {
                number: 1,
                submission,
                rows: 3,
                bytes,
            },
        }),
        fact(WorkEvent::Accepted {
            submission,
            job: RemoteId("jöb \"1\"\u{2028}\n".into()),
            adopted: false,
        }),
        fact(WorkEvent::Collected {
            submission,
            rows: RowTally {
                answered: 2,
                failed: 1,
                missing: 0,
            },
            retryable: 1,
            usage: TokenUsage::default(),
            cost: Some(Usd::from_nanos(-5)),
        }),
    ]
}

/// A ledger with some facts, its bytes, and the facts.
fn written(paths: &RunPaths, lock: &RunLock) -> (Vec<u8>, Vec<Recorded>) {
    let (mut ledger, replay) = Ledger::open(lock, paths).expect("opened");
    assert_eq!(replay, Replay::default());
    let mut facts = ledger
        .append(AT, some_events(), Durability::Fsync)
        .expect("appended");
    facts.extend(
        ledger
            .append(AT, some_events(), Durability::Lazy)
            .expect("appended"),
    );
    ledger.sync().expect("synced");
    (std::fs::read(paths.ledger()).expect("read"), facts)
}

fn whole_lines(bytes: &[u8]) -> usize {
    bytes
        .split_inclusive(|b| *b == b'\n')
        .filter(|l| l.ends_with(b"\n"))
        .count()
}

#[test]
fn what_was_appended_is_read_back_and_numbered_without_gaps() {
    let (_dir, paths, lock) = run();
    let (_, facts) = written(&paths, &lock);
    let (ledger, replay) = Ledger::open(&lock, &paths).expect("opened");
    assert_eq!(replay.recorded, facts);
    assert_eq!(ledger.seq(), 8);
    assert!(facts.iter().map(|f| f.seq).eq(1..=8));
}

#[test]
fn torn_at_any_byte_the_whole_lines_stand_and_the_ledger_goes_on() {
    let (_dir, paths, lock) = run();
    let (bytes, facts) = written(&paths, &lock);
    for cut in 0..=bytes.len() {
        put(&paths.ledger(), &bytes[..cut]);
        let whole = whole_lines(&bytes[..cut]);
        let (mut ledger, replay) = Ledger::open(&lock, &paths).expect("opened");
        assert_eq!(replay.recorded, facts[..whole], "cut at {cut}");
        assert_eq!(replay.torn_tail, cut > 0 && bytes[cut - 1] != b'\n');
        assert_eq!(replay.kept_as, None);
        let more = ledger
            .append(AT, vec![Event::StopCleared], Durability::Lazy)
            .expect("appended");
        assert_eq!(more[0].seq, whole as u64 + 1);
        let (_, again) = Ledger::open(&lock, &paths).expect("opened again");
        assert_eq!(again.recorded.len(), whole + 1);
        assert!(!again.torn_tail);
    }
}

#[test]
fn zeros_after_a_power_cut_are_a_torn_tail() {
    let (_dir, paths, lock) = run();
    let (mut bytes, facts) = written(&paths, &lock);
    bytes.resize(bytes.len() + 5000, 0);
    put(&paths.ledger(), &bytes);
    let (_, replay) = Ledger::open(&lock, &paths).expect("opened");
    assert_eq!(replay.recorded, facts);
    assert!(replay.torn_tail && replay.damaged.is_empty());
}

#[test]
fn damaged_lines_at_the_end_are_cut_off_and_kept() {
    let (_dir, paths, lock) = run();
    let (mut bytes, facts) = written(&paths, &lock);
    bytes.extend_from_slice(b"\0\0\0\n{\"seq\":10,\"at\n\xff");
    put(&paths.ledger(), &bytes);
    let (_, replay) = Ledger::open(&lock, &paths).expect("opened");
    assert_eq!(replay.recorded, facts);
    assert_eq!(replay.damaged, [9, 10]);
    let kept = replay.kept_as.expect("kept");
    assert!(kept.ends_with("ledger.jsonl.corrupt.1"));
    assert_eq!(
        std::fs::read(kept).expect("read"),
        b"\0\0\0\n{\"seq\":10,\"at\n\xff"
    );
}

#[test]
fn a_hole_in_the_middle_is_refused_and_nothing_is_touched() {
    let (_dir, paths, lock) = run();
    let (bytes, _) = written(&paths, &lock);
    let lines: Vec<_> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let damaged = [lines[0], b"garbage\n", &lines[2..].concat()].concat();
    let gap = [lines[0], lines[2]].concat();
    let twice = [lines[0], lines[0]].concat();
    for (broken, line) in [(damaged, "line 2"), (gap, "line 2"), (twice, "line 2")] {
        put(&paths.ledger(), &broken);
        let error = Ledger::open(&lock, &paths).expect_err("damaged");
        assert!(matches!(error, StoreError::Corrupt { .. }));
        assert!(error.to_string().contains(line), "{error}");
        assert_eq!(std::fs::read(paths.ledger()).expect("read"), broken);
    }
}

#[test]
fn a_fact_of_a_newer_version_is_refused_and_nothing_is_touched() {
    let (_dir, paths, lock) = run();
    let (mut bytes, _) = written(&paths, &lock);
    bytes.extend_from_slice(
        b"{\"seq\":9,\"at\":\"2026-11-21T00:00:00Z\",\"kind\":\"moon_landing\"}\n",
    );
    put(&paths.ledger(), &bytes);
    let error = Ledger::open(&lock, &paths).expect_err("newer");
    assert!(
        matches!(error, StoreError::UnknownFact { line: 9, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(paths.ledger()).expect("read"), bytes);
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let (_dir, paths, lock) = run();
    let (mut ledger, _) = Ledger::open(&lock, &paths).expect("opened");
    // A file that cannot be written to stands for a full disk.
    ledger.file = File::open(paths.ledger()).expect("opened for reading");
    let append =
        |ledger: &mut Ledger| ledger.append(AT, vec![Event::StopCleared], Durability::Fsync);
    let error = append(&mut ledger).expect_err("refused");
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    ledger.file = open_for_append(&paths.ledger()).expect("opened");
    let error = append(&mut ledger).expect_err("poisoned");
    assert!(matches!(error, StoreError::Poisoned { .. }), "{error}");
    assert!(ledger.sync().is_err());
    assert_eq!(ledger.seq(), 0);
}

#[test]
fn a_full_disk_is_an_error_and_not_a_fact() {
    let (_dir, paths, lock) = run();
    let (mut ledger, _) = Ledger::open(&lock, &paths).expect("opened");
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        eprintln!("skipped: no /dev/full");
        return;
    };
    ledger.file = full;
    let error = ledger
        .append(AT, some_events(), Durability::Lazy)
        .expect_err("full");
    assert!(error.to_string().contains("ledger.jsonl"), "{error}");
    assert_eq!(ledger.seq(), 0);
}

#[test]
fn a_lost_lock_and_a_linked_ledger_are_refused() {
    let (dir, paths, lock) = run();
    let victim = dir.path().join("victim");
    put(&victim, b"precious");
    std::os::unix::fs::symlink(&victim, paths.ledger()).expect("linked");
    assert!(Ledger::open(&lock, &paths).is_err());
    assert_eq!(std::fs::read(&victim).expect("read"), b"precious");
    std::fs::remove_file(paths.ledger()).expect("removed");
    std::fs::remove_file(paths.lock()).expect("removed");
    let error = Ledger::open(&lock, &paths).expect_err("no lock");
    assert!(matches!(error, StoreError::LockLost { .. }), "{error}");
}

#[test]
fn a_watcher_sees_each_fact_once_and_starts_over_with_a_new_file() {
    let (_dir, paths, lock) = run();
    let mut tail = LedgerTail::new(paths.ledger());
    let mut seen = Vec::new();
    assert_eq!(
        tail.poll(&mut |f| seen.push(f)).expect("polled"),
        TailState::default()
    );
    let (bytes, facts) = written(&paths, &lock);
    assert_eq!(tail.poll(&mut |f| seen.push(f)).expect("polled").lines, 8);
    assert_eq!(tail.poll(&mut |f| seen.push(f)).expect("polled").lines, 0);
    assert_eq!(seen, facts);
    let half = whole_lines(&bytes) / 2;
    let cut: Vec<u8> = bytes
        .split_inclusive(|b| *b == b'\n')
        .take(half)
        .flatten()
        .copied()
        .collect();
    for replace in [
        (|path: &Path, bytes: &[u8]| put(path, bytes)) as fn(&Path, &[u8]),
        |path, bytes| assert!(atomic::write(path, bytes).is_ok()),
    ] {
        replace(&paths.ledger(), &cut);
        let state = tail
            .poll(&mut |_| panic!("nothing is delivered"))
            .expect("polled");
        assert!(state.restarted);
        seen.clear();
        tail.poll(&mut |f| seen.push(f)).expect("polled");
        assert_eq!(seen, facts[..half]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_watcher_of_a_growing_file_misses_and_repeats_nothing(
        steps in prop::collection::vec(1_usize..400, 1..20)
    ) {
        let (_dir, paths, lock) = run();
        let (bytes, facts) = written(&paths, &lock);
        put(&paths.ledger(), b"");
        let mut file = open_for_append(&paths.ledger()).expect("opened");
        let mut tail = LedgerTail::new(paths.ledger());
        let (mut seen, mut at) = (Vec::new(), 0);
        for step in steps.into_iter().chain([bytes.len()]) {
            let end = (at + step).min(bytes.len());
            file.write_all(&bytes[at..end]).expect("written");
            at = end;
            tail.poll(&mut |f| seen.push(f)).expect("polled");
            prop_assert_eq!(&seen[..], &facts[..whole_lines(&bytes[..at])]);
        }
        prop_assert_eq!(seen, facts);
    }

    #[test]
    fn one_flipped_byte_never_changes_a_fact_quietly_or_panics(
        at in 0_usize..4000, flip in 1_u8..=255
    ) {
        let (_dir, paths, lock) = run();
        let (mut bytes, facts) = written(&paths, &lock);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        put(&paths.ledger(), &bytes);
        if let Ok((_, replay)) = Ledger::open(&lock, &paths) {
            // A flip inside a text or number may read well; lines before it must stand.
            let whole = whole_lines(&bytes[..at]);
            prop_assert!(replay.recorded.len() >= whole.min(facts.len()));
            prop_assert_eq!(&replay.recorded[..whole], &facts[..whole]);
        }
    }
}
