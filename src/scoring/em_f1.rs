//! Exact match and token F1 against the best of several gold answers.
//!
//! Source: `compute_exact`, `compute_f1` and `get_raw_scores` of the official script `evaluate-v2.0.py`: gold
//! answers that normalise to nothing do not count, unless all do.

use super::normalize::Normalized;
use super::vocabulary::Vocabulary;

/// The gold answers of one item, normalised and counted once.
#[derive(Debug, Clone)]
pub struct GoldAnswers {
    vocabulary: Vocabulary,
    answers: Vec<GoldAnswer>,
}

#[derive(Debug, Clone)]
struct GoldAnswer {
    text: Vec<u8>,
    tokens: usize,
    /// Token number and how often it occurs.
    counts: Vec<(usize, u32)>,
}

impl GoldAnswers {
    /// Prepares gold answers; none at all is one empty answer.
    pub fn new(answers: &[String], scratch: &mut Normalized) -> Self {
        let mut gold = Self {
            vocabulary: Vocabulary::default(),
            answers: Vec::with_capacity(answers.len().max(1)),
        };
        for answer in answers {
            scratch.set(answer);
            if scratch.tokens().len() > 0 {
                gold.push(scratch);
            }
        }
        if gold.answers.is_empty() {
            scratch.set("");
            gold.push(scratch);
        }
        gold
    }

    fn push(&mut self, answer: &Normalized) {
        if self.answers.iter().any(|a| a.text == answer.as_bytes()) {
            return;
        }
        let mut counts: Vec<(usize, u32)> = Vec::with_capacity(answer.tokens().len());
        for token in answer.tokens() {
            let number = self.vocabulary.insert(token);
            match counts.iter_mut().find(|(n, _)| *n == number) {
                Some((_, count)) => *count += 1,
                None => counts.push((number, 1)),
            }
        }
        self.answers.push(GoldAnswer {
            text: answer.as_bytes().to_vec(),
            tokens: answer.tokens().len(),
            counts,
        });
    }

    /// Whether an answer equals one of the gold answers.
    pub fn is_exact(&self, answer: &Normalized) -> bool {
        self.answers.iter().any(|a| a.text == answer.as_bytes())
    }

    /// The best token F1. `counts` is scratch space.
    pub fn best_f1(&self, answer: &Normalized, counts: &mut Vec<u32>) -> f64 {
        counts.clear();
        counts.resize(self.vocabulary.len(), 0);
        for token in answer.tokens() {
            if let Some(number) = self.vocabulary.number(token) {
                counts[number] += 1;
            }
        }
        self.answers
            .iter()
            .map(|gold| gold.f1(answer.tokens().len(), counts))
            .fold(0.0, f64::max)
    }
}

impl GoldAnswer {
    /// 2pr / (p + r) over shared tokens, in the script's order of operations.
    fn f1(&self, tokens: usize, counts: &[u32]) -> f64 {
        if tokens == 0 || self.tokens == 0 {
            return if tokens == self.tokens { 1.0 } else { 0.0 };
        }
        let shared: u32 = self
            .counts
            .iter()
            .map(|(n, count)| *count.min(&counts[*n]))
            .sum();
        if shared == 0 {
            return 0.0;
        }
        let precision = f64::from(shared) / count(tokens);
        let recall = f64::from(shared) / count(self.tokens);
        2.0 * precision * recall / (precision + recall)
    }
}

/// A number of tokens as a float.
pub(super) fn count(tokens: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no text has 2^53 tokens")]
    let tokens = tokens as f64;
    tokens
}
