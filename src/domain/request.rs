//! One request: which item, under which condition, at which temperature, the how-manieth sample.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::NameError;
use super::units::Temperature;

/// The two sides of a paired comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The baseline prompt.
    Control,
    /// The prompt under test.
    Treatment,
}

impl Condition {
    /// Both, in the order of every file.
    pub const ALL: [Self; 2] = [Self::Control, Self::Treatment];

    /// The condition's name in ids and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Treatment => "treatment",
        }
    }
}

/// Whether a passage is given with the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemType {
    /// Without a passage.
    Closed,
    /// With a passage.
    Open,
}

impl ItemType {
    /// Both, in the order of the inputs: closed first, as in the predecessor.
    pub const ALL: [Self; 2] = [Self::Closed, Self::Open];

    /// The type's name in ids and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

macro_rules! text_form {
    ($name:ident, $kind:literal, $problem:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::ALL
                    .into_iter()
                    .find(|v| v.as_str() == text)
                    .ok_or_else(|| NameError {
                        kind: $kind,
                        text: text.chars().take(80).collect(),
                        problem: $problem,
                    })
            }
        }
    };
}

text_form!(Condition, "condition", "is neither control nor treatment");
text_form!(ItemType, "item type", "is neither open nor closed");

/// The name of one request: `dataset|item_id|condition|temp|sample_index|type`.
///
/// Borrows its texts, so that millions can be read without allocating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CustomId<'a> {
    /// The dataset's name.
    pub dataset: &'a str,
    /// The item's id in its dataset.
    pub item_id: &'a str,
    /// The condition.
    pub condition: Condition,
    /// The temperature.
    pub temp: Temperature,
    /// The sample's index, from 0.
    pub sample_index: u32,
    /// Open or closed.
    pub item_type: ItemType,
}

impl<'a> CustomId<'a> {
    /// Reads a `custom_id`; fails where it does not have six well-formed fields.
    pub fn parse(text: &'a str) -> Result<Self, NameError> {
        let fail = || NameError {
            kind: "custom_id",
            text: text.chars().take(80).collect(),
            problem: "does not read dataset|item_id|condition|temp|sample_index|type",
        };
        let mut fields = text.split('|');
        let mut next = || fields.next().filter(|f| !f.is_empty()).ok_or_else(fail);
        let id = Self {
            dataset: next()?,
            item_id: next()?,
            condition: next()?.parse().ok().ok_or_else(fail)?,
            temp: next()?.parse().ok().ok_or_else(fail)?,
            sample_index: next()?.parse().ok().ok_or_else(fail)?,
            item_type: next()?.parse().ok().ok_or_else(fail)?,
        };
        if fields.next().is_some() {
            Err(fail())
        } else {
            Ok(id)
        }
    }

    /// The `item_key` of `per_item_scores.csv`: `dataset|item_id`, a prefix of the `custom_id`.
    pub fn item_key(&self) -> String {
        format!("{}|{}", self.dataset, self.item_id)
    }
}

impl fmt::Display for CustomId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dataset,
            item_id,
            condition,
            temp,
            sample_index,
            item_type,
        } = self;
        write!(
            f,
            "{dataset}|{item_id}|{condition}|{temp}|{sample_index}|{item_type}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_id_reads_back_as_written() {
        let text = "gsm8k|17|control|0.0|0|closed";
        assert_eq!(
            CustomId::parse(text).map(|id| id.to_string()),
            Ok(text.to_owned())
        );
        for bad in [
            "",
            "a|b|control|0.0|0",
            "a|b|both|0.0|0|open",
            "a|b|control|0.0|-1|open",
            "a|b|control|0.0|0|open|x",
            "|b|control|0.0|0|open",
        ] {
            assert!(CustomId::parse(bad).is_err(), "{bad}");
        }
    }
}
