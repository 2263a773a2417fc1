//! How Fireworks spells things: bodies, answers, states and names (`batch-apis.md`, sections 2.1 to 2.5).
//!
//! Answers are read leniently: fields may be absent, null, or numbers written as text, and words may be new.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::{JobCounts, JobState};
use crate::provider::{JobParams, Submission};

/// Longest `displayName` that is sent, in characters.
const LONGEST_LABEL: usize = 63;

/// A dataset as `GET datasets/{id}` gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Dataset {
    state: Option<String>,
    example_count: Option<Value>,
}

/// What a dataset can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatasetState {
    /// It waits for its file.
    Uploading,
    /// It can be used.
    Ready,
    /// Something else, or a new word.
    Other,
}

impl Dataset {
    pub(super) fn state(&self) -> DatasetState {
        match self.state_word().to_ascii_uppercase().as_str() {
            "READY" | "STATE_READY" => DatasetState::Ready,
            "UPLOADING" | "STATE_UPLOADING" => DatasetState::Uploading,
            _ => DatasetState::Other,
        }
    }

    pub(super) fn state_word(&self) -> &str {
        self.state.as_deref().unwrap_or("STATE_UNSPECIFIED")
    }

    /// The declared number of lines. Absent means zero in protobuf JSON.
    pub(super) fn example_count(&self) -> u64 {
        self.example_count.as_ref().map_or(0, count)
    }
}

/// A job as `GET batchInferenceJobs/{id}` gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Job {
    name: Option<String>,
    state: Option<String>,
    model: Option<String>,
    input_dataset_id: Option<String>,
    output_dataset_id: Option<String>,
    status: Option<Status>,
    #[serde(rename = "jobProgress")]
    progress: Option<Progress>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: Option<Value>,
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    #[serde(rename = "totalProcessedRequests")]
    processed: Option<Value>,
    #[serde(rename = "successfullyProcessedRequests")]
    succeeded: Option<Value>,
    #[serde(rename = "failedRequests")]
    failed: Option<Value>,
}

impl Job {
    /// Whether this is the job of that id, and not another one or an error in the clothes of a success.
    pub(super) fn is_named(&self, id: &str) -> bool {
        self.name.as_deref().is_some_and(|name| last(name) == id)
    }

    /// The state word without its prefix; empty where there is none.
    pub(super) fn state(&self) -> JobState {
        job_state(self.state.as_deref().unwrap_or_default())
    }

    /// Counts while it runs. What is not split into good and bad rows is taken as good.
    pub(super) fn counts(&self) -> JobCounts {
        let Some(progress) = &self.progress else {
            return JobCounts::default();
        };
        let number = |field: &Option<Value>| field.as_ref().map(count);
        let failed = number(&progress.failed).unwrap_or(0);
        let processed = number(&progress.processed).unwrap_or(0);
        let succeeded = number(&progress.succeeded)
            .unwrap_or(0)
            .max(processed.saturating_sub(failed));
        JobCounts { succeeded, failed }
    }

    /// What the service says went wrong, as it says it; empty while all is well.
    pub(super) fn message(&self) -> String {
        let Some(status) = &self.status else {
            return String::new();
        };
        let code = match &status.code {
            Some(Value::String(word)) => word.clone(),
            Some(Value::Number(number)) if number.as_u64() != Some(0) => number.to_string(),
            _ => String::new(),
        };
        let message = status.message.as_deref().unwrap_or_default();
        match (code.as_str(), message) {
            ("OK" | "", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        }
    }

    /// The bare id of its output, where it names one that can be an id.
    pub(super) fn output(&self) -> Option<&str> {
        self.output_dataset_id
            .as_deref()
            .map(last)
            .filter(|id| is_id(id))
    }

    /// How it differs from the job that was meant; `None` where it does not.
    ///
    /// A field that the service leaves out cannot differ: the id alone, a digest of work and bytes, says which job it is.
    pub(super) fn difference(&self, model: &str, input: &str) -> Option<String> {
        let other_model = self.model.as_deref().filter(|m| !is_same_model(m, model));
        let other_input = self
            .input_dataset_id
            .as_deref()
            .filter(|name| last(name) != input);
        match (other_model, other_input) {
            (Some(other), _) => Some(format!("its model is {other}, not {model}")),
            (None, Some(other)) => Some(format!("its input is {}, not {input}", last(other))),
            (None, None) => None,
        }
    }
}

/// An answer of `:getDownloadEndpoint`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SignedUrls {
    filename_to_signed_urls: Option<BTreeMap<String, String>>,
}

