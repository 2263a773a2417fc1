//! Words for right and wrong answers, by what the item's scorer looks at.
//!
//! Right answers are exact after the `SQuAD` normalisation except for the share [`VERBOSE`] of `em_f1` items, which wrap
//! the answer in a sentence; so a measured exact match lies about that share below the configured accuracy.

use crate::domain::item::{Item, ScorerName};
use crate::sim::draw::Draw;

/// Share of right `em_f1` answers in a whole sentence, which exact match counts as wrong.
const VERBOSE: f64 = 0.03;
/// Share of answers with a closing full stop, which the normalisation removes.
const FULL_STOP: f64 = 0.2;
/// How often another wrong answer is tried before giving up.
const TRIES: usize = 8;

const ABSTENTIONS: [&str; 4] = [
    "I don't know.",
    "I don't know.",
    "I do not know.",
    "I don't know the answer.",
];
const LEADS: [&str; 6] = [
    "Let us work through this step by step.",
    "We start with what the problem tells us.",
    "First, collect the quantities that matter.",
    "Let us set this up carefully.",
    "To solve this, we take the facts in order.",
    "Here is the reasoning.",
];
const STEPS: [&str; 8] = [
    "The amounts in the question are read off one after the other, and each is kept in the unit in which it is given.",
    "Quantities that repeat are multiplied by how often they occur.",
    "Parts that belong together are added up before anything is taken away.",
    "What is used up or given away is subtracted from the total.",
    "Where a share or a rate is named, it applies to the amount just found.",
    "The intermediate result is checked against the wording of the question.",
    "No other amount in the question changes this value.",
    "Putting the steps together leaves a single value.",
];
const MADE_UP: [&str; 6] = [
    "a later edition",
    "the northern province",
    "an unnamed witness",
    "the second council",
    "early spring",
    "a local charter",
];

/// A right answer.
pub(super) fn right(item: &Item, draw: &mut Draw) -> String {
    let Some(gold) = item.answers.first().filter(|_| !item.unanswerable()) else {
        return abstention(draw);
    };
    match item.scorer.unwrap_or_default() {
        ScorerName::Numeric => worked(gold, draw),
        ScorerName::Choice => letter(right_choice(item)),
        ScorerName::EmF1 => {
            let said = if draw.chance(0.85) {
                gold
            } else {
                draw.pick(&item.answers).unwrap_or(gold)
            };
            short(said, draw)
        }
    }
}

/// What wrong answers are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrong<'a> {
    /// Answers of other items.
    pub pool: &'a [Box<str>],
    /// Share of wrong answers to answerable open items that abstain.
    pub abstain: f64,
}

impl Wrong<'_> {
    /// A plausible wrong answer: `belief` says what is believed, `voice` how it is put.
    pub(super) fn answer(self, item: &Item, belief: &mut Draw, voice: &mut Draw) -> String {
        match item.scorer.unwrap_or_default() {
            ScorerName::Numeric if !item.unanswerable() => {
                let gold = item.answers.first().map_or("", String::as_str);
                worked(&other_number(gold, belief), voice)
            }
            ScorerName::Choice if item.choices.len() > 1 => {
                let right = right_choice(item);
                let step = 1 + belief.below(item.choices.len() - 1);
                letter((right + step) % item.choices.len())
            }
            ScorerName::EmF1 | ScorerName::Numeric | ScorerName::Choice => {
                let answerable = item.context.is_some() && !item.unanswerable();
                if answerable && belief.chance(self.abstain) {
                    return abstention(voice);
                }
                short(&self.claim(item, belief), voice)
            }
        }
    }

    /// A few words from the passage, or the answer to another question, that no gold answer matches.
    fn claim(self, item: &Item, belief: &mut Draw) -> String {
        for _ in 0..TRIES {
            let claim = match &item.context {
                Some(passage) => span(passage, belief),
                None => belief.pick(self.pool).map(ToString::to_string),
            };
            let fresh = claim.filter(|c| {
                let bare = bare(c);
                !bare.is_empty() && item.answers.iter().all(|a| self::bare(a) != bare)
            });
            if let Some(claim) = fresh {
                return claim;
            }
        }
        let gold: Vec<String> = item.answers.iter().map(|a| bare(a)).collect();
        let made_up = MADE_UP.iter().find(|m| !gold.contains(&bare(m)));
        made_up.map_or_else(String::new, ToString::to_string)
    }
}

