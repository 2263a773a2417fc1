//! Does the passage bear the answer out? The overlap strategy: the share of the answer's words that occur in the passage.
//!
//! Words are the runs of `\w` in the normalised text, as in the predecessor (`re.split(r"\W+", normalised)`).

use super::em_f1::count;
use super::normalize::Normalized;
use super::vocabulary::Vocabulary;

/// The words of one passage.
#[derive(Debug, Clone, Default)]
pub struct Passage {
    words: Vocabulary,
}

impl Passage {
    /// Collects the words of a passage.
    pub fn new(context: &str, scratch: &mut Normalized) -> Self {
        scratch.set(context);
        let mut words = Vocabulary::with_capacity(scratch.words().len());
        for word in scratch.words() {
            words.insert(word);
        }
        Self { words }
    }

    /// Whether at least `min_share` of the answer's words occur in the passage; an answer without words is unsupported.
    pub fn supports(&self, answer: &Normalized, min_share: f64) -> bool {
        let words = answer.words().len();
        let found = answer
            .words()
            .filter(|w| self.words.number(w).is_some())
            .count();
        words > 0 && count(found) / count(words) >= min_share
    }
}
