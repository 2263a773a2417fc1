//! Agreement with SciPy, statsmodels and NumPy: every case of `tests/it/fixtures/stats/reference.json`, written by the
//! script beside it.

use serde::Deserialize;

use super::effect;
use super::mcnemar::{Discordance, mcnemar};
use super::meta::{Study, meta};
use super::multiple::{benjamini_hochberg, holm};
use super::permutation::{PermutationMethod, permutation};
use super::seed::Seed;
use super::student::t_interval;
use super::tally::Tally;
use super::tost::tost;
use super::verdict::Direction;
use super::wilcoxon::wilcoxon;
use super::wilson::wilson;

#[derive(Deserialize)]
struct Reference {
    paired: Vec<Paired>,
    mcnemar: Vec<Table>,
    families: Vec<Family>,
    wilson: Vec<Share>,
    meta: Vec<Studies>,
}

#[derive(Deserialize)]
struct Paired {
    name: String,
    control: Vec<f64>,
    treatment: Vec<f64>,
    mean: Option<f64>,
    sd: Option<f64>,
    b: u64,
    c: u64,
    mcnemar: f64,
    midp: f64,
    wilcoxon: SignedRank,
    permutation: Option<f64>,
    hodges_lehmann: Option<f64>,
    cliff: Option<f64>,
    dominance: Option<f64>,
    t: Option<TTest>,
    tost: Option<TwoSides>,
}

#[derive(Deserialize)]
struct SignedRank {
    #[serde(rename = "W")]
    w: f64,
    p: f64,
    p_exact: Option<f64>,
    p_continuity: Option<f64>,
}

