//! `report.md`: one trial, verdict first. The order of sections; their content is in [`super::sections`] and [`super::closing`].

use std::fmt::Write as _;

use super::estimates::{Metric, TypeResult};
use super::inert;
use super::input::TrialReport;
use super::numbers::{count, interval, p_named, points};
use super::{closing, sections};

/// Writes the report of one trial. Same input, same bytes.
pub fn trial_report(report: &TrialReport<'_>) -> String {
    let mut page = String::with_capacity(16 * 1024);
    page.push_str(&title(report));
    page.push_str(&headlines(report));
    page.push_str(&sections::estimates(report));
    page.push_str(&sections::discordant(report));
    page.push_str(&sections::outcomes(report));
    page.push_str(&sections::equivalence(report));
    page.push_str(&sections::subgroups(report));
    page.push_str(&sections::flips(report));
    page.push_str(&closing::costs(report));
    page.push_str(&closing::methods(report));
    page.push_str(&closing::provenance(report));
    page
}

fn title(report: &TrialReport<'_>) -> String {
    let trial = &report.provenance.trial;
    format!(
        "# Treatment against control: prompt set {} on {}\n\n",
        inert::name(trial.prompt_set.as_str()),
        inert::name(&trial.model)
    )
}

/// One line for each temperature and type: verdict, difference, interval, pairs, missing, then p and q.
fn headlines(report: &TrialReport<'_>) -> String {
    let mut out = String::new();
    for (temp, item_type, result) in report.estimates.slices() {
        let place = format!("{item_type} items at temperature {temp}");
        let line = result.metrics.get("em").map_or_else(
            || format!("- **no estimate** for {place}: no item has both answers.\n"),
            |em| headline(&place, result, em),
        );
        out.push_str(&line);
    }
    let (lost, requested) = report.lost_rows();
    // Writing to a string does not fail.
    if lost > 0 {
        writeln!(
            out,
            "\n**{} of {} requests have no answer** (see row outcomes); differences are over the items that have both.",
            count(lost),
            count(requested)
        )
        .ok();
    } else {
        writeln!(out, "\nAll {} requests were answered.", count(requested)).ok();
    }
    out.push('\n');
    out
}

fn headline(place: &str, result: &TypeResult, em: &Metric) -> String {
    let verdict = em.verdict.as_deref().unwrap_or("undecided");
    let better = match verdict {
        "equivalent" => "equivalent within the margin".to_owned(),
        word => inert::text(word),
    };
    format!(
        "- **{better}** in exact match on {place}: {}, 95% interval {}; {} pairs, {} unpaired; {}, {}\n",
        points(em.delta),
        interval(em.ci_95),
        count(em.n),
        count(result.n_unpaired),
        p_named("p", Some(em.p())),
        p_named("q", em.p_adjusted)
    )
}
