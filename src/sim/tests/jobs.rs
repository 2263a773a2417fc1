//! Jobs: accepted once, moved by the clock, kept on disk, ended.

use super::*;

#[tokio::test]
async fn states_follow_the_clock_and_counts_appear_when_rows_run() {
    let bench = Bench::new(10);
    bench.input("in", &rows("control", "0.0", 10)).await;
    let (status, job) = bench
        .create_job("j", "accounts/sim/datasets/in", "out")
        .await;
    assert_eq!(
        (status, &job["jobProgress"], &job["lifecycle"]),
        (200, &Value::Null, &Value::Null)
    );
    assert_eq!(job["name"], "accounts/sim/batchInferenceJobs/j");
    assert_eq!(job["outputDatasetId"], "accounts/sim/datasets/out");
    assert_eq!(job["expireTime"], "2026-11-22T03:00:00Z");
    let mut seen = vec![bench.state("j").await];
    for _ in 0..100 {
        bench.pass(1.0);
        let state = bench.state("j").await;
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        if seen.len() < 6 {
            assert_eq!(bench.get("datasets/out").await.0, 404);
        }
    }
    let names = [
        "VALIDATING",
        "PENDING",
        "CREATING",
        "RUNNING",
        "WRITING_RESULTS",
        "COMPLETED",
    ];
    assert_eq!(seen, names.map(|n| format!("JOB_STATE_{n}")));
    let (_, done) = bench.get("batchInferenceJobs/j").await;
    assert_eq!(done["jobProgress"]["totalProcessedRequests"], 10);
    assert_eq!(done["status"], json!({"code": "OK", "message": ""}));
    let (_, output) = bench.get("datasets/out").await;
    assert_eq!(output["externalUrl"], "");
}

#[tokio::test]
async fn the_same_create_twice_is_one_job_and_one_accepted_record() {
    let bench = Bench::new(4);
    bench.input("in", &rows("control", "0.0", 4)).await;
    assert_eq!(bench.create_job("j", "in", "out").await.0, 200);
    let (status, body) = bench.create_job("j", "in", "out").await;
    assert_eq!(
        (status, &body["code"], &body["details"]),
        (409, &json!(6), &json!([]))
    );
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|m| m.contains("already exists"))
    );
    let accepted = bench.accepted();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0]["rows"], 4);
    assert_eq!(accepted[0]["custom_ids"], 4);
    let sha = crate::domain::Digest::of(rows("control", "0.0", 4).as_bytes()).to_string();
    assert_eq!(accepted[0]["input_sha256"], sha);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_creates_of_one_name_exactly_one_is_accepted() {
    let bench = Arc::new(Bench::new(50));
    bench.input("in", &rows("control", "0.0", 50)).await;
    let calls = (0..8).map(|n| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            bench
                .create_job("j", "in", &format!("out{}", n % 2))
                .await
                .0
        })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.expect("answered"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(bench.accepted().len(), 1);
}

#[tokio::test]
async fn a_restarted_server_goes_on_as_if_it_had_never_stopped() {
    let mut bench = Bench::new(5);
    bench.input("in", &rows("control", "0.0", 5)).await;
    bench.create_job("j", "in", "out").await;
    bench.pass(50.0);
    let before = bench.get("batchInferenceJobs/j").await;
    bench.restart();
    assert_eq!(bench.get("batchInferenceJobs/j").await, before);
    assert_eq!(bench.create_job("j", "in", "out").await.0, 409);
    bench.pass(51.0);
    assert_eq!(bench.state("j").await, "JOB_STATE_COMPLETED");
    let files = bench.download("out").await;
    bench.restart();
    assert_eq!(bench.download("out").await, files);
    assert_eq!(bench.accepted().len(), 1);
}

#[tokio::test]
async fn an_acceptance_that_a_kill_kept_out_of_the_record_is_added_at_the_next_start() {
    let mut bench = Bench::new(2);
    bench.input("in", &rows("control", "0.0", 2)).await;
    bench.create_job("j", "in", "out").await;
    let record = bench.accepted();
    write(
        &bench.config.state_dir.join("accepted.jsonl"),
        "{\"dialect\":\"torn",
    );
    bench.restart();
    assert_eq!(bench.accepted(), record);
}

