//! Seeded randomness with a stable specification.
//!
//! Every random draw of the program comes from `ChaCha12` (D. J. Bernstein, "`ChaCha`, a variant of Salsa20", 2008),
//! whose stream is fixed by its 32-byte seed, so the same seed gives the same bytes on every machine and version.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// The one random generator of the program.
pub type Rng = ChaCha12Rng;

/// A generator seeded with 32 bytes, usually a digest of a seed and a label (`Digest::of_parts`).
pub fn rng(seed: [u8; 32]) -> Rng {
    ChaCha12Rng::from_seed(seed)
}
