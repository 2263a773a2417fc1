//! One provider call each, as a task. A task decides nothing and records nothing; it returns what happened.

use std::sync::Arc;

use super::Queue;
use super::collect::{CollectError, CollectJob, Collected, collect, tidy};
use crate::domain::RemoteId;
use crate::domain::work::Attempt;
use crate::provider::{Found, JobLook, ProviderError};
use crate::snapshot::WorkView;
use crate::store::StoreError;

/// What came of one call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The upload ended.
    Uploaded(Attempt, Result<RemoteId, ProviderError>),
    /// The create ended.
    Created(Attempt, Result<JobLook, ProviderError>),
    /// The provider was asked for a submission.
    Found(Attempt, Option<RemoteId>, Result<Found, ProviderError>),
    /// A job was looked at.
    Looked(Result<JobLook, ProviderError>),
    /// A job's files were fetched and reconciled.
    Collected(Result<Collected, CollectError>),
    /// The raw files of a finished part were removed.
    Tidied(Result<(), StoreError>),
    /// The submission could not be put together; a fault of the plan.
    Unplanned,
}

impl Queue<'_> {
    pub(super) fn spawn_upload(&mut self, index: usize, work: &WorkView, attempt: Attempt) {
        let Some(submission) = self.submission(work, attempt) else {
            return self.unplanned(index);
        };
        let provider = Arc::clone(&self.with.provider);
        self.busy[index] = true;
        self.tasks.spawn(async move {
            (
                index,
                Outcome::Uploaded(attempt, provider.upload(&submission).await),
            )
        });
    }

    pub(super) fn spawn_create(
        &mut self,
        index: usize,
        work: &WorkView,
        attempt: Attempt,
        input: RemoteId,
    ) {
        let Some(submission) = self.submission(work, attempt) else {
            return self.unplanned(index);
        };
        let provider = Arc::clone(&self.with.provider);
        self.busy[index] = true;
        self.tasks.spawn(async move {
            (
                index,
                Outcome::Created(attempt, provider.create(&submission, &input).await),
            )
        });
    }

    pub(super) fn spawn_find(
        &mut self,
        index: usize,
        work: &WorkView,
        attempt: Attempt,
        input: Option<RemoteId>,
    ) {
        let Some(submission) = self.submission(work, attempt) else {
            return self.unplanned(index);
        };
        let provider = Arc::clone(&self.with.provider);
        self.busy[index] = true;
        self.tasks.spawn(async move {
            let found = provider.find(&submission, input.as_ref()).await;
            (index, Outcome::Found(attempt, input, found))
        });
    }

    pub(super) fn spawn_poll(&mut self, index: usize, job: RemoteId) {
        let provider = Arc::clone(&self.with.provider);
        self.busy[index] = true;
        self.tasks
            .spawn(async move { (index, Outcome::Looked(provider.poll(&job).await)) });
    }

    pub(super) fn spawn_collect(&mut self, index: usize, work: &WorkView) {
        let Ok(input) = self.input_path(work) else {
            return self.unplanned(index);
        };
        let job = CollectJob {
            provider: Arc::clone(&self.with.provider),
            provider_name: self.limits.name.clone(),
            input,
            folders: self.all_paths(index, work),
            part: work.part.clone(),
            jobs: work.jobs.clone(),
            writing: self.writing.clone(),
            last_attempt: !self.attempts_left(index, work),
        };
        self.busy[index] = true;
        self.tasks
            .spawn(async move { (index, Outcome::Collected(collect(job).await)) });
    }

    pub(super) fn spawn_tidy(&mut self, index: usize, work: &WorkView) {
        let (folders, numbers) = (
            self.all_paths(index, work),
            work.jobs.iter().map(|(a, _)| a.number).collect::<Vec<_>>(),
        );
        self.busy[index] = true;
        let writing = self.writing.clone();
        self.tasks.spawn(async move {
            let done = tokio::task::spawn_blocking(move || {
                let outcome = folders.first().map_or(Ok(()), |f| tidy(f, &numbers));
                drop(writing);
                outcome
            })
            .await;
            // A thread that died leaves files behind, which the next resume removes.
            (index, Outcome::Tidied(done.unwrap_or(Ok(()))))
        });
    }

    fn unplanned(&mut self, index: usize) {
        self.busy[index] = true;
        self.tasks.spawn(async move { (index, Outcome::Unplanned) });
    }
}
