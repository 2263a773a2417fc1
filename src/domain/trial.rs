//! One trial: a model, a prompt set and decoding settings.

use serde::{Deserialize, Serialize};

use super::ids::{NameError, PromptSetName, TrialSlug};
use super::request::ItemType;
use super::units::Temperature;

/// The longest answer a model may give, by item type, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MaxNewTokens {
    /// For closed items.
    pub closed_book: u32,
    /// For open items.
    pub open_book: u32,
}

impl MaxNewTokens {
    /// The limit for items of one type.
    pub fn of(self, item_type: ItemType) -> u32 {
        match item_type {
            ItemType::Closed => self.closed_book,
            ItemType::Open => self.open_book,
        }
    }
}

/// One model x prompt set x decoding settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The trial's name, unique in its run, and its folder.
    pub slug: TrialSlug,
    /// The model as the provider names it.
    pub model: String,
    /// The prompt set.
    pub prompt_set: PromptSetName,
    /// Temperatures, in the order of the files.
    pub temps: Vec<Temperature>,
    /// Samples per item, one count for each temperature.
    pub samples: Vec<u32>,
    /// Nucleus sampling threshold.
    pub top_p: f64,
    /// Top-k sampling; `None` leaves it to the provider.
    pub top_k: Option<u32>,
    /// Output limits.
    pub max_new_tokens: MaxNewTokens,
    /// Stop sequences.
    pub stop: Vec<String>,
}

impl Trial {
    /// Derives the slug from what the trial is, e.g. `gpt-oss-120b-operational_only-tp1-tk50-mx1024-1024`.
    pub fn slug_of(
        model: &str,
        prompt_set: &PromptSetName,
        top_p: f64,
        top_k: Option<u32>,
        max: MaxNewTokens,
    ) -> Result<TrialSlug, NameError> {
        let short: String = model
            .rsplit('/')
            .next()
            .unwrap_or(model)
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let top_k = top_k.map_or_else(|| "none".to_owned(), |k| k.to_string());
        TrialSlug::new(&format!(
            "{short}-{prompt_set}-tp{top_p}-tk{top_k}-mx{}-{}",
            max.closed_book, max.open_book
        ))
    }

    /// Samples per item at one of the trial's temperatures; 0 for another temperature.
    pub fn samples_at(&self, temp: Temperature) -> u32 {
        self.temps
            .iter()
            .position(|t| *t == temp)
            .and_then(|i| self.samples.get(i))
            .copied()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slug_is_the_predecessors() {
        let set = PromptSetName::new("operational_only").expect("a plain name");
        let max = MaxNewTokens {
            closed_book: 1024,
            open_book: 1024,
        };
        let slug = Trial::slug_of(
            "accounts/fireworks/models/gpt-oss-120b",
            &set,
            1.0,
            Some(50),
            max,
        )
        .expect("a plain slug");
        assert_eq!(
            slug.as_str(),
            "gpt-oss-120b-operational_only-tp1-tk50-mx1024-1024"
        );
    }
}
