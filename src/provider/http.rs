//! The only door to the HTTP client: limits, repetition of what may be repeated, and one reading of every failure.
//!
//! The key goes to the configured origin only, over https unless that origin is loopback; no redirect is followed
//! (guarantees, G23). A call that creates something is sent once. Signed storage addresses get no credentials.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::backoff::{self, Schedule};
use super::failure::{Break, Censor, Effect};
use super::{ProviderError, ProviderErrorKind};
use crate::sys::Clock;
use crate::sys::random::Rng;
pub use call::{Call, Cargo, HttpSettings, Limits, Verb};

use client::client;
use storage::Storage;

mod address;
mod call;
mod client;
mod storage;

/// A longer wait is not slept here but reported, so that the engine can say so and stay stoppable.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of an error answer is read.
const ERROR_BYTES: u64 = 64 << 10;

/// The client of one service.
pub struct Http {
    base: Url,
    api: Client,
    storage: Storage,
    auth: HeaderValue,
    censor: Censor,
    limits: Limits,
    retry: Schedule,
    rng: Mutex<Rng>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

impl Http {
    /// Checks the address and the key, and makes the clients. Sends nothing.
    pub fn new(settings: HttpSettings) -> Result<Self, ProviderError> {
        let (base, reach) = address::base(&settings.base_url)?;
        let mut auth = HeaderValue::from_str(&format!(
            "Bearer {}",
            settings.api_key.expose_secret().trim()
        ))
        .map_err(|_cause| account("the key has characters that no key has"))?;
        if settings.api_key.expose_secret().trim().is_empty() {
            return Err(account("the key is empty"));
        }
        auth.set_sensitive(true);
        Ok(Self {
            api: client(reach, settings.limits)?,
            storage: Storage::new(reach),
            base,
            auth,
            censor: Censor::new(SecretString::from(settings.api_key.expose_secret().trim())),
            limits: settings.limits,
            retry: settings.retry,
            rng: Mutex::new(settings.rng),
            clock: settings.clock,
        })
    }

    /// A server's words without secrets and control characters, cut to 500 characters.
    pub fn clean(&self, words: &str) -> String {
        self.censor.clean(words)
    }

    /// Makes a call and reads its JSON answer. A repeatable one is repeated while its failure is transient.
    pub async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ProviderError> {
        match call.effect {
            Effect::Creates => self.once(call).await,
            Effect::Repeatable => self.repeat(|| self.once(call)).await,
        }
    }

    /// Makes a call once and reads its JSON answer; an empty one is read as `null`.
    pub async fn once<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ProviderError> {
        let bytes = self.send_call(call).await?;
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(bytes).map_err(|error| {
            let kind = call.effect.of_break(Break::Garbled);
            let cause = self.clean(&error.to_string());
            let message = format!("the answer is not the JSON that was expected: {cause}");
            ProviderError::new(kind, call.what, message)
        })
    }

    /// Uploads a file as the field `file` of a form, streamed from disk. Repeated while its failure is transient.
    pub async fn upload(
        &self,
        path: &str,
        cargo: Cargo<'_>,
        what: &str,
    ) -> Result<(), ProviderError> {
        self.repeat(|| self.upload_once(path, cargo, what)).await
    }

    /// Makes an attempt again while its failure is transient and the wait is one that can be slept through.
    pub async fn repeat<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        let mut repetitions = 0;
        loop {
            let error = match attempt().await {
                Err(error) if error.kind == ProviderErrorKind::Transient => error,
                other => return other,
            };
            let Some(wait) = self.wait(self.retry, repetitions) else {
                return Err(error);
            };
            let wait = wait.max(error.retry_after.unwrap_or_default());
            if wait > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            repetitions += 1;
        }
    }

