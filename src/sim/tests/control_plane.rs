//! Every call of the control plane and the storage, with its refusals.

use super::*;

#[tokio::test]
async fn a_missing_or_wrong_key_is_refused_with_403() {
    let bench = Bench::new(1);
    for header in [None, Some("Bearer wrong"), Some("sim-test-key")] {
        let mut request = Request::builder().uri(format!("{ROOT}/datasets"));
        if let Some(value) = header {
            request = request.header("authorization", value);
        }
        let (status, body) = bench
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        let body: Value = serde_json::from_slice(&body).expect("json");
        assert_eq!(
            (status.as_u16(), &body["error"]["code"]),
            (403, &json!("UNAUTHORIZED"))
        );
        assert!(body["request_id"].is_string());
    }
}

#[tokio::test]
async fn unknown_paths_accounts_and_methods_have_grpc_bodies() {
    let bench = Bench::new(1);
    assert_eq!(bench.get("models").await.1["code"], 5);
    let (status, body) = bench.get("datasets/none").await;
    assert_eq!(
        (status, body),
        (
            404,
            json!({"code": 5, "message": "resource not found", "details": []})
        )
    );
    assert_eq!(bench.call(Method::PUT, "datasets", None).await.0, 501);
    assert_eq!(
        bench.post("batchInferenceJobs/x:cancel", json!({})).await.0,
        400
    );
    let other = bench
        .call_at(Method::GET, "/v1/accounts/fireworks/datasets", None)
        .await;
    assert_eq!((other.0, &other.1["code"]), (403, &json!(7)));
    assert_eq!(
        bench.call_at(Method::GET, "/v1/accountsx", None).await.0,
        404
    );
    let accounts = bench.call_at(Method::GET, "/v1/accounts", None).await.1;
    assert_eq!(accounts["accounts"][0]["name"], "accounts/sim");
}

#[tokio::test]
async fn a_dataset_goes_from_creation_to_ready_once() {
    let bench = Bench::new(1);
    let (status, made) = bench.create_dataset("in-1", 3).await;
    assert_eq!(
        (status, &made["state"], &made["exampleCount"]),
        (200, &json!("UPLOADING"), &json!("3"))
    );
    assert_eq!(made["name"], "accounts/sim/datasets/in-1");
    let (status, again) = bench.create_dataset("in-1", 3).await;
    assert_eq!((status, &again["code"]), (409, &json!(6)));
    assert_eq!(bench.upload("in-1", "").await.0, 400);
    let (status, file) = bench.upload("in-1", "x\n").await;
    assert_eq!(
        (status, &file["bytes"], &file["filename"]),
        (200, &json!(2), &json!("p1.jsonl"))
    );
    assert_eq!(bench.get("datasets/in-1").await.1["state"], "READY");
    let (status, second) = bench.upload("in-1", "y\n").await;
    assert_eq!(status, 400);
    assert!(
        second["message"]
            .as_str()
            .is_some_and(|m| m.contains("already uploaded"))
    );
    assert_eq!(
        bench.call(Method::DELETE, "datasets/in-1", None).await,
        (200, json!({}))
    );
    assert_eq!(bench.get("datasets/in-1").await.0, 404);
    assert_eq!(bench.upload("in-1", "x").await.0, 404);
}

