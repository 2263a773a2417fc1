//! The environment as a value, and the names of the variables that evaltui itself reads.
//!
//! Provider variables (`*_API_KEY`, `*_BASE_URL`, ...) are named by the adapters, not here.

use std::collections::BTreeMap;

/// Switches colour off when set to anything but the empty string (<https://no-color.org>).
pub const NO_COLOR: &str = "NO_COLOR";
/// Overrides the experiments folder.
pub const EXPERIMENTS_DIR: &str = "EVALTUI_EXPERIMENTS_DIR";
/// Fixes the wall clock to an RFC 3339 instant; for reproducible tests only.
pub const FIXED_CLOCK: &str = "EVALTUI_FIXED_CLOCK";

/// A snapshot of environment variables: the process's own over those of a `.env` file.
///
/// Debug output lists names only, because values may be secrets.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
}

impl Environment {
    /// An environment made of the given pairs; later pairs win.
    pub fn from_pairs<I, K, V>(pairs: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        Self {
            values: pairs
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        }
    }

    /// The value of `name`, or `None` where it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// Adds a value unless the name is already set; how `.env` files are laid under the real environment.
    pub fn set_default(&mut self, name: &str, value: &str) {
        self.values
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
