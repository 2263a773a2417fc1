//! Did the answer choose the right option? By letter (`B`, `(B)`, `B.`, `Answer: B`, `\boxed{B}`) or by the option's text.
//!
//! Rules, the first that finds something decides:
//! 1. The last `\boxed{...}`: a letter or the text of an option.
//! 2. The last `answer` followed by `is`, `:` or the like and then by a letter or the text of an option.
//! 3. The whole response, or its first or last line: a letter (`B`, `**(B)**`, `B. Paris`) or the text of an option.
//! 4. The one option whose text occurs in the response, or else the one letter in brackets (`I choose (B)`).
//!
//! Two different options at the deciding place (`B or C`) are no choice, and no choice is wrong.

use super::normalize::Normalized;
use super::numeric::last_boxed;

/// The options of one item and which of them are right.
#[derive(Debug, Clone)]
pub struct Options {
    /// Normalised texts, in order.
    texts: Vec<Vec<u8>>,
    right: Vec<usize>,
}

/// What a place in a response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Option(usize),
    Several,
}

impl Said {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, said) | (said, Self::Nothing) => said,
            (Self::Option(a), Self::Option(b)) if a == b => self,
            _ => Self::Several,
        }
    }

    fn or_else(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::Nothing { next() } else { self }
    }
}

impl Options {
    /// Prepares options and gold answers. A gold answer is an option's text or, where no text equals it, its letter.
    pub fn new(choices: &[String], answers: &[String], scratch: &mut Normalized) -> Self {
        let mut options = Self {
            texts: choices.iter().map(|c| normal(c, scratch)).collect(),
            right: Vec::new(),
        };
        for answer in answers {
            let verbatim = choices.iter().position(|c| c.trim() == answer.trim());
            let said = verbatim.map_or_else(|| options.whole(answer, scratch), Said::Option);
            if let Said::Option(option) = said {
                options.right.push(option);
            }
        }
        options
    }

    /// Whether a response chooses a right option.
    pub fn accept(&self, response: &str, answer: &Normalized) -> bool {
        matches!(self.chosen(response, answer), Some(option) if self.right.contains(&option))
    }

    /// The option that a response chooses, from 0.
    pub fn chosen(&self, response: &str, answer: &Normalized) -> Option<usize> {
        let scratch = &mut Normalized::default();
        let boxed = last_boxed(response).map_or(Said::Nothing, |b| self.whole(b, scratch));
        let said = boxed
            .or_else(|| self.announced(response, scratch))
            .or_else(|| self.whole(response, scratch))
            .or_else(|| self.line(response.trim().lines().next(), scratch))
            .or_else(|| self.line(response.trim().lines().next_back(), scratch))
            .or_else(|| self.mentioned(answer))
            .or_else(|| self.bracketed(response));
        match said {
            Said::Option(option) => Some(option),
            Said::Nothing | Said::Several => None,
        }
    }

    fn line(&self, line: Option<&str>, scratch: &mut Normalized) -> Said {
        line.map_or(Said::Nothing, |line| self.whole(line, scratch))
    }

    /// A text that is an option as a whole: its text, or its letter and maybe more after it.
    fn whole(&self, text: &str, scratch: &mut Normalized) -> Said {
        let text = strip_words(text);
        let plain = normal(text, scratch);
        let same = |t: &Vec<u8>| !plain.is_empty() && *t == plain;
        match self.texts.iter().position(same) {
            Some(option) => Said::Option(option),
            None => self.letters(text),
        }
    }

    /// The letter at the start of a text, and those joined to it by `or`, `and`, `/`, `&` or a comma.
    fn letters(&self, text: &str) -> Said {
        let Some((first, mut rest)) = self.letter(text) else {
            return Said::Nothing;
        };
        let mut said = Said::Option(first);
        loop {
            let joined = rest.trim_start();
            let after = ["or ", "and ", "/", "&", ","]
                .iter()
                .find_map(|word| joined.strip_prefix(word));
            match after.and_then(|a| self.letter(a)) {
                Some((next, after)) => {
                    said = said.and(Said::Option(next));
                    rest = after;
                }
                None => return said,
            }
        }
    }