#[tokio::test]
async fn a_dataset_needs_user_uploaded_and_a_textual_count_and_nothing_unknown() {
    let bench = Bench::new(1);
    for (dataset, says) in [
        (
            json!({"userUploaded": {}}),
            "example_count is required for uploaded datasets",
        ),
        (json!({"exampleCount": "3"}), "user_uploaded"),
        (
            json!({"userUploaded": {}, "exampleCount": 3}),
            "invalid type",
        ),
        (
            json!({"userUploaded": {}, "exampleCount": "3", "rows": 1}),
            "unknown field",
        ),
    ] {
        let (status, body) = bench
            .post("datasets", json!({"datasetId": "a", "dataset": dataset}))
            .await;
        assert_eq!(status, 400);
        assert!(
            body["message"].as_str().is_some_and(|m| m.contains(says)),
            "{body}"
        );
    }
    assert_eq!(
        bench
            .post("datasets", json!({"datasetId": "a", "extra": 1}))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn hostile_ids_are_refused_everywhere() {
    let bench = Bench::new(1);
    for id in [
        "../x",
        "1a",
        "-a",
        "a-",
        "a_b",
        "A",
        "",
        "a/b",
        &"a".repeat(64),
    ] {
        assert_eq!(bench.create_dataset(id, 1).await.0, 400, "{id}");
    }
    for path in [
        "datasets/..",
        "datasets/%2e%2e",
        "datasets/%2e%2e%2fx",
        "batchInferenceJobs/..",
        "datasets/..:upload",
    ] {
        assert_eq!(bench.get(path).await.0, 400, "{path}");
    }
    assert_eq!(bench.get("datasets/../../x").await.0, 404);
    assert_eq!(bench.create_job("..%2fx", "in", "out").await.0, 400);
    assert_eq!(bench.create_job("j", "../in", "out").await.0, 400);
    assert_eq!(
        bench
            .create_job("j", "in", "accounts/other/datasets/x")
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused() {
    let bench = Bench::new(1);
    let big = "x".repeat(crate::sim::exchange::MAX_JSON_BYTES + 1);
    assert_eq!(
        bench.post("datasets", json!({"datasetId": big})).await.0,
        400
    );
}

#[tokio::test]
async fn a_large_upload_goes_through_signed_urls() {
    let bench = Bench::new(2);
    assert_eq!(bench.create_dataset("big", 2).await.0, 200);
    let parts = [
        rows("control", "0.0", 1),
        row("facts|1|control|0.0|0|closed"),
    ];
    let sizes =
        json!({"a/p1.jsonl": parts[0].len().to_string(), "p2.jsonl": parts[1].len().to_string()});
    let (status, urls) = bench
        .post(
            "datasets/big:getUploadEndpoint",
            json!({"filenameToSize": sizes}),
        )
        .await;
    assert_eq!(status, 200, "{urls}");
    assert_eq!(
        bench.post("datasets/big:validateUpload", json!({})).await.0,
        400
    );
    for (name, content) in ["p1.jsonl", "p2.jsonl"].iter().zip(&parts) {
        let url = urls["filenameToSignedUrls"][name].as_str().expect("a url");
        assert!(
            url.contains("X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-content-length-range")
        );
        let range = format!("{0},{0}", content.len());
        let put = |range: &str, content: &str| {
            signed(Method::PUT, url)
                .header("content-type", "application/octet-stream")
                .header("x-goog-content-length-range", range)
                .body(Body::from(content.to_owned()))
                .expect("a request")
        };
        let bare = signed(Method::PUT, url)
            .body(Body::from(content.clone()))
            .expect("a request");
        assert_eq!(bench.send(bare).await.0, 403);
        assert_eq!(bench.send(put("1,1", content)).await.0, 403);
        assert_eq!(bench.send(put(&range, &content[1..])).await.0, 400);
        assert_eq!(bench.send(put(&range, &format!("{content}x"))).await.0, 400);
        assert_eq!(bench.send(put(&range, content)).await.0, 200);
        let mut with_key = put(&range, content);
        with_key
            .headers_mut()
            .insert("authorization", "Bearer x".parse().expect("a header"));
        assert_eq!(bench.send(with_key).await.0, 400);
    }
    assert_eq!(
        bench.post("datasets/big:validateUpload", json!({})).await,
        (200, json!({}))
    );
    assert_eq!(bench.get("datasets/big").await.1["state"], "READY");
    assert_eq!(bench.create_job("j-big", "big", "big-out").await.0, 200);
    bench.pass(101.0);
    assert_eq!(ids(&bench.download("big-out").await.0).len(), 2);
}

#[tokio::test]
async fn empty_and_nameless_files_are_not_registered() {
    let bench = Bench::new(1);
    bench.create_dataset("d", 1).await;
    for sizes in [
        json!({"a": "0"}),
        json!({"..": "1"}),
        json!({"x/": "1"}),
        json!({}),
        json!({"a": "x"}),
    ] {
        let body = json!({"filenameToSize": sizes});
        assert_eq!(
            bench.post("datasets/d:getUploadEndpoint", body).await.0,
            400,
            "{sizes}"
        );
    }
}

#[tokio::test]
async fn a_signed_url_expires_and_cannot_be_altered() {
    let bench = Bench::new(3);
    bench.run("job", &rows("control", "0.0", 3)).await;
    let (_, urls) = bench.get("datasets/job-out:getDownloadEndpoint").await;
    let url = urls["filenameToSignedUrls"]["dataset/job-out/error-data"]
        .as_str()
        .expect("a url")
        .to_owned();
    let get = |url: &str| {
        signed(Method::GET, url)
            .body(Body::empty())
            .expect("a request")
    };
    assert_eq!(bench.send(get(&url)).await.0, 200);
    assert_eq!(
        bench
            .send(get(&url.replace("error-data", "BIJOutputSet.jsonl")))
            .await
            .0,
        403
    );
    assert_eq!(
        bench.send(get(&url.replace("job-out", "..%2fx"))).await.0,
        404
    );
    bench.pass(600.0);
    assert_eq!(bench.send(get(&url)).await.0, 403);
}

#[tokio::test]
async fn a_download_endpoint_is_a_get_without_a_body() {
    let bench = Bench::new(3);
    bench.run("job", &rows("control", "0.0", 3)).await;
    let path = "datasets/job-out:getDownloadEndpoint";
    assert_eq!(bench.call(Method::GET, path, Some(json!({}))).await.0, 400);
    assert_eq!(bench.post(path, json!({})).await.0, 501);
}

#[tokio::test]
async fn lists_come_in_pages_and_in_order_of_creation() {
    let bench = Bench::new(1);
    for n in (0..7).rev() {
        bench.create_dataset(&format!("d{n}"), 1).await;
        bench.pass(1.0);
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let (status, page) = bench
            .get(&format!("datasets?pageSize=3&pageToken={token}"))
            .await;
        assert_eq!((status, &page["totalSize"]), (200, &json!(7)));
        let rows = page["datasets"].as_array().expect("rows");
        names.extend(
            rows.iter()
                .map(|d| d["name"].as_str().unwrap_or_default().to_owned()),
        );
        token = page["nextPageToken"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if token.is_empty() {
            break;
        }
    }
    let wanted: Vec<String> = (0..7)
        .rev()
        .map(|n| format!("accounts/sim/datasets/d{n}"))
        .collect();
    assert_eq!(names, wanted);
    assert_eq!(bench.get("datasets?pageToken=nonsense").await.0, 400);
    assert_eq!(bench.get("datasets?filter=x").await.0, 400);
}

#[tokio::test]
async fn the_server_listens_on_loopback_only_and_ends_when_told() {
    use std::io::{Read as _, Write as _};
    let bench = Bench::new(1);
    let mut config = bench.config.clone();
    config.listen = "0.0.0.0:0".parse().expect("an address");
    assert!(matches!(
        SimServer::start(config.clone()).await,
        Err(SimError::NotLoopback(_))
    ));
    config.listen = "127.0.0.1:0".parse().expect("an address");
    config.api_key = None;
    let handle = SimServer::start(config).await.expect("started");
    let addr = handle.addr;
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(addr).expect("connected");
        stream
            .write_all(
                b"GET /v1/accounts/sim/datasets HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            )
            .expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("read");
        text
    });
    assert!(asked.await.expect("asked").starts_with("HTTP/1.1 403"));
    assert!(!format!("{handle:?}").contains(secrecy::ExposeSecret::expose_secret(&handle.api_key)));
    handle.shutdown().await;
    assert!(std::net::TcpStream::connect(addr).is_err());
}
