//! Batch-inference jobs: creation, looks, deletion.

use serde_json::{Value, json};

use super::wire::{Code, CreateJob, Fault, InferenceParameters, client_id, name, page, reference};
use super::{Fireworks, Parameters};
use crate::sim::acceptance::{Declined, Order};
use crate::sim::id::Id;
use crate::sim::pace::Stage;
use crate::sim::shelf::{Decoding, JobRecord, Kind, Outcome};
use crate::sim::workshop::Standing;
use crate::sys::clock::rfc3339;

/// Shortest and longest time of a job in seconds (batch-apis.md, 2.3).
const WINDOW_SECONDS: (i64, i64) = (12 * 3600, 72 * 3600);
const DEFAULT_WINDOW_SECONDS: i64 = 24 * 3600;
/// Most answers of one row.
const MAX_CHOICES: u32 = 128;

pub(super) fn create(
    service: &Fireworks,
    parameters: &Parameters,
    body: CreateJob,
) -> Result<Value, Fault> {
    let order = order(service, parameters, body)?;
    let (id, input, output) = (order.id.clone(), order.input.clone(), order.output.clone());
    let declined = match service.workshop.accept(order)? {
        Ok(job) => return look(service, &job),
        Err(declined) => declined,
    };
    let invalid = |message| Fault::new(Code::InvalidArgument, message);
    let (input, output) = (name("datasets", &input), name("datasets", &output));
    Err(match declined {
        Declined::JobExists => Fault::new(
            Code::AlreadyExists,
            format!("job {} already exists", name("batchInferenceJobs", &id)),
        ),
        Declined::NoInput => Fault::new(Code::NotFound, format!("input dataset {input} not found")),
        Declined::InputNotReady => invalid(format!("input dataset {input} is not READY")),
        Declined::OutputExists => invalid(format!("output dataset {output} already exists")),
        Declined::ParentNotDone => Fault::new(
            Code::FailedPrecondition,
            "the job to continue has not ended",
        ),
    })
}

fn order(service: &Fireworks, parameters: &Parameters, body: CreateJob) -> Result<Order, Fault> {
    let invalid = |message: &str| Fault::new(Code::InvalidArgument, message);
    let id = match parameters.get("batchInferenceJobId") {
        Some(id) => client_id(id)?,
        None => random_id("job")?,
    };
    let output = match body.output_dataset_id.as_deref().filter(|o| !o.is_empty()) {
        Some(output) => reference("datasets", output)?,
        None => random_id("bij")?,
    };
    let parent = match body
        .continued_from_job_name
        .as_deref()
        .filter(|p| !p.is_empty())
    {
        Some(parent) => Some(find(service, &reference("batchInferenceJobs", parent)?)?),
        None => None,
    };
    let model = body
        .model
        .filter(|m| !m.is_empty())
        .or_else(|| parent.as_ref().map(|p| p.model.clone()))
        .ok_or_else(|| invalid("model is required"))?;
    if model.contains("/deployedModels/") {
        return Err(invalid("model must be a model, not a deployed model"));
    }
    let input = match body.input_dataset_id.as_deref().filter(|i| !i.is_empty()) {
        Some(input) => reference("datasets", input)?,
        None => parent
            .as_ref()
            .map(|p| p.input.clone())
            .ok_or_else(|| invalid("input_dataset_id is required"))?,
    };
    let echo = json!({
        "inferenceParameters": body.inference_parameters, "maxJobDuration": body.max_job_duration,
        "placement": body.placement, "precision": body.precision.as_deref().unwrap_or("PRECISION_UNSPECIFIED"),
        "systemPrompt": body.system_prompt.as_deref().unwrap_or(""),
    });
    let given = body.inference_parameters.map(Value::Object);
    Ok(Order {
        id,
        label: body.display_name,
        model,
        input,
        output,
        decoding: decoding(given, body.system_prompt)?,
        window_seconds: window(body.max_job_duration.as_deref())?,
        parent: parent.map(|p| p.id),
        echo,
    })
}

