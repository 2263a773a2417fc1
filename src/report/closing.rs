//! The last sections of `report.md`: what it cost, how it was computed, where it comes from.

use std::fmt::Write as _;

use super::costs::{Costs, Share};
use super::inert;
use super::input::{Source, TrialReport};
use super::numbers::{ABSENT, count, usd};
use super::sections::{head, row};
use crate::domain::ItemType;

/// Tokens and money by condition and temperature.
pub fn costs(report: &TrialReport<'_>) -> String {
    let costs = report.costs;
    let mut out = "## Cost\n\n".to_owned();
    head(
        &mut out,
        1,
        &[
            "rows",
            "requests",
            "prompt tokens",
            "completion tokens",
            "cost",
            "per right answer",
        ],
    );
    for (condition, share) in &costs.by_condition {
        cost_row(&mut out, condition.as_str(), share);
    }
    if costs.by_temp.len() > 1 {
        for (temp, share) in &costs.by_temp {
            cost_row(
                &mut out,
                &format!("temperature {}", inert::text(temp)),
                share,
            );
        }
    }
    let correct: Option<f64> = costs.by_condition.values().map(|s| s.correct).sum();
    let per_correct = correct.filter(|c| *c > 0.0).zip(costs.usd);
    let all = Share {
        requests: costs.requests,
        prompt_tokens: costs.prompt_tokens,
        completion_tokens: costs.completion_tokens,
        usd: costs.usd,
        usd_per_correct: per_correct.map(|(correct, usd)| usd / correct),
        ..Share::default()
    };
    cost_row(&mut out, "**all**", &all);
    notes(&mut out, costs);
    out.push('\n');
    out
}

/// The price, and what the sums leave out or hold twice.
fn notes(out: &mut String, costs: &Costs) {
    // Writing to a string does not fail, here and below.
    match costs.price {
        Some(price) => writeln!(
            out,
            "\nPrice: {} per million prompt tokens, {} per million completion tokens, batch factor {}.",
            usd(Some(price.input_per_million.dollars())),
            usd(Some(price.output_per_million.dollars())),
            price.batch_discount
        ),
        None => writeln!(
            out,
            "\nThe price of this model is not configured (`pricing`), so its cost is unknown, not zero."
        ),
    }
    .ok();
    if costs.rows_without_usage > 0 {
        writeln!(
            out,
            "{} rows came without token counts and are in no sum.",
            count(costs.rows_without_usage)
        )
        .ok();
    }
    if costs.shared_rows > 0 {
        writeln!(
            out,
            "{} of the rows are shared with another trial of the run, which submitted and pays for them; they are in these sums too.",
            count(costs.shared_rows)
        )
        .ok();
    }
}

fn cost_row(out: &mut String, label: &str, share: &Share) {
    let per_right = share
        .usd_per_correct
        .map_or_else(|| ABSENT.to_owned(), |d| usd(Some(d)));
    row(
        out,
        &[
            label.to_owned(),
            count(share.requests),
            count(share.prompt_tokens),
            count(share.completion_tokens),
            usd(share.usd),
            per_right,
        ],
    );
}

/// A paragraph that can go into a paper.
pub fn methods(report: &TrialReport<'_>) -> String {
    let s = &report.estimates.stats_config;
    let adjusted = if s.enable_fdr {
        let m = report.estimates.families.get("primary").map_or(0, |f| f.m);
        format!(
            "q-values are Benjamini-Hochberg adjusted over the {m} tests of this trial (each temperature, type and metric overall)"
        )
    } else {
        "p-values are not adjusted for the number of tests".to_owned()
    };
    format!(
        "## Methods\n\nEvery item was answered under both conditions; differences are treatment less control within items, \
items with several samples by their mean. Intervals are 95% percentile intervals of the paired bootstrap ({} resamples), \
p is the two-sided sign-flip permutation p-value ((b + 1) / (R + 1) with R = {}; exact where at most 20 items changed; Wilcoxon's \
signed-rank p-value where permutation is off), and {adjusted}. A difference is called better or worse where its interval leaves \
zero out and its adjusted p-value is below 0.05, equivalent where both one-sided tests (TOST, level {}) reject a difference as \
large as the margin, and undecided otherwise. McNemar's test takes an item as right where the mean of its samples is at least \
0.5. d_z is the mean difference over the standard deviation of the differences; Cliff's delta compares the two samples without \
regard to pairs; Hodges-Lehmann is the median of the Walsh averages. All of these treat items as independent of each other. \
Resampling is seeded ({}).\n\n",
        count(u64::from(s.bootstrap_samples)),
        count(u64::from(s.permutation_samples)),
        s.tost_alpha,
        s.random_seed
    )
}

/// Run, model, prompts, data and version.
pub fn provenance(report: &TrialReport<'_>) -> String {
    let p = &report.provenance;
    let trial = p.trial;
    let mut out = "## Provenance\n\n".to_owned();
    head(&mut out, 2, &["what", "value"]);
    let mut line = |what: &str, value: String| row(&mut out, &[what.to_owned(), value]);
    line("run", inert::name(p.run_id.as_str()));
    line("trial", inert::name(trial.slug.as_str()));
    line("model", inert::name(&trial.model));
    let reported: Vec<_> = p.reported_models.iter().map(|m| inert::name(m)).collect();
    if !reported.is_empty() {
        line("model as the provider reported it", reported.join(", "));
    }
    line("provider", inert::name(p.provider));
    line("decoding", decoding(report));
    for source in p.prompts.iter().chain(p.datasets) {
        line(&inert::text(source.label), source_of(source));
    }
    line("config hash", format!("`{}`", p.config_hash));
    line(
        "seeds",
        format!(
            "items {}, statistics {}",
            p.sampling_seed, report.estimates.stats_config.random_seed
        ),
    );
    line("evaltui", inert::name(p.version));
    out
}

fn decoding(report: &TrialReport<'_>) -> String {
    let trial = report.provenance.trial;
    let temps: Vec<_> = trial
        .temps
        .iter()
        .map(|t| format!("{t} ({} samples)", trial.samples_at(*t)))
        .collect();
    let mut text = format!("temperature {}; top_p {}", temps.join(", "), trial.top_p);
    if let Some(top_k) = trial.top_k {
        write!(text, "; top_k {top_k}").ok();
    }
    let max = trial.max_new_tokens;
    write!(
        text,
        "; at most {} tokens closed, {} open",
        max.of(ItemType::Closed),
        max.of(ItemType::Open)
    )
    .ok();
    if !trial.stop.is_empty() {
        let stops: Vec<_> = trial.stop.iter().map(|s| inert::excerpt(s, 40)).collect();
        write!(text, "; stop at {}", stops.join(", ")).ok();
    }
    text
}

fn source_of(source: &Source<'_>) -> String {
    let mut text = inert::name(source.path);
    if let Some(items) = source.items {
        write!(text, ", {} items", count(items)).ok();
    }
    match source.sha256 {
        Some(digest) => write!(text, ", sha256 `{digest}`").ok(),
        None => write!(text, ", sha256 unknown").ok(),
    };
    text
}