impl SignedUrls {
    /// The address for the one file that was asked for.
    pub(super) fn single(&self) -> Option<&str> {
        match self.filename_to_signed_urls.as_ref() {
            Some(urls) if urls.len() == 1 => urls.values().next().map(String::as_str),
            _ => None,
        }
    }

    /// The addresses of results and of errors, each in the order of their names.
    ///
    /// Files are told apart by their base names only; no local name is ever made of them. `None` where there are none.
    pub(super) fn results_and_errors(&self) -> Option<(Vec<&str>, Vec<&str>)> {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (name, url) in self.filename_to_signed_urls.iter().flatten() {
            let base = last(name).to_ascii_lowercase();
            let extension = base.rsplit_once('.').map(|(_, extension)| extension);
            if base.contains("error") {
                errors.push(url.as_str());
            } else if extension == Some("jsonl") {
                results.push(url.as_str());
            }
        }
        (!results.is_empty() || !errors.is_empty()).then_some((results, errors))
    }
}

/// The class of a job state, with or without its prefix, in any case (batch-apis, 2.4).
fn job_state(word: &str) -> JobState {
    let upper = word.to_ascii_uppercase();
    match upper.strip_prefix("JOB_STATE_").unwrap_or(&upper) {
        "" | "UNSPECIFIED" | "VALIDATING" | "CREATING_INPUT_DATASET" => JobState::Validating,
        "PENDING" | "CREATING" | "RE_QUEUEING" | "IDLE" | "PAUSED" => JobState::Queued,
        "RUNNING" => JobState::Running,
        "WRITING_RESULTS" => JobState::Finalizing,
        "COMPLETED" => JobState::Completed,
        "FAILED" => JobState::Failed,
        "EXPIRED" => JobState::Expired,
        "EARLY_STOPPED" => JobState::EarlyStopped,
        "CANCELLING" => JobState::Cancelling,
        "CANCELLED" | "DELETING" | "DELETING_CLEANING_UP" | "DELETED" | "ARCHIVED" => {
            JobState::Cancelled
        }
        _ => JobState::Unknown(word.chars().take(80).collect()),
    }
}

/// The body that makes a dataset for an upload: `userUploaded` and `exampleCount` are required.
pub(super) fn dataset_body(id: &str, submission: &Submission) -> Value {
    json!({
        "datasetId": id,
        "dataset": {
            "userUploaded": {},
            "exampleCount": submission.rows.to_string(),
            "displayName": label(&submission.label),
        },
    })
}

/// The body that makes a job. Stop sequences go into `extraBody`, a JSON object written as text.
pub(super) fn job_body(submission: &Submission, input: &str, output: &str) -> Value {
    let JobParams {
        model,
        temp,
        top_p,
        top_k,
        max_tokens,
        stop,
    } = &submission.params;
    let mut parameters = json!({
        "maxTokens": max_tokens,
        "temperature": temp.value(),
        "topP": top_p,
    });
    if let Some(top_k) = top_k {
        parameters["topK"] = json!(top_k);
    }
    if !stop.is_empty() {
        parameters["extraBody"] = json!(json!({ "stop": stop }).to_string());
    }
    json!({
        "model": model,
        "inputDatasetId": input,
        "outputDatasetId": output,
        "displayName": label(&submission.label),
        "inferenceParameters": parameters,
    })
}

/// The last segment of a resource name.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Whether a text from outside may stand in a path (guarantees, P19).
pub(super) fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.contains("..")
        && text != "."
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Two spellings of a model are one where one of them is the bare last segment of the other.
fn is_same_model(a: &str, b: &str) -> bool {
    a == b || (last(a) == last(b) && (!a.contains('/') || !b.contains('/')))
}

fn label(text: &str) -> String {
    crate::domain::text::shorten(&crate::domain::text::printable(text), LONGEST_LABEL)
}

