//! Never pay twice: lost answers, doubt, stops and deaths.

use super::lab::Lab;
use super::service::{Call, Fault};
use crate::domain::{JobState, StopLevel, WorkState};
use crate::engine::error::EngineError;
use crate::engine::queue::Allow;
use crate::provider::ProviderErrorKind;

#[tokio::test(start_paused = true)]
async fn every_part_is_created_once_and_never_more_at_once_than_allowed() {
    let lab = Lab::new(3);
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.count(Call::Create), 6);
    assert_eq!(lab.service.with(|w| w.most_at_once), 2);
    assert_eq!(lab.service.count(Call::Find), 0, "nothing was in doubt");
}

#[tokio::test(start_paused = true)]
async fn a_second_run_calls_nothing() {
    let lab = Lab::new(1);
    lab.run().await.expect("done");
    let calls = lab.service.with(|w| w.calls.len());
    lab.run().await.expect("done");
    assert_eq!(lab.service.with(|w| w.calls.len()), calls);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_adopted_not_repeated() {
    let lab = Lab::new(1);
    lab.service
        .with(|w| w.faults = vec![(Call::Create, 0, 1, Fault::AnswerLost)]);
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.count(Call::Create), 2, "one for each part");
    assert_eq!(lab.open().view().totals.adopted, 1);
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_create_without_effect_is_made_once_more_under_the_same_key() {
    let lab = Lab::new(1);
    let uncertain = Fault::Fails(ProviderErrorKind::Uncertain);
    lab.service
        .with(|w| w.faults = vec![(Call::Create, 0, 1, uncertain)]);
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.count(Call::Create), 3);
    assert_eq!(lab.service.count(Call::Find), 1);
    assert_eq!(lab.service.with(|w| w.accepted.len()), 2);
    let recorder = lab.open();
    assert!(
        recorder
            .view()
            .works
            .iter()
            .all(|w| w.jobs[0].0.number == 1),
        "the same attempt"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_cannot_tell_waits_for_the_operator() {
    let mut lab = Lab::new(1);
    lab.service.with(|w| {
        w.faults = vec![
            (
                Call::Create,
                0,
                1,
                Fault::Fails(ProviderErrorKind::Uncertain),
            ),
            (Call::Find, 0, 9, Fault::CannotTell),
        ];
    });
    let end = lab.run().await.expect("ends");
    assert_eq!(end.undecided.len(), 1);
    assert_eq!(
        lab.service.count(Call::Create),
        2,
        "the other part went on; none in doubt was repeated"
    );
    lab.allowed.doubtful = Allow::Yes;
    lab.run().await.expect("done");
    assert!(lab.all_done(), "--force decides");
    assert_eq!(lab.service.with(|w| w.accepted.len()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_part_is_given_up_and_the_others_go_on() {
    let lab = Lab::new(2);
    let refused = Fault::Fails(ProviderErrorKind::Rejected);
    lab.service
        .with(|w| w.faults = vec![(Call::Create, 0, 1, refused)]);
    lab.run().await.expect("ends");
    let states = lab.states();
    let done = states
        .iter()
        .filter(|s| matches!(s, WorkState::Done { .. }))
        .count();
    let failed = states
        .iter()
        .filter(|s| matches!(s, WorkState::Failed { .. }))
        .count();
    assert_eq!((done, failed), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn an_account_error_stops_everything_and_a_later_run_finishes() {
    let lab = Lab::new(2);
    lab.service
        .with(|w| w.faults = vec![(Call::Create, 1, 1, Fault::Fails(ProviderErrorKind::Account))]);
    let error = lab.run().await.expect_err("stops");
    assert!(matches!(error, EngineError::Provider(_)), "{error}");
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.with(|w| w.accepted.len()), 4);
}

#[tokio::test(start_paused = true)]
async fn no_create_begins_after_a_soft_stop_and_running_jobs_are_collected() {
    for calls in 1..12 {
        let lab = Lab::new(3);
        let mut recorder = lab.open();
        let service = lab.service.clone();
        let stop = lab.stop.clone();
        let watcher = async {
            while service.with(|w| w.calls.len()) < calls {
                // Lets the paused clock go on, unlike a yield.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            stop.request(StopLevel::Soft, "key");
            service.count(Call::Create)
        };
        let (end, at_stop) = tokio::join!(lab.run_with(&mut recorder), watcher);
        assert_eq!(end.expect("ends").stopped, Some(StopLevel::Soft));
        // What was spawned at the moment of the stop may still begin; nothing is decided after it.
        assert!(
            service.count(Call::Create) <= at_stop + 2,
            "stop at call {calls}"
        );
        for work in &recorder.view().works {
            assert!(
                matches!(work.state, WorkState::Done { .. } | WorkState::Pending),
                "stop at call {calls}: {:?}",
                work.state
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stop_now_during_a_create_leaves_it_in_doubt_and_resume_asks() {
    let mut lab = Lab::new(1);
    lab.service
        .with(|w| w.faults = vec![(Call::Create, 0, 2, Fault::Hangs)]);
    let mut recorder = lab.open();
    let (service, stop) = (lab.service.clone(), lab.stop.clone());
    let watcher = async {
        while service.count(Call::Create) < 2 {
            tokio::task::yield_now().await;
        }
        stop.request(StopLevel::Now, "signal");
    };
    let (end, ()) = tokio::join!(lab.run_with(&mut recorder), watcher);
    assert_eq!(end.expect("ends").stopped, Some(StopLevel::Now));
    drop(recorder);
    assert!(
        lab.states()
            .iter()
            .all(|s| matches!(s, WorkState::Uploaded { .. }))
    );
    lab.stop = crate::engine::stop::StopSwitch::default();
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.with(|w| w.accepted.len()), 2);
    assert_eq!(lab.service.count(Call::Find), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_is_followed_by_a_new_key_and_a_requeued_part_too() {
    let lab = Lab::new(1);
    // The first two jobs are the first attempts; the part whose attempts all fail is given up.
    lab.service
        .with(|w| w.ends = (0..9).map(|n| (n, JobState::Failed)).collect());
    lab.run().await.expect("ends");
    assert!(
        lab.states()
            .iter()
            .all(|s| matches!(s, WorkState::Failed { .. }))
    );
    assert_eq!(lab.service.with(|w| w.accepted.len()), 4);
    lab.service.with(|w| w.ends.clear());
    let mut recorder = lab.open();
    let works = recorder.view().works.clone();
    for work in works {
        let event = crate::domain::work::WorkEvent::Requeued {
            reason: "again".into(),
        };
        recorder
            .work(work.key, event, crate::store::Durability::Fsync)
            .expect("recorded");
    }
    lab.run_with(&mut recorder).await.expect("done");
    drop(recorder);
    assert!(lab.all_done());
    // The service panics on a second job under one key; here it is enough that the ended jobs were not adopted.
    assert_eq!(lab.service.with(|w| w.accepted.len()), 6);
}

#[tokio::test(start_paused = true)]
async fn a_death_at_any_call_costs_nothing_and_changes_nothing() {
    let undisturbed = Lab::of(&["a", "b"], 1);
    let odd = |lab: &Lab| {
        lab.service
            .with(|w| w.rows = vec![("i2", super::service::RowEnd::Busy, 1)]);
    };
    odd(&undisturbed);
    undisturbed.run().await.expect("done");
    let wanted = undisturbed.files();
    let calls = undisturbed.service.with(|w| w.calls.len());
    assert!(calls > 20 && !wanted.is_empty());
    for nth in 1..=calls {
        let lab = Lab::of(&["a", "b"], 1);
        odd(&lab);
        lab.run_until_death(nth).await;
        // And once more, soon after the resume.
        lab.run_until_death(2).await;
        lab.run().await.expect("done");
        assert!(lab.all_done(), "death at call {nth}");
        let mut keys = lab.service.with(|w| w.accepted.clone());
        let accepted = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(
            keys.len(),
            accepted,
            "death at call {nth}: a key was accepted twice"
        );
        assert_eq!(
            accepted,
            undisturbed.service.with(|w| w.accepted.len()),
            "death at call {nth}"
        );
        assert_eq!(lab.files(), wanted, "death at call {nth}");
    }
}
