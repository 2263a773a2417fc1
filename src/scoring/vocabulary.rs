//! A set of tokens that numbers them: the passage's words, the gold answers' tokens. Open addressing over one byte buffer,
//! because a set of boxed texts costs an allocation per token of every passage.

use super::normalize::Span;

/// Tokens, numbered from 0 in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// Number + 1 of the token in each slot; 0 is free. A power of two, at most half full.
    slots: Vec<u32>,
}

impl Vocabulary {
    /// Makes room for so many tokens.
    pub fn with_capacity(tokens: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(tokens * 8),
            spans: Vec::with_capacity(tokens),
            slots: vec![0; (tokens * 2 + 2).next_power_of_two()],
        }
    }

    /// How many different tokens there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The number of a token, which is added where it is new.
    pub fn insert(&mut self, token: &[u8]) -> usize {
        if (self.spans.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let slot = match self.find(token) {
            Ok(number) => return number,
            Err(slot) => slot,
        };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(token);
        self.spans.push((start, self.bytes.len()));
        let number = self.spans.len();
        self.slots[slot] = u32::try_from(number).unwrap_or(0);
        number - 1
    }

    /// The number of a token.
    pub fn number(&self, token: &[u8]) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        self.find(token).ok()
    }

    fn find(&self, token: &[u8]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(token) & mask;
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                number => {
                    let number = number as usize - 1;
                    let (start, end) = self.spans[number];
                    if &self.bytes[start..end] == token {
                        return Ok(number);
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        self.slots.clear();
        self.slots.resize(size, 0);
        for (number, (start, end)) in self.spans.iter().enumerate() {
            let mut slot = hash(&self.bytes[*start..*end]) & (size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = u32::try_from(number + 1).unwrap_or(0);
        }
    }
}

/// Multiply and fold, eight bytes at a time. Only speed depends on it: equality is always checked.
fn hash(token: &[u8]) -> usize {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, b| word << 8 | u64::from(*b));
    let hash = token
        .chunks(8)
        .fold(token.len() as u64, |hash, chunk| fold(hash, word(chunk)));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low bits are well mixed"
    )]
    let low = hash as usize;
    low
}

fn fold(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}
