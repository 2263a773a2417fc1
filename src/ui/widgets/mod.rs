//! Pieces that screens are made of. Each draws into a part of the buffer and never outside it.

pub mod gauge;
pub mod hints;
pub mod part_map;
pub mod pen;
pub mod phase_strip;
pub mod vtable;
