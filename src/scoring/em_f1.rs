//! Exact match and token F1 against the best of several gold answers.
//!
//! Source: `compute_exact`, `compute_f1` and `get_raw_scores` of the official script `evaluate-v2.0.py`: gold
//! answers that normalise to nothing do not count, unless all do.

use super::normalize::Normalized;
use super::vocabulary::Vocabulary;

/// The gold answers of one item, normalised once.
#[derive(Debug, Clone)]
pub struct GoldAnswers {
    texts: Vec<Vec<u8>>,
}

/// The tokens of the gold answers of one item, counted once.
#[derive(Debug, Clone)]
pub struct GoldCounts {
    vocabulary: Vocabulary,
    answers: Vec<GoldAnswer>,
}

#[derive(Debug, Clone)]
struct GoldAnswer {
    tokens: usize,
    /// Token number and how often it occurs.
    counts: Vec<(usize, u32)>,
}

impl GoldAnswers {
    /// Prepares gold answers; none at all is one empty answer.
    pub fn new(answers: &[String], scratch: &mut Normalized) -> Self {
        let mut texts: Vec<Vec<u8>> = Vec::with_capacity(answers.len().max(1));
        for answer in answers {
            scratch.set(answer);
            if !scratch.as_bytes().is_empty() && !texts.iter().any(|t| t == scratch.as_bytes()) {
                texts.push(scratch.as_bytes().to_vec());
            }
        }
        if texts.is_empty() {
            texts.push(Vec::new());
        }
        Self { texts }
    }

    /// Whether an answer equals one of the gold answers.
    pub fn is_exact(&self, answer: &Normalized) -> bool {
        self.texts.iter().any(|t| t == answer.as_bytes())
    }

    /// Counts the tokens of every gold answer.
    pub fn counts(&self) -> GoldCounts {
        let mut vocabulary = Vocabulary::default();
        let answers = self
            .texts
            .iter()
            .map(|text| GoldAnswer::new(text, &mut vocabulary))
            .collect();
        GoldCounts {
            vocabulary,
            answers,
        }
    }
}

impl GoldCounts {
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
    /// Counts the tokens of a normalised text, which single blanks part.
    fn new(text: &[u8], vocabulary: &mut Vocabulary) -> Self {
        let mut answer = Self {
            tokens: 0,
            counts: Vec::new(),
        };
        for token in text.split(|b| *b == b' ').filter(|t| !t.is_empty()) {
            answer.tokens += 1;
            let number = vocabulary.insert(token);
            match answer.counts.iter_mut().find(|(n, _)| *n == number) {
                Some((_, count)) => *count += 1,
                None => answer.counts.push((number, 1)),
            }
        }
        answer
    }

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
