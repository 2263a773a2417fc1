//! The sections of `report.md`, in their order. Each is a heading with its content, or nothing where there is none.

use std::fmt::Write as _;

use super::estimates::{Metric, Subgroup, TypeResult};
use super::examples::Example;
use super::inert;
use super::input::TrialReport;
use super::numbers::{ABSENT, count, decimal, interval, p_value, part_of, percent, points};
use super::outcomes::{Outcome, Outcomes};
use super::sketch;
use crate::domain::Condition;

/// Longest question in an example, in characters.
const QUESTION: usize = 300;
/// Longest answer in an example, in characters.
const ANSWER: usize = 420;

/// What a test says, by whether it passed.
const SHOWN: [&str; 2] = ["not shown", "shown"];

/// A table row.
pub(super) fn row(out: &mut String, cells: &[String]) {
    // Writing to a string does not fail, here and below.
    writeln!(out, "| {} |", cells.join(" | ")).ok();
}

/// A table's head; columns after the first `left` ones are aligned to the right.
pub(super) fn head(out: &mut String, left: usize, names: &[&str]) {
    writeln!(out, "| {} |", names.join(" | ")).ok();
    let rule: Vec<&str> = (0..names.len())
        .map(|i| if i < left { "---" } else { "--:" })
        .collect();
    writeln!(out, "| {} |", rule.join(" | ")).ok();
}

/// Metrics in the contract's order, then others by name.
fn ordered(metrics: &std::collections::BTreeMap<String, Metric>) -> Vec<(&str, &Metric)> {
    const ORDER: [&str; 5] = [
        "em",
        "f1",
        "abstain_rate",
        "false_answer_rate",
        "unsupported_rate",
    ];
    let rank = |name: &str| ORDER.iter().position(|o| *o == name).unwrap_or(ORDER.len());
    let mut out: Vec<_> = metrics.iter().map(|(n, m)| (n.as_str(), m)).collect();
    out.sort_by_key(|(name, _)| rank(name));
    out
}

/// A table and a sketch for each temperature and type.
pub fn estimates(report: &TrialReport<'_>) -> String {
    let mut out = "## Estimates\n\n".to_owned();
    for (temp, item_type, result) in report.estimates.slices() {
        estimates_of(
            &mut out,
            &format!("{item_type} items, temperature {temp}"),
            result,
        );
    }
    out
}

fn estimates_of(out: &mut String, place: &str, result: &TypeResult) {
    writeln!(out, "### {place}\n").ok();
    head(
        out,
        2,
        &[
            "metric",
            "verdict",
            "control",
            "treatment",
            "difference",
            "95% interval",
            "pairs",
            "p",
            "q",
            "d_z",
            "Cliff's delta",
            "Hodges-Lehmann",
        ],
    );
    let metrics = ordered(&result.metrics);
    for (name, m) in &metrics {
        row(
            out,
            &[
                inert::name(name),
                m.verdict
                    .as_deref()
                    .map_or_else(|| ABSENT.to_owned(), inert::text),
                percent(m.control_mean),
                percent(m.treatment_mean),
                points(m.delta),
                interval(m.ci_95),
                count(m.n),
                p_value(Some(m.p())),
                p_value(m.p_adjusted),
                decimal(m.cohens_dz),
                decimal(m.cliffs_delta_unpaired),
                points(m.hodges_lehmann),
            ],
        );
    }
    let lines: Vec<_> = metrics
        .iter()
        .filter_map(|(name, m)| sketch::line(name, m))
        .collect();
    if !lines.is_empty() {
        writeln!(
            out,
            "\n{}\n\n```text\n{}```",
            sketch::CAPTION,
            sketch::sketch(&lines)
        )
        .ok();
    }
    out.push('\n');
}

/// Right and wrong under both conditions, with McNemar's test.
pub fn discordant(report: &TrialReport<'_>) -> String {
    let mut out = "## Right and wrong, item by item\n\n".to_owned();
    head(
        &mut out,
        2,
        &[
            "temperature",
            "type",
            "right under both",
            "treatment only",
            "control only",
            "wrong under both",
            "odds ratio",
            "McNemar exact p",
            "mid-p",
        ],
    );
    for (temp, item_type, result) in report.estimates.slices() {
        let m = &result.mcnemar;
        row(
            &mut out,
            &[
                temp,
                item_type.to_owned(),
                count(m.both_right),
                count(m.treatment_only),
                count(m.control_only),
                count(m.both_wrong),
                decimal(m.odds_ratio),
                p_value(Some(m.p_exact)),
                p_value(Some(m.p_mid)),
            ],
        );
    }
    out.push_str("\nThe odds ratio is `treatment only / control only`; above 1 favours the treatment. It is left out where no item was right under control only.\n\n");
    out
}

/// How the rows of each condition ended.
pub fn outcomes(report: &TrialReport<'_>) -> String {
    let mut out = "## Row outcomes\n\n".to_owned();
    let none = Outcomes::default();
    let of = |condition| report.outcomes.get(&condition).unwrap_or(&none);
    let (control, treatment) = (of(Condition::Control), of(Condition::Treatment));
    head(
        &mut out,
        1,
        &["requests", "control", "share", "treatment", "share"],
    );
    let mut line = |label: &str, get: &dyn Fn(&Outcomes) -> u64| {
        let (c, t) = (get(control), get(treatment));
        row(
            &mut out,
            &[
                label.to_owned(),
                count(c),
                part_of(c, control.requested()),
                count(t),
                part_of(t, treatment.requested()),
            ],
        );
    };
    for outcome in Outcome::ALL {
        line(outcome.label(), &|o| {
            o.rows.get(&outcome).copied().unwrap_or(0)
        });
    }
    line("failed at the provider", &|o| o.failed);
    line("never came back", &|o| o.missing);
    line("**all**", &Outcomes::requested);
    out.push_str("\nTruncated, refused and empty answers are scored as they stand; failed and missing ones are in no score.\n\n");
    out
}

