use serde_json::json;

use super::*;
use crate::provider::ProviderErrorKind as Kind;
use crate::provider::landing::{Landing, Rows};
use crate::provider::mock_server::{MockServer, Reply};
use crate::sys::{FixedClock, random};

const KEY: &str = "fw_secret_0123456789";

fn quick(waits: u32) -> Schedule {
    Schedule {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        waits,
    }
}

fn settings(base_url: &str) -> HttpSettings {
    HttpSettings {
        base_url: base_url.to_owned(),
        api_key: SecretString::from(KEY),
        limits: Limits {
            call: Duration::from_millis(1500),
            transfer: Duration::from_millis(1500),
            idle: Duration::from_secs(1),
            answer_bytes: 2000,
            file_bytes: 2000,
        },
        retry: quick(2),
        rng: random::rng([1; 32]),
        clock: Arc::new(FixedClock::new("2026-11-21T03:22:01Z".parse().unwrap())),
    }
}

fn http(server: &MockServer) -> Http {
    Http::new(settings(server.address())).unwrap()
}

fn call(effect: Effect) -> Call<'static> {
    Call {
        verb: match effect {
            Effect::Repeatable => Verb::Get,
            Effect::Creates => Verb::Post,
        },
        path: "v1/things",
        query: None,
        body: None,
        effect,
        what: "try it",
    }
}

async fn outcome(http: &Http, effect: Effect) -> Result<Value, ProviderError> {
    http.call(call(effect)).await
}

fn redirect(to: &str) -> Reply {
    Reply::text(307, "").with("location", to)
}

#[tokio::test]
async fn a_create_is_sent_once_whatever_happens_to_it() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"name\"".to_vec();
    let table = [
        (Reply::Reset, Kind::Uncertain),
        (Reply::Raw(Vec::new()), Kind::Uncertain),
        (Reply::Raw(cut), Kind::Uncertain),
        (Reply::text(500, "boom"), Kind::Uncertain),
        (Reply::text(503, ""), Kind::Uncertain),
        (Reply::text(408, ""), Kind::Uncertain),
        (Reply::text(520, ""), Kind::Uncertain),
        (redirect("http://127.0.0.1:1/"), Kind::Uncertain),
        (
            Reply::text(200, "<html>captive portal</html>"),
            Kind::Uncertain,
        ),
        (Reply::text(200, &"x".repeat(5000)), Kind::Uncertain),
        (Reply::text(429, ""), Kind::Transient),
        (Reply::text(529, ""), Kind::Transient),
        (
            Reply::text(429, "quota x-job-submission-count"),
            Kind::QueueFull,
        ),
        (Reply::text(400, "bad"), Kind::Rejected),
        (Reply::text(404, ""), Kind::Rejected),
        (Reply::text(409, ""), Kind::Rejected),
        (Reply::text(401, ""), Kind::Account),
        (Reply::text(403, ""), Kind::Account),
    ];
    for (reply, kind) in table {
        let server = MockServer::start().await;
        server.push(reply.clone());
        let error = outcome(&http(&server), Effect::Creates).await.unwrap_err();
        assert_eq!(error.kind, kind, "{reply:?} gave {error}");
        assert_eq!(server.seen().len(), 1, "{reply:?} was repeated");
    }
}

#[tokio::test]
async fn silence_is_uncertain_for_a_create_and_bounded_in_time() {
    let server = MockServer::start().await;
    server.push(Reply::Hang);
    let mut settings = settings(server.address());
    settings.limits.call = Duration::from_millis(80);
    let error = outcome(&Http::new(settings).unwrap(), Effect::Creates)
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Uncertain);
    assert_eq!(error.message, "no whole answer in time");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_dripping_answer_is_bounded_in_time() {
    let server = MockServer::start().await;
    let drip = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{}",
        " ".repeat(900)
    );
    server.push(Reply::Drip(drip.into_bytes(), Duration::from_millis(5)));
    let mut settings = settings(server.address());
    settings.limits.call = Duration::from_millis(200);
    settings.retry = quick(0);
    let error = outcome(&Http::new(settings).unwrap(), Effect::Repeatable)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (Kind::Transient, "no whole answer in time")
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_had_no_effect() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = outcome(&Http::new(settings(&address)).unwrap(), Effect::Creates)
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Transient);
    assert!(error.message.starts_with("no connection: "), "{error}");
    assert!(error.source.is_some());
}

