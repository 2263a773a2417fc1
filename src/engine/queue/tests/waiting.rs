//! Waiting: storms, quotas, outputs that come late. Time is the runtime's own and stands still otherwise.

use std::time::Duration;

use tokio::time::Instant;

use super::lab::Lab;
use super::service::{Call, Fault};
use crate::domain::WorkState;
use crate::engine::error::EngineError;
use crate::engine::queue::Allow;
use crate::provider::ProviderErrorKind;

#[tokio::test(start_paused = true)]
async fn a_storm_is_waited_out() {
    let lab = Lab::new(2);
    let busy = Fault::Fails(ProviderErrorKind::Transient);
    lab.service
        .with(|w| w.faults = vec![(Call::Upload, 0, 5, busy), (Call::Poll, 2, 4, busy)]);
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.with(|w| w.accepted.len()), 4);
}

#[tokio::test(start_paused = true)]
async fn a_storm_without_end_ends_the_queue_resumably_after_bounded_pauses() {
    let lab = Lab::new(2);
    let busy = Fault::Fails(ProviderErrorKind::Transient);
    lab.service
        .with(|w| w.faults = vec![(Call::Upload, 0, 1000, busy)]);
    let began = Instant::now();
    let error = lab.run().await.expect_err("ends");
    assert!(matches!(error, EngineError::Incomplete { .. }), "{error}");
    assert!(
        began.elapsed() < Duration::from_secs(600),
        "{:?}",
        began.elapsed()
    );
    assert!(lab.service.count(Call::Upload) < 40);
    assert!(
        lab.states().iter().all(|s| *s == WorkState::Pending),
        "certain that nothing was accepted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_holds_submissions_and_nothing_else() {
    let lab = Lab::new(3);
    let full = Fault::Fails(ProviderErrorKind::QueueFull);
    lab.service
        .with(|w| w.faults = vec![(Call::Create, 1, 3, full)]);
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.with(|w| w.accepted.len()), 6);
}

#[tokio::test(start_paused = true)]
async fn an_output_that_comes_late_is_waited_for_without_stopping_the_others() {
    let lab = Lab::new(2);
    let late = Fault::Fails(ProviderErrorKind::Transient);
    lab.service
        .with(|w| w.faults = vec![(Call::Fetch, 0, 6, late)]);
    lab.run().await.expect("done");
    assert!(lab.all_done());
}

#[tokio::test(start_paused = true)]
async fn an_output_that_never_comes_is_left_and_said() {
    let lab = Lab::new(1);
    let late = Fault::Fails(ProviderErrorKind::Transient);
    lab.service
        .with(|w| w.faults = vec![(Call::Fetch, 0, 10_000, late)]);
    let end = lab.run().await.expect("ends");
    assert_eq!(end.parked.len(), 2);
    lab.service.with(|w| w.faults.clear());
    lab.run().await.expect("done");
    assert!(lab.all_done());
    assert_eq!(lab.service.count(Call::Create), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_slot_is_not_waited_for_busily() {
    let mut lab = Lab::new(2);
    lab.config.execution.max_concurrent_jobs = 1;
    lab.config.execution.poll_ms = 1000;
    lab.service.with(|w| {
        w.faults = vec![(
            Call::Upload,
            1,
            1,
            Fault::Fails(ProviderErrorKind::Transient),
        )];
    });
    let began = Instant::now();
    lab.run().await.expect("done");
    assert!(
        began.elapsed() >= Duration::from_secs(4),
        "each job takes two looks, a second apart"
    );
}

#[tokio::test(start_paused = true)]
async fn submit_alone_ends_when_every_part_has_a_job() {
    let mut lab = Lab::new(1);
    lab.allowed.collect = Allow::No;
    lab.run().await.expect("ends");
    assert!(
        lab.states()
            .iter()
            .all(|s| matches!(s, WorkState::Submitted { .. }))
    );
    assert_eq!(lab.service.count(Call::Fetch), 0);
    lab.allowed = super::super::Allowed {
        submit: Allow::No,
        collect: Allow::Yes,
        ..lab.allowed
    };
    lab.run().await.expect("done");
    assert!(lab.all_done());
}
