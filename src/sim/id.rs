//! Names of datasets and jobs. Only a checked one becomes part of a path.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name of 1 to 63 characters of `a-z 0-9 - _` that starts with a letter: safe as a file name.
///
/// The dialects allow less still: see `fireworks::client_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Id(String);

impl Id {
    /// Checks a text; `None` where it is no id.
    pub(super) fn new(text: &str) -> Option<Self> {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let fits = (1..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is no id.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not an id of 1 to 63 characters of a-z, 0-9, '-' and '_'")]
pub(super) struct NotAnId;

impl TryFrom<String> for Id {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::new(&text).ok_or(NotAnId)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_never_leave_its_folder() {
        for bad in ["", "..", "../x", "a/b", "a.b", "A", "1a", "-a", "é", "a b"] {
            assert!(Id::new(bad).is_none(), "{bad}");
        }
        assert!(Id::new(&"a".repeat(64)).is_none());
        assert!(Id::new("evt-0a").is_some());
    }
}