fn abstention(draw: &mut Draw) -> String {
    draw.pick(&ABSTENTIONS).map_or("", |a| *a).to_owned()
}

fn short(answer: &str, draw: &mut Draw) -> String {
    if draw.chance(VERBOSE) {
        format!("The answer is {answer}.")
    } else if draw.chance(FULL_STOP) && !answer.ends_with('.') {
        format!("{answer}.")
    } else {
        answer.to_owned()
    }
}

/// A short solution that ends in a boxed number; its sentences hold no other number.
fn worked(number: &str, draw: &mut Draw) -> String {
    let mut text = draw.pick(&LEADS).map_or("", |l| *l).to_owned();
    let mut steps: Vec<&str> = STEPS.to_vec();
    draw.shuffle(&mut steps);
    let count = 1 + draw.below(5);
    for step in steps.iter().take(count) {
        text.push(' ');
        text.push_str(step);
    }
    text.push_str("\n\nThe answer is \\boxed{");
    text.push_str(number);
    text.push_str("}.");
    text
}

/// A number near the gold one, with as many decimals.
fn other_number(gold: &str, draw: &mut Draw) -> String {
    let plain: String = gold
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
        .collect();
    let plain = plain.trim_end_matches('.');
    let decimals = plain.split_once('.').map_or(0, |(_, d)| d.len());
    let Some(value) = plain.parse::<f64>().ok().filter(|v| v.abs() < 1e12) else {
        return (2 + draw.below(97)).to_string();
    };
    for _ in 0..TRIES {
        #[expect(clippy::cast_precision_loss, reason = "below ten")]
        let near = (1 + draw.below(9)) as f64;
        let other = match draw.below(5) {
            0 => value + near,
            1 => value - near,
            2 => value * 2.0,
            3 => value * 10.0,
            _ => (value / 2.0).round(),
        };
        if (other - value).abs() > 0.5 {
            return format!("{other:.decimals$}");
        }
    }
    format!("{:.decimals$}", value + 1.0)
}

fn right_choice(item: &Item) -> usize {
    let gold = item.answers.first().map_or("", |a| a.trim());
    let by_text = item.choices.iter().position(|c| c.trim() == gold);
    let by_letter = || match gold.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => {
            Some(usize::from(letter.to_ascii_uppercase() - b'A'))
        }
        _ => None,
    };
    by_text.or_else(by_letter).unwrap_or(0)
}

fn letter(choice: usize) -> String {
    let letter = u8::try_from(choice).map_or(b'Z', |n| b'A'.saturating_add(n.min(25)));
    char::from(letter).to_string()
}

/// One to four neighbouring words of a passage, preferably beginning with a capital or a figure.
fn span(passage: &str, draw: &mut Draw) -> Option<String> {
    let words: Vec<&str> = passage.split_whitespace().collect();
    let mut start = draw.below(words.len());
    for _ in 0..TRIES {
        let named = |w: &&str| w.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
        if words.get(start).is_some_and(named) {
            break;
        }
        start = draw.below(words.len());
    }
    let end = (start + 1 + draw.below(4)).min(words.len());
    let text = words.get(start..end)?.join(" ");
    let clean = text.trim_matches(|c: char| !c.is_alphanumeric());
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// A text as exact match would compare it, near enough: lower case, letters and digits only, no articles.
fn bare(text: &str) -> String {
    let lower: String = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || c.is_whitespace())
        .collect();
    lower
        .split_whitespace()
        .filter(|w| !matches!(*w, "a" | "an" | "the"))
        .collect::<Vec<_>>()
        .join(" ")
}
