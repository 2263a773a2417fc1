//! Fireworks batch inference: the calls on jobs. Datasets are in `datasets`, spellings in `wire`.
//!
//! Every remote name is made from the submission's key, so each call can be asked about again and nothing is made twice
//! (<https://docs.fireworks.ai/guides/batch-inference>). There is no cancel call: deleting a job stops it.

mod datasets;
mod settings;
mod wire;

use async_trait::async_trait;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::failure::Effect;
use super::http::{Call, Http, HttpSettings, Verb};
use super::{
    Capabilities, FetchTarget, Fetched, Found, JobLook, Provider, ProviderError, ProviderErrorKind,
    Submission,
};
use crate::domain::{Digest, JobCounts, JobState, RemoteId};
use crate::sys::random;

pub use settings::{BASE_URL, FireworksSettings, Pace};

/// The adapter.
#[derive(Debug)]
pub struct Fireworks {
    name: String,
    account: String,
    min_poll_ms: u64,
    pace: Pace,
    form_bytes: u64,
    http: Http,
}

impl Fireworks {
    /// Checks the settings and makes the clients. Sends nothing.
    pub fn new(settings: FireworksSettings) -> Result<Self, ProviderError> {
        let account = settings::checked_account(&settings.account_id)?;
        // Jitter is in no artifact; it only has to differ between processes that failed together.
        let seed = settings.clock.now().as_nanosecond().to_le_bytes();
        let http = Http::new(HttpSettings {
            base_url: settings.base_url,
            api_key: settings.api_key,
            limits: settings.limits,
            retry: settings.pace.retry,
            rng: random::rng(Digest::of(&seed).bytes()),
            clock: settings.clock,
        })?;
        Ok(Self {
            name: settings.name,
            account,
            min_poll_ms: settings.min_poll_ms,
            pace: settings.pace,
            form_bytes: settings.form_bytes,
            http,
        })
    }

    /// A path below the account.
    fn path(&self, rest: &str) -> String {
        format!("v1/accounts/{}/{rest}", self.account)
    }

    /// A full resource name, as bodies want it.
    fn resource(&self, collection: &str, id: &str) -> String {
        format!("accounts/{}/{collection}/{id}", self.account)
    }

    /// The bare id of a remote name, bare or full.
    fn id<'a>(&self, name: &'a RemoteId) -> Result<&'a str, ProviderError> {
        let id = wire::last(&name.0);
        let account = name
            .0
            .strip_prefix("accounts/")
            .and_then(|rest| rest.split('/').next());
        let shown = || self.http.clean(&name.0);
        if !wire::is_id(id) {
            let message = "this cannot be the name of a job or a dataset";
            return Err(rejected(&shown(), message));
        }
        match account {
            // Asked for under our account it would look as if it did not exist.
            Some(other) if other != self.account => Err(rejected(
                &shown(),
                &format!("it belongs to another account than {}", self.account),
            )),
            _ => Ok(id),
        }
    }

    async fn get_job(&self, id: &str, what: &str) -> Result<Option<wire::Job>, ProviderError> {
        let path = self.path(&format!("batchInferenceJobs/{id}"));
        let job: Option<wire::Job> = absent_if_404(self.http.call(get(&path, what)).await)?;
        match job {
            Some(job) if !job.is_named(id) => Err(ProviderError::new(
                ProviderErrorKind::Garbled,
                what,
                "the answer is not about this job",
            )),
            job => Ok(job),
        }
    }

    fn look(&self, id: &str, job: &wire::Job) -> JobLook {
        JobLook {
            job: RemoteId(id.to_owned()),
            state: job.state(),
            counts: job.counts(),
            message: self.http.clean(&job.message()),
            output: job.output().map(|id| RemoteId(id.to_owned())),
        }
    }

    /// A job that has our id is ours, unless it says otherwise.
    fn adopt(
        &self,
        (id, job): (&str, &wire::Job),
        submission: &Submission,
        input: &str,
    ) -> Result<JobLook, ProviderError> {
        match job.difference(&submission.params.model, input) {
            None => Ok(self.look(id, job)),
            Some(difference) => {
                let message = format!(
                    "a job of this name exists, but {}",
                    self.http.clean(&difference)
                );
                Err(rejected(&format!("adopt job {id}"), &message))
            }
        }
    }
}

