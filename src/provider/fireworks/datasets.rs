//! Datasets: bringing the input there, bringing the output back.

use serde_json::json;

use super::wire::{self, DatasetState};
use super::{Fireworks, absent_if_404, get, is_conflict, post, rejected};
use crate::provider::http::Cargo;
use crate::provider::landing::{Landing, Rows};
use crate::provider::{FetchTarget, Fetched, ProviderError, ProviderErrorKind, Submission};

impl Fireworks {
    /// Makes sure that a dataset exists, holds the input and can be used.
    ///
    /// Goes by what the service says each time, so that it can be entered again after any interruption: not there is
    /// made, waiting for its file is sent the whole file, ready is compared and reused.
    pub(super) async fn provide_dataset(
        &self,
        id: &str,
        submission: &Submission,
    ) -> Result<(), ProviderError> {
        let what = format!("upload {id}");
        let (mut is_made, mut is_sent, mut looks) = (false, false, 0);
        loop {
            let path = self.path(&format!("datasets/{id}"));
            let found: Option<wire::Dataset> =
                absent_if_404(self.http.call(get(&path, &what)).await)?;
            let state = found.as_ref().map(wire::Dataset::state);
            match (&found, state) {
                (Some(dataset), Some(DatasetState::Ready)) => {
                    return check_count(dataset, submission, &what);
                }
                (None, _) if !is_made => {
                    self.make_dataset(id, submission, &what).await?;
                    is_made = true;
                    continue;
                }
                (Some(_), Some(DatasetState::Uploading)) if !is_sent => {
                    self.send_input(id, submission, &what).await?;
                    is_sent = true;
                    continue;
                }
                _ => {}
            }
            if !self.http.pause(self.pace.ready, looks).await {
                let word = found.as_ref().map_or("missing", wire::Dataset::state_word);
                let message = format!("the dataset is not ready: {}", self.http.clean(word));
                let kind = ProviderErrorKind::Transient;
                return Err(ProviderError::new(kind, what, message));
            }
            looks += 1;
        }
    }

    async fn make_dataset(
        &self,
        id: &str,
        submission: &Submission,
        what: &str,
    ) -> Result<(), ProviderError> {
        let path = self.path("datasets");
        let body = wire::dataset_body(id, submission);
        match self
            .http
            .call::<wire::Dataset>(post(&path, &body, what))
            .await
        {
            // Made by an earlier call whose answer was lost; the next look tells how far it came.
            Err(error) if !is_conflict(&error) => Err(error),
            _ => Ok(()),
        }
    }

    async fn send_input(
        &self,
        id: &str,
        submission: &Submission,
        what: &str,
    ) -> Result<(), ProviderError> {
        let name = format!("{id}.jsonl");
        let cargo = Cargo {
            file: &submission.input,
            bytes: submission.bytes,
            name: &name,
        };
        if submission.bytes > self.form_bytes {
            return self.send_signed(id, cargo, what).await;
        }
        let path = self.path(&format!("datasets/{id}:upload"));
        match self.http.upload(&path, cargo, what).await {
            Err(error) if !is_already_uploaded(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends a large input through a signed address: ask for it, put the file, have it validated.
    async fn send_signed(
        &self,
        id: &str,
        cargo: Cargo<'_>,
        what: &str,
    ) -> Result<(), ProviderError> {
        let ask = self.path(&format!("datasets/{id}:getUploadEndpoint"));
        let body = json!({ "filenameToSize": { cargo.name: cargo.bytes.to_string() } });
        // The address is asked for again with each attempt: it may have expired.
        self.http
            .repeat(async || {
                let urls: wire::SignedUrls = self.http.once(post(&ask, &body, what)).await?;
                let url = urls
                    .single()
                    .ok_or_else(|| rejected(what, "the service gave no upload address"))?;
                self.http.put_signed(url, cargo, what).await
            })
            .await?;
        let validate = self.path(&format!("datasets/{id}:validateUpload"));
        let nothing = json!({});
        match self
            .http
            .call::<serde::de::IgnoredAny>(post(&validate, &nothing, what))
            .await
        {
            Err(error) if !is_already_uploaded(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Downloads an output dataset, once, from fresh addresses; `None` where it is not there or empty.
    pub(super) async fn bring(
        &self,
        output: &str,
        target: FetchTarget<'_>,
        what: &str,
    ) -> Result<Option<Fetched>, ProviderError> {
        let path = self.path(&format!("datasets/{output}:getDownloadEndpoint"));
        let urls: Option<wire::SignedUrls> = absent_if_404(self.http.once(get(&path, what)).await)?;
        let Some((results, errors)) = urls.as_ref().and_then(wire::SignedUrls::results_and_errors)
        else {
            return Ok(None);
        };
        let fail = |error| ProviderError {
            source: Some(Box::new(error)),
            ..ProviderError::new(ProviderErrorKind::Local, what, "cannot write the download")
        };
        let mut answers = Landing::open(target.results).await.map_err(fail)?;
        let mut mistakes = Landing::open(target.errors).await.map_err(fail)?;
        for url in results {
            self.http
                .download(url, (&mut answers, Rows::Answers), what)
                .await?;
        }
        for url in errors {
            self.http
                .download(url, (&mut mistakes, Rows::Errors), what)
                .await?;
        }
        // Results last: where they are, the errors are too.
        let error_bytes = mistakes.settle().await.map_err(fail)?;
        let result_bytes = answers.settle().await.map_err(fail)?;
        Ok(Some(Fetched {
            result_bytes,
            error_bytes,
        }))
    }
}

/// A dataset of our name holds our bytes, for the name is a digest of them; a wrong count means it was made by others.
fn check_count(
    dataset: &wire::Dataset,
    submission: &Submission,
    what: &str,
) -> Result<(), ProviderError> {
    let (found, meant) = (dataset.example_count(), submission.rows);
    if found == meant {
        return Ok(());
    }
    let message = format!("a dataset of this name holds {found} examples, not {meant}");
    Err(rejected(what, &message))
}

/// A second upload is refused in words (batch-apis, 2.2); the first one counts.
fn is_already_uploaded(error: &ProviderError) -> bool {
    let message = error.message.to_ascii_lowercase();
    error.status == Some(400) && message.contains("already uploaded")
}