#[tokio::test]
async fn a_failed_handshake_had_no_effect() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 plain text\r\n\r\n").ok();
    });
    let error = outcome(&Http::new(settings(&address)).unwrap(), Effect::Creates)
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Transient, "{error:?}");
    server.join().unwrap();
}

#[tokio::test]
async fn a_look_is_repeated_until_it_succeeds_or_the_schedule_ends() {
    let server = MockServer::start().await;
    server.push(Reply::Reset);
    server.push(Reply::text(503, ""));
    server.push(Reply::json(200, &json!({"fine": true})));
    let http = http(&server);
    assert_eq!(
        outcome(&http, Effect::Repeatable).await.unwrap()["fine"],
        true
    );
    server.otherwise(|_| Reply::text(502, "<html>bad gateway</html>"));
    let error = outcome(&http, Effect::Repeatable).await.unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Transient, Some(502)));
    assert_eq!(
        server.seen().len(),
        6,
        "three attempts, then one and two repetitions"
    );
}

#[tokio::test]
async fn what_will_stay_wrong_is_not_repeated() {
    for status in [400, 401, 403, 409, 422] {
        let server = MockServer::start().await;
        server.push(Reply::text(status, "no"));
        outcome(&http(&server), Effect::Repeatable)
            .await
            .unwrap_err();
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_short_retry_after_is_slept_and_a_long_one_is_reported() {
    let server = MockServer::start().await;
    let http = http(&server);
    server.push(Reply::text(429, "").with("retry-after", "0.05"));
    server.push(Reply::json(200, &json!({})));
    let start = std::time::Instant::now();
    outcome(&http, Effect::Repeatable).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(50));

    server.push(Reply::text(429, "").with("retry-after", "31536000"));
    let error = outcome(&http, Effect::Repeatable).await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient);
    assert_eq!(error.retry_after, Some(backoff::LONGEST_RETRY_AFTER));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_date_in_retry_after_is_read_by_the_servers_clock() {
    let server = MockServer::start().await;
    let until = "Sat, 21 Nov 2026 10:10:00 GMT";
    let dated = Reply::text(429, "").with("retry-after", until);
    server.push(dated.clone().with("date", "Sat, 21 Nov 2026 10:00:00 GMT"));
    server.push(dated);
    server.push(Reply::text(429, "").with("retry-after", "NaN"));
    let http = http(&server);
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.push(
            outcome(&http, Effect::Creates)
                .await
                .unwrap_err()
                .retry_after,
        );
    }
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!(waits, [seconds(600), seconds(3600), None]);
}

#[tokio::test]
async fn not_found_is_believed_from_the_api_only() {
    let server = MockServer::start().await;
    server.push(Reply::json(
        404,
        &json!({"code": 5, "message": "resource not found"}),
    ));
    server.push(Reply::text(404, "<html>nginx</html>"));
    server.push(Reply::text(404, ""));
    let http = http(&server);
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let error = outcome(&http, Effect::Repeatable).await.unwrap_err();
        kinds.push((error.kind, error.status));
    }
    assert_eq!(
        kinds,
        [
            (Kind::Rejected, Some(404)),
            (Kind::Garbled, Some(404)),
            (Kind::Garbled, Some(404))
        ]
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_stays_here() {
    let (server, thief) = (MockServer::start().await, MockServer::start().await);
    server.push(redirect(thief.address()));
    let error = outcome(&http(&server), Effect::Repeatable)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Rejected, Some(307)));
    assert!(thief.seen().is_empty());
    assert_eq!(
        server.seen()[0].header("authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn packed_and_huge_answers_are_refused() {
    let server = MockServer::start().await;
    server.push(Reply::text(200, "{}").with("content-encoding", "gzip"));
    server.push(Reply::text(200, &"[".repeat(5000)));
    let http = http(&server);
    for _ in 0..2 {
        let error = outcome(&http, Effect::Repeatable).await.unwrap_err();
        assert_eq!(error.kind, Kind::Garbled, "{error}");
    }
}

#[tokio::test]
async fn a_servers_words_are_safe_to_print_and_without_the_key() {
    let server = MockServer::start().await;
    let words = format!("key {KEY} is\u{1b}]52;c;x\u{7} bad {}", "y".repeat(5000));
    server.push(Reply::json(
        401,
        &json!({"error": {"message": words, "code": "UNAUTHORIZED"}}),
    ));
    server.push(Reply::text(400, &words));
    let http = http(&server);
    for _ in 0..2 {
        let error = outcome(&http, Effect::Repeatable).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(KEY), "{shown}");
        assert!(!shown.contains('\u{1b}'));
        assert!(error.message.contains("key <key> is<U+001B>]52"), "{shown}");
        assert!(error.message.chars().count() < 530);
    }
    assert!(!format!("{http:?}").contains("secret"));
    assert!(!format!("{:?}", settings("https://a.example")).contains("secret"));
}