    /// A letter that stands for an option, and what follows it. A bare letter must end its line or be closed by a sign,
    /// or `A good question` would choose the first option; lower case counts only where it is closed or alone.
    fn letter<'t>(&self, text: &'t str) -> Option<(usize, &'t str)> {
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || "*_`\"'$".contains(c));
        let text = ["Option ", "option ", "Choice ", "choice "]
            .iter()
            .find_map(|word| text.strip_prefix(word))
            .unwrap_or(text);
        let inner = text.strip_prefix(['(', '[', '{']);
        let opened = inner.is_some();
        let mut chars = inner.unwrap_or(text).chars();
        let letter = chars.next().filter(char::is_ascii_alphabetic)?;
        let option = usize::from(letter.to_ascii_uppercase() as u8 - b'A');
        let rest = chars.as_str();
        let closed = rest.trim_start_matches(['*', '_', '`', '"', '\'', '$']);
        let joined = ["or ", "and ", "/", "&"]
            .iter()
            .any(|w| closed.trim_start().starts_with(w));
        let stands_alone = match closed.chars().next() {
            None | Some(')' | ']' | '}') => true,
            Some('.' | ':' | ',' | ';' | '!' | '\n' | '\r') => !opened,
            Some(c) if c.is_whitespace() => {
                !opened && letter.is_ascii_uppercase() && (joined || closed.trim().is_empty())
            }
            Some('/' | '&') => !opened,
            Some(_) => false,
        };
        let after = closed.trim_start_matches([')', ']', '}', '*', '_', '`', '"', '\'', '$']);
        (stands_alone && option < self.texts.len()).then_some((option, after))
    }

    /// What follows the last `answer`: `The answer is (B)`, `**Answer:** B`, `final answer: Paris`.
    fn announced(&self, response: &str, scratch: &mut Normalized) -> Said {
        let lower = response.to_ascii_lowercase();
        for (at, word) in lower.rmatch_indices("answer") {
            let rest = &response[at + word.len()..];
            let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "*_:=".contains(c));
            let rest = ["is ", "is:", "would be ", "should be "]
                .iter()
                .find_map(|w| rest.strip_prefix(w))
                .unwrap_or(rest)
                .trim_start_matches(|c: char| c.is_whitespace() || "*_:".contains(c));
            let line = rest.lines().next().unwrap_or_default();
            let said = self.whole(line, scratch).or_else(|| self.upper_word(line));
            if said != Said::Nothing {
                return said;
            }
        }
        Said::Nothing
    }

    /// `B because ...`: a capital that is followed by a blank. Not `A`, which may be the article, nor `I`.
    fn upper_word(&self, line: &str) -> Said {
        let mut chars = line.chars();
        match (chars.next(), chars.next()) {
            (Some(letter @ ('B'..='H' | 'J'..='Z')), Some(' ')) => {
                let option = usize::from(letter as u8 - b'A');
                if option < self.texts.len() {
                    Said::Option(option)
                } else {
                    Said::Nothing
                }
            }
            _ => Said::Nothing,
        }
    }

    /// The options whose texts occur as whole tokens; one inside another (`York`, `New York`) gives way to the longer.
    fn mentioned(&self, answer: &Normalized) -> Said {
        let occurs = |text: &[u8], inside: &[u8]| {
            !text.is_empty()
                && [b" ", inside, b" "]
                    .concat()
                    .windows(text.len() + 2)
                    .any(|w| w[0] == b' ' && w[w.len() - 1] == b' ' && &w[1..w.len() - 1] == text)
        };
        let found: Vec<usize> = (0..self.texts.len())
            .filter(|o| occurs(&self.texts[*o], answer.as_bytes()))
            .collect();
        found
            .iter()
            .filter(|o| {
                !found.iter().any(|other| {
                    self.texts[*other].len() > self.texts[**o].len()
                        && occurs(&self.texts[**o], &self.texts[*other])
                })
            })
            .fold(Said::Nothing, |said, o| said.and(Said::Option(*o)))
    }

    /// The letters that stand in brackets anywhere.
    fn bracketed(&self, response: &str) -> Said {
        response
            .match_indices('(')
            .filter_map(|(at, _)| self.letter(&response[at..]))
            .fold(Said::Nothing, |said, (option, _)| {
                said.and(Said::Option(option))
            })
    }
}

