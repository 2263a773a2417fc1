//! The adapter against a small stateful double of the service, and against one that misbehaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::domain::{SubmissionKey, Temperature};
use crate::provider::backoff::Schedule;
use crate::provider::mock_server::{MockServer, Reply, Request};
use crate::provider::{JobParams, ProviderErrorKind as Kind, contract};
use crate::sys::{Clock, FixedClock};

const KEY: &str = "fw_secret_0123456789";
const MODEL: &str = "accounts/fireworks/models/m1";

fn settings(base_url: &str) -> FireworksSettings {
    let quick = Schedule {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        waits: 3,
    };
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::new("2026-11-21T03:22:01Z".parse().unwrap()));
    let mut settings =
        FireworksSettings::new(base_url, "accounts/acme", SecretString::from(KEY), clock);
    settings.pace = Pace {
        retry: quick,
        ready: quick,
        output: quick,
    };
    settings
}

fn adapter(server: &MockServer) -> Fireworks {
    Fireworks::new(settings(server.address())).unwrap()
}

fn dataset(state: &str, count: &str) -> Reply {
    Reply::json(200, &json!({"state": state, "exampleCount": count}))
}

fn fine() -> Reply {
    Reply::text(200, "{}")
}

/// A folder with an input of two lines.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let room = Self { folder };
        let rows = "{\"custom_id\":\"a\",\"body\":{}}\n{\"custom_id\":\"b\",\"body\":{}}\n";
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(room.path("in.jsonl"), rows).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn submission(&self) -> Submission {
        let input = self.path("in.jsonl");
        Submission {
            key: SubmissionKey(Digest::of(b"one attempt")),
            bytes: std::fs::metadata(&input).unwrap().len(),
            input,
            rows: 2,
            params: JobParams {
                model: MODEL.to_owned(),
                temp: Temperature::new(0.7).unwrap(),
                top_p: 0.9,
                top_k: None,
                max_tokens: 64,
                stop: Vec::new(),
            },
            label: "r42 m1 t0_control_p01 attempt 1".to_owned(),
        }
    }

    /// Fetches into this folder; gives what it told, the results and the errors.
    async fn fetch(
        &self,
        adapter: &Fireworks,
        job: &str,
    ) -> Result<(Fetched, Option<String>, Option<String>), ProviderError> {
        let (results, errors) = (self.path("results"), self.path("errors"));
        let target = FetchTarget {
            results: &results,
            errors: &errors,
        };
        let told = adapter.fetch(&RemoteId(job.to_owned()), target).await?;
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        Ok((told, read(&results), read(&errors)))
    }
}

/// A double of the service: what it holds, by resource.
#[derive(Default)]
struct Double {
    address: String,
    datasets: BTreeMap<String, serde_json::Value>,
    files: BTreeMap<String, Vec<u8>>,
    jobs: BTreeMap<String, serde_json::Value>,
}

impl Double {
    fn serve(server: &MockServer) -> Arc<Mutex<Self>> {
        let double = Arc::new(Mutex::new(Self {
            address: server.address().to_owned(),
            ..Self::default()
        }));
        let shared = Arc::clone(&double);
        server.otherwise(move |request| shared.lock().unwrap().reply(request));
        double
    }

    fn reply(&mut self, request: &Request) -> Reply {
        let (verb, target) = request.line.split_once(' ').unwrap();
        if let Some(id) = target.strip_prefix("/storage/") {
            return self.storage(verb, id.split('?').next().unwrap(), request);
        }
        let rest = target.strip_prefix("/v1/accounts/acme/").unwrap();
        let (collection, id) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
        match (verb, collection, id.split_once(':')) {
            ("POST", "datasets", None) => self.make_dataset(&request.json()),
            ("GET", "datasets", None) => found(self.datasets.get(id)),
            ("POST", "datasets", Some((id, "upload"))) => {
                self.files.insert(id.to_owned(), request.body.clone());
                self.is_ready(id)
            }
            ("POST", "datasets", Some((id, "getUploadEndpoint"))) => {
                let url = self.url(
                    id,
                    "X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-content-length-range",
                );
                Reply::json(
                    200,
                    &json!({"filenameToSignedUrls": {format!("{id}.jsonl"): url}}),
                )
            }
            ("POST", "datasets", Some((id, "validateUpload"))) => self.is_ready(id),
            ("GET", "datasets", Some((id, "getDownloadEndpoint"))) => {
                assert!(request.body.is_empty(), "the real service refuses a body");
                if !self.files.contains_key(id) {
                    return found(None);
                }
                let urls = json!({
                    format!("dataset/{id}/BIJOutputSet.jsonl"): self.url(id, ""),
                    format!("dataset/{id}/error-data"): self.url("nothing", ""),
                });
                Reply::json(200, &json!({ "filenameToSignedUrls": urls }))
            }
            ("POST", "batchInferenceJobs", None) => {
                self.make_job(id.split_once('=').unwrap().1, request.json())
            }
            ("GET", "batchInferenceJobs", None) => self.look(id),
            ("DELETE", "batchInferenceJobs", None) => match self.jobs.remove(id) {
                Some(_) => Reply::json(200, &json!({})),
                None => found(None),
            },
            other => panic!("no such call: {other:?}"),
        }
    }