/// A count written as number or text; 0 where it is neither or negative (guarantees, G26).
fn count(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_u64().unwrap_or(0),
        Value::String(text) => text.parse().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(value: Value) -> Job {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_state_has_its_class_with_and_without_prefix_in_any_case() {
        let table = [
            ("UNSPECIFIED", JobState::Validating),
            ("VALIDATING", JobState::Validating),
            ("CREATING_INPUT_DATASET", JobState::Validating),
            ("PENDING", JobState::Queued),
            ("CREATING", JobState::Queued),
            ("RE_QUEUEING", JobState::Queued),
            ("IDLE", JobState::Queued),
            ("PAUSED", JobState::Queued),
            ("RUNNING", JobState::Running),
            ("WRITING_RESULTS", JobState::Finalizing),
            ("COMPLETED", JobState::Completed),
            ("FAILED", JobState::Failed),
            ("EXPIRED", JobState::Expired),
            ("EARLY_STOPPED", JobState::EarlyStopped),
            ("CANCELLING", JobState::Cancelling),
            ("CANCELLED", JobState::Cancelled),
            ("DELETING", JobState::Cancelled),
            ("DELETING_CLEANING_UP", JobState::Cancelled),
            ("DELETED", JobState::Cancelled),
            ("ARCHIVED", JobState::Cancelled),
        ];
        for (word, state) in table {
            assert_eq!(job_state(word), state);
            assert_eq!(job_state(&word.to_lowercase()), state);
            assert_eq!(job_state(&format!("JOB_STATE_{word}")), state);
        }
        let new = job_state("JOB_STATE_Dreaming");
        assert_eq!(new, JobState::Unknown("JOB_STATE_Dreaming".to_owned()));
        assert!(!new.is_terminal());
        assert_eq!(job(json!({})).state(), JobState::Validating);
    }

    #[test]
    fn counts_come_as_null_numbers_or_text_and_are_never_negative() {
        let counts = |progress: Value| {
            let counts = job(json!({ "jobProgress": progress })).counts();
            (counts.succeeded, counts.failed)
        };
        assert_eq!(counts(Value::Null), (0, 0));
        assert_eq!(counts(json!({})), (0, 0));
        assert_eq!(
            counts(json!({"successfullyProcessedRequests": 479, "failedRequests": 1})),
            (479, 1)
        );
        assert_eq!(
            counts(json!({"totalProcessedRequests": "480", "failedRequests": "1"})),
            (479, 1)
        );
        assert_eq!(
            counts(json!({"totalProcessedRequests": -5, "failedRequests": "many"})),
            (0, 0)
        );
    }

    #[test]
    fn a_message_is_there_only_when_something_is_wrong() {
        let message = |status: Value| job(json!({ "status": status })).message();
        assert_eq!(message(Value::Null), "");
        assert_eq!(message(json!({"code": "OK", "message": ""})), "");
        assert_eq!(message(json!({"code": 0, "message": ""})), "");
        assert_eq!(
            message(json!({"code": "INVALID_ARGUMENT", "message": "line 3"})),
            "INVALID_ARGUMENT: line 3"
        );
        assert_eq!(
            message(json!({"code": "RESOURCE_EXHAUSTED"})),
            "RESOURCE_EXHAUSTED"
        );
    }

    #[test]
    fn a_job_is_the_one_meant_only_if_model_and_input_agree() {
        let found = job(json!({
            "model": "accounts/fireworks/models/m1",
            "inputDatasetId": "accounts/acme/datasets/evt-1-in",
        }));
        assert_eq!(
            found.difference("accounts/fireworks/models/m1", "evt-1-in"),
            None
        );
        assert_eq!(found.difference("m1", "evt-1-in"), None);
        assert!(found.difference("m2", "evt-1-in").is_some());
        assert!(
            found
                .difference("accounts/acme/models/m1", "evt-1-in")
                .is_some()
        );
        assert!(found.difference("m1", "evt-2-in").is_some());
        assert_eq!(Job::default().difference("m1", "evt-1-in"), None);
    }

    #[test]
    fn files_are_told_apart_by_base_name() {
        let urls: SignedUrls = serde_json::from_value(json!({"filenameToSignedUrls": {
            "dataset/errors-out/b.jsonl": "B", "dataset/errors-out/a.JSONL": "A",
            "dataset/x/error-data": "E", "dataset/x/errors.jsonl": "F", "dataset/x/readme.txt": "R",
        }}))
        .unwrap();
        assert_eq!(
            urls.results_and_errors(),
            Some((vec!["A", "B"], vec!["E", "F"]))
        );
        assert_eq!(SignedUrls::default().results_and_errors(), None);
    }

    #[test]
    fn remote_text_that_could_leave_a_path_is_no_id() {
        assert!(is_id("evt-0a-in") && is_id("bij_1.2"));
        for bad in [
            "", ".", "..", "a..b", "a/b", "a b", "ä", "a%2f", "a?b", "a:b",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
        assert!(!is_id(&"a".repeat(129)));
    }
}
