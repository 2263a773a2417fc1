use super::*;

fn item(json: &str) -> Item {
    serde_json::from_str(json).expect("an item")
}

/// em, f1, abstain, false answer, unsupported.
fn scores(item: &Item, item_type: ItemType, response: &str) -> [Option<f64>; 5] {
    let mut scorer = Scorer::new(ScoreSettings::default());
    let gold = scorer.prepare(item, item_type);
    let score = scorer.score(&gold, response);
    [
        Some(score.em),
        score.f1,
        Some(score.abstain),
        score.false_answer,
        score.unsupported,
    ]
}

const NO: Option<f64> = Some(0.0);
const YES: Option<f64> = Some(1.0);

#[test]
fn open_items_get_every_metric_by_the_predecessors_rules() {
    let answerable = item(
        r#"{"dataset":"d","id":"1","context":"Ada Lovelace wrote the notes in 1843.","question":"?","answers":["Ada Lovelace","the Lovelace"],"is_unanswerable":false}"#,
    );
    for (response, expected) in [
        ("ada LOVELACE!", [YES, YES, NO, NO, NO]),
        ("Countess Ada Lovelace", [NO, Some(0.8), NO, NO, NO]),
        ("Lovelace", [YES, YES, NO, NO, NO]),
        ("Charles Babbage", [NO, NO, NO, NO, YES]),
        ("I don't know.", [NO, NO, YES, NO, NO]),
        ("", [NO, NO, NO, NO, YES]),
        ("...", [NO, NO, NO, NO, YES]),
    ] {
        assert_eq!(
            scores(&answerable, ItemType::Open, response),
            expected,
            "{response}"
        );
    }
    let unanswerable = item(
        r#"{"dataset":"d","id":"2","context":"Ada Lovelace wrote notes.","question":"?","answers":[],"is_unanswerable":true}"#,
    );
    for (response, expected) in [
        ("I don’t know.", [YES, YES, YES, NO, NO]),
        ("Ada Lovelace", [NO, NO, NO, YES, NO]),
        ("", [NO, NO, NO, YES, YES]),
    ] {
        assert_eq!(
            scores(&unanswerable, ItemType::Open, response),
            expected,
            "{response}"
        );
    }
}

#[test]
fn closed_items_are_right_or_wrong_and_may_abstain() {
    let text = item(r#"{"dataset":"d","id":"1","question":"?","answers":["Paris"]}"#);
    assert_eq!(
        scores(&text, ItemType::Closed, "The Paris."),
        [YES, None, NO, None, None]
    );
    assert_eq!(
        scores(&text, ItemType::Closed, "Unknown."),
        [NO, None, YES, None, None]
    );
    let number =
        item(r#"{"dataset":"d","id":"1","question":"?","answers":["18"],"scorer":"numeric"}"#);
    assert_eq!(
        scores(&number, ItemType::Closed, "so \\boxed{18.00}"),
        [YES, None, NO, None, None]
    );
    let choice = item(
        r#"{"dataset":"d","id":"1","question":"?","answers":["B"],"choices":["x","y"],"scorer":"choice"}"#,
    );
    assert_eq!(
        scores(&choice, ItemType::Closed, "(B)"),
        [YES, None, NO, None, None]
    );
    assert_eq!(
        scores(&choice, ItemType::Closed, "I don't know"),
        [NO, None, YES, None, None]
    );
}

#[test]
fn gold_answers_that_normalise_to_nothing_reward_no_empty_answer() {
    // `evaluate-v2.0.py`: gold_answers = [a for a in answers if normalize_answer(a)] or [''].
    let one = item(r#"{"dataset":"d","id":"1","question":"?","answers":["interventionism","."]}"#);
    assert_eq!(scores(&one, ItemType::Closed, "")[0], NO);
    let none = item(r#"{"dataset":"d","id":"1","question":"?","answers":["---"]}"#);
    assert_eq!(scores(&none, ItemType::Closed, "--")[0], YES);
}

#[test]
fn repeated_tokens_count_as_often_as_both_have_them() {
    let item = item(
        r#"{"dataset":"d","id":"1","context":"c","question":"?","answers":["b b c"],"is_unanswerable":false}"#,
    );
    // compute_f1: 3 shared of 4 and 3.
    let f1 = 2.0 * 0.75 * 1.0 / 1.75;
    assert_eq!(scores(&item, ItemType::Open, "b b b c")[1], Some(f1));
    assert_eq!(
        scores(&item, ItemType::Open, "b")[1],
        Some(2.0 * (1.0 / 3.0) / (1.0 + 1.0 / 3.0))
    );
}
