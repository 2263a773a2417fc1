//! Everything that can be wrong with a configuration, and where.
//!
//! A load reports all its problems at once: the list is the error.

use std::fmt;

use thiserror::Error;

use crate::domain::ids::NameError;
use crate::domain::text::{printable, shorten};
use crate::domain::{Digest, TrialSlug};

/// Problems that are written out; beyond it only their number helps.
const MAX_SHOWN: usize = 100;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The file; line and column (in characters) count from 1.
    File {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The file as a whole.
    WholeFile,
    /// A command-line flag, e.g. `--temps`.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// Nobody wrote it: a default.
    Default,
}

/// What is wrong with a value, a key or a file.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Fault {
    /// The config file cannot be read.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// The system's words.
        reason: String,
    },
    /// The config file is above the size limit.
    #[error("is larger than {max} bytes")]
    TooLarge {
        /// The limit in bytes.
        max: u64,
    },
    /// The file is not UTF-8.
    #[error("is not UTF-8 text")]
    NotText,
    /// The parser cannot read on.
    #[error("is not valid YAML here: {reason}")]
    Syntax {
        /// The parser's words.
        reason: String,
    },
    /// Maps and lists inside each other beyond the limit.
    #[error("nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// An anchor or alias.
    #[error("anchors and aliases are not accepted; write the value out")]
    Alias,
    /// A tag such as `!!str`.
    #[error("tags are not accepted; quote a value to make it text")]
    Tag,
    /// A second `---`.
    #[error("a second document starts here; a config has one")]
    SecondDocument,
    /// A key that is a list or a map.
    #[error("a key must be plain text")]
    KeyNotText,
    /// A key twice in one map.
    #[error("the key is given twice, first in line {first_line}")]
    DuplicateKey {
        /// The line of its first use.
        first_line: usize,
    },
    /// A key that is not in the table.
    #[error("unknown key; {}", either(near.as_deref(), allowed))]
    UnknownKey {
        /// The nearest key.
        near: Option<String>,
        /// The keys known here.
        allowed: String,
    },
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What may stand here.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A number outside its range, or a list of the wrong length.
    #[error("{found} is out of range; expected {expected}")]
    OutOfRange {
        /// What may stand here.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A text outside a closed set.
    #[error("unknown value {found:?}; {}allowed: {allowed}", did_you_mean(near.as_deref()))]
    UnknownValue {
        /// What stands there.
        found: String,
        /// The nearest allowed value.
        near: Option<String>,
        /// All allowed values.
        allowed: String,
    },
    /// A value that must be there.
    #[error("is missing; expected {expected}")]
    Missing {
        /// What must stand here.
        expected: String,
    },
    /// Two keys for one thing.
    #[error("says the same as {other}; give one of them")]
    TwoNames {
        /// The other key.
        other: &'static str,
    },
    /// A value twice where each may stand once.
    #[error("{text} is given twice, first at {first}")]
    Repeated {
        /// The value.
        text: String,
        /// The key path of its first use.
        first: String,
    },
    /// Two trials with one folder.
    #[error(
        "has the same folder as {first}: {slug}; trials must differ in model, prompt_set, top_p, top_k or max_new_tokens (several temperatures belong into one trial's temps)"
    )]
    SameFolder {
        /// The key path of the other trial.
        first: String,
        /// The folder.
        slug: TrialSlug,
    },
    /// The name of a prompt set that is not defined.
    #[error("unknown prompt set {name:?}; {}defined: {known}", did_you_mean(near.as_deref()))]
    UnknownPromptSet {
        /// The name.
        name: String,
        /// The nearest defined name.
        near: Option<String>,
        /// All defined names.
        known: String,
    },
    /// A prompt, instruction or dataset file that cannot be read.
    #[error("cannot read {path}: {reason}")]
    FileUnreadable {
        /// The path.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// A file whose bytes are not those that the config names.
    #[error("{path} has sha256 {found}, not {wanted}")]
    DigestDiffers {
        /// The path.
        path: String,
        /// The digest in the config.
        wanted: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// A text that cannot be a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A value that is not used for reasons of safety, and is not repeated here.
    #[error("{problem}")]
    Refused {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A setting that has no effect with, or needs, another one.
    #[error("{problem}")]
    DoesNotFit {
        /// What does not fit, and what would.
        problem: String,
    },
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("did you mean {near}? "))
}

fn either(near: Option<&str>, allowed: &str) -> String {
    near.map_or_else(
        || format!("allowed here: {allowed}"),
        |near| format!("did you mean {near}?"),
    )
}

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// The key path, e.g. `datasets[0].format`; empty where the problem is not about a key.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// All problems of one configuration, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigErrors {
    /// The file, as given.
    pub path: String,
    /// The problems; never empty.
    pub problems: Vec<Problem>,
}

impl ConfigErrors {
    /// Puts problems into the order of the file; those from elsewhere come last.
    pub(super) fn new(path: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| match problem.place {
            Place::WholeFile | Place::Default => (0, 0, 0),
            Place::File { line, column } => (1, line, column),
            Place::Flag(_) => (2, 0, 0),
            Place::Variable(_) => (3, 0, 0),
        });
        problems.dedup();
        Self {
            path: path.to_owned(),
            problems,
        }
    }

    /// One line for one problem: place, key, fault.
    fn line(&self, problem: &Problem) -> String {
        let path = &self.path;
        let place = match problem.place {
            Place::File { line, column } => format!("{path}:{line}:{column}"),
            Place::WholeFile | Place::Default => path.clone(),
            Place::Flag(flag) => format!("from the command line ({flag})"),
            Place::Variable(name) => format!("from the environment ({name})"),
        };
        let text = if problem.key.is_empty() {
            format!("{place}: {}", problem.fault)
        } else {
            format!("{place}: {}: {}", problem.key, problem.fault)
        };
        shorten(&printable(&text), 1000)
    }
}

impl fmt::Display for ConfigErrors {
    /// Writes one line per problem, without a final line feed; beyond a hundred, their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().take(MAX_SHOWN).enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.line(problem))?;
        }
        match self.problems.len().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n{}: and {more} more problems", printable(&self.path)),
        }
    }
}

impl std::error::Error for ConfigErrors {}
