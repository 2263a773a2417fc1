//! Numbers with their unit in the type: temperature, tokens, money. All are integers inside.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// A sampling temperature in millionths, so that 0.2 and 0.25 stay different and compare exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Temperature(u32);

impl Temperature {
    /// The highest temperature any provider takes.
    pub const MAX: f64 = 2.0;

    /// Makes a temperature of 0 to 2 from a number; `None` outside, for NaN, and beyond six decimals.
    pub fn new(value: f64) -> Option<Self> {
        if !(0.0..=Self::MAX).contains(&value) {
            return None;
        }
        let millionths = (value * 1e6).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 2,000,000 by the check above"
        )]
        let whole = millionths as u32;
        ((value * 1e6 - millionths).abs() < 1e-3).then_some(Self(whole))
    }

    /// The temperature as a number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// The label used in file names and part keys: 0.0 is `t0`, 0.2 `t02`, 0.25 `t025`, 1.0 `t10`.
    ///
    /// It is the decimal text without its point; only zero drops its decimal. No two temperatures share a label,
    /// because the part before the point always has one digit.
    pub fn label(self) -> String {
        if self.0 == 0 {
            return "t0".to_owned();
        }
        format!("t{}", self.to_string().replace('.', ""))
    }

    /// Reads a label back.
    pub fn from_label(label: &str) -> Option<Self> {
        let digits = label.strip_prefix('t')?;
        if digits == "0" {
            return Some(Self(0));
        }
        if digits.len() < 2 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::new(format!("{}.{}", &digits[..1], &digits[1..]).parse().ok()?)
            .filter(|t| t.label() == label)
    }
}

impl fmt::Display for Temperature {
    /// Writes the shortest decimal with at least one digit after the point, as Python's `repr(float)` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        while text.ends_with('0') && !text.ends_with(".0") {
            text.pop();
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Temperature({self})")
    }
}

impl std::str::FromStr for Temperature {
    type Err = super::ids::NameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| super::ids::NameError {
                kind: "temperature",
                text: text.chars().take(80).collect(),
                problem: "is not a number from 0 to 2 with at most six decimals",
            })
    }
}

impl Serialize for Temperature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for Temperature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::new(value)
            .ok_or_else(|| serde::de::Error::custom("temperature is not a number from 0 to 2"))
    }
}

/// Tokens that a provider reported for one or more requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Input tokens, cached ones included.
    pub prompt_tokens: u64,
    /// Output tokens, reasoning included.
    pub completion_tokens: u64,
    /// Input tokens that the provider read from its cache.
    #[serde(default)]
    pub cached_tokens: u64,
}

impl TokenUsage {
    /// Input and output together.
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

impl Add for TokenUsage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self
                .completion_tokens
                .saturating_add(other.completion_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
        }
    }
}

impl AddAssign for TokenUsage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// An amount of money in billionths of a US dollar.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Usd(i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount from billionths of a dollar.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Billionths of a dollar.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The nearest amount to a number of dollars; `None` for NaN, infinite and above nine billion.
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the check")]
        (dollars.abs() < 9e9).then(|| Self((dollars * 1e9).round() as i64))
    }

    /// The amount in dollars, for arithmetic with ratios and for JSON.
    pub fn dollars(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact below nine million dollars"
        )]
        let nanos = self.0 as f64;
        nanos / 1e9
    }

    /// What `tokens` cost at a price per million tokens.
    pub fn of_tokens(tokens: u64, per_million: Self) -> Self {
        let nanos = i128::from(tokens) * i128::from(per_million.0) / 1_000_000;
        Self(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    /// Two decimals from a dollar up, four below, e.g. `$41.20`, `$0.0031`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.dollars();
        let text = if self.0 == 0 || dollars.abs() >= 1.0 {
            format!("${dollars:.2}")
        } else {
            format!("${dollars:.4}")
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_the_contract_and_never_collide() {
        for (value, label) in [
            (0.0, "t0"),
            (0.04, "t004"),
            (0.2, "t02"),
            (0.25, "t025"),
            (0.7, "t07"),
            (1.0, "t10"),
            (1.5, "t15"),
        ] {
            let temp = Temperature::new(value).unwrap_or_default();
            assert_eq!(temp.label(), label);
            assert_eq!(Temperature::from_label(label), Some(temp));
        }
        assert_eq!(Temperature::from_label("t020"), None);
        assert_eq!(Temperature::new(f64::NAN), None);
        assert_eq!(Temperature::new(2.1), None);
    }

    #[test]
    fn temperatures_are_written_as_python_writes_floats() {
        let text = |v: f64| Temperature::new(v).map(|t| t.to_string());
        assert_eq!(text(0.0).as_deref(), Some("0.0"));
        assert_eq!(text(0.25).as_deref(), Some("0.25"));
        assert_eq!(text(1.0).as_deref(), Some("1.0"));
    }

    #[test]
    fn money_is_exact_for_token_prices() {
        let price = Usd::from_dollars(0.15).unwrap_or_default();
        assert_eq!(Usd::of_tokens(1, price).nanos(), 150);
        assert_eq!(Usd::of_tokens(1_000_000, price), price);
        assert_eq!(Usd::of_tokens(24_310, price).to_string(), "$0.0036");
    }
}
