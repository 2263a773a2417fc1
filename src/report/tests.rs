//! The reports as pages: a golden page for a small hostile trial, inertness, money.

use std::collections::BTreeMap;

use super::examples::{Example, Flip, flips, select_flips, with_texts};
use super::outcomes::{Outcome, outcomes};
use super::*;
use crate::domain::ids::PromptSetName;
use crate::domain::{
    Condition, Digest, ItemType, MaxNewTokens, RunId, Temperature, Trial, TrialSlug, Usd,
};

const SCORES: &str = include_str!("../../tests/it/fixtures/report/per_item_scores.csv");
const PREDICTIONS: &str = include_str!("../../tests/it/fixtures/report/predictions.csv");
const SIGNIFICANCE: &str = include_str!("../../tests/it/fixtures/report/significance.json");
const HOSTILE: &str = "<script>alert(1)</script> ![x](http://evil.example/p.png) [a](b) | # h\n# Heading\n| a | b |\n|---|\n";

fn price() -> PriceUsed {
    PriceUsed {
        input_per_million: Usd::from_dollars(0.15).expect("an amount"),
        output_per_million: Usd::from_dollars(0.6).expect("an amount"),
        batch_discount: 0.5,
    }
}

fn trial(model: &str) -> Trial {
    Trial {
        slug: TrialSlug::new("small-vanilla-tp1-tk50-mx64-128").expect("a slug"),
        model: model.to_owned(),
        prompt_set: PromptSetName::new("vanilla").expect("a name"),
        temps: vec![Temperature::default()],
        samples: vec![1],
        top_p: 1.0,
        top_k: Some(50),
        max_new_tokens: MaxNewTokens {
            closed_book: 64,
            open_book: 128,
        },
        stop: vec!["</s>|\n".to_owned()],
    }
}

