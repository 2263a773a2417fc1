use super::*;

fn row(line: &str) -> Row<'_> {
    parse_row(line.as_bytes()).unwrap_or_else(|e| panic!("{line}: {e}"))
}

/// Text, finish reason, request id, and prompt, completion, total and cached tokens.
fn answer(line: &str) -> (String, String, String, [Option<u64>; 4]) {
    match row(line).outcome {
        RowOutcome::Answer {
            request_id,
            finish_reason,
            text,
            usage,
            ..
        } => (
            text.into_owned(),
            finish_reason.unwrap_or_default().into_owned(),
            request_id.unwrap_or_default().into_owned(),
            usage.map_or([None; 4], |u| {
                [u.prompt, u.completion, u.total, Some(u.cached)]
            }),
        ),
        RowOutcome::Error { .. } => panic!("{line}: no answer"),
    }
}

/// Class, code, message and status.
fn error(line: &str) -> (RowErrorClass, String, String, Option<u16>) {
    match row(line).outcome {
        RowOutcome::Error {
            class,
            code,
            message,
            status,
            ..
        } => (
            class,
            code.unwrap_or_default().into_owned(),
            message.into_owned(),
            status,
        ),
        RowOutcome::Answer { text, .. } => panic!("{line}: answer {text:?}"),
    }
}

const COMPLETION: &str = r#"{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":" 4\n","refusal":null,"reasoning_content":"2+2"},"logprobs":null,"finish_reason":"stop"},{"message":{"content":"5"}}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":3}}}"#;