#[tokio::test]
async fn a_job_needs_a_ready_input_and_a_free_output() {
    let bench = Bench::new(2);
    assert_eq!(bench.create_job("j", "none", "out").await.0, 404);
    bench.create_dataset("half", 1).await;
    assert_eq!(bench.create_job("j", "half", "out").await.0, 400);
    bench.input("in", &rows("control", "0.0", 2)).await;
    assert_eq!(bench.create_job("j", "in", "half").await.0, 400);
    assert_eq!(bench.create_job("j1", "in", "out").await.0, 200);
    assert_eq!(bench.create_job("j2", "in", "out").await.0, 400);
    assert_eq!(bench.accepted().len(), 1);
    assert_eq!(bench.call(Method::DELETE, "datasets/in", None).await.0, 400);
}

#[tokio::test]
async fn job_parameters_are_checked() {
    let bench = Bench::new(2);
    bench.input("in", &rows("control", "0.0", 2)).await;
    let job = |more: Value| {
        let mut body = json!({"model": MODEL, "inputDatasetId": "in"});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        body
    };
    for bad in [
        json!({"model": ""}),
        json!({"model": "accounts/a/deployedModels/x"}),
        json!({"inputDatasetId": ""}),
        json!({"colour": "red"}),
        json!({"maxJobDuration": "1d"}),
        json!({"inferenceParameters": {"maxTokens": "12"}}),
        json!({"inferenceParameters": {"max_tokens": 12}}),
        json!({"inferenceParameters": {"temperature": 3.0}}),
        json!({"inferenceParameters": {"extraBody": {"stop": ["x"]}}}),
        json!({"inferenceParameters": {"extraBody": "[1]"}}),
    ] {
        let (status, body) = bench.post("batchInferenceJobs", job(bad.clone())).await;
        assert_eq!((status, &body["code"]), (400, &json!(3)), "{bad}");
    }
    let good = json!({"inferenceParameters": {"maxTokens": 12, "topK": 5, "topP": 1.0, "temperature": 0.2,
        "extraBody": "{\"stop\": [\"x\"]}"}, "maxJobDuration": "1s"});
    let (status, made) = bench.post("batchInferenceJobs", job(good)).await;
    assert_eq!(
        (status, &made["expireTime"]),
        (200, &json!("2026-11-21T15:00:00Z"))
    );
    assert!(
        made["outputDatasetId"]
            .as_str()
            .is_some_and(|o| o.contains("/datasets/bij-"))
    );
    assert_eq!(made["inferenceParameters"]["maxTokens"], 12);
}

