//! Names as types: each has one validating constructor and one text form.
//!
//! None of them can hold a path separator or `..`, so a name that was parsed may become a file name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::digest::Digest;
use super::request::Condition;
use super::units::Temperature;

/// A text that is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind} {text:?} {problem}")]
pub struct NameError {
    /// What the text should have named, e.g. `run id`.
    pub kind: &'static str,
    /// The offending text, cut to 80 characters.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

fn check_plain(kind: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    let fail = |problem| {
        Err(NameError {
            kind,
            text: text.chars().take(80).collect(),
            problem,
        })
    };
    if text.is_empty() {
        return fail("is empty");
    }
    if text.len() > max {
        return fail("is too long");
    }
    if text.starts_with('.') || text.starts_with('-') || text.contains("..") {
        return fail("must not start with '.' or '-' nor contain '..'");
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        return fail("may hold only letters, digits, '.', '_' and '-'");
    }
    Ok(())
}

macro_rules! plain_name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks a text and makes it a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check_plain($kind, text, $max)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &self.0)
            }
        }
    };
}

plain_name!(
    /// Names one run; its folder is `run_<RunId>`.
    RunId, "run id", 128
);
plain_name!(
    /// Names one trial inside a run; also the name of its folder.
    TrialSlug, "trial slug", 200
);
plain_name!(
    /// Names a prompt set of the configuration.
    PromptSetName, "prompt set", 100
);
plain_name!(
    /// Names a dataset; the first field of every `custom_id`.
    DatasetName, "dataset name", 100
);

/// An identifier that a provider gave or echoes. It never becomes part of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteId(pub String);

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Names one item across datasets; its text form `dataset|id` is the `item_key` of `per_item_scores.csv`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// The dataset's name.
    pub dataset: String,
    /// The item's id inside its dataset.
    pub id: String,
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.dataset, self.id)
    }
}

/// Where a part belongs inside its trial: temperature, condition and number; text form `t0_control_p01`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartKey {
    /// The sampling temperature.
    pub temp: Temperature,
    /// The condition.
    pub condition: Condition,
    /// The part's number, from 1.
    pub number: u32,
}

impl PartKey {
    /// The key without its number, e.g. `t0_control`: the key of the lists in `trial_manifest.json`.
    pub fn group(&self) -> String {
        format!("{}_{}", self.temp.label(), self.condition)
    }
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!(
            "{}_{}_p{:02}",
            self.temp.label(),
            self.condition,
            self.number
        ))
    }
}

impl fmt::Debug for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartKey({self})")
    }
}

impl FromStr for PartKey {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let fail = || NameError {
            kind: "part key",
            text: text.chars().take(80).collect(),
            problem: "does not read like t0_control_p01",
        };
        let mut fields = text.split('_');
        let (Some(label), Some(condition), Some(number), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(fail());
        };
        Ok(Self {
            temp: Temperature::from_label(label).ok_or_else(fail)?,
            condition: condition.parse().ok().ok_or_else(fail)?,
            number: number
                .strip_prefix('p')
                .and_then(|n| n.parse().ok())
                .filter(|n| *n > 0)
                .ok_or_else(fail)?,
        })
    }
}

impl TryFrom<String> for PartKey {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<PartKey> for String {
    fn from(key: PartKey) -> String {
        key.to_string()
    }
}

/// What a piece of work is: a digest of run id, provider, model, parameters and the bytes of the part.
///
/// Parts of several trials with the same key are one piece of work and are paid once (contract, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkKey(pub Digest);

impl fmt::Display for WorkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.short())
    }
}

/// What one submission is: a digest of the work, the attempt and the bytes of that attempt.
///
/// A retry of an uncertain call keeps its key; a new attempt after a known ending gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubmissionKey(pub Digest);

impl SubmissionKey {
    /// Derives the key of one attempt at a piece of work.
    pub fn derive(work: WorkKey, attempt: u32, bytes: Digest) -> Self {
        Self(Digest::of_parts(&[
            "submission/1",
            &work.0.to_string(),
            &attempt.to_string(),
            &bytes.to_string(),
        ]))
    }

    /// The name under which a provider knows the submission: `evt-` and 32 hexadecimal digits.
    ///
    /// Fits the id rules of every service: 1-63 characters of `a-z 0-9 -`, starting with a letter.
    pub fn remote_name(&self) -> String {
        format!("evt-{}", &self.0.to_string()[..32])
    }
}

impl fmt::Display for SubmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.short())
    }
}

/// Checks that a text may stand as a field of a `custom_id` (no separator, no control character, not empty).
pub fn check_custom_id_field(kind: &'static str, text: &str) -> Result<(), NameError> {
    let fail = |problem| {
        Err(NameError {
            kind,
            text: text.chars().take(80).collect(),
            problem,
        })
    };
    if text.is_empty() {
        fail("is empty")
    } else if text.contains('|') {
        fail("must not contain '|', the separator of custom_id")
    } else if text.chars().any(char::is_control) {
        fail("must not contain control characters")
    } else if text.len() > 512 {
        fail("is longer than 512 bytes")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_never_leave_its_folder() {
        for bad in [
            "", ".", "..", "a/b", "../x", "a..b", "-x", ".x", "a b", "a\u{0}", "é",
        ] {
            assert!(RunId::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            RunId::new("r20261121T032201Z").map(|r| r.to_string()),
            Ok("r20261121T032201Z".to_owned())
        );
    }

    #[test]
    fn part_keys_keep_two_digits_and_go_beyond_99() {
        for text in ["t0_control_p01", "t025_treatment_p107", "t10_control_p99"] {
            assert_eq!(
                text.parse::<PartKey>().map(|k| k.to_string()),
                Ok(text.to_owned())
            );
        }
        for bad in [
            "t0_control",
            "t0_control_p0",
            "x0_control_p01",
            "t0_both_p01",
            "t0_control_p01_x",
        ] {
            assert!(bad.parse::<PartKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_attempt_gets_a_new_name_and_a_retry_keeps_it() {
        let work = WorkKey(Digest::of(b"w"));
        let bytes = Digest::of(b"b");
        assert_eq!(
            SubmissionKey::derive(work, 1, bytes),
            SubmissionKey::derive(work, 1, bytes)
        );
        assert_ne!(
            SubmissionKey::derive(work, 1, bytes),
            SubmissionKey::derive(work, 2, bytes)
        );
        assert!(SubmissionKey::derive(work, 1, bytes).remote_name().len() <= 63);
    }
}
