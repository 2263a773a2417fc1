use super::*;
use crate::scoring::predictions::{Prediction, PredictionWriter};

const CLOSED: &str = r#"{"dataset":"d","id":"1","question":"?","answers":["x"],"cluster":"C, 1"}
{"dataset":"d","id":"2","question":"?","answers":["x"]}

{"dataset":"d","id":"3","question":"?","answers":["x"]}
"#;
const OPEN: &str = r#"{"dataset":"d","id":"1","context":"x y","question":"?","answers":["x"],"is_unanswerable":false}
{"dataset":"d","id":"2","context":"x y","question":"?","answers":[],"is_unanswerable":true}
"#;

fn run(rows: &[(&str, &str)]) -> (Result<ScoreTally, ScoreError>, Vec<String>) {
    let mut writer = PredictionWriter::new(Vec::new()).expect("a buffer");
    for (custom_id, text) in rows {
        let failed = text.starts_with("error:");
        writer
            .write(&Prediction {
                custom_id,
                id: CustomId::parse(custom_id).expect("our name"),
                request_id: "",
                finish_reason: if failed { text } else { "stop" },
                response_text: if failed { "" } else { text },
                prompt_tokens: None,
                completion_tokens: None,
                total_tokens: None,
            })
            .expect("a buffer");
    }
    let predictions = writer.finish().expect("a buffer");
    let items = ItemCursor::new(|item_type| {
        Ok(Box::new(match item_type {
            ItemType::Closed => CLOSED.as_bytes(),
            ItemType::Open => OPEN.as_bytes(),
        }) as Box<dyn BufRead>)
    });
    let mut out = Vec::new();
    let tally = score_predictions(&*predictions, items, ScoreSettings::default(), &mut out);
    let text = String::from_utf8(out).expect("text");
    (tally, text.split("\r\n").map(str::to_owned).collect())
}

#[test]
fn samples_of_an_item_become_one_row_and_failures_are_left_out() {
    let (tally, lines) = run(&[
        ("d|1|control|0.0|0|closed", "x"),
        ("d|1|control|0.0|1|closed", "y"),
        ("d|1|control|0.0|2|closed", "error:expired"),
        ("d|3|control|0.0|0|closed", "error:expired"),
        ("d|2|control|0.0|0|open", "I don't know"),
        ("d|1|treatment|0.0|0|closed", "x"),
        ("d|2|treatment|0.0|0|closed", "x"),
        ("d|1|treatment|0.5|0|open", "z"),
    ]);
    let tally = tally.expect("in order");
    assert_eq!(
        lines,
        [
            "item_key,type,condition,temp,em,em_std,f1,f1_std,abstain_rate,abstain_rate_std,false_answer_rate,false_answer_rate_std,unsupported_rate,unsupported_rate_std,n_samples,dataset,cluster",
            "d|1,closed,control,0.0,0.5,0.7071067811865476,,,0.0,0.0,,,,,2,d,\"C, 1\"",
            "d|2,open,control,0.0,1.0,0.0,1.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,1,d,",
            "d|1,closed,treatment,0.0,1.0,0.0,,,0.0,0.0,,,,,1,d,\"C, 1\"",
            "d|2,closed,treatment,0.0,1.0,0.0,,,0.0,0.0,,,,,1,d,",
            "d|1,open,treatment,0.5,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,1,d,",
            "",
        ]
    );
    let control = ConditionTally {
        scored: 3,
        failed: 2,
        items: 2,
        missing_items: 1,
    };
    assert_eq!(*tally.of(Condition::Control), control);
    let treatment = ConditionTally {
        scored: 3,
        failed: 0,
        items: 3,
        missing_items: 0,
    };
    assert_eq!(*tally.of(Condition::Treatment), treatment);
}

#[test]
fn no_item_can_get_two_rows() {
    for last in ["d|1|control|0.0|0|closed", "d|2|control|0.0|1|closed"] {
        let (tally, _) = run(&[
            ("d|1|control|0.0|0|closed", "x"),
            ("d|2|control|0.0|0|closed", "x"),
            ("d|3|control|0.0|0|closed", "x"),
            (last, "x"),
        ]);
        assert!(matches!(tally, Err(ScoreError::OutOfOrder { key }) if key == last));
    }
    let (tally, _) = run(&[
        ("d|1|control|0.0|0|closed", "x"),
        ("d|1|treatment|0.0|0|closed", "x"),
        ("d|2|control|0.0|0|closed", "x"),
    ]);
    assert!(matches!(tally, Err(ScoreError::OutOfOrder { .. })));
}

#[test]
fn an_unknown_item_is_named() {
    for id in ["d|9|control|0.0|0|closed", "d|3|control|0.0|0|open"] {
        let (tally, _) = run(&[("d|2|control|0.0|0|closed", "x"), (id, "x")]);
        let Err(error) = tally else {
            panic!("{id} is unknown")
        };
        assert!(error.to_string().contains(&id[..3]), "{error}");
    }
}