/// Runs `with` on the report of the fixture, its model and examples as given.
fn on_report<T>(model: &str, question: &str, with: impl FnOnce(&TrialReport<'_>) -> T) -> T {
    let estimates = Estimates::read(SIGNIFICANCE.as_bytes()).expect("the fixture");
    let input = CostInput {
        price: Some(price()),
        shared_rows: [(Condition::Control, 76)].into(),
        correct: costs::correct_answers(SCORES.as_bytes()).expect("the fixture"),
    };
    let costs = costs(PREDICTIONS.as_bytes(), &input).expect("the fixture");
    let mut outcomes = outcomes(PREDICTIONS.as_bytes()).expect("the fixture");
    outcomes.entry(Condition::Treatment).or_default().missing = 1;
    let flips = flips(SCORES.as_bytes(), 3).expect("the fixture");
    let picked: Vec<Flip> = flips.gained.iter().chain(&flips.lost).cloned().collect();
    let mut examples = with_texts(PREDICTIONS.as_bytes(), picked).expect("the fixture");
    for example in &mut examples {
        example.question = Some(question.to_owned());
        example.answers = vec!["12".to_owned(), HOSTILE.to_owned()];
    }
    let (run_id, trial) = (RunId::new("r1").expect("an id"), trial(model));
    let prompts = [Source {
        label: "control prompt",
        path: "config/prompts/control|x.txt",
        sha256: Some(Digest::of(b"control")),
        items: None,
    }];
    let datasets = [Source {
        label: "gsm8k",
        path: "data/items.jsonl",
        sha256: None,
        items: Some(26),
    }];
    with(&TrialReport {
        provenance: Provenance {
            run_id: &run_id,
            trial: &trial,
            provider: "sim",
            reported_models: &[HOSTILE.to_owned()],
            prompts: &prompts,
            datasets: &datasets,
            config_hash: Digest::of(b"config"),
            sampling_seed: 7,
            version: "0.1.0",
        },
        estimates: &estimates,
        costs: &costs,
        outcomes: &outcomes,
        flips: &flips,
        examples: &examples,
    })
}

#[test]
fn a_small_trial_has_this_report() {
    let page = on_report("accounts/fireworks/models/small", "How many?", trial_report);
    insta::with_settings!({snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("report_trial", page);
    });
}

#[test]
fn a_run_of_two_trials_has_this_report() {
    let page = on_report("accounts/fireworks/models/small", "How many?", |report| {
        aggregate_report(&[report.clone(), report.clone()])
    });
    insta::with_settings!({snapshot_path => "../../tests/it/snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("report_aggregate", page);
    });
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let once = || on_report("m", "q", trial_report);
    assert_eq!(once(), once());
}

/// What no page may hold outside of code: something a reader would turn into markup.
#[track_caller]
fn assert_inert(page: &str) {
    for forbidden in [
        "<script", "](", "![", "://", "www.", "\u{1b}", "\u{7}", "\u{202e}",
    ] {
        assert!(!page.contains(forbidden), "{forbidden:?} in:\n{page}");
    }
    for line in page.lines() {
        assert!(
            !line.starts_with("# Heading") && !line.starts_with("| a | b"),
            "{line}"
        );
        assert!(!line.trim_start().starts_with('<'), "{line}");
    }
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let evil = format!("{HOSTILE}\u{1b}]52;c;x\u{7}\u{202e}www.evil.example @me `code` **b**");
    let page = on_report(&evil, &evil, trial_report);
    assert_inert(&page);
    assert!(page.contains("&lt;script&gt;"));
    assert_inert(&on_report(&evil, &evil, |report| {
        aggregate_report(std::slice::from_ref(report))
    }));
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head() {
    let page = on_report(HOSTILE, HOSTILE, trial_report);
    let mut width = None;
    for line in page.lines() {
        if !line.starts_with('|') {
            width = None;
            continue;
        }
        let bars = line.matches('|').count();
        assert_eq!(*width.get_or_insert(bars), bars, "{line}");
    }
}

#[test]
fn text_that_is_escaped_reads_as_it_was() {
    assert_eq!(
        inert::text("a*b_c|d<e>&f"),
        "a\\*b\\_c&#124;d&lt;e&gt;&amp;f"
    );
    assert_eq!(
        inert::text("http://x www.y a@b"),
        "http&#58;//x www&#46;y a&#64;&#8288;b"
    );
    assert_eq!(inert::text("one\n\n# two"), "one \\# two");
    assert_eq!(inert::name("gpt-4o_mini.1/x"), "`gpt-4o_mini.1/x`");
    assert_eq!(inert::name("a`b"), "a\\`b");
    assert_eq!(inert::name(""), "");
    let long = inert::excerpt(&"x".repeat(1_000), 100);
    assert!(
        long.contains("900 characters left out") && long.len() < 160,
        "{long}"
    );
}

#[test]
fn an_unknown_price_is_null_and_never_zero() {
    let unpriced = costs(PREDICTIONS.as_bytes(), &CostInput::default()).expect("the fixture");
    let json = serde_json::to_value(&unpriced).expect("JSON");
    assert!(json["usd"].is_null() && json["price"].is_null());
    assert!(json["by_condition"]["control"]["usd"].is_null());
    assert_eq!(unpriced.unpriced_rows, unpriced.requests);
    assert!(json["total_tokens"].as_u64() > Some(0));
    assert_eq!(numbers::usd(None), "unknown");
}

#[test]
fn money_follows_from_tokens_price_and_discount() {
    let header = "custom_id,condition,temp,prompt_tokens,completion_tokens\n";
    let csv = format!(
        "{header}a,control,0.0,1000000,0\nb,treatment,0.0,0,1000000\nc,treatment,0.7,500000,\n"
    );
    let input = CostInput {
        price: Some(price()),
        correct: [(Condition::Control, 3.0), (Condition::Treatment, 0.0)].into(),
        ..CostInput::default()
    };
    let costs = costs(csv.as_bytes(), &input).expect("costs");
    let near = |x: Option<f64>, y: f64| x.is_some_and(|x| (x - y).abs() < 1e-12);
    assert!(near(costs.usd, 0.075 + 0.3 + 0.0375));
    let control = &costs.by_condition[&Condition::Control];
    assert!(near(control.usd, 0.075) && near(control.usd_per_correct, 0.025));
    assert_eq!(
        costs.by_condition[&Condition::Treatment].usd_per_correct,
        None
    );
    assert!(near(costs.by_temp["0.7"].usd, 0.0375));
    assert_eq!(
        (costs.rows_without_usage, costs.total_tokens),
        (1, 2_500_000)
    );
    let back: Costs =
        serde_json::from_str(&serde_json::to_string(&costs).expect("JSON")).expect("its shape");
    assert_eq!(back, costs);
}

#[test]
fn a_token_cell_that_is_no_count_is_an_error_with_its_line() {
    for bad in ["-1", "12.5", "many", "99999999999999999999"] {
        let csv = format!("condition,temp,prompt_tokens,completion_tokens\ncontrol,0.0,{bad},1\n");
        let error = costs(csv.as_bytes(), &CostInput::default()).expect_err("no count");
        assert!(
            matches!(error, ReportError::BadCell { line: 2, .. }),
            "{error}"
        );
    }
    let error = costs("condition,temp\n".as_bytes(), &CostInput::default()).expect_err("no column");
    assert!(matches!(
        error,
        ReportError::MissingColumn {
            column: "prompt_tokens",
            ..
        }
    ));
}

#[test]
fn rows_are_counted_by_how_they_ended() {
    for (reason, text, outcome) in [
        ("stop", "x", Outcome::Answered),
        ("stop", "  ", Outcome::Empty),
        ("length", "", Outcome::Truncated),
        ("MAX_TOKENS", "x", Outcome::Truncated),
        ("content_filter", "", Outcome::Refused),
        ("", "x", Outcome::Other),
        ("tool_calls", "x", Outcome::Other),
    ] {
        assert_eq!(Outcome::of(reason, text), outcome, "{reason} {text}");
    }
    let all = outcomes(PREDICTIONS.as_bytes()).expect("the fixture");
    assert_eq!(all[&Condition::Control].came_back(), 76);
    assert_eq!(all[&Condition::Treatment].came_back(), 75);
}

fn flip(item: &str, control_score: f64, treatment_score: f64) -> Flip {
    Flip {
        item: item.to_owned(),
        item_type: ItemType::Closed,
        temp: Temperature::default(),
        control_score,
        treatment_score,
    }
}

#[test]
fn the_choice_of_flips_does_not_depend_on_the_order_of_items() {
    let mut items: Vec<Flip> = (0..50)
        .map(|i| flip(&format!("d|{i}"), f64::from(i % 2), f64::from(i % 3) / 2.0))
        .chain([flip("d|nan", f64::NAN, 1.0), flip("d|same", 1.0, 1.0)])
        .collect();
    let forward = select_flips(items.clone(), 4);
    items.reverse();
    assert_eq!(forward, select_flips(items.clone(), 4));
    assert!(
        forward
            .gained
            .iter()
            .all(|f| f.treatment_score - f.control_score > 0.99)
    );
    assert_eq!((forward.gained.len(), forward.lost.len()), (4, 4));
    let none = select_flips(items, 0);
    assert!(none.gained.is_empty() && none.gained_total == forward.gained_total);
}

#[test]
fn examples_find_the_first_sample_of_both_conditions() {
    let csv = "custom_id,response_text\nd|1|treatment|0|0|closed,new\nd|1|control|0.0|1|closed,second\nd|1|control|0.0|0|closed,old\n";
    let examples = with_texts(
        csv.as_bytes(),
        vec![flip("d|1", 0.0, 1.0), flip("d|2", 1.0, 0.0)],
    )
    .expect("rows");
    let texts = |e: &Example| (e.control_text.clone(), e.treatment_text.clone());
    assert_eq!(
        texts(&examples[0]),
        (Some("old".to_owned()), Some("new".to_owned()))
    );
    assert_eq!(texts(&examples[1]), (None, None));
}

#[test]
fn numbers_carry_their_units_and_a_p_value_is_never_zero() {
    assert_eq!(numbers::points(Some(0.006_823)), "+0.68 pp");
    assert_eq!(numbers::points(Some(-0.000_001)), "0.00 pp");
    assert_eq!(
        numbers::interval(Some([-0.0045, 0.0182])),
        "-0.45 to +1.82 pp"
    );
    assert_eq!(numbers::p_value(Some(0.0)), "< 0.0001");
    assert_eq!(numbers::p_named("p", Some(0.297_6)), "p = 0.298");
    assert_eq!(numbers::percent(None), numbers::ABSENT);
    assert_eq!(numbers::usd(Some(0.0)), "$0.0000");
    assert_eq!(numbers::usd(Some(0.000_021)), "$2.10e-5");
    assert_eq!(numbers::part_of(0, 0), numbers::ABSENT);
}

#[test]
fn a_sketch_keeps_zero_in_the_middle() {
    let line = |label, delta, low, high| sketch::Line {
        label,
        delta,
        interval: [low, high],
    };
    let drawn = sketch::sketch(&[
        line("em", 0.01, -0.005, 0.02),
        line("a|b`c", -0.02, -0.02, -0.02),
    ]);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(
        lines[0],
        "         -2                  0                  +2 pp"
    );
    assert_eq!(
        lines[1],
        "em                      ├────┼─────────●─────────┤"
    );
    assert_eq!(lines[2], "a|b?c    ●                   ┊");
    assert_eq!(sketch::sketch(&[]), "");
}

#[test]
fn a_trial_without_pairs_still_has_a_report() {
    let json = r#"{"temps":[0.0],"stats_config":{"bootstrap_samples":1,"permutation_samples":1,"random_seed":1,
        "enable_fdr":false,"tost_alpha":0.05},"results":{"0.0":{"open":{"n_items":0,"n_unpaired":3,"metrics":{},
        "mcnemar":{"both_right":0,"both_wrong":0,"b":0,"c":0,"p_exact":1.0,"p_mid":1.0,"odds_ratio":null}}}}}"#;
    let estimates = Estimates::read(json.as_bytes()).expect("the shape");
    let page = on_report("m", "q", |report| {
        trial_report(&TrialReport {
            estimates: &estimates,
            outcomes: &BTreeMap::new(),
            examples: &[],
            ..report.clone()
        })
    });
    assert!(page.contains("**no estimate** for open items at temperature 0.0"));
    assert!(!page.contains("NaN"));
}
