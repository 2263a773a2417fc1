//! `significance.json` as a whole: shape, pairing, determinism, errors.

use super::*;
use crate::stats::verdict::Verdict;

const HEADER: &str =
    "item_key,type,condition,temp,em,em_std,f1,f1_std,abstain_rate,abstain_rate_std\n";

/// 60 closed items of two datasets: treatment gains 20, loses 2; two items have one answer only.
fn fixture() -> String {
    let mut csv = HEADER.to_owned();
    for condition in ["treatment", "control"] {
        for i in 0..60 {
            let right = match (condition, i % 30) {
                ("treatment", 0..=9) | ("control", 10) => 1,
                ("control", 0..=9) | ("treatment", 10) => 0,
                (_, n) => n % 2,
            };
            let dataset = if i < 40 { "gsm8k" } else { "nq_open" };
            let abstained = u8::from(right == 0 && i % 7 == 0);
            csv.extend([format!(
                "{dataset}|q{i},closed,{condition},0.0,{right},0,,,{abstained},0\n"
            )]);
        }
    }
    csv + "gsm8k|only,closed,control,0.0,1,0,,,0,0\nnq_open|alone,closed,treatment,0.0,1,0,,,0,0\n"
}

fn config() -> StatsConfig {
    StatsConfig {
        bootstrap_samples: 400,
        permutation_samples: 400,
        ..StatsConfig::default()
    }
}

fn fails(csv: &str) -> StatsError {
    significance(csv.as_bytes(), &config()).expect_err("a problem")
}

#[test]
fn pairs_are_made_by_item_type_and_temperature() {
    let s = significance(fixture().as_bytes(), &config()).expect("statistics");
    let closed = &s.results["0.0"]["closed"];
    assert_eq!((closed.n_items, closed.n_unpaired), (60, 2));
    assert_eq!(
        (closed.mcnemar.treatment_only, closed.mcnemar.control_only),
        (20, 2)
    );
    let em = &closed.metrics["em"];
    assert!((em.delta.expect("a mean") - 0.3).abs() < 1e-15);
    assert_eq!(em.verdict, Some(Verdict::Better));
    assert_eq!(
        closed.metrics.keys().collect::<Vec<_>>(),
        ["abstain_rate", "em"]
    );
    assert_eq!(closed.subgroups.dataset["gsm8k"].n_items, 40);
    assert_eq!(
        closed.subgroups.dataset["nq_open"].metrics["em"].verdict,
        None
    );
    assert_eq!(closed.meta["em"].k, 2);
    assert!(closed.tost.contains_key("em") && !closed.tost.contains_key("f1"));
    assert_eq!(s.families["primary"].m, 2);
    assert_eq!(s.families["all_tests"].m, 9);
}

#[test]
fn the_keys_are_those_of_the_contract_and_of_the_predecessor() {
    let s = significance(fixture().as_bytes(), &config()).expect("statistics");
    let json = serde_json::to_value(&s).expect("JSON");
    assert_eq!(json["schema_version"], 2);
    assert_eq!(json["temps"], serde_json::json!([0.0]));
    let closed = &json["results"]["0.0"]["closed"];
    for key in [
        "n_items",
        "mcnemar",
        "metrics",
        "selective_risk",
        "subgroups",
        "meta",
        "tost",
    ] {
        assert!(!closed[key].is_null(), "{key}");
    }
    for key in [
        "delta_mean",
        "ci_95",
        "perm_p_value",
        "hodges_lehmann",
        "cohens_d",
        "cliffs_delta",
    ] {
        assert!(!closed["metrics"]["em"][key].is_null(), "{key}");
    }
    for key in ["W", "p_value", "q_value"] {
        assert!(
            closed["metrics"]["em"]["wilcoxon"][key].is_number(),
            "{key}"
        );
    }
    assert_eq!(
        (&closed["mcnemar"]["b"], &closed["mcnemar"]["c"]),
        (&20.into(), &2.into())
    );
    assert!(closed["mcnemar"]["p_exact"].is_number() && closed["mcnemar"]["q_value"].is_number());
}

#[test]
fn the_same_scores_give_the_same_bytes_and_read_back() {
    let once = || {
        let s = significance(fixture().as_bytes(), &config()).expect("statistics");
        serde_json::to_string(&s).expect("JSON")
    };
    let text = once();
    assert_eq!(text, once());
    assert!(!text.contains("NaN"));
    let back: Significance = serde_json::from_str(&text).expect("its own shape");
    assert_eq!(serde_json::to_string(&back).expect("JSON"), text);
}

