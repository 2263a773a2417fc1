//! Every format: what it makes of good rows, and how it reports bad ones.

use super::*;
use crate::domain::ScorerName;
use crate::domain::request::ItemType;

const SQUAD: &str = r#"{"version": "v2.0",
 "data": [
  {"title": "Towers", "paragraphs": [
    {"qas": [
      {"id": "q1", "question": "How high? ", "is_impossible": false,
       "answers": [{"text": "9 m", "answer_start": 1}, {"text": "9 m", "answer_start": 1}, {"text": "nine", "answer_start": 2}]},
      {"id": "q2", "question": "Who built it?", "is_impossible": true, "answers": [], "plausible_answers": [{"text": "x", "answer_start": 0}]},
      {"id": "q3", "question": "Bad?", "is_impossible": false, "answers": []},
      {"id": "q4", "question": "Bad?", "is_impossible": false},
      7],
     "context": "\n The tower  is 9 m high.\n"},
    {"qas": "none", "context": "x"}]},
  {"title": "Bells", "paragraphs": [{"context": "A bell.", "qas": [{"id": "q1", "question": "Again?", "answers": [{"text": "bell"}]}]}]},
  {"paragraphs": [{"context": "Old form.", "qas": [{"id": 5, "question": "Form?", "answers": [{"text": "old"}]}]}]}
 ]}"#;

#[test]
fn squad_keeps_title_and_passage_and_reports_each_bad_question() {
    let (items, rejects) = sorted(&spec(DatasetFormat::Squad), SQUAD);
    assert_eq!(ids(&items), ["q1", "q2", "5"]);
    let first = &items[0];
    assert_eq!(first.question, "How high?");
    assert_eq!(first.answers, ["9 m", "nine"]);
    assert_eq!(first.context.as_deref(), Some("The tower  is 9 m high."));
    assert_eq!(first.cluster.as_deref(), Some("Towers"));
    assert_eq!(first.is_unanswerable, Some(false));
    assert_eq!(first.passage, items[1].passage);
    assert_eq!(first.passage.as_deref().map(str::len), Some(16));
    assert_eq!(first.scorer, None);
    assert!(items[1].unanswerable() && items[1].answers.is_empty());
    assert_eq!(items[2].cluster, None);
    assert_eq!(
        tags(&rejects),
        [
            (3, "no_answers"),
            (3, "missing_field"),
            (3, "not_an_object"),
            (3, "wrong_type"),
            (13, "duplicate_id")
        ]
    );
    assert_eq!(rejects[4].1.to_string(), "repeats the id of question 1");
}

#[test]
fn a_stopped_reading_is_no_error() {
    for (format, text) in [
        (DatasetFormat::Squad, SQUAD),
        (
            DatasetFormat::NqOpen,
            "{\"question\": \"a\", \"answer\": [\"b\"]}\nbroken\n",
        ),
        (DatasetFormat::Csv, "id,question,answers\n1,a,b\n2,c,d\n"),
    ] {
        let mut count = 0;
        let outcome = read(&spec(format), &mut text.as_bytes(), &mut |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert!(outcome.is_ok() && count == 1, "{format:?}");
    }
}

#[test]
fn nq_open_ids_do_not_depend_on_order_and_repeated_questions_are_reported() {
    let text = "\u{feff}{\"question\": \"who?\", \"answer\": [\"a\", \"a\", \" b \"]}\r\n\r\n\
                {\"question\": \"when?\", \"answer\": [1969, true]}\r\n\
                {\"question\": \" who?\", \"answer\": [\"a\"]}\n\
                {\"question\": \"where?\", \"answer\": \"here\"}\n\
                {\"question\": \"\", \"answer\": [\"x\"]}\n{\"question\": \"cut";
    let (items, rejects) = sorted(&spec(DatasetFormat::NqOpen), text);
    assert_eq!(items.len(), 2);
    // printf 'who?' | sha256sum
    assert_eq!(items[0].id, "1d8176d17935a44c");
    assert_eq!(items[0].answers, ["a", "b"]);
    assert_eq!(items[1].answers, ["1969", "true"]);
    assert_eq!(items[0].item_type(), ItemType::Closed);
    assert_eq!(items[0].is_unanswerable, None);
    assert_eq!(
        tags(&rejects),
        [
            (4, "duplicate_id"),
            (5, "wrong_type"),
            (6, "empty_question"),
            (7, "not_json")
        ]
    );
    assert_eq!(rejects[0].1.to_string(), "repeats the id of line 1");
    let turned = "{\"question\": \"when?\", \"answer\": [\"x\"]}\n{\"question\": \"who?\", \"answer\": [\"x\"]}\n";
    let (others, _) = sorted(&spec(DatasetFormat::NqOpen), turned);
    assert_eq!(ids(&others), [items[1].id.as_str(), items[0].id.as_str()]);
}

#[test]
fn triviaqa_takes_the_answer_and_its_aliases() {
    let text = r#"{"Data": [
        {"QuestionId": "tc_1", "Question": "Who?", "Answer": {"Value": "Ann Lee", "Aliases": ["Ann Lee", "A. Lee"], "NormalizedAliases": ["ann lee"], "HumanAnswers": ["Lee!"]}},
        {"QuestionId": "tc_2", "Question": "Which?"},
        {"QuestionId": "tc|3", "Question": "Which?", "Answer": {"Value": "x"}},
        {"QuestionId": "tc_4", "Question": "Which?", "Answer": "x"},
        {"QuestionId": "tc_5", "Question": "Which?", "Answer": {"Value": "x"}}], "Domain": "unfiltered"}"#;
    let (items, rejects) = sorted(&spec(DatasetFormat::TriviaQa), text);
    assert_eq!(ids(&items), ["tc_1", "tc_5"]);
    assert_eq!(items[0].answers, ["Ann Lee", "A. Lee"]);
    assert_eq!(
        tags(&rejects),
        [(3, "missing_field"), (4, "bad_id"), (5, "wrong_type")]
    );
}