    fn url(&self, id: &str, query: &str) -> String {
        format!("{}/storage/{id}?{query}", self.address)
    }

    fn storage(&mut self, verb: &str, id: &str, request: &Request) -> Reply {
        assert_eq!(request.header("authorization"), None);
        if verb == "PUT" {
            self.files.insert(id.to_owned(), request.body.clone());
            return Reply::text(200, "");
        }
        let file = self.files.get(id).cloned().unwrap_or_default();
        Reply::Answer(200, Vec::new(), file)
    }

    fn make_dataset(&mut self, body: &serde_json::Value) -> Reply {
        let id = body["datasetId"].as_str().unwrap().to_owned();
        assert_eq!(body["dataset"]["userUploaded"], json!({}));
        if self.datasets.contains_key(&id) {
            return Reply::json(409, &json!({"code": 6, "message": "ALREADY_EXISTS"}));
        }
        let dataset = json!({
            "name": format!("accounts/acme/datasets/{id}"), "state": "UPLOADING",
            "exampleCount": body["dataset"]["exampleCount"],
        });
        self.datasets.insert(id, dataset.clone());
        Reply::json(200, &dataset)
    }

    fn is_ready(&mut self, id: &str) -> Reply {
        self.datasets.get_mut(id).unwrap()["state"] = json!("READY");
        Reply::json(200, &json!({}))
    }

    fn make_job(&mut self, id: &str, mut body: serde_json::Value) -> Reply {
        if self.jobs.contains_key(id) {
            return Reply::json(409, &json!({"code": 6, "message": "ALREADY_EXISTS"}));
        }
        body["name"] = json!(format!("accounts/acme/batchInferenceJobs/{id}"));
        body["state"] = json!("JOB_STATE_VALIDATING");
        body["jobProgress"] = serde_json::Value::Null;
        self.jobs.insert(id.to_owned(), body.clone());
        Reply::json(200, &body)
    }

    /// Each look brings a job one state further.
    fn look(&mut self, id: &str) -> Reply {
        let Some(job) = self.jobs.get_mut(id) else {
            return found(None);
        };
        let next = match job["state"].as_str().unwrap() {
            "JOB_STATE_VALIDATING" => "JOB_STATE_RUNNING",
            _ => "JOB_STATE_COMPLETED",
        };
        job["state"] = json!(next);
        if next == "JOB_STATE_COMPLETED" {
            let rows =
                "{\"custom_id\":\"b\",\"response\":{}}\n{\"custom_id\":\"a\",\"response\":{}}";
            self.files
                .insert(format!("{id}-out"), rows.as_bytes().to_vec());
        }
        Reply::json(200, &job.clone())
    }
}

fn found(resource: Option<&serde_json::Value>) -> Reply {
    match resource {
        Some(value) => Reply::json(200, value),
        None => Reply::json(
            404,
            &json!({"code": 5, "message": "resource not found", "details": []}),
        ),
    }
}

fn job(id: &str, state: &str) -> serde_json::Value {
    json!({
        "name": format!("accounts/acme/batchInferenceJobs/{id}"), "state": state,
        "model": MODEL, "status": {"code": "OK", "message": ""},
        "outputDatasetId": format!("accounts/acme/datasets/{id}-out"),
    })
}