#[test]
fn a_completion_is_found_in_every_envelope() {
    let quoted = serde_json::to_string(COMPLETION).expect("text");
    for (line, id) in [
        (
            format!(r#"{{"custom_id":"q","response":{COMPLETION}}}"#),
            "c1",
        ),
        (
            format!(r#"{{"customId":"q","response":{COMPLETION},"error":""}}"#),
            "c1",
        ),
        (
            format!(
                r#"{{"id":"b","custom_id":"q","response":{{"status_code":200,"request_id":"r1","body":{COMPLETION}}},"error":null}}"#
            ),
            "r1",
        ),
        (
            format!(
                r#"{{"error":{{}},"response":{{"body":{COMPLETION},"request_id":"","status_code":200}},"custom_id":"q"}}"#
            ),
            "c1",
        ),
        (
            format!(r#"{{"custom_id":"q","response":{{"status_code":200,"body":{quoted}}}}}"#),
            "c1",
        ),
        (
            format!(
                "\u{feff}{{\"custom_id\":\"\",\"customId\":\"q\",\"response\":{COMPLETION}}} \r"
            ),
            "c1",
        ),
    ] {
        let expected = (
            " 4\n".to_owned(),
            "stop".to_owned(),
            id.to_owned(),
            [Some(9), Some(1), Some(10), Some(3)],
        );
        assert_eq!(answer(&line), expected, "{line}");
        assert_eq!(row(&line).custom_id, "q");
        assert_eq!(custom_id(line.as_bytes()).expect("a name"), "q");
    }
}

#[test]
fn the_text_is_found_in_every_shape() {
    for (response, text, finish) in [
        (r#"{"message":{"role":"assistant","content":"4"}}"#, "4", ""),
        (r#"{"content":"4"}"#, "4", ""),
        (r#"{"body":{"content":"4"}}"#, "4", ""),
        (r#"{"body":null,"content":"4"}"#, "4", ""),
        (r#"{"body":{},"content":"4"}"#, "4", ""),
        (
            r#"{"choices":[{"message":{"content":null},"finish_reason":"length"}]}"#,
            "",
            "length",
        ),
        (
            r#"{"choices":[{"message":null,"finish_reason":"content_filter"}]}"#,
            "",
            "content_filter",
        ),
        (
            r#"{"choices":[{"message":{"content":["a",{"type":"text","text":"b"},{"type":"thinking","text":"no"},{"type":"image"}]}}]}"#,
            "ab",
            "",
        ),
        (
            r#"{"choices":[{"text":"4","finish_reason":"stop"}]}"#,
            "4",
            "stop",
        ),
        (
            r#"{"content":"no","choices":[{"message":{"content":"4"}}],"message":{"content":"no"}}"#,
            "4",
            "",
        ),
        (
            r#"{"choices":[{"message":{"content":"no"}}],"choices":[{"message":{"content":"4"}}]}"#,
            "4",
            "",
        ),
        (
            r#"{"body":{"status":"completed","output":[{"type":"reasoning","content":[{"type":"reasoning_text","text":"no"}]},{"type":"message","content":[{"type":"output_text","text":"a"}]},{"type":"message","content":[{"type":"output_text","text":"b"}]}]}}"#,
            "ab",
            "completed",
        ),
        (
            r#"{"body":{"output":[{"type":"message","content":[{"type":"output_text","text":"a"}]}],"incomplete_details":{"reason":"max_output_tokens"},"status":"incomplete"}}"#,
            "a",
            "max_output_tokens",
        ),
    ] {
        let line = format!(r#"{{"custom_id":"q","response":{response}}}"#);
        let (found, reason, ..) = answer(&line);
        assert_eq!((&*found, &*reason), (text, finish), "{line}");
    }
    let line = r#"{"custom_id":"q","response":{"choices":[{"message":{"content":null,"refusal":"no"}}],"model":"m"}}"#;
    assert!(
        matches!(row(line).outcome, RowOutcome::Answer { refusal: Some(r), model: Some(m), .. } if r == "no" && m == "m")
    );
}

type Failure<'a> = (&'a str, RowErrorClass, &'a str, &'a str, Option<u16>);

/// Line without its `custom_id`, class, code, message, status.
const FAILURES: &[Failure<'_>] = &[
    (
        r#"{"response":null,"error":{"code":"server_error","message":"broke"}}"#,
        RowErrorClass::Retryable,
        "server_error",
        "broke",
        None,
    ),
    (
        r#"{"response":null,"error":{"code":"batch_expired","message":"late"}}"#,
        RowErrorClass::Expired,
        "batch_expired",
        "late",
        None,
    ),
    (
        r#"{"error":{"code":"batch_cancelled"}}"#,
        RowErrorClass::Cancelled,
        "batch_cancelled",
        "",
        None,
    ),
    (
        r#"{"response":{"status_code":429,"body":{"error":{"message":"slow","type":"rate_limit","code":null}}},"error":null}"#,
        RowErrorClass::Retryable,
        "rate_limit",
        "slow",
        Some(429),
    ),
    (
        r#"{"response":{"status_code":400,"body":{"error":{"message":"bad","type":"invalid_request_error","param":null,"code":null}}},"error":null}"#,
        RowErrorClass::InvalidRequest,
        "invalid_request_error",
        "bad",
        Some(400),
    ),
    (
        r#"{"response":{"status_code":400,"request_id":"v","body":null},"error":{"error":{"message":"bad","type":"BadRequestError","code":400}}}"#,
        RowErrorClass::InvalidRequest,
        "400",
        "bad",
        Some(400),
    ),
    (
        r#"{"response":{"status_code":422,"body":"{\"error\":{\"message\":\"bad\",\"code\":\"invalid\"}}"},"error":null}"#,
        RowErrorClass::InvalidRequest,
        "invalid",
        "bad",
        Some(422),
    ),
    (
        r#"{"response":{"status_code":500,"body":"<html>"}}"#,
        RowErrorClass::Retryable,
        "",
        "<html>",
        Some(500),
    ),
    (
        r#"{"response":{"status_code":404,"body":{"detail":"no such model"}}}"#,
        RowErrorClass::InvalidRequest,
        "",
        "no such model",
        Some(404),
    ),
    (
        r#"{"response":{"status_code":400,"body":{"object":"error","message":"bad","type":"invalid_request"}}}"#,
        RowErrorClass::InvalidRequest,
        "invalid_request",
        "bad",
        Some(400),
    ),
    (
        r#"{"response":{"status_code":401,"body":{}}}"#,
        RowErrorClass::ProviderError,
        "",
        "",
        Some(401),
    ),
    (
        r#"{"error":"url not supported"}"#,
        RowErrorClass::ProviderError,
        "",
        "url not supported",
        None,
    ),
    (
        r#"{"error":{"code":503,"message":"m"}}"#,
        RowErrorClass::Retryable,
        "503",
        "m",
        Some(503),
    ),
    (
        r#"{"error":{"code":3,"message":"m"}}"#,
        RowErrorClass::InvalidRequest,
        "3",
        "m",
        None,
    ),
    (
        r#"{"error":{"code":14,"message":"m"}}"#,
        RowErrorClass::Retryable,
        "14",
        "m",
        None,
    ),
    (
        r#"{"response":{},"error":{}}"#,
        RowErrorClass::ProviderError,
        "",
        "",
        None,
    ),
    (
        r#"{"response":{"choices":[]},"error":""}"#,
        RowErrorClass::ProviderError,
        "",
        "",
        None,
    ),
    (
        r#"{"response":7}"#,
        RowErrorClass::ProviderError,
        "",
        "",
        None,
    ),
    ("{}", RowErrorClass::ProviderError, "", "", None),
    (
        r#"{"response":{"status_code":400,"body":{"choices":[{"message":{"content":"4"}}]}},"error":null}"#,
        RowErrorClass::InvalidRequest,
        "",
        "",
        Some(400),
    ),
    (
        r#"{"response":{"choices":[{"message":{"content":"4"}}]},"error":{"code":"server_error"}}"#,
        RowErrorClass::Retryable,
        "server_error",
        "",
        None,
    ),
];

#[test]
fn a_row_without_an_answer_says_why() {
    for (line, class, code, message, status) in FAILURES {
        let line = line
            .replacen('{', r#"{"custom_id":"q","#, 1)
            .replace(",}", "}");
        let (found, found_code, found_message, found_status) = error(&line);
        assert_eq!((found, &*found_code), (*class, *code), "{line}");
        assert_eq!(
            (&*found_message, found_status),
            (*message, *status),
            "{line}"
        );
    }
    assert!(
        RowErrorClass::ALL
            .iter()
            .enumerate()
            .all(|(i, c)| *c as usize == i)
    );
    assert_eq!(
        RowErrorClass::ALL
            .iter()
            .filter(|c| !c.is_retryable())
            .count(),
        1
    );
}

#[test]
fn odd_token_counts_never_become_numbers() {
    for odd in [
        "-5",
        "1e999",
        "99999999999999999999",
        "1000000001",
        "\"7\"",
        "null",
        "1.5",
        "true",
        "[]",
        "{}",
    ] {
        let line = format!(
            r#"{{"custom_id":"q","response":{{"content":"4","usage":{{"prompt_tokens":{odd},"completion_tokens":1,"total_tokens":{odd},"prompt_tokens_details":{{"cached_tokens":{odd}}}}}}}}}"#
        );
        assert_eq!(answer(&line).3, [None, Some(1), None, Some(0)], "{odd}");
    }
    for none in ["null", "[]", "\"x\"", "3", "{}"] {
        let line = format!(r#"{{"custom_id":"q","response":{{"content":"4","usage":{none}}}}}"#);
        assert_eq!(answer(&line).3, [None; 4], "{none}");
    }
    let line = r#"{"custom_id":"q","response":{"content":"4","usage":{"input_tokens":12.0,"output_tokens":0,"input_tokens_details":{"cached_tokens":2}}}}"#;
    assert_eq!(answer(line).3, [Some(12), Some(0), None, Some(2)]);
}

#[test]
fn only_broken_json_and_nameless_rows_are_refused() {
    for (line, column) in [
        ("{\"custom_id\":\"q\",", 17),
        ("{\"custom_id\": NaNope}", 15),
        ("upstream", 1),
        ("", 0),
        ("{\"custom_id\":\"q\"} x", 19),
    ] {
        assert!(
            matches!(parse_row(line.as_bytes()), Err(RowError::Json { column: c, .. }) if c == column),
            "{line:?} {:?}",
            parse_row(line.as_bytes())
        );
        assert!(
            matches!(custom_id(line.as_bytes()), Err(RowError::Json { column: c, .. }) if c == column),
            "{line:?}"
        );
    }
    assert!(matches!(
        parse_row(b"{\"custom_id\":\"\xff\"}"),
        Err(RowError::NotUtf8 { column: 15 })
    ));
    for line in [
        "[]",
        "3",
        "{}",
        r#"{"custom_id":null}"#,
        r#"{"custom_id":["q"]}"#,
        r#"{"custom_id":7}"#,
    ] {
        assert!(
            matches!(parse_row(line.as_bytes()), Err(RowError::NoCustomId)),
            "{line}"
        );
        assert!(
            matches!(custom_id(line.as_bytes()), Err(RowError::NoCustomId)),
            "{line}"
        );
    }
    let deep = format!(
        r#"{{"custom_id":"q","response":{}1{}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    assert!(custom_id(deep.as_bytes()).is_ok());
    assert!(parse_row(deep.as_bytes()).is_ok());
}

#[test]
fn a_paid_answer_with_half_a_surrogate_pair_is_kept() {
    let line =
        r#"{"custom_id":"q","response":{"content":"a\ud83d b \\ud83d \ud83d\ude42 \ude42"}}"#;
    assert_eq!(answer(line).0, "a\u{fffd} b \\ud83d 🙂 \u{fffd}");
}

#[test]
fn plain_rows_are_borrowed_from_their_line() {
    let line = r#"{"custom_id":"q","response":{"id":"r","choices":[{"message":{"content":"4"},"finish_reason":"stop"}]}}"#;
    let Row { custom_id, outcome } = row(line);
    assert!(matches!(custom_id, Cow::Borrowed(_)));
    assert!(matches!(
        outcome,
        RowOutcome::Answer {
            text: Cow::Borrowed("4"),
            finish_reason: Some(Cow::Borrowed("stop")),
            request_id: Some(Cow::Borrowed("r")),
            ..
        }
    ));
}

proptest::proptest! {
    /// Values in wrong places, repeated keys and cut lines are rows or errors, and both readers agree on the name.
    #[test]
    fn no_line_is_beyond_reading(
        line in r#"\{("custom_id":"q",)?("(custom_id|response|body|error|choices|message|content|usage|output|type|code|prompt_tokens)":(\{|\[|"x"|1e999|-1|null|true|"\\ud800"|\}|\])[,}\]]{0,2}){0,9}\}{0,4}"#
    ) {
        let whole = parse_row(line.as_bytes());
        let name = custom_id(line.as_bytes());
        if let (Ok(row), Ok(name)) = (&whole, &name) {
            proptest::prop_assert_eq!(&row.custom_id, name);
        }
        proptest::prop_assert_eq!(name.is_err() && whole.is_ok(), false);
    }
}
