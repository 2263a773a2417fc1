//! choice
use super::normalize::Normalized;

/// Options.
#[derive(Debug, Clone)]
pub struct Options {}
impl Options {
    /// Prepares.
    pub fn new(_choices: &[String], _answers: &[String], _scratch: &mut Normalized) -> Self {
        Self {}
    }
    /// Whether an answer chose the right option.
    pub fn accept(&self, _response: &str, _answer: &Normalized) -> bool {
        false
    }
}
