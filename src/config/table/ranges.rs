//! Ranges that several keys share.

use crate::config::keys::Shape;

pub(in crate::config) const FRACTION: Shape = Shape::Number { min: 0.0, max: 1.0 };

pub(in crate::config) const SEED: Shape = Shape::Whole {
    min: 0,
    max: i64::MAX,
};

pub(in crate::config) const COUNT: Shape = Shape::Whole {
    min: 1,
    max: i64::MAX,
};

pub(in crate::config) const RESAMPLES: Shape = Shape::Whole {
    min: 1,
    max: 10_000_000,
};

pub(in crate::config) const TEMPERATURE: Shape = Shape::Number { min: 0.0, max: 2.0 };

pub(in crate::config) const TOKENS: Shape = Shape::Whole {
    min: 1,
    max: 1_000_000,
};

pub(in crate::config) const TOP_K: Shape = Shape::Whole {
    min: 1,
    max: 100_000,
};

pub(in crate::config) const SAMPLES: Shape = Shape::Whole { min: 1, max: 1000 };

pub(in crate::config) const SECONDS: Shape = Shape::Number {
    min: 0.0,
    max: 86_400.0,
};

pub(in crate::config) const DOLLARS: Shape = Shape::Number {
    min: 0.0,
    max: 1_000_000.0,
};