#[test]
fn scores_that_do_not_apply_are_left_out_of_their_metric_only() {
    let csv = format!(
        "{HEADER}d|1,open,control,0.0,1,0,0.5,0,0,0\nd|1,open,treatment,0.0,1,0,,,0,0\n\
         d|2,open,control,0.0,0,0,nan,0,0,0\nd|2,open,treatment,0.0,1,0,0.5,0,0,0\n\
         d|3,open,control,0.0,0,0,0.25,0,0,0\nd|3,open,treatment,0.0,1,0,0.5,0,0,0\n"
    );
    let s = significance(csv.as_bytes(), &config()).expect("statistics");
    let open = &s.results["0.0"]["open"];
    assert_eq!((open.metrics["em"].n, open.metrics["f1"].n), (3, 1));
    assert_eq!(
        (open.metrics["f1"].n_missing, open.metrics["f1"].sd),
        (2, None)
    );
    assert_eq!(open.metrics["f1"].t_interval, None);
}

#[test]
fn one_item_and_unpaired_items_give_an_answer_without_nan() {
    for rows in [
        "d|1,open,control,0.0,1,0,0.5,0,0,0\n",
        "d|1,open,control,0.2,1,0,0.5,0,0,0\nd|1,open,treatment,0.2,0,0,0.5,0,1,0\n",
    ] {
        let s = significance(format!("{HEADER}{rows}").as_bytes(), &config()).expect("statistics");
        let text = serde_json::to_string(&s).expect("JSON");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}

#[test]
fn answerable_items_are_a_subgroup_where_the_scores_say_so() {
    let csv = "item_key,type,condition,temp,em,em_std,is_unanswerable\n\
        d|1,open,control,0.0,1,0,true\nd|1,open,treatment,0.0,1,0,true\n\
        d|2,open,control,0.0,0,0,false\nd|2,open,treatment,0.0,1,0,false\n";
    let s = significance(csv.as_bytes(), &config()).expect("statistics");
    let parts = &s.results["0.0"]["open"].subgroups.answerable;
    assert_eq!(
        parts.keys().collect::<Vec<_>>(),
        ["answerable", "unanswerable"]
    );
    assert_eq!(parts["answerable"].metrics["em"].delta, Some(1.0));
}

#[test]
fn without_adjustment_and_permutation_their_values_are_null() {
    let config = StatsConfig {
        enable_fdr: false,
        enable_permutation: false,
        ..config()
    };
    let s = significance(fixture().as_bytes(), &config).expect("statistics");
    let em = &s.results["0.0"]["closed"].metrics["em"];
    assert_eq!(
        (em.permutation_p, em.p_adjusted, em.wilcoxon.q_value),
        (None, None, None)
    );
    assert_eq!(em.verdict, Some(Verdict::Better));
}

#[test]
fn problems_say_where_and_never_give_an_empty_answer() {
    assert!(matches!(fails(""), StatsError::NoMetric));
    assert!(matches!(fails(HEADER), StatsError::NoRows));
    assert!(matches!(
        fails("item_key,type,condition,em,em_std\n"),
        StatsError::MissingColumn { column: "temp" }
    ));
    let row = "d|1,open,control,0.0,1,0,,,0,0\n";
    assert!(matches!(
        fails(&format!("{HEADER}{row}{row}")),
        StatsError::DuplicateRow { line: 3, .. }
    ));
    for (bad, column) in [
        ("d|2,open,control,0.0,yes,0,,,0,0\n", "em"),
        ("d|2,open,control,0.0,inf,0,,,0,0\n", "em"),
        ("d|2,open,both,0.0,1,0,,,0,0\n", "condition"),
        ("d|2,ajar,control,0.0,1,0,,,0,0\n", "type"),
        ("d|2,open,control,hot,1,0,,,0,0\n", "temp"),
    ] {
        let error = fails(&format!("{HEADER}{row}{bad}"));
        let StatsError::BadCell {
            line: 3,
            column: found,
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(found, column);
    }
    assert!(matches!(
        fails(&format!("{HEADER}d|1,open\n")),
        StatsError::Csv(_)
    ));
}

#[test]
fn temperatures_stay_apart() {
    let mut csv = HEADER.to_owned();
    for temp in ["0.2", "0.25"] {
        for condition in ["control", "treatment"] {
            csv.extend([format!("d|1,open,{condition},{temp},1,0,1,0,0,0\n")]);
        }
    }
    let s = significance(csv.as_bytes(), &config()).expect("statistics");
    assert_eq!(s.results.keys().collect::<Vec<_>>(), ["0.2", "0.25"]);
    assert_eq!(s.temps.len(), 2);
}

#[test]
fn the_fixture_that_reports_are_tested_with_is_what_is_computed() {
    let scores = include_str!("../../../tests/it/fixtures/report/per_item_scores.csv");
    let s = significance(scores.as_bytes(), &config()).expect("statistics");
    let text = serde_json::to_string_pretty(&s).expect("JSON");
    let fixture = include_str!("../../../tests/it/fixtures/report/significance.json");
    assert!(
        text == fixture.trim_end(),
        "significance.json should be:\n{text}\n<end>"
    );
}