#[tokio::test]
async fn one_bad_row_fails_the_whole_job_without_output() {
    let bench = Bench::new(2);
    let good = rows("control", "0.0", 2);
    let role =
        "{\"custom_id\":\"x\",\"body\":{\"messages\":[{\"role\":\"robot\",\"content\":\"\"}]}}\n";
    for (n, bad) in [
        "not json\n",
        "{\"body\":{\"messages\":[]}}\n",
        "{\"custom_id\":\"x\"}\n",
        role,
        "{\"custom_id\":\"x\",\"body\":{}}\n",
        &rows("control", "0.0", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let (job, input, output) = (format!("j{n}"), format!("in{n}"), format!("out{n}"));
        bench.input(&input, &format!("{good}{bad}")).await;
        assert_eq!(bench.create_job(&job, &input, &output).await.0, 200);
        assert_eq!(bench.state(&job).await, "JOB_STATE_VALIDATING");
        bench.pass(6.0);
        let (_, look) = bench.get(&format!("batchInferenceJobs/{job}")).await;
        assert_eq!(look["state"], "JOB_STATE_FAILED", "{bad}");
        assert_eq!(look["status"]["code"], "INVALID_ARGUMENT");
        bench.pass(100.0);
        assert_eq!(bench.state(&job).await, "JOB_STATE_FAILED");
        assert_eq!(
            bench
                .get(&format!("datasets/{output}:getDownloadEndpoint"))
                .await
                .0,
            404
        );
    }
}

#[tokio::test]
async fn a_deleted_job_is_cleaned_up_and_then_gone() {
    let bench = Bench::new(2);
    bench.input("in", &rows("control", "0.0", 2)).await;
    bench.create_job("j", "in", "out").await;
    bench.pass(50.0);
    assert_eq!(
        bench
            .call(Method::DELETE, "batchInferenceJobs/j", None)
            .await,
        (200, json!({}))
    );
    assert_eq!(bench.state("j").await, "JOB_STATE_DELETING_CLEANING_UP");
    assert_eq!(bench.create_job("j", "in", "out").await.0, 409);
    bench.pass(26.0);
    assert_eq!(bench.get("batchInferenceJobs/j").await.0, 404);
    assert_eq!(bench.get("batchInferenceJobs").await.1["totalSize"], 0);
    bench.pass(100.0);
    assert_eq!(bench.get("datasets/out").await.0, 404);
    assert_eq!(bench.create_job("j", "in", "out").await.0, 200);
}

#[tokio::test]
async fn the_output_of_a_completed_job_outlives_its_deletion() {
    let bench = Bench::new(2);
    let files = bench.run("j", &rows("control", "0.0", 2)).await;
    assert_eq!(
        bench
            .call(Method::DELETE, "batchInferenceJobs/j", None)
            .await
            .0,
        200
    );
    bench.pass(100.0);
    assert_eq!(bench.get("batchInferenceJobs/j").await.0, 404);
    assert_eq!(bench.download("j-out").await, files);
    assert_eq!(bench.create_job("j", "j-in", "j-out").await.0, 400);
}

#[tokio::test]
async fn a_continuing_job_runs_only_the_rows_that_failed() {
    let bench = Bench::with(200, |config, _| config.row_error_rate = 0.2);
    let (results, errors) = bench.run("j1", &rows("control", "0.0", 200)).await;
    let failed = ids(&errors);
    assert!((20..60).contains(&failed.len()), "{}", failed.len());
    assert_eq!(ids(&results).len() + failed.len(), 200);
    let body = json!({"continuedFromJobName": "accounts/sim/batchInferenceJobs/j1", "outputDatasetId": "o2"});
    assert_eq!(
        bench
            .post("batchInferenceJobs?batchInferenceJobId=j2", body)
            .await
            .0,
        200
    );
    bench.pass(101.0);
    let (second, none) = bench.download("o2").await;
    let mut again = ids(&second);
    again.sort();
    let mut wanted = failed;
    wanted.sort();
    assert_eq!((again, none.as_str()), (wanted, ""));
    assert_eq!(bench.accepted()[1]["rows"], ids(&second).len());
    let (_, lineage) = bench
        .get("datasets/o2:getDownloadEndpoint?downloadLineage=true")
        .await;
    assert!(lineage["filenameToSignedUrls"]["dataset/j1-out/BIJOutputSet.jsonl"].is_string());
    assert!(lineage["filenameToSignedUrls"]["dataset/o2/error-data"].is_string());
}

#[tokio::test]
async fn jobs_are_listed_in_pages() {
    let bench = Bench::new(1);
    bench.input("in", &rows("control", "0.0", 1)).await;
    for n in 0..3 {
        assert_eq!(
            bench
                .create_job(&format!("j{n}"), "in", &format!("o{n}"))
                .await
                .0,
            200
        );
        bench.pass(1.0);
    }
    let (_, first) = bench.get("batchInferenceJobs?pageSize=2").await;
    assert_eq!(
        first["batchInferenceJobs"].as_array().map(Vec::len),
        Some(2)
    );
    let token = first["nextPageToken"].as_str().unwrap_or_default();
    let (_, rest) = bench
        .get(&format!("batchInferenceJobs?pageSize=2&pageToken={token}"))
        .await;
    assert_eq!(
        rest["batchInferenceJobs"][0]["name"],
        "accounts/sim/batchInferenceJobs/j2"
    );
    assert_eq!(rest["nextPageToken"], "");
}
