//! `aggregate_report.md`: all trials of a run in one table.

use std::fmt::Write as _;

use super::estimates::Metric;
use super::inert;
use super::input::TrialReport;
use super::numbers::{ABSENT, count, interval, p_value, part_of, percent, points, usd};
use super::sections::{head, row};
use super::sketch;

/// Writes the report of a run. Same input, same bytes; trials keep their order.
pub fn aggregate_report(trials: &[TrialReport<'_>]) -> String {
    let mut page = String::with_capacity(4 * 1024);
    match trials.first() {
        // Writing to a string does not fail, here and below.
        Some(first) => writeln!(
            page,
            "# Run {}\n",
            inert::name(first.provenance.run_id.as_str())
        ),
        None => writeln!(page, "# Run without trials"),
    }
    .ok();
    if trials.is_empty() {
        return page;
    }
    page.push_str(&verdicts(trials));
    page.push_str(&spending(trials));
    page.push_str(&closing(trials));
    page
}

fn verdicts(trials: &[TrialReport<'_>]) -> String {
    let mut out = "## Exact match, treatment less control\n\n".to_owned();
    head(
        &mut out,
        5,
        &[
            "trial",
            "prompt set",
            "temperature",
            "type",
            "verdict",
            "control",
            "treatment",
            "difference",
            "95% interval",
            "pairs",
            "unpaired",
            "p",
            "q",
        ],
    );
    let mut drawn = Vec::new();
    for (number, report) in (1..).zip(trials) {
        let trial = report.provenance.trial;
        for (temp, item_type, result) in report.estimates.slices() {
            let Some(em) = result.metrics.get("em") else {
                continue;
            };
            let mut cells = vec![
                format!("{number}. {}", inert::name(trial.slug.as_str())),
                inert::name(trial.prompt_set.as_str()),
                temp.clone(),
                item_type.to_owned(),
            ];
            cells.extend(estimate_cells(em, result.n_unpaired));
            row(&mut out, &cells);
            drawn.push((format!("{number}. {item_type} {temp}"), em));
        }
    }
    let lines: Vec<_> = drawn
        .iter()
        .filter_map(|(label, em)| sketch::line(label, em))
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
    out.push_str(
        "\nEach trial is a family of its own: q-values are not adjusted across trials.\n\n",
    );
    out
}

/// The cells of one estimate, from its verdict to its q-value.
fn estimate_cells(em: &Metric, unpaired: u64) -> [String; 9] {
    [
        em.verdict
            .as_deref()
            .map_or_else(|| ABSENT.to_owned(), inert::text),
        percent(em.control_mean),
        percent(em.treatment_mean),
        points(em.delta),
        interval(em.ci_95),
        count(em.n),
        count(unpaired),
        p_value(Some(em.p())),
        p_value(em.p_adjusted),
    ]
}

fn spending(trials: &[TrialReport<'_>]) -> String {
    let mut out = "## Requests and cost\n\n".to_owned();
    head(
        &mut out,
        1,
        &[
            "trial",
            "requests",
            "without answer",
            "share",
            "tokens",
            "shared rows",
            "cost",
        ],
    );
    let (mut all, mut without) = (0, 0);
    for (number, report) in (1..).zip(trials) {
        let (lost, requested) = report.lost_rows();
        all += requested;
        without += lost;
        row(
            &mut out,
            &[
                format!(
                    "{number}. {}",
                    inert::name(report.provenance.trial.slug.as_str())
                ),
                count(requested),
                count(lost),
                part_of(lost, requested),
                count(report.costs.total_tokens),
                count(report.costs.shared_rows),
                usd(report.costs.usd),
            ],
        );
    }
    writeln!(
        out,
        "\n{} of {} rows have no answer. Shared rows were submitted and paid for once, by one trial, and stand in the sums of each trial that uses them.\n",
        count(without),
        count(all)
    )
    .ok();
    out
}

fn closing(trials: &[TrialReport<'_>]) -> String {
    let mut out = "## Provenance\n\n".to_owned();
    if let Some(first) = trials.first() {
        let p = &first.provenance;
        writeln!(
            out,
            "Run {}, config hash `{}`, provider {}, evaltui {}. Methods and examples are in each trial's `report.md`.",
            inert::name(p.run_id.as_str()),
            p.config_hash,
            inert::name(p.provider),
            inert::name(p.version)
        )
        .ok();
    }
    out
}