#[async_trait]
impl Provider for Fireworks {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: self.name.clone(),
            // There is no limit on lines; the one on bytes is "under 500 MB" in the older guides (batch-apis, 2.6).
            max_requests: u64::from(u32::MAX),
            max_bytes: 475_000_000,
            find_is_exact: true,
            min_poll_ms: self.min_poll_ms,
        }
    }

    async fn upload(&self, submission: &Submission) -> Result<RemoteId, ProviderError> {
        let id = input_id(submission);
        self.provide_dataset(&id, submission).await?;
        Ok(RemoteId(id))
    }

    async fn create(
        &self,
        submission: &Submission,
        input: &RemoteId,
    ) -> Result<JobLook, ProviderError> {
        let id = submission.key.remote_name();
        let input = self.id(input)?;
        let what = format!("create job {id}");
        let body = wire::job_body(
            submission,
            &self.resource("datasets", input),
            &self.resource("datasets", &output_id(&id)),
        );
        let call = Call {
            verb: Verb::Post,
            path: &self.path("batchInferenceJobs"),
            query: Some(("batchInferenceJobId", &id)),
            body: Some(&body),
            effect: Effect::Creates,
            what: &what,
        };
        let refused = match self.http.call::<wire::Job>(call).await {
            Ok(job) if job.is_named(&id) => return Ok(self.look(&id, &job)),
            // Not uncertain: this service does not take our ids, and asking for them would find nothing, for ever.
            Ok(_) => {
                return Err(rejected(
                    &what,
                    "the service made the job under another name",
                ));
            }
            Err(error) if is_conflict(&error) => error,
            Err(error) => return Err(error),
        };
        match self.get_job(&id, &what).await {
            Ok(Some(job)) => self.adopt((&id, &job), submission, input),
            // Something else is in the way, e.g. its output dataset.
            Ok(None) => Err(refused),
            Err(error) => Err(ProviderError {
                kind: ProviderErrorKind::Uncertain,
                ..error
            }),
        }
    }

    async fn find(
        &self,
        submission: &Submission,
        input: Option<&RemoteId>,
    ) -> Result<Found, ProviderError> {
        let id = submission.key.remote_name();
        let derived = input_id(submission);
        let input = match input {
            Some(name) => self.id(name)?,
            None => &derived,
        };
        match self.get_job(&id, &format!("find job {id}")).await {
            Ok(Some(job)) => self.adopt((&id, &job), submission, input).map(Found::Job),
            Ok(None) => Ok(Found::Nothing),
            // Not an answer of the API, so not one about the job.
            Err(error) if error.status == Some(404) => Ok(Found::CannotTell(error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn poll(&self, job: &RemoteId) -> Result<JobLook, ProviderError> {
        let id = self.id(job)?;
        let found = self.get_job(id, &format!("look at job {id}")).await?;
        Ok(found.map_or_else(|| vanished(id), |job| self.look(id, &job)))
    }

    async fn fetch(
        &self,
        job: &RemoteId,
        target: FetchTarget<'_>,
    ) -> Result<Fetched, ProviderError> {
        let id = self.id(job)?;
        let what = format!("fetch job {id}");
        let found = self.get_job(id, &what).await?;
        let look = found.map_or_else(|| vanished(id), |job| self.look(id, &job));
        if !look.state.is_terminal() {
            let message = format!("it has not ended: {}", look.state);
            return Err(ProviderError::new(
                ProviderErrorKind::Transient,
                what,
                message,
            ));
        }
        let output = look
            .output
            .as_ref()
            .map_or_else(|| output_id(id), |name| name.0.clone());
        let mut looks = 0;
        loop {
            let brought = self
                .http
                .repeat(|| self.bring(&output, target, &what))
                .await?;
            if let Some(fetched) = brought {
                return Ok(fetched);
            }
            if !owes_output(&look) {
                return Ok(Fetched::default());
            }
            if !self.http.pause(self.pace.output, looks).await {
                let message = format!("it is {}, but its output is not there yet", look.state);
                return Err(ProviderError::new(
                    ProviderErrorKind::Transient,
                    what,
                    message,
                ));
            }
            looks += 1;
        }
    }

    async fn cancel(&self, job: &RemoteId) -> Result<(), ProviderError> {
        let id = self.id(job)?;
        let path = self.path(&format!("batchInferenceJobs/{id}"));
        let what = format!("delete job {id}");
        let call = Call {
            verb: Verb::Delete,
            ..get(&path, &what)
        };
        let _gone: Option<IgnoredAny> = absent_if_404(self.http.call(call).await)?;
        Ok(())
    }
}

/// Whether rows must have come out: only then is a missing output waited for.
///
/// A failed job has none; of one that ended early only what it counted is certain; a deleted one may keep nothing.
fn owes_output(look: &JobLook) -> bool {
    let is_partial = matches!(look.state, JobState::Expired | JobState::EarlyStopped);
    look.state == JobState::Completed || (is_partial && look.counts != JobCounts::default())
}

fn vanished(id: &str) -> JobLook {
    JobLook {
        job: RemoteId(id.to_owned()),
        state: JobState::Vanished,
        counts: JobCounts::default(),
        message: String::new(),
        output: None,
    }
}

fn input_id(submission: &Submission) -> String {
    format!("{}-in", submission.key.remote_name())
}

fn output_id(job: &str) -> String {
    format!("{job}-out")
}

/// A look at a resource.
fn get<'a>(path: &'a str, what: &'a str) -> Call<'a> {
    Call {
        verb: Verb::Get,
        path,
        query: None,
        body: None,
        effect: Effect::Repeatable,
        what,
    }
}

/// A post that may be made again.
fn post<'a>(path: &'a str, body: &'a Value, what: &'a str) -> Call<'a> {
    Call {
        verb: Verb::Post,
        body: Some(body),
        ..get(path, what)
    }
}

/// Reads the API's own "not found" as nothing. A 404 that is not the API's is another kind of error.
fn absent_if_404<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ProviderErrorKind::Rejected && error.status == Some(404) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a create was refused because the name is taken: gRPC `ALREADY_EXISTS`, HTTP 409.
fn is_conflict(error: &ProviderError) -> bool {
    let message = error.message.to_ascii_lowercase();
    error.kind == ProviderErrorKind::Rejected
        && (error.status == Some(409)
            || message.contains("already exists")
            || message.contains("already_exists"))
}

fn rejected(what: &str, message: &str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Rejected, what, message)
}

#[cfg(test)]
mod tests;
