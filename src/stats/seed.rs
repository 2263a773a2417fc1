//! Where the randomness of a resampling comes from: a seed, a label and a block number.
//!
//! Each block of resamples has a generator of its own, so blocks may run on any thread in any order.

use crate::domain::Digest;
use crate::sys::random::{self, Rng};

/// Resamples in one block.
pub const BLOCK: u32 = 250;

/// The seed of one resampling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The configured seed.
    pub number: u64,
    /// What is resampled, e.g. `0.0/open/overall/em`; different labels give independent streams.
    pub label: String,
}

impl Seed {
    /// The generator of one block of a method's resamples.
    pub fn rng(&self, method: &str, block: u32) -> Rng {
        random::rng(
            Digest::of_parts(&[
                "evaltui/stats/1",
                method,
                &self.number.to_string(),
                &self.label,
                &block.to_string(),
            ])
            .bytes(),
        )
    }

    /// Runs `draw` for every resample of a method, block by block, and collects its answers in order.
    pub fn resample(
        &self,
        method: &str,
        resamples: u32,
        mut draw: impl FnMut(&mut Rng) -> f64,
    ) -> Vec<f64> {
        let mut out = Vec::with_capacity(resamples as usize);
        for block in 0..resamples.div_ceil(BLOCK) {
            let mut rng = self.rng(method, block);
            for _ in block * BLOCK..resamples.min((block + 1) * BLOCK) {
                out.push(draw(&mut rng));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn streams_differ_by_label_method_and_block_and_repeat_by_seed() {
        let seed = |number, label: &str| Seed {
            number,
            label: label.to_owned(),
        };
        let first = |s: &Seed, method, block| s.rng(method, block).random::<u64>();
        let a = first(&seed(1, "a"), "bootstrap", 0);
        assert_eq!(a, first(&seed(1, "a"), "bootstrap", 0));
        assert_ne!(a, first(&seed(1, "b"), "bootstrap", 0));
        assert_ne!(a, first(&seed(2, "a"), "bootstrap", 0));
        assert_ne!(a, first(&seed(1, "a"), "permutation", 0));
        assert_ne!(a, first(&seed(1, "a"), "bootstrap", 1));
    }

    #[test]
    fn more_resamples_only_add_to_fewer() {
        let seed = Seed {
            number: 7,
            label: "x".to_owned(),
        };
        let short = seed.resample("m", 300, RngExt::random);
        let long = seed.resample("m", 700, RngExt::random);
        assert_eq!((short.len(), long.len()), (300, 700));
        assert_eq!(short[..], long[..300]);
    }
}