#[test]
fn gsm8k_takes_the_number_behind_the_mark() {
    let text = "{\"question\": \"a\", \"answer\": \"1+1=2\\n#### 2\"}\n\
                {\"question\": \"b\", \"answer\": \"#### 1,450,000 \"}\n\
                {\"question\": \"c\", \"answer\": \"#### -3.5\"}\n\
                {\"question\": \"d\", \"answer\": \"seven\"}\n\
                {\"question\": \"e\", \"answer\": \"#### seven\"}\n";
    let (items, rejects) = sorted(&spec(DatasetFormat::Gsm8k), text);
    let answers: Vec<_> = items.iter().map(|i| i.answers[0].as_str()).collect();
    assert_eq!(answers, ["2", "1450000", "-3.5"]);
    assert!(
        items
            .iter()
            .all(|i| i.scorer == Some(ScorerName::Numeric) && i.id.len() == 16)
    );
    assert_eq!(tags(&rejects), [(4, "no_gold_mark"), (5, "not_a_number")]);
}

#[test]
fn jsonl_reads_mapped_fields_of_every_kind() {
    let mut spec = spec(DatasetFormat::Jsonl);
    spec.fields.question = "q".to_owned();
    spec.fields.context = "text".to_owned();
    let text = r#"{"id": 7, "q": "a", "answers": "x"}
{"id": "8", "q": "b", "answers": [1, 2.5, true], "text": " p ", "cluster": 3, "extra": null}
{"id": "9", "q": "c", "text": "p", "is_unanswerable": true}
{"id": "10", "q": "d", "text": "p", "is_unanswerable": 1, "answers": []}
{"id": "11", "q": "e", "text": "", "answers": 42}
"#;
    let (items, rejects) = sorted(&spec, text);
    assert_eq!(rejects, []);
    assert_eq!(ids(&items), ["7", "8", "9", "10", "11"]);
    assert_eq!(items[1].answers, ["1", "2.5", "true"]);
    assert_eq!(items[1].context.as_deref(), Some("p"));
    assert_eq!(items[1].cluster.as_deref(), Some("3"));
    assert!(items[2].unanswerable() && items[3].unanswerable());
    assert_eq!(
        (items[4].context.as_ref(), items[4].answers[0].as_str()),
        (None, "42")
    );
}

