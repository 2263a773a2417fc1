//! Wilcoxon's signed-rank test of paired differences.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::tally::{Tally, real};

/// Up to this many non-zero differences the exact distribution is computed.
pub const EXACT_UP_TO: u64 = 50;
/// Up to this many the exact distribution is also used where there are ties, as SciPy does.
const EXACT_TIES_UP_TO: u64 = 13;

/// How the p-value was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WilcoxonMethod {
    /// The exact distribution of the rank sum.
    Exact,
    /// The normal approximation with tie correction, without continuity correction.
    Normal,
    /// No difference that is not zero: p is 1.
    AllZero,
}

/// A signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wilcoxon {
    /// The smaller of the two rank sums.
    #[serde(rename = "W")]
    pub statistic: f64,
    /// Two-sided p-value by `method`, chosen as SciPy chooses.
    pub p_value: f64,
    /// Exact two-sided p-value with ties as they are, where at most 50 differences are not zero.
    pub p_exact: Option<f64>,
    /// Normal approximation with tie and continuity correction.
    pub p_continuity: Option<f64>,
    /// How `p_value` was reached.
    pub method: WilcoxonMethod,
    /// Differences that are not zero.
    pub n: u64,
    /// Zero differences, dropped.
    pub zeros: u64,
    /// `p_value` adjusted over the family `all_tests`.
    pub q_value: Option<f64>,
}

/// Tests whether differences are symmetric about zero; zeros are dropped and equal sizes share their mean rank.
///
/// Exact for at most 50 differences without ties and at most 13 with ties, normal otherwise: what
/// `scipy.stats.wilcoxon(d[d != 0])` does by default. Sources: F. Wilcoxon, "Individual comparisons by ranking methods",
/// Biometrics Bull 1 (1945); variance with ties as in W. J. Conover, "Practical nonparametric statistics" (1999),
/// section 5.7, eq. 5 and 6.
pub fn wilcoxon(differences: &Tally) -> Wilcoxon {
    let sizes = differences.absolute_nonzero();
    let ranks = Ranks::of(differences, &sizes);
    let n = sizes.n();
    let zeros = differences.n() - n;
    if n == 0 {
        return Wilcoxon {
            statistic: 0.0,
            p_value: 1.0,
            p_exact: Some(1.0),
            p_continuity: None,
            method: WilcoxonMethod::AllZero,
            n,
            zeros,
            q_value: None,
        };
    }
    let p_exact = (n <= EXACT_UP_TO).then(|| ranks.exact_p());
    let exact_wanted = n <= EXACT_TIES_UP_TO || !ranks.tied;
    let (p_value, method) = match p_exact {
        Some(p) if exact_wanted => (p, WilcoxonMethod::Exact),
        _ => (ranks.normal_p(0.0), WilcoxonMethod::Normal),
    };
    Wilcoxon {
        statistic: ranks.plus.min(ranks.minus),
        p_value,
        p_exact,
        p_continuity: Some(ranks.normal_p(0.5)),
        method,
        n,
        zeros,
        q_value: None,
    }
}

/// Rank sums and what their distribution needs.
struct Ranks {
    plus: f64,
    minus: f64,
    n: f64,
    /// Sum of `t^3 - t` over groups of equal sizes.
    tie_term: f64,
    tied: bool,
    /// Twice the mean rank of each group, with its count: whole numbers.
    doubled: Vec<(u64, u64)>,
}

impl Ranks {
    fn of(differences: &Tally, sizes: &Tally) -> Self {
        let mut ranks = Self {
            plus: 0.0,
            minus: 0.0,
            n: real(sizes.n()),
            tie_term: 0.0,
            tied: false,
            doubled: Vec::with_capacity(sizes.distinct()),
        };
        let mut positive = differences.iter().skip_while(|(v, _)| *v <= 0.0).peekable();
        let mut before = 0;
        for (size, count) in sizes.iter() {
            let doubled = 2 * before + count + 1;
            let plus = positive
                .next_if(|(v, _)| v.to_bits() == size.to_bits())
                .map_or(0, |(_, c)| c);
            ranks.plus += real(plus) * real(doubled) / 2.0;
            ranks.minus += real(count - plus) * real(doubled) / 2.0;
            ranks.tie_term += real(count).powi(3) - real(count);
            ranks.tied |= count > 1;
            ranks.doubled.push((doubled, count));
            before += count;
        }
        ranks
    }

    /// Twice the tail of the standardised rank sum, moved towards the mean by `continuity`.
    fn normal_p(&self, continuity: f64) -> f64 {
        let n = self.n;
        let mean = n * (n + 1.0) / 4.0;
        let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - self.tie_term / 2.0) / 24.0;
        let distance = ((self.plus - mean).abs() - continuity).max(0.0);
        (2.0 * Normal::standard().sf(distance / variance.sqrt())).min(1.0)
    }

    /// Twice the smaller tail of the exact distribution: every sign pattern is equally likely.
    fn exact_p(&self) -> f64 {
        let ranks = self
            .doubled
            .iter()
            .flat_map(|&(rank, count)| (0..count).map(move |_| rank));
        // ways[s]: sign patterns whose doubled plus sum is s. At most 2^50 of them, exact in a double.
        let mut ways = vec![1.0];
        for rank in ranks {
            let Ok(rank) = usize::try_from(rank) else {
                return 1.0;
            };
            let mut next = vec![0.0; ways.len() + rank];
            for (s, w) in ways.iter().enumerate() {
                next[s] += w;
                next[s + rank] += w;
            }
            ways = next;
        }
        let smaller = 2.0 * self.plus.min(self.minus);
        let tail: f64 = ways
            .iter()
            .zip(0_u32..)
            .take_while(|(_, s)| f64::from(*s) <= smaller)
            .map(|(w, _)| w)
            .sum();
        (2.0 * tail / self.n.exp2()).min(1.0)
    }
}