/// Equivalence and non-inferiority, where margins are set.
pub fn equivalence(report: &TrialReport<'_>) -> String {
    let mut body = String::new();
    for (temp, item_type, result) in report.estimates.slices() {
        for (name, t) in &result.tost {
            let (non_inferior, p) = t.non_inferiority.as_ref().map_or_else(
                || (ABSENT.to_owned(), None),
                |n| {
                    (
                        SHOWN[usize::from(n.non_inferior)].to_owned(),
                        Some(n.p_value),
                    )
                },
            );
            row(
                &mut body,
                &[
                    temp.clone(),
                    item_type.to_owned(),
                    inert::name(name),
                    format!("{:.2} pp", t.margin * 100.0),
                    SHOWN[usize::from(t.equivalence.equivalent)].to_owned(),
                    p_value(Some(t.equivalence.p_value)),
                    non_inferior,
                    p_value(p),
                ],
            );
        }
    }
    if body.is_empty() {
        return body;
    }
    let mut out = "## Equivalence and non-inferiority\n\n".to_owned();
    head(
        &mut out,
        3,
        &[
            "temperature",
            "type",
            "metric",
            "margin",
            "equivalent",
            "p",
            "non-inferior",
            "p",
        ],
    );
    out.push_str(&body);
    out.push('\n');
    out
}

/// Datasets and answerability, and the pooled differences.
pub fn subgroups(report: &TrialReport<'_>) -> String {
    let mut body = String::new();
    let mut pooled = String::new();
    for (temp, item_type, result) in report.estimates.slices() {
        let place = [temp, item_type.to_owned()];
        let parts = &result.subgroups;
        if parts.dataset.len() > 1 {
            parts_of(&mut body, &place, &parts.dataset);
        }
        parts_of(&mut body, &place, &parts.answerable);
        for (name, m) in &result.meta {
            writeln!(
                pooled,
                "- {} items at temperature {}, {} over {} datasets: fixed effect {} (95% interval {}, p {}), random effects {} (95% interval {}, p {}), I² {}",
                place[1], place[0], inert::name(name), m.k,
                points(Some(m.fixed.delta)), interval(Some(m.fixed.ci_95)), p_value(Some(m.fixed.p_value)),
                points(Some(m.random.delta)), interval(Some(m.random.ci_95)), p_value(Some(m.random.p_value)),
                percent(Some(m.i2))
            )
            .ok();
        }
    }
    if body.is_empty() {
        return body;
    }
    let mut out =
        "## Subgroups\n\nExploratory: no verdicts, and p-values are not adjusted.\n\n".to_owned();
    head(
        &mut out,
        4,
        &[
            "temperature",
            "type",
            "items",
            "metric",
            "pairs",
            "control",
            "treatment",
            "difference",
            "95% interval",
            "p",
        ],
    );
    out.push_str(&body);
    if !pooled.is_empty() {
        writeln!(out, "\nPooled over datasets:\n\n{pooled}").ok();
    }
    out.push('\n');
    out
}

fn parts_of(
    out: &mut String,
    place: &[String; 2],
    parts: &std::collections::BTreeMap<String, Subgroup>,
) {
    for (part, group) in parts {
        for (name, m) in ordered(&group.metrics) {
            row(
                out,
                &[
                    place[0].clone(),
                    place[1].clone(),
                    inert::name(part),
                    inert::name(name),
                    count(m.n),
                    percent(m.control_mean),
                    percent(m.treatment_mean),
                    points(m.delta),
                    interval(m.ci_95),
                    p_value(Some(m.p())),
                ],
            );
        }
    }
}

/// Items that changed, with a few examples.
pub fn flips(report: &TrialReport<'_>) -> String {
    let flips = report.flips;
    let mut out = format!(
        "## Flips\n\nExact match rose on {} items and fell on {}.\n\n",
        count(flips.gained_total),
        count(flips.lost_total)
    );
    let (gained, lost): (Vec<_>, Vec<_>) = report
        .examples
        .iter()
        .partition(|e| e.flip.treatment_score > e.flip.control_score);
    for (label, examples) in [
        ("Gained under treatment", gained),
        ("Lost under treatment", lost),
    ] {
        if examples.is_empty() {
            continue;
        }
        writeln!(out, "### {label}\n").ok();
        for example in examples {
            example_of(&mut out, example);
        }
        out.push('\n');
    }
    out
}

fn example_of(out: &mut String, example: &Example) {
    let flip = &example.flip;
    writeln!(
        out,
        "- item {}, {}, temperature {}: em {} → {}",
        inert::item_key(&flip.item),
        flip.item_type,
        flip.temp,
        score(flip.control_score),
        score(flip.treatment_score)
    )
    .ok();
    if let Some(question) = &example.question {
        writeln!(out, "  - question: {}", inert::excerpt(question, QUESTION)).ok();
    }
    if !example.answers.is_empty() {
        let answers: Vec<_> = example
            .answers
            .iter()
            .take(5)
            .map(|a| inert::excerpt(a, 80))
            .collect();
        writeln!(out, "  - accepted: {}", answers.join("; ")).ok();
    }
    let said = |text: &Option<String>| {
        text.as_ref()
            .map_or_else(|| "(no answer)".to_owned(), |t| inert::excerpt(t, ANSWER))
    };
    writeln!(out, "  - control: {}", said(&example.control_text)).ok();
    writeln!(out, "  - treatment: {}", said(&example.treatment_text)).ok();
}

/// A score from 0 to 1 with as many decimals as it needs, at most two.
fn score(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