fn decoding(given: Option<Value>, system_prompt: Option<String>) -> Result<Decoding, Fault> {
    let invalid = |message: String| Fault::new(Code::InvalidArgument, message);
    let parameters: InferenceParameters = match given {
        None => InferenceParameters::default(),
        Some(given) => serde_json::from_value(given)
            .map_err(|e| invalid(format!("invalid inference_parameters: {e}")))?,
    };
    let within = |value: Option<f64>, most: f64| value.is_none_or(|v| (0.0..=most).contains(&v));
    if !within(parameters.temperature, 2.0) || !within(parameters.top_p, 1.0) {
        return Err(invalid("temperature or top_p is out of range".to_owned()));
    }
    let choices = parameters.n.unwrap_or(1);
    if !(1..=MAX_CHOICES).contains(&choices) || parameters.max_tokens == Some(0) {
        return Err(invalid("n or max_tokens is out of range".to_owned()));
    }
    let extra: Value = match parameters.extra_body.as_deref().filter(|e| !e.is_empty()) {
        None => json!({}),
        Some(text) => serde_json::from_str(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| invalid("extra_body must be a JSON object as a text".to_owned()))?,
    };
    let stop = match &extra["stop"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several
            .iter()
            .filter_map(|s| s.as_str().map(str::to_owned))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    Ok(Decoding {
        max_tokens: parameters.max_tokens,
        choices,
        stop,
        system_prompt: system_prompt.filter(|s| !s.is_empty()),
    })
}

fn window(duration: Option<&str>) -> Result<i64, Fault> {
    let Some(text) = duration else {
        return Ok(DEFAULT_WINDOW_SECONDS);
    };
    let seconds: Option<i64> = text.strip_suffix('s').and_then(|s| s.parse().ok());
    let (least, most) = WINDOW_SECONDS;
    seconds
        .map(|s| s.clamp(least, most))
        .ok_or_else(|| Fault::new(Code::InvalidArgument, "invalid max_job_duration"))
}

fn random_id(prefix: &str) -> Result<Id, Fault> {
    let number: u64 = rand::random();
    client_id(&format!("{prefix}-{number:016x}"))
}

pub(super) fn get(service: &Fireworks, id: &Id) -> Result<Value, Fault> {
    look(service, &find(service, id)?)
}

pub(super) fn list(service: &Fireworks, parameters: &Parameters) -> Result<Value, Fault> {
    let mut all = Vec::new();
    for id in service.workshop.shelf.ids(Kind::Jobs)? {
        all.extend(service.workshop.job(&id)?);
    }
    let page = page(all, |j| (j.created, j.id.clone()), parameters)?;
    let looks = page.rows.iter().map(|job| look(service, job));
    let jobs = looks.collect::<Result<Vec<Value>, Fault>>()?;
    Ok(json!({"batchInferenceJobs": jobs, "nextPageToken": page.next, "totalSize": page.total}))
}

pub(super) fn delete(service: &Fireworks, id: &Id) -> Result<Value, Fault> {
    find(service, id)?;
    service.workshop.end(id)?;
    Ok(json!({}))
}

fn find(service: &Fireworks, id: &Id) -> Result<JobRecord, Fault> {
    service.workshop.job(id)?.ok_or_else(Fault::not_found)
}

fn look(service: &Fireworks, job: &JobRecord) -> Result<Value, Fault> {
    let standing = service.workshop.standing(job)?;
    let (state, code, message) = state(&standing);
    let reached = |stage| rfc3339(service.workshop.desk.pace.reached(job.created, stage));
    let (updated, lifecycle) = match &standing {
        Standing::At(Stage::Validating, _) => (rfc3339(job.created), Value::Null),
        Standing::At(stage, _) => {
            let started = *stage > Stage::Creating;
            let lifecycle = json!({
                "validatedTime": reached(Stage::Pending),
                "runStartTime": started.then(|| reached(Stage::Running(0.0))),
                "endTime": (*stage == Stage::Done).then(|| reached(Stage::Done)),
            });
            (reached(*stage), lifecycle)
        }
        Standing::Rejected(_) | Standing::Broken(_) => {
            let ended = reached(Stage::Pending);
            (
                ended.clone(),
                json!({"validatedTime": null, "runStartTime": null, "endTime": ended}),
            )
        }
        Standing::Ending | Standing::Ended => {
            (rfc3339(job.ended.unwrap_or(job.created)), Value::Null)
        }
    };
    let parent = job.parent.as_ref();
    let mut view = json!({
        "name": name("batchInferenceJobs", &job.id), "displayName": job.label,
        "createTime": rfc3339(job.created), "updateTime": updated, "expireTime": rfc3339(job.expires),
        "createdBy": "sim@localhost", "state": state, "status": {"code": code, "message": message},
        "model": job.model, "inputDatasetId": name("datasets", &job.input),
        "outputDatasetId": name("datasets", &job.output), "jobProgress": progress(job, &standing),
        "lifecycle": lifecycle, "waitingOnCapacity": false,
        "continuedFromJobName": parent.map_or_else(String::new, |p| name("batchInferenceJobs", p)),
    });
    if let (Some(view), Some(echo)) = (view.as_object_mut(), job.echo.as_object()) {
        let given = echo.iter().filter(|(_, v)| !v.is_null());
        view.extend(given.map(|(k, v)| (k.clone(), v.clone())));
    }
    Ok(view)
}

fn state(standing: &Standing) -> (&'static str, &'static str, String) {
    let ok = |state| (state, "OK", String::new());
    match standing {
        Standing::At(Stage::Validating, _) => ok("JOB_STATE_VALIDATING"),
        Standing::At(Stage::Pending, _) => ok("JOB_STATE_PENDING"),
        Standing::At(Stage::Creating, _) => ok("JOB_STATE_CREATING"),
        Standing::At(Stage::Running(_), _) => ok("JOB_STATE_RUNNING"),
        Standing::At(Stage::Writing, _) => ok("JOB_STATE_WRITING_RESULTS"),
        Standing::At(Stage::Done, _) => ok("JOB_STATE_COMPLETED"),
        Standing::Rejected(problem) => (
            "JOB_STATE_FAILED",
            "INVALID_ARGUMENT",
            format!(
                "dataset validation failed: line {}: {}",
                problem.line, problem.message
            ),
        ),
        Standing::Broken(why) => ("JOB_STATE_FAILED", "INTERNAL", why.clone()),
        Standing::Ending | Standing::Ended => ok("JOB_STATE_DELETING_CLEANING_UP"),
    }
}

/// Counts; `null` until rows run. `totalInputRequests` echoes the declared count, not the file (batch-apis.md, 2.3).
fn progress(job: &JobRecord, standing: &Standing) -> Value {
    let (percent, outcome) = match standing {
        Standing::At(Stage::Running(share), _) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share from 0 to 1 of a count of rows"
            )]
            let part = |n: u64| (share * n as f64) as u64;
            let running = Outcome {
                succeeded: part(job.intake.rows),
                ..Outcome::default()
            };
            (part(100), running)
        }
        Standing::At(Stage::Writing, Some(outcome)) => (99, outcome.clone()),
        Standing::At(_, Some(outcome)) => (100, outcome.clone()),
        Standing::At(_, None)
        | Standing::Rejected(_)
        | Standing::Broken(_)
        | Standing::Ending
        | Standing::Ended => return Value::Null,
    };
    json!({
        "percent": percent, "epoch": 0, "totalInputRequests": job.declared_rows,
        "totalProcessedRequests": outcome.succeeded + outcome.failed,
        "successfullyProcessedRequests": outcome.succeeded, "failedRequests": outcome.failed,
        "outputRows": outcome.succeeded, "inputTokens": outcome.prompt_tokens,
        "outputTokens": outcome.completion_tokens, "cachedInputTokenCount": 0,
    })
}
