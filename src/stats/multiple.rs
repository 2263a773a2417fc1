//! p-values adjusted for testing many hypotheses: Benjamini-Hochberg and Holm.

/// Adjusts p-values so that the false discovery rate is controlled; answers keep the order of the input.
///
/// `q(i) = min over j >= i of p(j) * m / j` over the ascending order, the minimum running from the largest p-value
/// downward, and at most 1. What is not a number from 0 to 1 gives `None` and does not count towards `m`. Source:
/// Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J R Stat Soc B 57 (1995), eq. 1; equals
/// `scipy.stats.false_discovery_control(p, method="bh")`.
pub fn benjamini_hochberg(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let order = ascending(p_values);
    let m = order.len();
    let mut out = vec![None; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, &(index, p)) in order.iter().enumerate().rev() {
        smallest = smallest.min(p * ratio(m, rank + 1));
        out[index] = Some(smallest);
    }
    out
}

/// Adjusts p-values so that the chance of any false rejection is controlled; answers keep the order of the input.
///
/// `max over j <= i of p(j) * (m - j + 1)` over the ascending order, at most 1. Source: S. Holm, "A simple sequentially
/// rejective multiple test procedure", Scand J Stat 6 (1979), section 3; equals statsmodels'
/// `multipletests(p, method="holm")`.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let order = ascending(p_values);
    let m = order.len();
    let mut out = vec![None; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &(index, p)) in order.iter().enumerate() {
        largest = largest.max((p * ratio(m - rank, 1)).min(1.0));
        out[index] = Some(largest);
    }
    out
}

/// Positions and values of the usable p-values, smallest first.
fn ascending(p_values: &[Option<f64>]) -> Vec<(usize, f64)> {
    let mut order: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(i, p)| p.filter(|p| (0.0..=1.0).contains(p)).map(|p| (i, p)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    order
}

fn ratio(a: usize, b: usize) -> f64 {
    super::tally::real(a as u64) / super::tally::real(b as u64)
}