#[test]
fn keys_are_sent_over_https_or_loopback_only() {
    for good in [
        "https://api.fireworks.ai",
        "https://api.fireworks.ai/inference/v1/",
        "http://localhost:8080",
        "http://127.0.0.1:1/x",
        "http://[::1]:2",
    ] {
        Http::new(settings(good)).unwrap();
    }
    for bad in [
        "http://api.fireworks.ai",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "https://user:hunter2@api.fireworks.ai",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://a.example/?k=v",
        "nonsense",
        "",
    ] {
        let error = Http::new(settings(bad)).unwrap_err();
        assert_eq!(error.kind, Kind::Rejected, "{bad}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn a_chat_clients_ending_of_the_address_is_dropped() {
    let path = |text| {
        let http = Http::new(settings(text)).unwrap();
        http.url("v1/x").unwrap().to_string()
    };
    assert_eq!(path("https://a.example"), "https://a.example/v1/x");
    assert_eq!(
        path("https://a.example/inference/v1/"),
        "https://a.example/v1/x"
    );
    assert_eq!(
        path("https://a.example/gate/v1"),
        "https://a.example/gate/v1/x"
    );
}

#[test]
fn a_key_that_cannot_be_sent_is_refused_without_being_shown() {
    for bad in ["", "  ", "two\nlines-hunter2"] {
        let mut settings = settings("https://a.example");
        settings.api_key = SecretString::from(bad);
        let error = Http::new(settings).unwrap_err();
        assert_eq!(error.kind, Kind::Account);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

/// Downloads once into a fresh folder; gives the content.
async fn downloaded(http: &Http, url: &str) -> Result<Vec<u8>, ProviderError> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("results");
    let mut landing = Landing::open(&target).await.unwrap();
    let result = http
        .download(url, (&mut landing, Rows::Answers), "fetch it")
        .await;
    match result {
        Ok(()) => {
            landing.settle().await.unwrap();
            Ok(std::fs::read(&target).unwrap_or_default())
        }
        Err(error) => {
            drop(landing);
            let left = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, 0, "a failed download leaves nothing");
            Err(error)
        }
    }
}

#[tokio::test]
async fn damaged_downloads_are_noticed_and_leave_nothing() {
    let server = MockServer::start().await;
    let http = http(&server);
    let url = format!("{}/file?sig=s3cret", server.address());
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"a\":1}\n".to_vec();
    let unended =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n".to_vec();
    let table = [
        (Reply::Raw(short), Kind::Transient),
        (Reply::Raw(unended), Kind::Transient),
        (Reply::text(200, "{\"a\":1}\n{\"b\":"), Kind::Transient),
        (Reply::text(200, "<html>sign in</html>\n"), Kind::Transient),
        (Reply::text(403, "<Error>expired</Error>"), Kind::Transient),
        (Reply::text(404, ""), Kind::Transient),
        (Reply::text(503, ""), Kind::Transient),
        (Reply::Reset, Kind::Transient),
        (redirect("http://127.0.0.1:1/"), Kind::Rejected),
        (Reply::text(200, &"{}\n".repeat(1000)), Kind::Rejected),
        (
            Reply::text(200, "{}\n").with("content-encoding", "gzip"),
            Kind::Garbled,
        ),
    ];
    for (reply, kind) in table {
        server.push(reply.clone());
        let error = downloaded(&http, &url).await.unwrap_err();
        assert_eq!(error.kind, kind, "{reply:?} gave {error}");
        assert!(
            !format!("{error:?}").contains("s3cret"),
            "a signature is a secret"
        );
    }
    server.push(Reply::text(200, "{\"a\":1}\n{\"b\":2}"));
    assert_eq!(
        downloaded(&http, &url).await.unwrap(),
        b"{\"a\":1}\n{\"b\":2}\n"
    );
    for request in server.seen() {
        assert_eq!(
            request.header("authorization"),
            None,
            "storage gets no credentials"
        );
    }
}

#[tokio::test]
async fn only_storage_addresses_on_the_web_or_on_loopback_are_called() {
    let server = MockServer::start().await;
    let near = http(&server);
    for bad in [
        "file:///etc/passwd",
        "/relative",
        "http://storage.example/x",
        "https://user:pw@storage.example/",
        "",
    ] {
        let error = downloaded(&near, bad).await.unwrap_err();
        assert_eq!(error.kind, Kind::Rejected, "{bad}");
    }
    // A service elsewhere cannot make us call this machine.
    let far = Http::new(settings("https://a.example")).unwrap();
    let error = downloaded(&far, server.address()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Rejected);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_signed_put_sends_the_signed_headers_and_no_others() {
    let server = MockServer::start().await;
    server.otherwise(|_| Reply::text(200, ""));
    let http = http(&server);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.jsonl");
    tokio::fs::write(&file, b"{\"a\":1}\n").await.unwrap();
    let cargo = Cargo {
        file: &file,
        bytes: 8,
        name: "in.jsonl",
    };
    let put = async |query: &str| {
        let url = format!("{}/bucket/in?{query}", server.address());
        http.put_signed(&url, cargo, "put it").await
    };
    put("X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-content-length-range")
        .await
        .unwrap();
    put("X-Amz-SignedHeaders=host").await.unwrap();
    let error = put("X-Goog-SignedHeaders=host%3Bx-goog-mystery")
        .await
        .unwrap_err();
    assert!(error.message.contains("x-goog-mystery"), "{error}");

    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].line.starts_with("PUT /bucket/in?"));
    assert_eq!(seen[0].body, b"{\"a\":1}\n");
    assert_eq!(seen[0].header("content-length"), Some("8"));
    assert_eq!(
        seen[0].header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(seen[0].header("x-goog-content-length-range"), Some("8,8"));
    assert_eq!(seen[1].header("content-type"), None);
    for request in &seen {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("transfer-encoding"), None);
    }
}

#[tokio::test]
async fn an_upload_is_a_form_with_a_length_and_a_changed_file_is_not_sent() {
    let server = MockServer::start().await;
    server.push(Reply::text(500, ""));
    server.push(Reply::text(200, "{}"));
    let http = http(&server);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.jsonl");
    tokio::fs::write(&file, b"{\"a\":1}\n").await.unwrap();
    let cargo = |bytes| Cargo {
        file: &file,
        bytes,
        name: "evt-1-in.jsonl",
    };
    http.upload("v1/d:upload", cargo(8), "upload it")
        .await
        .unwrap();
    let error = http
        .upload("v1/d:upload", cargo(9), "upload it")
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::Local);

    let seen = server.seen();
    assert_eq!(seen.len(), 2, "repeated whole after a 500");
    assert_eq!(seen[0].body.len(), seen[1].body.len());
    let body = String::from_utf8(seen[1].body.clone()).unwrap();
    assert!(
        body.contains("name=\"file\"; filename=\"evt-1-in.jsonl\""),
        "{body}"
    );
    assert!(body.contains("\r\n\r\n{\"a\":1}\n\r\n"), "{body}");
    assert!(seen[1].header("content-length").is_some());
}
