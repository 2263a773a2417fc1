//! Selective risk: how often a condition is wrong where it chose to answer.
//!
//! Confidence of an item is `1 - abstain_rate`: with one sample 1 where the model answered and 0 where it abstained,
//! with several the share of its samples that answered.

use serde::{Deserialize, Serialize};

use super::tally::{finite, real};

/// One item under one condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Confidence, 0 to 1.
    pub confidence: f64,
    /// Loss, 0 to 1: one minus the item's score.
    pub loss: f64,
}

/// Coverage and risk at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RiskPoint {
    /// Items whose confidence is at least this are answered.
    pub threshold: f64,
    /// Items answered.
    pub n: u64,
    /// Share of items answered, 0 to 1; absent without items.
    pub coverage: Option<f64>,
    /// Mean loss of the answered ones, 0 to 1; absent where none is.
    pub risk: Option<f64>,
}

/// The curve of one condition.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RiskCurve {
    /// One point for each threshold, in their order.
    pub points: Vec<RiskPoint>,
    /// Area under the risk-coverage curve: mean of the risks at coverage 1/n, 2/n, ... n/n. Absent without items.
    pub aurc: Option<f64>,
}

/// Coverage, risk and the area under the curve; answers that are not numbers are left out. O(n log n).
///
/// Items of equal confidence are taken in expectation over their orders. Source: Y. Geifman, R. El-Yaniv, "Selective
/// classification for deep neural networks", NeurIPS 2017, eq. 1 and 2; AURC as in Y. Geifman, G. Uziel, R. El-Yaniv,
/// "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019, section 3.
pub fn selective_risk(mut answers: Vec<Answer>, thresholds: &[f64]) -> RiskCurve {
    answers.retain(|a| a.confidence.is_finite() && a.loss.is_finite());
    answers.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let total = answers.len() as u64;
    let points = thresholds
        .iter()
        .map(|&threshold| {
            let n = answers.partition_point(|a| a.confidence >= threshold);
            let loss: f64 = answers[..n].iter().map(|a| a.loss).sum();
            RiskPoint {
                threshold,
                n: n as u64,
                coverage: finite(real(n as u64) / real(total)),
                risk: finite(loss / real(n as u64)),
            }
        })
        .collect();
    RiskCurve {
        points,
        aurc: area(&answers),
    }
}

fn area(answers: &[Answer]) -> Option<f64> {
    let (mut taken, mut loss, mut sum) = (0_u64, 0.0, 0.0);
    for group in answers.chunk_by(|a, b| a.confidence.to_bits() == b.confidence.to_bits()) {
        let mean = group.iter().map(|a| a.loss).sum::<f64>() / real(group.len() as u64);
        for _ in group {
            taken += 1;
            loss += mean;
            sum += loss / real(taken);
        }
    }
    finite(sum / real(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(pairs: &[(f64, f64)]) -> Vec<Answer> {
        pairs
            .iter()
            .map(|&(confidence, loss)| Answer { confidence, loss })
            .collect()
    }

    #[test]
    fn coverage_falls_and_risk_is_that_of_the_answered() {
        let curve = selective_risk(
            answers(&[(1.0, 0.0), (1.0, 1.0), (0.5, 1.0), (0.0, 1.0)]),
            &[0.0, 0.5, 1.0, 1.1],
        );
        let points: Vec<_> = curve
            .points
            .iter()
            .map(|p| (p.n, p.coverage, p.risk))
            .collect();
        assert_eq!(
            points,
            [
                (4, Some(1.0), Some(0.75)),
                (3, Some(0.75), Some(2.0 / 3.0)),
                (2, Some(0.5), Some(0.5)),
                (0, Some(0.0), None)
            ]
        );
        // Risks at coverage 1/4 to 4/4: 1/2 (ties in expectation), 1/2, 2/3, 3/4.
        let area = (0.5 + 0.5 + 2.0 / 3.0 + 0.75) / 4.0;
        assert!((curve.aurc.unwrap_or(0.0) - area).abs() < 1e-15);
    }

    #[test]
    fn without_answers_there_is_no_curve_and_no_nan() {
        let curve = selective_risk(answers(&[(f64::NAN, 0.0), (1.0, f64::NAN)]), &[0.0]);
        assert_eq!(curve.aurc, None);
        let point = curve.points[0];
        assert_eq!((point.n, point.coverage, point.risk), (0, None, None));
    }

    #[test]
    fn equal_confidence_does_not_depend_on_the_order() {
        let one = selective_risk(answers(&[(1.0, 0.0), (1.0, 1.0), (1.0, 0.0)]), &[]);
        let two = selective_risk(answers(&[(1.0, 1.0), (1.0, 0.0), (1.0, 0.0)]), &[]);
        assert_eq!(one.aurc, two.aurc);
    }
}