fn listing(files: &[(&str, String)]) -> Reply {
    let urls: BTreeMap<_, _> = files.iter().cloned().collect();
    Reply::json(200, &json!({ "filenameToSignedUrls": urls }))
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    let (server, room) = (MockServer::start().await, Room::new());
    let double = Double::serve(&server);
    let (adapter, submission) = (adapter(&server), room.submission());
    let pace = (10, Duration::from_millis(1));
    contract::check(&adapter, &submission, room.folder.path(), pace)
        .await
        .unwrap();
    let double = double.lock().unwrap();
    assert_eq!(double.jobs.len(), 1);
    assert_eq!(double.datasets.len(), 1);
    let creates = |line: &&String| line.starts_with("POST /v1/accounts/acme/datasets:");
    assert_eq!(server.lines().iter().filter(creates).count(), 0);
    let uploads = server
        .lines()
        .iter()
        .filter(|l| l.ends_with(":upload"))
        .count();
    assert_eq!(uploads, 1, "a ready dataset is reused");
}

#[tokio::test]
async fn a_large_input_goes_through_a_signed_address_and_keeps_the_contract() {
    let (server, room) = (MockServer::start().await, Room::new());
    let double = Double::serve(&server);
    let mut settings = settings(server.address());
    settings.form_bytes = 10;
    let adapter = Fireworks::new(settings).unwrap();
    let submission = room.submission();
    let pace = (10, Duration::from_millis(1));
    contract::check(&adapter, &submission, room.folder.path(), pace)
        .await
        .unwrap();
    let sent = double.lock().unwrap().files[&input_id(&submission)].clone();
    assert_eq!(sent, std::fs::read(&submission.input).unwrap());
    assert!(
        server
            .lines()
            .iter()
            .any(|l| l.ends_with(":validateUpload"))
    );
}

#[tokio::test]
async fn a_create_says_what_is_wanted_in_the_services_words() {
    let (server, room) = (MockServer::start().await, Room::new());
    let double = Double::serve(&server);
    let adapter = adapter(&server);
    let mut submission = room.submission();
    submission.params.stop = vec!["\n".to_owned(), "END".to_owned()];
    submission.params.top_k = Some(40);
    submission.label = "long ".repeat(40);
    let name = submission.key.remote_name();
    let input = RemoteId(input_id(&submission));
    let look = adapter.create(&submission, &input).await.unwrap();
    assert_eq!(look.job.0, name);
    assert_eq!(look.state, JobState::Validating);
    assert_eq!(look.output, Some(RemoteId(output_id(&name))));
    let line = server.lines().remove(0);
    assert_eq!(
        line,
        format!("POST /v1/accounts/acme/batchInferenceJobs?batchInferenceJobId={name}")
    );
    let sent = double.lock().unwrap().jobs[&name].clone();
    assert_eq!(sent["model"], MODEL);
    assert_eq!(
        sent["inputDatasetId"],
        format!("accounts/acme/datasets/{name}-in")
    );
    assert_eq!(
        sent["outputDatasetId"],
        format!("accounts/acme/datasets/{name}-out")
    );
    assert_eq!(sent["displayName"].as_str().unwrap().chars().count(), 63);
    let extra = "{\"stop\":[\"\\n\",\"END\"]}";
    assert_eq!(
        sent["inferenceParameters"],
        json!({"maxTokens": 64, "temperature": 0.7, "topP": 0.9, "topK": 40, "extraBody": extra})
    );
    assert!(name.len() + "-out".len() <= 63);

    let plain = wire::job_body(&room.submission(), "i", "o");
    assert_eq!(
        plain["inferenceParameters"],
        json!({"maxTokens": 64, "temperature": 0.7, "topP": 0.9})
    );
}

