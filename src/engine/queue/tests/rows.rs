//! What becomes of rows: second attempts, order, strangers, jobs that end badly, files that are gone.

use super::lab::{Lab, ROWS};
use super::service::{Call, Fault, RowEnd};
use crate::domain::work::WorkEvent;
use crate::domain::{JobState, WorkState};
use crate::provider::ProviderErrorKind;
use crate::store::Durability;

fn answers(lab: &Lab) -> Vec<Vec<String>> {
    let results = lab
        .files()
        .into_iter()
        .filter(|(name, _)| name.ends_with("/results.jsonl"));
    results
        .map(|(_, bytes)| {
            let text = String::from_utf8(bytes).expect("text");
            text.split_terminator('\n')
                .map(|line| line.split('|').nth(1).expect("an id").to_owned())
                .collect()
        })
        .collect()
}

fn tally(lab: &Lab) -> (u64, u64, u64) {
    let recorder = lab.open();
    recorder
        .view()
        .works
        .iter()
        .fold((0, 0, 0), |(a, f, m), w| {
            (a + w.rows.answered, f + w.rows.failed, m + w.rows.missing)
        })
}

#[tokio::test(start_paused = true)]
async fn only_rows_without_an_answer_are_sent_again_and_the_order_is_the_inputs() {
    let lab = Lab::new(1);
    lab.service
        .with(|w| w.rows = vec![("i1", RowEnd::Busy, 1), ("i3", RowEnd::Missing, 1)]);
    lab.run().await.expect("done");
    assert_eq!(tally(&lab), (2 * ROWS, 0, 0));
    assert_eq!(answers(&lab), vec![vec!["p1i0", "p1i1", "p1i2", "p1i3"]; 2]);
    lab.service.with(|w| {
        for (id, times) in &w.sent {
            let again = id.contains("i1") || id.contains("i3");
            assert_eq!(*times, 1 + u32::from(again), "{id}");
        }
    });
    let left = lab
        .files()
        .into_keys()
        .find(|name| name.contains("attempt_"));
    assert_eq!(
        left, None,
        "raw files are removed once the part is finished"
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_that_stays_is_not_sent_again_and_is_listed() {
    let lab = Lab::new(1);
    lab.service
        .with(|w| w.rows = vec![("i2", RowEnd::Refused, 9)]);
    lab.run().await.expect("done");
    assert_eq!(tally(&lab), (2 * (ROWS - 1), 2, 0));
    assert_eq!(lab.service.count(Call::Create), 2);
    let listed = lab
        .files()
        .into_iter()
        .filter(|(name, _)| name.ends_with("/errors.jsonl"));
    assert_eq!(listed.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn rows_that_never_come_end_as_missing_after_the_last_attempt() {
    let lab = Lab::new(1);
    lab.service
        .with(|w| w.rows = vec![("p1i0", RowEnd::Missing, 9)]);
    lab.run().await.expect("done");
    assert_eq!(tally(&lab), (2 * (ROWS - 1), 0, 2));
    assert_eq!(
        lab.service.count(Call::Create),
        4,
        "one further attempt for each part"
    );
}

#[tokio::test(start_paused = true)]
async fn repeated_and_foreign_rows_are_set_aside() {
    let lab = Lab::new(1);
    lab.service.with(|w| {
        let row = |id: &str| format!("{{\"custom_id\":\"{id}\",\"response\":{{\"choices\":[{{\"message\":{{\"content\":\"late\"}}}}]}}}}");
        w.extra = vec![row("nobody|asked|control|0.0|0|closed"), row("d|p1i0|control|0.0|0|closed"), "garbage".into()];
    });
    lab.run().await.expect("done");
    assert_eq!(tally(&lab), (2 * ROWS, 0, 0));
    let files = lab.files();
    assert!(
        files
            .values()
            .all(|bytes| !String::from_utf8_lossy(bytes).contains("late"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_job_keeps_its_answers_and_the_rest_is_sent_again() {
    let lab = Lab::new(1);
    lab.service.with(|w| w.ends.insert(0, JobState::Expired));
    lab.run().await.expect("done");
    assert_eq!(tally(&lab), (2 * ROWS, 0, 0));
    let twice = lab
        .service
        .with(|w| w.sent.values().filter(|n| **n == 2).count());
    assert_eq!(twice as u64, ROWS / 2);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_believed_to_be_gone_only_after_several_looks() {
    let lab = Lab::new(1);
    lab.service
        .with(|w| w.faults = vec![(Call::Poll, 0, 1, Fault::Unknown)]);
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(
        lab.service.count(Call::Create),
        2,
        "one look that missed it costs nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_second_attempt_keeps_the_answers_of_the_first() {
    let lab = Lab::new(1);
    lab.service.with(|w| {
        w.rows = vec![("i1", RowEnd::Busy, 9)];
        w.faults = vec![(
            Call::Create,
            2,
            9,
            Fault::Fails(ProviderErrorKind::Rejected),
        )];
    });
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(tally(&lab), (2 * (ROWS - 1), 2, 0));
}

#[tokio::test(start_paused = true)]
async fn lost_results_are_fetched_again_and_counted_once() {
    let lab = Lab::new(1);
    lab.run().await.expect("done");
    let wanted = lab.files();
    let mut recorder = lab.open();
    let usage = recorder.view().totals.usage;
    for work in recorder.view().works.clone() {
        let (attempt, job) = work.jobs[0].clone();
        let paths = lab.paths.trial(&work.owner).part(work.part.key);
        std::fs::remove_file(paths.results()).expect("removed");
        let event = WorkEvent::Reopened {
            job,
            attempt,
            reason: "gone".into(),
        };
        recorder
            .work(work.key, event, Durability::Fsync)
            .expect("recorded");
    }
    lab.run_with(&mut recorder).await.expect("done");
    assert_eq!(
        recorder.view().totals.usage,
        usage,
        "the same attempt is paid once"
    );
    drop(recorder);
    assert!(lab.all_done());
    assert_eq!(lab.files(), wanted);
    assert_eq!(lab.service.count(Call::Create), 2);
}

#[tokio::test(start_paused = true)]
async fn a_part_shared_by_two_trials_is_sent_once_and_both_have_its_files() {
    let lab = Lab::of(&["a", "b"], 2);
    lab.run().await.expect("done");
    assert_eq!(
        lab.service.count(Call::Create),
        6,
        "2 shared controls, 2 treatments for each trial"
    );
    let results = lab
        .files()
        .into_keys()
        .filter(|n| n.ends_with("/results.jsonl"))
        .count();
    assert_eq!(results, 8);
    assert!(
        lab.states()
            .iter()
            .all(|s| matches!(s, WorkState::Done { .. }))
    );
}
