//! The server seen from outside: requests into the router, answers out, a clock that is moved by hand.

mod answers;
mod control_plane;
mod jobs;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use super::server::Site;
use super::*;
use crate::sys::FixedClock;

const KEY: &str = "sim-test-key";
const ROOT: &str = "/v1/accounts/sim";
const MODEL: &str = "accounts/fireworks/models/m1";

/// A server without a socket, its folder and its clock.
struct Bench {
    folder: TempDir,
    clock: Arc<FixedClock>,
    router: Router,
    config: SimConfig,
}

fn oracle(items: &Path) -> Answers {
    Answers::Oracle(OracleSettings {
        items: vec![items.to_owned()],
        accuracy: Accuracy {
            control: 0.6,
            treatment: 0.7,
        },
        accuracy_by_model: std::collections::BTreeMap::default(),
        abstain_when_wrong: 0.2,
    })
}

impl Bench {
    /// A server whose oracle knows `count` closed items named 0, 1, 2, ...
    fn new(count: usize) -> Self {
        Self::with(count, |_, _| {})
    }

    fn with(count: usize, change: impl FnOnce(&mut SimConfig, &Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let items = folder.path().join("closed_book.jsonl");
        let lines: Vec<String> = (0..count)
            .map(|n| {
                let item = json!({
                    "dataset": "facts", "id": n.to_string(), "question": format!("What is {n}?"),
                    "answers": [format!("thing number {n}")],
                });
                item.to_string()
            })
            .collect();
        write(&items, &lines.join("\n"));
        let clock = Arc::new(FixedClock::new(
            "2026-11-21T03:00:00Z".parse::<Timestamp>().expect("a time"),
        ));
        let mut config = SimConfig {
            state_dir: folder.path().join("state"),
            seconds_per_job: 100.0,
            answers: oracle(&items),
            seed: 7,
            row_error_rate: 0.0,
            api_key: Some(KEY.to_owned().into()),
            listen: "127.0.0.1:0".parse().expect("an address"),
            clock: Arc::clone(&clock) as Arc<dyn crate::sys::Clock>,
        };
        change(&mut config, folder.path());
        let router = open(&config);
        Self {
            folder,
            clock,
            router,
            config,
        }
    }

    /// The same folder under a new server.
    fn restart(&mut self) {
        self.router = open(&self.config);
    }

    fn pass(&self, seconds: f64) {
        self.clock.advance(SignedDuration::from_secs_f64(seconds));
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        (status, body.to_vec())
    }

    /// A call of the control plane below the account.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_at(method, &format!("{ROOT}/{path}"), body).await
    }

    async fn call_at(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {KEY}"))
            .body(body)
            .expect("a request");
        let (status, body) = self.send(request).await;
        (
            status.as_u16(),
            serde_json::from_slice(&body).unwrap_or(Value::Null),
        )
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn create_dataset(&self, id: &str, rows: usize) -> (u16, Value) {
        let dataset =
            json!({"userUploaded": {}, "exampleCount": rows.to_string(), "displayName": "d"});
        self.post("datasets", json!({"datasetId": id, "dataset": dataset}))
            .await
    }

    async fn upload(&self, id: &str, content: &str) -> (u16, Value) {
        let request = multipart(&format!("{ROOT}/datasets/{id}:upload"), content);
        let (status, body) = self.send(request).await;
        (
            status.as_u16(),
            serde_json::from_slice(&body).unwrap_or(Value::Null),
        )
    }

    /// A READY dataset.
    async fn input(&self, id: &str, content: &str) {
        assert_eq!(
            self.create_dataset(id, content.lines().count()).await.0,
            200
        );
        assert_eq!(self.upload(id, content).await.0, 200);
    }

    async fn create_job(&self, id: &str, input: &str, output: &str) -> (u16, Value) {
        let body = json!({"model": MODEL, "inputDatasetId": input, "outputDatasetId": output, "displayName": id});
        self.post(
            &format!("batchInferenceJobs?batchInferenceJobId={id}"),
            body,
        )
        .await
    }

    async fn state(&self, job: &str) -> String {
        let (status, look) = self.get(&format!("batchInferenceJobs/{job}")).await;
        assert_eq!(status, 200, "{look}");
        look["state"].as_str().unwrap_or_default().to_owned()
    }

    /// A job over `content` from creation to its two files.
    async fn run(&self, name: &str, content: &str) -> (String, String) {
        let (input, output) = (format!("{name}-in"), format!("{name}-out"));
        self.input(&input, content).await;
        let (status, answer) = self.create_job(name, &input, &output).await;
        assert_eq!(status, 200, "{answer}");
        self.pass(101.0);
        assert_eq!(self.state(name).await, "JOB_STATE_COMPLETED");
        self.download(&output).await
    }

    async fn download(&self, output: &str) -> (String, String) {
        let (status, urls) = self
            .get(&format!("datasets/{output}:getDownloadEndpoint"))
            .await;
        assert_eq!(status, 200, "{urls}");
        let urls = &urls["filenameToSignedUrls"];
        let mut texts = Vec::new();
        for file in ["BIJOutputSet.jsonl", "error-data"] {
            let url = urls[format!("dataset/{output}/{file}")]
                .as_str()
                .expect("a url");
            let (status, body) = self
                .send(
                    signed(Method::GET, url)
                        .body(Body::empty())
                        .expect("a request"),
                )
                .await;
            assert_eq!(status, StatusCode::OK);
            texts.push(String::from_utf8(body).expect("text"));
        }
        let errors = texts.pop().unwrap_or_default();
        (texts.pop().unwrap_or_default(), errors)
    }

    fn accepted(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("state/accepted.jsonl"));
        text.unwrap_or_default()
            .lines()
            .map(|l| serde_json::from_str(l).expect("a record"))
            .collect()
    }
}

fn open(config: &SimConfig) -> Router {
    let key = config.api_key.clone().expect("a key");
    Site::open(config.clone(), &key, "http://127.0.0.1:1".to_owned())
        .expect("a site")
        .router()
}

fn write(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

fn multipart(path: &str, content: &str) -> Request<Body> {
    let body = format!(
        "--xyz\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--xyz\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"p1.jsonl\"\r\n\
         content-type: application/octet-stream\r\n\r\n{content}\r\n--xyz--\r\n"
    );
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "multipart/form-data; boundary=xyz")
        .body(Body::from(body))
        .expect("a request")
}

fn signed(method: Method, url: &str) -> axum::http::request::Builder {
    let uri: Uri = url.parse().expect("a url");
    let path = uri.path_and_query().expect("a path").as_str().to_owned();
    Request::builder().method(method).uri(path)
}

/// An input of one row for each of `count` items.
fn rows(condition: &str, temp: &str, count: usize) -> String {
    (0..count)
        .map(|n| row(&format!("facts|{n}|{condition}|{temp}|0|closed")))
        .collect()
}

fn row(custom_id: &str) -> String {
    let messages = json!([
        {"role": "system", "content": "You answer."}, {"role": "user", "content": "What is it?"},
    ]);
    format!(
        "{}\n",
        json!({"custom_id": custom_id, "body": {"messages": messages}})
    )
}

fn ids(text: &str) -> Vec<String> {
    text.lines()
        .map(|l| serde_json::from_str::<Value>(l).expect("json")["custom_id"].to_string())
        .collect()
}