fn normal(text: &str, scratch: &mut Normalized) -> Vec<u8> {
    scratch.set(text);
    scratch.as_bytes().to_vec()
}

/// The content of a box is often wrapped once more: `\text{B}`, `\textbf{(B)}`.
fn strip_words(text: &str) -> &str {
    let text = text.trim();
    ["\\text{", "\\textbf{", "\\mathrm{", "\\mathbf{"]
        .iter()
        .find_map(|w| text.strip_prefix(w)?.strip_suffix('}'))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(choices: &[&str], answers: &[&str]) -> Options {
        let own = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        Options::new(&own(choices), &own(answers), &mut Normalized::default())
    }

    #[test]
    fn a_choice_is_read_by_letter_and_by_text() {
        let capitals = options(&["London", "Paris", "New York", "York"], &["B"]);
        for (text, option) in [
            ("B", Some(1)),
            ("b", Some(1)),
            ("(B)", Some(1)),
            ("B.", Some(1)),
            ("B) Paris", Some(1)),
            ("B. Paris", Some(1)),
            ("**B**", Some(1)),
            ("**(B)** because", Some(1)),
            ("Answer: B", Some(1)),
            ("**Answer:** B", Some(1)),
            ("The answer is (B).", Some(1)),
            ("The answer is B because it is.", Some(1)),
            ("The correct answer is: C", Some(2)),
            ("The answer is Option D.", Some(3)),
            ("Answer: Paris", Some(1)),
            ("First I thought the answer is A.\nFinal answer: B", Some(1)),
            ("so \\boxed{B}", Some(1)),
            ("so \\boxed{\\text{(B)}}", Some(1)),
            ("so \\boxed{\\text{Paris}} not London", Some(1)),
            ("Paris", Some(1)),
            ("It must be Paris!", Some(1)),
            ("It must be New York.", Some(2)),
            ("I choose (D), of course", Some(3)),
            ("Let me think.\nLondon is out, Paris too.\nC", Some(2)),
            ("A good question", None),
            ("A", Some(0)),
            ("B or C", None),
            ("Answer: B or C", None),
            ("Answer: A/B", None),
            ("A, B", None),
            ("London or Paris", None),
            ("E", None),
            ("", None),
            ("I don't know.", None),
        ] {
            assert_eq!(
                capitals.chosen(text, &Normalized::of(text)),
                option,
                "{text}"
            );
            assert_eq!(
                capitals.accept(text, &Normalized::of(text)),
                option == Some(1),
                "{text}"
            );
        }
    }

    #[test]
    fn gold_is_the_text_of_an_option_before_its_letter() {
        assert_eq!(options(&["B", "A"], &["A"]).right, [1]);
        assert_eq!(options(&["x", "y"], &["B"]).right, [1]);
        assert_eq!(options(&["the cat", "a dog"], &["Dog"]).right, [1]);
        assert_eq!(options(&["x", "y"], &["z"]).right, [0; 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_choice_or_none(
            text in r"([A-Da-d]|Answer:|answer is|or|[ .:()*/,'\n]|\\boxed\{|\}|é|Paris){0,16}"
        ) {
            let capitals = options(&["London", "Paris", "é"], &["B"]);
            let chosen = capitals.chosen(&text, &Normalized::of(&text));
            proptest::prop_assert!(chosen.is_none_or(|option| option < 3));
        }
    }
}