#[tokio::test]
async fn a_create_in_doubt_is_reported_once_and_then_found_or_not() {
    for (is_accepted, reply) in [
        (true, Reply::Reset),
        (true, Reply::text(502, "")),
        (false, Reply::Reset),
    ] {
        let (server, room) = (MockServer::start().await, Room::new());
        let double = Double::serve(&server);
        let (adapter, submission) = (adapter(&server), room.submission());
        let shared = Arc::clone(&double);
        server.push_fn(move |request| {
            if is_accepted {
                shared.lock().unwrap().reply(request);
            }
            reply.clone()
        });
        let input = RemoteId(input_id(&submission));
        let error = adapter.create(&submission, &input).await.unwrap_err();
        assert_eq!(error.kind, Kind::Uncertain);
        assert!(!error.is_retryable());
        assert_eq!(server.seen().len(), 1);
        let found = adapter.find(&submission, None).await.unwrap();
        match found {
            Found::Job(look) if is_accepted => assert_eq!(look.job.0, submission.key.remote_name()),
            Found::Nothing if !is_accepted => {}
            other @ (Found::Job(_) | Found::Nothing | Found::CannotTell(_)) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_taken_name_is_adopted_only_if_it_is_the_same_work() {
    let (server, room) = (MockServer::start().await, Room::new());
    let double = Double::serve(&server);
    let (adapter, submission) = (adapter(&server), room.submission());
    let input = RemoteId(input_id(&submission));
    adapter.create(&submission, &input).await.unwrap();
    adapter.create(&submission, &input).await.unwrap();

    let mut other = room.submission();
    other.params.model = "accounts/fireworks/models/m2".to_owned();
    for result in [
        adapter.create(&other, &input).await.map(|_| ()),
        adapter.find(&other, Some(&input)).await.map(|_| ()),
        adapter
            .find(&submission, Some(&RemoteId("evt-other-in".to_owned())))
            .await
            .map(|_| ()),
    ] {
        assert_eq!(result.unwrap_err().kind, Kind::Rejected);
    }
    assert_eq!(double.lock().unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn a_conflict_without_a_job_is_not_a_job() {
    let (server, room) = (MockServer::start().await, Room::new());
    let (adapter, submission) = (adapter(&server), room.submission());
    let taken = json!({"code": 6, "message": "output dataset already exists"});
    let input = RemoteId(input_id(&submission));
    server.push(Reply::json(409, &taken));
    server.push(found(None));
    let error = adapter.create(&submission, &input).await.unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Rejected, Some(409)));
    // The name is taken, and by what cannot be learned: the job may be ours.
    server.push(Reply::json(409, &taken));
    server.otherwise(|_| Reply::text(503, ""));
    let error = adapter.create(&submission, &input).await.unwrap_err();
    assert_eq!(error.kind, Kind::Uncertain);
}

#[tokio::test]
async fn a_job_under_another_name_is_refused() {
    let (server, room) = (MockServer::start().await, Room::new());
    server.push(Reply::json(200, &job("bij-1", "JOB_STATE_PENDING")));
    let input = RemoteId("evt-1-in".to_owned());
    let error = adapter(&server)
        .create(&room.submission(), &input)
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Rejected);
}

#[tokio::test]
async fn a_gateways_page_makes_no_job_vanish() {
    let (server, room) = (MockServer::start().await, Room::new());
    server.otherwise(|_| Reply::text(404, "<html>no such host</html>"));
    let adapter = adapter(&server);
    let found = adapter.find(&room.submission(), None).await.unwrap();
    assert!(matches!(found, Found::CannotTell(_)), "{found:?}");
    let error = adapter
        .poll(&RemoteId("evt-1".to_owned()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Garbled);
}

#[tokio::test]
async fn a_look_reads_state_counts_and_message() {
    let server = MockServer::start().await;
    let adapter = adapter(&server);
    let id = RemoteId("accounts/acme/batchInferenceJobs/evt-1".to_owned());
    let mut failed = job("evt-1", "failed");
    failed["status"] =
        json!({"code": "INVALID_ARGUMENT", "message": format!("bad \u{1b}[2J key {KEY}")});
    failed["jobProgress"] = json!({"successfullyProcessedRequests": "3", "failedRequests": 1});
    server.push(Reply::json(200, &failed));
    let look = adapter.poll(&id).await.unwrap();
    assert_eq!(look.job.0, "evt-1");
    assert_eq!(look.state, JobState::Failed);
    assert_eq!((look.counts.succeeded, look.counts.failed), (3, 1));
    assert_eq!(look.message, "INVALID_ARGUMENT: bad <U+001B>[2J key <key>");

    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_DAYDREAMING")));
    let look = adapter.poll(&id).await.unwrap();
    assert_eq!(
        look.state,
        JobState::Unknown("JOB_STATE_DAYDREAMING".to_owned())
    );
    server.push(found(None));
    assert_eq!(adapter.poll(&id).await.unwrap().state, JobState::Vanished);

    let error_object = json!({"error": {"message": "not now"}});
    for garbage in [
        Reply::json(200, &error_object),
        Reply::json(200, &job("evt-2", "FAILED")),
        Reply::text(200, "{\"state\": 7"),
        Reply::text(200, "[]"),
        Reply::text(200, ""),
    ] {
        server.push(garbage);
        assert_eq!(adapter.poll(&id).await.unwrap_err().kind, Kind::Garbled);
    }
}

#[tokio::test]
async fn no_path_is_made_of_a_name_that_could_leave_it() {
    let server = MockServer::start().await;
    let adapter = adapter(&server);
    for bad in [
        "",
        "..",
        "a b",
        "evt-1?x=y",
        "evt-1:cancel",
        "x/..",
        "accounts/other/batchInferenceJobs/evt-1",
    ] {
        let id = RemoteId(bad.to_owned());
        assert_eq!(adapter.poll(&id).await.unwrap_err().kind, Kind::Rejected);
        assert_eq!(adapter.cancel(&id).await.unwrap_err().kind, Kind::Rejected);
    }
    assert!(server.seen().is_empty());
}

/// What the service says in turn, from different beginnings.
fn stories_of_an_upload() -> [(&'static str, Vec<Reply>); 6] {
    let missing = || found(None);
    let taken = || Reply::json(409, &json!({"code": 6, "message": "ALREADY_EXISTS"}));
    let again = || {
        Reply::json(
            400,
            &json!({"code": 3, "message": "dataset Already Uploaded"}),
        )
    };
    let uploading = || dataset("UPLOADING", "2");
    let other = || dataset("STATE_UNSPECIFIED", "2");
    let ready = || dataset("READY", "2");
    [
        ("new", vec![missing(), fine(), uploading(), fine(), ready()]),
        (
            "lost answer",
            vec![missing(), taken(), uploading(), fine(), ready()],
        ),
        ("half sent", vec![uploading(), fine(), ready()]),
        (
            "sent before",
            vec![uploading(), again(), uploading(), ready()],
        ),
        ("slow", vec![missing(), fine(), missing(), other(), ready()]),
        ("there", vec![ready()]),
    ]
}

#[tokio::test]
async fn an_upload_goes_on_from_wherever_it_was() {
    let room = Room::new();
    let submission = room.submission();
    for (story, replies) in stories_of_an_upload() {
        let server = MockServer::start().await;
        let calls = replies.len();
        for reply in replies {
            server.push(reply);
        }
        let input = adapter(&server).upload(&submission).await.unwrap();
        assert_eq!(input.0, format!("{}-in", submission.key.remote_name()));
        assert_eq!(server.seen().len(), calls, "{story}");
    }
}

#[tokio::test]
async fn an_upload_ends_with_a_foreign_dataset_and_with_one_that_never_gets_ready() {
    let (server, room) = (MockServer::start().await, Room::new());
    let (adapter, submission) = (adapter(&server), room.submission());
    server.push(dataset("READY", "7"));
    let error = adapter.upload(&submission).await.unwrap_err();
    assert_eq!(error.kind, Kind::Rejected);
    assert!(
        error.message.contains('7') && error.message.contains('2'),
        "{error}"
    );

    server.push(dataset("UPLOADING", "2"));
    server.push(fine());
    server.otherwise(move |_| dataset("UPLOADING", "2"));
    let error = adapter.upload(&submission).await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient, "the wait is bounded");
}

#[tokio::test]
async fn shards_are_joined_and_an_expired_address_is_asked_for_again() {
    let (server, room) = (MockServer::start().await, Room::new());
    let at = |name: &str| format!("{}/{name}", server.address());
    let files = |stamp: &str| {
        listing(&[
            ("dataset/o/../../b.jsonl", at(&format!("b{stamp}"))),
            ("dataset/o/a.jsonl", at(&format!("a{stamp}"))),
            ("dataset/o/error-data", at(&format!("e{stamp}"))),
        ])
    };
    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_EXPIRED")));
    server.push(files("1"));
    server.push(Reply::text(200, "{\"a\":1}"));
    server.push(Reply::text(403, "<Error>ExpiredToken</Error>"));
    server.push(files("2"));
    // Names are taken in their order, whatever they look like.
    server.push(Reply::text(200, "{\"b\":1}"));
    server.push(Reply::text(200, "{\"a\":1}\n"));
    server.push(Reply::text(200, "{\"custom_id\":\"x\",\"error\":{}}\n"));
    let (told, results, errors) = room.fetch(&adapter(&server), "evt-1").await.unwrap();
    assert_eq!(results.unwrap(), "{\"b\":1}\n{\"a\":1}\n");
    assert_eq!(errors.unwrap(), "{\"custom_id\":\"x\",\"error\":{}}\n");
    assert_eq!((told.result_bytes, told.error_bytes), (16, 29));
    let lines = server.lines();
    assert_eq!(lines.len(), 8);
    let stored: Vec<_> = server
        .seen()
        .into_iter()
        .filter(|r| !r.line.contains("/v1/"))
        .collect();
    assert_eq!(stored.len(), 5);
    assert!(stored.iter().all(|r| r.header("authorization").is_none()));
    let names: Vec<_> = std::fs::read_dir(room.folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 3, "input, results and errors only: {names:?}");
}

#[tokio::test]
async fn a_cut_download_is_fetched_again_and_the_old_file_stays_until_then() {
    let (server, room) = (MockServer::start().await, Room::new());
    tokio::fs::write(room.path("results"), "old\n")
        .await
        .unwrap();
    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_COMPLETED")));
    let url = format!("{}/file", server.address());
    server.otherwise(move |request| match request.line.as_str() {
        "GET /file" => {
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"a\":1}\n".to_vec())
        }
        _ => listing(&[("dataset/o/BIJOutputSet.jsonl", url.clone())]),
    });
    let adapter = adapter(&server);
    let error = room.fetch(&adapter, "evt-1").await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient);
    let downloads = server.lines().iter().filter(|l| *l == "GET /file").count();
    assert_eq!(downloads, 4, "one attempt and three repetitions");
    assert_eq!(std::fs::read(room.path("results")).unwrap(), b"old\n");
    assert!(!room.path("results.partial").exists());
}

#[tokio::test]
async fn completed_without_output_is_waited_for_and_failed_is_not() {
    let (server, room) = (MockServer::start().await, Room::new());
    let adapter = adapter(&server);
    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_COMPLETED")));
    server.push(found(None));
    server.push(listing(&[]));
    server.push(listing(&[(
        "BIJOutputSet.jsonl",
        format!("{}/r", server.address()),
    )]));
    server.push(Reply::text(200, "{}\n"));
    let (told, results, errors) = room.fetch(&adapter, "evt-1").await.unwrap();
    assert_eq!((told.result_bytes, told.error_bytes), (3, 0));
    assert_eq!((results.as_deref(), errors), (Some("{}\n"), None));

    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_COMPLETED")));
    server.otherwise(|_| found(None));
    let error = room.fetch(&adapter, "evt-1").await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient);
    assert!(error.message.contains("not there yet"), "{error}");

    let before = server.seen().len();
    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_FAILED")));
    let (told, ..) = room.fetch(&adapter, "evt-1").await.unwrap();
    assert_eq!(told, Fetched::default());
    assert_eq!(
        server.seen().len() - before,
        2,
        "asked once, not waited for"
    );

    server.push(Reply::json(200, &job("evt-1", "JOB_STATE_RUNNING")));
    let error = room.fetch(&adapter, "evt-1").await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient);
}