#[derive(Deserialize)]
struct TTest {
    t: f64,
    p: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct TwoSides {
    p: f64,
    lower: f64,
    upper: f64,
}

#[derive(Deserialize)]
struct Table {
    b: u64,
    c: u64,
    p: f64,
    midp: f64,
}

#[derive(Deserialize)]
struct Family {
    p: Vec<f64>,
    bh: Vec<f64>,
    holm: Vec<f64>,
}

#[derive(Deserialize)]
struct Share {
    k: u64,
    n: u64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Studies {
    delta: Vec<f64>,
    se: Vec<f64>,
    fixed: [f64; 4],
    random: [f64; 4],
    tau2: f64,
    q: f64,
    q_p: f64,
    i2: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../tests/it/fixtures/stats/reference.json"))
        .expect("the fixture is JSON of this shape")
}

fn differences(case: &Paired) -> Tally {
    Tally::of(case.treatment.iter().zip(&case.control).map(|(t, c)| t - c))
}

/// Equal to 1e-9, relative above 1 and for tiny p-values to 1e-15 absolute.
#[track_caller]
fn same(what: &str, ours: f64, theirs: f64) {
    assert!(
        (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-15,
        "{what}: {ours:e}, reference {theirs:e}"
    );
}

#[track_caller]
fn both(what: &str, ours: Option<f64>, theirs: Option<f64>) {
    match (ours, theirs) {
        (None, None) => {}
        // NumPy's sums and ours may differ in the last bits around zero.
        (Some(ours), Some(theirs)) if theirs.abs() < 1e-12 => {
            assert!(ours.abs() < 1e-12, "{what}: {ours:e}, reference {theirs:e}");
        }
        (Some(ours), Some(theirs)) => same(what, ours, theirs),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn moments_and_effect_sizes_are_those_of_numpy_and_scipy() {
    for case in &reference().paired {
        let d = differences(case);
        let name = &case.name;
        let moments = d.moments();
        both(&format!("{name} mean"), moments.mean, case.mean);
        both(&format!("{name} sd"), moments.sd, case.sd);
        both(
            &format!("{name} hl"),
            effect::hodges_lehmann(&d),
            case.hodges_lehmann,
        );
        let (c, t) = (
            Tally::of(case.control.iter().copied()),
            Tally::of(case.treatment.iter().copied()),
        );
        both(
            &format!("{name} cliff"),
            effect::cliffs_delta(&c, &t),
            case.cliff,
        );
        both(
            &format!("{name} dominance"),
            effect::dominance_paired(&d),
            case.dominance,
        );
    }
}

#[test]
fn mcnemar_is_that_of_statsmodels() {
    let reference = reference();
    for case in &reference.paired {
        let mut table = Discordance::default();
        for (c, t) in case.control.iter().zip(&case.treatment) {
            table.add(*c, *t);
        }
        assert_eq!(
            (table.treatment_only, table.control_only),
            (case.b, case.c),
            "{}",
            case.name
        );
        let test = mcnemar(table).expect("a distribution");
        same(&case.name, test.p_exact, case.mcnemar);
        same(&case.name, test.p_mid, case.midp);
    }
    for case in &reference.mcnemar {
        let table = Discordance {
            treatment_only: case.b,
            control_only: case.c,
            ..Discordance::default()
        };
        let test = mcnemar(table).expect("a distribution");
        let name = format!("b={} c={}", case.b, case.c);
        same(&name, test.p_exact, case.p);
        same(&name, test.p_mid, case.midp);
        assert_eq!(test.odds_ratio.is_none(), case.c == 0, "{name}");
    }
}

#[test]
fn the_signed_rank_test_is_that_of_scipy() {
    for case in &reference().paired {
        let ours = wilcoxon(&differences(case));
        same(&format!("{} W", case.name), ours.statistic, case.wilcoxon.w);
        same(&format!("{} p", case.name), ours.p_value, case.wilcoxon.p);
        if let Some(p) = case.wilcoxon.p_exact {
            same(
                &format!("{} exact", case.name),
                ours.p_exact.expect("a small case"),
                p,
            );
        }
        both(
            &format!("{} continuity", case.name),
            ours.p_continuity,
            case.wilcoxon.p_continuity,
        );
    }
}

#[test]
fn exact_permutations_are_those_of_scipy() {
    let seed = Seed {
        number: 1,
        label: "x".to_owned(),
    };
    for case in &reference().paired {
        let ours = permutation(&differences(case), 99, &seed);
        if let (Some(theirs), Some(ours)) = (case.permutation, ours) {
            assert_eq!(ours.method, PermutationMethod::Exact, "{}", case.name);
            same(&case.name, ours.p_value, theirs);
        }
        assert_eq!(ours.is_none(), case.control.is_empty(), "{}", case.name);
    }
}

#[test]
fn t_intervals_and_equivalence_are_those_of_scipy_and_statsmodels() {
    for case in &reference().paired {
        let moments = differences(case).moments();
        let ours = t_interval(moments, 0.95).expect("a distribution");
        let name = &case.name;
        if let (Some(theirs), Some(ours)) = (&case.t, ours) {
            both(&format!("{name} t"), ours.t, Some(theirs.t));
            both(&format!("{name} p"), ours.p_value, Some(theirs.p));
            same(&format!("{name} low"), ours.low, theirs.low);
            same(&format!("{name} high"), ours.high, theirs.high);
        }
        assert_eq!(ours.is_none(), case.control.len() < 2, "{name}");
        let ours = tost(moments, 0.1, 0.05, Direction::HigherIsBetter).expect("a distribution");
        if let (Some(theirs), Some(ours)) = (&case.tost, ours) {
            same(
                &format!("{name} lower"),
                ours.equivalence.p_lower,
                theirs.lower,
            );
            same(
                &format!("{name} upper"),
                ours.equivalence.p_upper,
                theirs.upper,
            );
            same(&format!("{name} tost"), ours.equivalence.p_value, theirs.p);
        }
    }
}

#[test]
fn adjusted_p_values_are_those_of_scipy_and_statsmodels() {
    for case in &reference().families {
        let p: Vec<_> = case.p.iter().copied().map(Some).collect();
        for (ours, theirs) in benjamini_hochberg(&p).into_iter().zip(&case.bh) {
            same("bh", ours.expect("a p-value"), *theirs);
        }
        for (ours, theirs) in holm(&p).into_iter().zip(&case.holm) {
            same("holm", ours.expect("a p-value"), *theirs);
        }
    }
}

#[test]
fn the_running_minimum_of_benjamini_hochberg_starts_at_the_largest_p() {
    // From the smallest upward, as the predecessor did, every value would become 0.04.
    let q = benjamini_hochberg(&[Some(0.01), Some(0.04), Some(0.03), Some(0.9)]);
    let q: Vec<f64> = q.into_iter().flatten().collect();
    for (ours, right) in q.iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, 0.9]) {
        assert!((ours - right).abs() < 1e-15, "{q:?}");
    }
}

#[test]
fn what_is_no_p_value_is_in_no_family() {
    let p = [Some(0.01), None, Some(f64::NAN), Some(0.02), Some(1.5)];
    let q = benjamini_hochberg(&p);
    assert_eq!(q, [Some(0.02), None, None, Some(0.02), None]);
    assert_eq!(holm(&p), [Some(0.02), None, None, Some(0.02), None]);
}

#[test]
fn wilson_intervals_are_those_of_statsmodels() {
    for case in &reference().wilson {
        let ours = wilson(case.k, case.n, 0.95).expect("items");
        let name = format!("{}/{}", case.k, case.n);
        both(&name, Some(ours.low), Some(case.low));
        same(&name, ours.high, case.high);
    }
    assert_eq!(wilson(0, 0, 0.95), None);
    assert_eq!(wilson(2, 1, 0.95), None);
    assert_eq!(wilson(1, 2, 1.0), None);
}

#[test]
fn meta_analyses_are_those_of_statsmodels() {
    for case in &reference().meta {
        let studies: Vec<Study> = case
            .delta
            .iter()
            .zip(&case.se)
            .map(|(&delta, &se)| Study { delta, se })
            .collect();
        let ours = meta(&studies)
            .expect("a distribution")
            .expect("several studies");
        for (pooled, theirs) in [(ours.fixed, case.fixed), (ours.random, case.random)] {
            same("delta", pooled.delta, theirs[0]);
            same("se", pooled.se, theirs[1]);
            same("low", pooled.ci_95[0], theirs[2]);
            same("high", pooled.ci_95[1], theirs[3]);
        }
        same("tau2", ours.tau2, case.tau2);
        same("q", ours.q, case.q);
        same("q_p", ours.q_p_value, case.q_p);
        same("i2", ours.i2, case.i2);
    }
    let one = Study {
        delta: 0.1,
        se: 0.1,
    };
    let flat = Study {
        delta: 0.1,
        se: 0.0,
    };
    assert_eq!(meta(&[one, flat]).expect("no distribution needed"), None);
}