#[test]
fn jsonl_reports_bad_rows_by_line_and_goes_on() {
    let text = r#"{"id": "1", "question": "fine?", "answers": ["x"]}
{"id": "2", "question": "fine?", "answers": ["x"]
[1]
{"id": "a|b", "question": "q", "answers": ["x"]}
{"question": "q", "answers": ["x"]}
{"id": "6", "questoin": "q", "answers": ["x"]}
{"id": "7", "question": "q", "answers": [["x"]]}
{"id": "8", "question": "q", "answers": ["", " "]}
{"id": "9", "question": "q", "answers": null}
{"id": "10", "question": "q", "is_unanswerable": true}
{"id": "11", "question": "q", "answers": ["x"], "context": "p", "is_unanswerable": true}
{"id": "1", "question": "other", "answers": ["x"]}
{"id": 12345678901234567890123, "question": "q", "answers": ["x"]}
{"id": "14", "question": "q", "answers": ["x"], "is_unanswerable": "perhaps"}
{"id": "15", "question": "q", "answers": {"x": 1}}
{"id": "", "question": "q", "answers": ["x"]}
{"id": "17", "question": "last", "answers": ["x"]}"#;
    let (items, rejects) = sorted(&spec(DatasetFormat::Jsonl), text);
    assert_eq!(ids(&items), ["1", "17"]);
    assert_eq!(
        tags(&rejects),
        [
            (2, "not_json"),
            (3, "not_an_object"),
            (4, "bad_id"),
            (5, "missing_field"),
            (6, "missing_field"),
            (7, "wrong_type"),
            (8, "no_answers"),
            (9, "wrong_type"),
            (10, "unanswerable_closed"),
            (11, "answers_to_unanswerable"),
            (12, "duplicate_id"),
            (13, "wrong_type"),
            (14, "wrong_type"),
            (15, "wrong_type"),
            (16, "bad_id"),
        ]
    );
    assert_eq!(
        rejects[4].1.to_string(),
        "has no \"question\"; it has \"answers\", \"id\", \"questoin\"; did you mean \"questoin\"?"
    );
}

#[test]
fn rejects_carry_the_id_where_it_can_be_read_and_nothing_hostile() {
    let text = "{\"id\": \"1\", \"question\": \"q\", \"answers\": [\"x\"]}\n\
                {\"id\": \"2\", \"question\": \"q\", \"answers\": []}\n\
                {\"id\": \"3\", \"\\u001b]52;c\": 1}\n";
    let rows = rows(&spec(DatasetFormat::Jsonl), text.as_bytes()).unwrap();
    let reject = rows[1].outcome.as_ref().unwrap_err();
    assert_eq!(reject.id.as_deref(), Some("2"));
    let reject = rows[2].outcome.as_ref().unwrap_err();
    assert!(!reject.reason.to_string().contains('\u{1b}'));
}

#[test]
fn choices_are_named_by_letter_label_or_text() {
    let text = r#"{"id": "1", "question": "q", "choices": ["red", "green"], "answers": "B"}
{"id": "2", "question": "q", "choices": ["red", "green"], "answers": ["red"]}
{"id": "3", "question": "q", "choices": {"a": "red", "b": "green"}, "answers": "b"}
{"id": "4", "question": "q", "choices": {"1": "red", "2": "green"}, "answers": 2}
{"id": "5", "question": "q", "choices": ["red", "green"], "answers": ["b", "green"]}
{"id": "6", "question": "q", "choices": ["red", "green"], "answers": "blue"}
{"id": "7", "question": "q", "choices": ["B", "A"], "answers": "A"}
{"id": "8", "question": "q", "choices": ["red"], "answers": "red"}
{"id": "9", "question": "q", "choices": "red", "answers": "red"}
{"id": "10", "question": "q", "choices": ["red", "green"], "answers": "C"}
{"id": "11", "question": "no choices", "answers": "C"}
"#;
    let (items, rejects) = sorted(&spec(DatasetFormat::Jsonl), text);
    let answers: Vec<_> = items.iter().map(|i| i.answers.join(" ")).collect();
    assert_eq!(answers, ["B", "A", "B", "B", "B", "C"]);
    assert!(
        items[..5]
            .iter()
            .all(|i| i.scorer == Some(ScorerName::Choice))
    );
    assert_eq!(items[3].choices, ["red", "green"]);
    assert_eq!(items[5].scorer, None);
    assert_eq!(
        tags(&rejects),
        [
            (6, "no_such_choice"),
            (7, "ambiguous_choice"),
            (8, "choice_count"),
            (9, "wrong_type"),
            (10, "no_such_choice")
        ]
    );
}

#[test]
fn a_scorer_of_the_source_wins_over_the_usual_one() {
    let text = "{\"id\": \"1\", \"question\": \"q\", \"choices\": [\"red\", \"green\"], \"answers\": \"red\"}\n";
    let mut spec = spec(DatasetFormat::Jsonl);
    spec.scorer = Some(ScorerName::EmF1);
    let (items, _) = sorted(&spec, text);
    assert_eq!(
        (items[0].scorer, items[0].answers[0].as_str()),
        (None, "red")
    );
    spec.scorer = Some(ScorerName::Numeric);
    assert_eq!(sorted(&spec, text).0[0].scorer, Some(ScorerName::Numeric));
}

#[test]
fn a_forced_item_type_drops_the_passage_or_demands_it() {
    let text = "{\"id\": \"1\", \"question\": \"q\", \"answers\": \"x\", \"context\": \"p\"}\n\
                {\"id\": \"2\", \"question\": \"q\", \"answers\": \"x\"}\n";
    let mut spec = spec(DatasetFormat::Jsonl);
    spec.item_type = Some(ItemType::Closed);
    let (items, _) = sorted(&spec, text);
    assert!(
        items
            .iter()
            .all(|i| i.context.is_none() && i.passage.is_none())
            && items.len() == 2
    );
    spec.item_type = Some(ItemType::Open);
    let (items, rejects) = sorted(&spec, text);
    assert_eq!(ids(&items), ["1"]);
    assert_eq!(tags(&rejects), [(2, "no_context")]);
}

#[test]
fn csv_reads_lists_quotes_and_empty_cells() {
    let text = "\u{feff}id, question ,answers,context,choices,is_unanswerable\r\n\
                1,\"a, \"\"b\"\"\nc?\",x|y| x ,,,\r\n\
                2,q,\"[\"\"x|y\"\", 3]\",passage,,no\r\n\
                \r\n\
                3,q,,passage,,TRUE\r\n\
                4,q,b,,\"{\"\"a\"\": \"\"red\"\", \"\"b\"\": \"\"green\"\"}\",\r\n\
                5,q,green,,red|green,";
    let (items, rejects) = sorted(&spec(DatasetFormat::Csv), text);
    assert_eq!(rejects, []);
    assert_eq!(ids(&items), ["1", "2", "3", "4", "5"]);
    assert_eq!(items[0].question, "a, \"b\"\nc?");
    assert_eq!(items[0].answers, ["x", "y"]);
    assert_eq!(items[1].answers, ["x|y", "3"]);
    assert!(items[2].unanswerable());
    assert_eq!(items[3].answers, ["B"]);
    assert_eq!(items[4].answers, ["B"]);
}

#[test]
fn csv_refuses_ragged_rows_and_names_the_line_they_start_on() {
    let text = b"id,question,answers\n1,\"two\nlines\",x\n\n2,q\n3,q,x,y\n4,\"\",x\n5,q,\"['a', 'b']\"\n6,\xff,x\n7,q,x\n";
    let rows = rows(&spec(DatasetFormat::Csv), text).unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|r| {
            (
                r.line,
                r.outcome
                    .as_ref()
                    .map_or_else(|e| e.reason.tag(), |_| "item"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (2, "item"),
            (5, "ragged_row"),
            (6, "ragged_row"),
            (7, "empty_question"),
            (8, "wrong_type"),
            (9, "not_utf8"),
            (10, "item")
        ]
    );
}

#[test]
fn csv_rows_swallowed_by_an_open_quote_are_reported() {
    let text = "id,question,answers\n1,q,x\n2,q,\"x\n3,q,x\n4,q,x\n";
    let (items, rejects) = sorted(&spec(DatasetFormat::Csv), text);
    assert_eq!(ids(&items), ["1"]);
    assert_eq!(tags(&rejects), [(3, "open_quote")]);
}

#[test]
fn only_line_feeds_end_json_lines() {
    let text = "{\"id\": \"1\", \"question\": \"a\u{2028}b\u{85}c\", \"answers\": \"x\"}\n";
    let (items, _) = sorted(&spec(DatasetFormat::Jsonl), text);
    assert_eq!(items[0].question, "a\u{2028}b\u{85}c");
}

#[test]
fn an_endless_line_is_a_reject_of_its_own() {
    let mut text = b"{\"id\": \"1\", \"question\": \"q\", \"answers\": \"x\"}\n".to_vec();
    text.resize(text.len() + (17 << 20), b'x');
    text.extend_from_slice(b"\n{\"id\": \"2\", \"question\": \"q\", \"answers\": \"x\"}\n");
    let rows = rows(&spec(DatasetFormat::Jsonl), &text).unwrap();
    assert_eq!(rows.len(), 3);
    assert!(matches!(&rows[1].outcome, Err(r) if r.reason.tag() == "line_too_long" && r.line == 2));
    assert!(rows[2].outcome.is_ok() && rows[2].line == 3);
}