    /// Waits before look number `n` (from 0); false where the schedule has ended.
    pub async fn pause(&self, schedule: Schedule, n: u32) -> bool {
        match self.wait(schedule, n) {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                true
            }
            None => false,
        }
    }

    fn wait(&self, schedule: Schedule, n: u32) -> Option<Duration> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        schedule.wait(n, &mut rng)
    }

    fn url(&self, path: &str) -> Result<Url, ProviderError> {
        let text = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|_cause| rejected(path, "the path cannot be part of an address"))
    }

    async fn send_call(&self, call: Call<'_>) -> Result<Bytes, ProviderError> {
        let mut url = self.url(call.path)?;
        if let Some((name, value)) = call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = match call.verb {
            Verb::Get => self.api.get(url),
            Verb::Post => self.api.post(url),
            Verb::Delete => self.api.delete(url),
        };
        let request = match call.body {
            Some(body) => request.json(body),
            None => request,
        };
        let request = request.timeout(self.limits.call);
        self.answer(request, call.effect, call.what).await
    }

    async fn upload_once(
        &self,
        path: &str,
        cargo: Cargo<'_>,
        what: &str,
    ) -> Result<(), ProviderError> {
        let part = Part::stream_with_length(open(cargo, what).await?, cargo.bytes)
            .file_name(cargo.name.to_owned());
        let request = self
            .api
            .post(self.url(path)?)
            .multipart(Form::new().part("file", part))
            .timeout(self.limits.transfer);
        self.answer(request, Effect::Repeatable, what).await?;
        Ok(())
    }

    /// Sends a call with the key and reads a successful answer whole.
    async fn answer(
        &self,
        request: RequestBuilder,
        effect: Effect,
        what: &str,
    ) -> Result<Bytes, ProviderError> {
        let request = request.header(header::AUTHORIZATION, self.auth.clone());
        let response = self.send(request, effect, what).await?;
        Self::check_encoding(&response, effect, what)?;
        let status = response.status().as_u16();
        if response.status().is_success() {
            let limit = self.limits.answer_bytes;
            let (bytes, is_whole) = self.read(response, limit, effect, what).await?;
            if is_whole {
                return Ok(bytes);
            }
            let message = format!("the answer is larger than {limit} bytes");
            return Err(ProviderError::new(
                effect.of_break(Break::Garbled),
                what,
                message,
            ));
        }
        let retry_after = self.retry_after(&response);
        // A failure to read the words of a failure does not hide the failure.
        let body = self.read(response, ERROR_BYTES, effect, what).await;
        let (bytes, _) = body.unwrap_or_default();
        let answer = serde_json::from_slice::<Value>(&bytes).ok();
        let words = answer.as_ref().and_then(message_in).map_or_else(
            || String::from_utf8_lossy(&bytes).into_owned(),
            str::to_owned,
        );
        let mut kind = effect.of_status(status, &words);
        // "Not found" is believed from the API only: a gateway's page must not make a job vanish.
        if status == 404 && effect == Effect::Repeatable && !answer.is_some_and(|a| a.is_object()) {
            kind = ProviderErrorKind::Garbled;
        }
        let mut error = ProviderError::new(kind, what, said(status, &self.clean(&words)));
        error.status = Some(status);
        error.retry_after = retry_after;
        Err(error)
    }

    async fn send(
        &self,
        request: RequestBuilder,
        effect: Effect,
        what: &str,
    ) -> Result<Response, ProviderError> {
        request
            .send()
            .await
            .map_err(|error| self.broken(error, effect, what))
    }

    /// Reads a body up to a limit; tells whether that was all.
    async fn read(
        &self,
        mut response: Response,
        limit: u64,
        effect: Effect,
        what: &str,
    ) -> Result<(Bytes, bool), ProviderError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.broken(error, effect, what))?
        {
            if (body.len() + chunk.len()) as u64 > limit {
                return Ok((body.into(), false));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body.into(), true))
    }

    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let text = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        // The server's own clock is the one its date was made with; ours may be off.
        let now = text(header::DATE)
            .and_then(backoff::http_date)
            .unwrap_or_else(|| self.clock.now());
        backoff::retry_after(text(header::RETRY_AFTER)?, now)
    }

    /// Refuses an answer that we did not ask to be packed: its size says nothing about the size of its content.
    fn check_encoding(
        response: &Response,
        effect: Effect,
        what: &str,
    ) -> Result<(), ProviderError> {
        match response.headers().get(header::CONTENT_ENCODING) {
            Some(encoding) if encoding != "identity" => Err(ProviderError::new(
                effect.of_break(Break::Garbled),
                what,
                "the answer is packed although plain bytes were asked for",
            )),
            _ => Ok(()),
        }
    }

    fn broken(&self, error: reqwest::Error, effect: Effect, what: &str) -> ProviderError {
        // The address may carry a signature.
        let error = error.without_url();
        let mut cause = error.source();
        while let Some(deeper) = cause.and_then(std::error::Error::source) {
            cause = Some(deeper);
        }
        let cause = self.clean(&cause.map_or_else(|| error.to_string(), ToString::to_string));
        let (kind, message) = if error.is_builder() {
            let message = format!("the request cannot be made: {cause}");
            (ProviderErrorKind::Rejected, message)
        } else if error.is_connect() {
            let message = format!("no connection: {cause}");
            (effect.of_break(Break::BeforeSend), message)
        } else if error.is_timeout() {
            let message = "no whole answer in time".to_owned();
            (effect.of_break(Break::AfterSend), message)
        } else {
            let message = format!("the connection broke: {cause}");
            (effect.of_break(Break::AfterSend), message)
        };
        ProviderError {
            source: Some(Box::new(error)),
            ..ProviderError::new(kind, what, message)
        }
    }
}

/// Opens a file to be sent, and checks that it is still the one that was meant.
async fn open(cargo: Cargo<'_>, what: &str) -> Result<reqwest::Body, ProviderError> {
    let fail = |error| {
        local(
            what,
            &format!("cannot read {}", cargo.file.display()),
            error,
        )
    };
    let file = tokio::fs::File::open(cargo.file).await.map_err(fail)?;
    let found = file.metadata().await.map_err(fail)?.len();
    if found == cargo.bytes {
        return Ok(file.into());
    }
    let message = format!(
        "{} has {found} bytes where {} were expected",
        cargo.file.display(),
        cargo.bytes
    );
    Err(ProviderError::new(ProviderErrorKind::Local, what, message))
}

/// The message in an error answer: `{"message"}`, `{"error": {"message"}}` or `{"error": ".."}` (batch-apis, 2.1).
fn message_in(answer: &Value) -> Option<&str> {
    let error = answer.get("error");
    answer
        .get("message")
        .or_else(|| error?.get("message"))
        .or(error)?
        .as_str()
}

fn said(status: u16, words: &str) -> String {
    match (status, words) {
        (300..=399, _) => format!("answered {status}, a redirect, which is not followed"),
        (_, "") => format!("answered {status}"),
        _ => format!("answered {status}: {words}"),
    }
}

fn account(message: &str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Account, "open provider", message)
}

fn rejected(what: &str, message: impl Into<String>) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Rejected, what, message)
}

fn local(what: &str, message: &str, error: std::io::Error) -> ProviderError {
    ProviderError {
        source: Some(Box::new(error)),
        ..ProviderError::new(ProviderErrorKind::Local, what, message)
    }
}

#[cfg(test)]
mod tests;
