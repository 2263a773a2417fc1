//! Does an answer decline to answer? By phrases, looked up in the normalised text.
//!
//! The phrases are normalised as the text is, so that `I don't know` is found without its apostrophe and
//! `not provided in the passage` without its article (contract, section 10). Apostrophes outside ASCII, which the
//! official normalisation keeps, are dropped here.

use memchr::memmem::Finder;

use super::normalize::Normalized;

/// The phrases, as the predecessor has them.
pub const MARKERS: [&str; 9] = [
    "i don't know",
    "i do not know",
    "unknown",
    "not sure",
    "cannot answer",
    "can't answer",
    "insufficient information",
    "not enough information",
    "not provided in the passage",
];

/// ‘ ’ ʼ ′ and the full-width apostrophe, in UTF-8.
const APOSTROPHES: [&[u8]; 5] = [
    b"\xe2\x80\x98",
    b"\xe2\x80\x99",
    b"\xca\xbc",
    b"\xe2\x80\xb2",
    b"\xef\xbc\x87",
];

/// The phrases, ready to be looked for.
#[derive(Debug)]
pub struct Abstention {
    markers: Vec<Finder<'static>>,
    without_apostrophes: Vec<u8>,
}

impl Default for Abstention {
    fn default() -> Self {
        Self {
            markers: MARKERS
                .iter()
                .map(|m| Finder::new(Normalized::of(m).as_bytes()).into_owned())
                .collect(),
            without_apostrophes: Vec::new(),
        }
    }
}

impl Abstention {
    /// Whether an answer declines.
    pub fn is_in(&mut self, answer: &Normalized) -> bool {
        let text = answer.as_bytes();
        if text.is_ascii() {
            return self.markers.iter().any(|m| m.find(text).is_some());
        }
        let kept = &mut self.without_apostrophes;
        kept.clear();
        let mut rest = text;
        while let Some((first, tail)) = rest.split_first() {
            if let Some(after) = APOSTROPHES.iter().find_map(|a| rest.strip_prefix(*a)) {
                rest = after;
            } else {
                kept.push(*first);
                rest = tail;
            }
        }
        self.markers.iter().any(|m| m.find(kept).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apostrophes_and_articles_hide_no_abstention() {
        let mut abstention = Abstention::default();
        for (text, declines) in [
            ("I don't know.", true),
            ("I don’t know.", true),
            ("I donʼt know — sorry", true),
            ("I dont know", true),
            ("Sorry, I CAN’T answer that.", true),
            ("That is not provided in the passage.", true),
            ("There is not enough information.", true),
            ("Unknown", true),
            ("I know", false),
            ("Paris — of course", false),
            ("", false),
        ] {
            assert_eq!(abstention.is_in(&Normalized::of(text)), declines, "{text}");
        }
    }
}
