//! Seeded choice of rows: which n of N are kept where a limit is set.
//!
//! The choice depends on seed, label, N and n only, and a larger n keeps what a smaller one chose.

use rand_chacha::rand_core::Rng as _;

use crate::domain::Digest;
use crate::sys::random;

/// A set of row numbers below a fixed count, one bit each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowSet {
    words: Vec<u64>,
}

impl RowSet {
    /// All rows below a count.
    pub fn full(count: u32) -> Self {
        let mut set = Self::default();
        (0..count).for_each(|row| set.insert(row));
        set
    }

    /// Adds a row.
    pub fn insert(&mut self, row: u32) {
        let word = (row / 64) as usize;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (row % 64);
    }

    /// Takes a row out.
    pub fn remove(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut((row / 64) as usize) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Whether a row is in the set.
    pub fn contains(&self, row: u32) -> bool {
        self.words
            .get((row / 64) as usize)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// How many rows are in the set.
    pub fn len(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    /// Whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// Keeps at most `limit` of the given rows that are in the set; other rows stay as they are.
    ///
    /// Applied once per dataset and then once per item type, this makes the selection of a run.
    pub fn narrow(
        &mut self,
        members: impl Iterator<Item = u32> + Clone,
        limit: u64,
        draw: Draw<'_>,
    ) {
        let count = members.clone().filter(|row| self.contains(*row)).count();
        if count as u64 <= limit {
            return;
        }
        // Rows are numbered with 32 bits, so that a count of them fits.
        let chosen = draw.choose(u32::try_from(count).unwrap_or(u32::MAX), limit);
        let mut rank = 0;
        for row in members {
            if self.contains(row) {
                if !chosen.contains(rank) {
                    self.remove(row);
                }
                rank += 1;
            }
        }
    }
}

/// What a choice is drawn from, besides the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw<'a> {
    /// The seed of the experiment.
    pub seed: u64,
    /// What is drawn, usually the dataset's name, so that datasets are drawn independently.
    pub label: &'a str,
}

impl Draw<'_> {
    /// Chooses `limit` of `count` rows, each subset with the same probability; all where `limit` is not smaller.
    ///
    /// The first `limit` steps of the Fisher-Yates shuffle (Knuth, The Art of Computer Programming, volume 2,
    /// algorithm P). Takes four bytes per row while it runs.
    pub fn choose(self, count: u32, limit: u64) -> RowSet {
        let limit = match u32::try_from(limit) {
            Ok(limit) if limit < count => limit,
            _ => return RowSet::full(count),
        };
        let seed = Digest::of_parts(&["sampling/1", &self.seed.to_string(), self.label]);
        let mut rng = random::rng(seed.bytes());
        let mut rows: Vec<u32> = (0..count).collect();
        let mut chosen = RowSet::default();
        for step in 0..limit {
            let pick = step + below(&mut rng, count - step);
            rows.swap(step as usize, pick as usize);
            chosen.insert(rows[step as usize]);
        }
        chosen
    }
}

/// A uniform number below `bound`, which is not zero.
///
/// Lemire, "Fast Random Integer Generation in an Interval" (2019), algorithm 5, with 32 bits. Spelled out here because
/// the crates' own ranges may change with a version, and with them every sample.
fn below(rng: &mut random::Rng, bound: u32) -> u32 {
    const LOW: u64 = u32::MAX as u64;
    let bound = u64::from(bound);
    let threshold = (LOW + 1 - bound) % bound;
    loop {
        let product = u64::from(rng.next_u32()) * bound;
        if product & LOW >= threshold {
            return u32::try_from(product >> 32).unwrap_or(u32::MAX);
        }
    }
}