#[tokio::test]
async fn a_job_is_ended_by_deleting_it() {
    let server = MockServer::start().await;
    server.push(Reply::text(200, "{}"));
    server.push(found(None));
    let adapter = adapter(&server);
    let id = RemoteId("evt-1".to_owned());
    adapter.cancel(&id).await.unwrap();
    adapter.cancel(&id).await.unwrap();
    let line = "DELETE /v1/accounts/acme/batchInferenceJobs/evt-1";
    assert_eq!(server.lines(), [line, line]);
}

#[test]
fn accounts_that_cannot_be_one_are_refused_with_the_reason() {
    let with = |account: &str| {
        let mut settings = settings("http://127.0.0.1:1");
        account.clone_into(&mut settings.account_id);
        Fireworks::new(settings)
    };
    assert_eq!(with("accounts/acme").unwrap().account, "acme");
    assert_eq!(with(" acme-2 ").unwrap().account, "acme-2");
    for (bad, reason) in [
        ("me@example.org", "e-mail"),
        ("accounts/fireworks", "vendor"),
        ("", "slug"),
        ("a/b", "slug"),
        ("..", "slug"),
    ] {
        let error = with(bad).unwrap_err();
        assert_eq!(error.kind, Kind::Account);
        assert!(error.message.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn the_key_is_in_no_debug_text() {
    let settings = settings("http://127.0.0.1:1");
    assert!(!format!("{settings:?}").contains("fw_secret"));
    assert!(!format!("{:?}", Fireworks::new(settings).unwrap()).contains("fw_secret"));
}
