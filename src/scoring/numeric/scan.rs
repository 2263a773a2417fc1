//! Finds numbers in prose and LaTeX.
//!
//! 1. Digits, with thousands separated by `,` `{,}` `\,` `\!` `,\!` or a narrow or no-break blank, and decimals after a
//!    point (`1,234.50`, `.5`). A comma is never a decimal point: `3,5` are two numbers.
//! 2. A sign (`-`, `−`, `+`) right before the number or its currency, unless a word, number or bracket stands before it
//!    (`5-3` are 5 and 3).
//! 3. `1.5e3`, `1.5 \times 10^{3}`, `2^{10}` are powers; other superscripts and subscripts are no numbers (`m^2`, `x_1`).
//! 4. `3/4`, `\frac{3}{4}` (also `\dfrac`, `\tfrac`, `\cfrac`, `\frac34`), `¾`, and after a whole number mixed numbers:
//!    `2 1/2`, `2\frac{1}{2}`, `2½`.
//! 5. `5:30` and `5:30:10` are times: equal to the same time only, never to 5 or 30 (am and pm are not looked at).
//! 6. A number too long for 128 bits is a number that equals nothing.

use super::rational::Rational;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(Rational),
    /// A time of day or a duration, in seconds.
    Time(u32),
}

const SEPARATORS: [&str; 8] = [
    ",\\!", "{,}", "\\,", "\\!", ",", "\u{2009}", "\u{202f}", "\u{a0}",
];
const FRACTIONS: [&str; 4] = ["\\frac", "\\dfrac", "\\tfrac", "\\cfrac"];
const CURRENCIES: [&str; 6] = ["\\$", "$", "€", "£", "¥", "₹"];
const TIMES: [&str; 7] = ["\\times", "\\cdot", "×", "·", "⋅", "x", "*"];
const VULGAR: [(char, i128, i128); 15] = [
    ('½', 1, 2),
    ('⅓', 1, 3),
    ('⅔', 2, 3),
    ('¼', 1, 4),
    ('¾', 3, 4),
    ('⅕', 1, 5),
    ('⅖', 2, 5),
    ('⅗', 3, 5),
    ('⅘', 4, 5),
    ('⅙', 1, 6),
    ('⅚', 5, 6),
    ('⅛', 1, 8),
    ('⅜', 3, 8),
    ('⅝', 5, 8),
    ('⅞', 7, 8),
];

/// The last number or time of a text; `None` where there is none, or the last one is too long.
pub fn last_value(text: &str) -> Option<Value> {
    let scan = Scan { text };
    let (mut at, mut last) = (0, None);
    while at < text.len() {
        if scan.is_script(at) {
            at = scan.after_script(at);
        } else if let Some((value, end)) = scan.value(at) {
            last = value;
            at = end;
        } else {
            at += scan.rest(at).chars().next().map_or(1, char::len_utf8);
        }
    }
    last
}

/// What was read, if it fits, and where the text goes on.
type Read<T> = Option<(Option<T>, usize)>;

struct Scan<'a> {
    text: &'a str,
}

impl<'a> Scan<'a> {
    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    fn after_any(&self, at: usize, words: &[&str]) -> Option<usize> {
        words
            .iter()
            .find(|w| self.rest(at).starts_with(**w))
            .map(|w| at + w.len())
    }

    /// Skips blanks, LaTeX's included.
    fn after_blanks(&self, mut at: usize) -> usize {
        while let Some(end) = self.after_any(at, &[" ", "\u{a0}", "\\ ", "\\,", "\\;", "\\:", "~"])
        {
            at = end;
        }
        at
    }

    /// A superscript, or a subscript: an underscore after a word (before one it is Markdown).
    fn is_script(&self, at: usize) -> bool {
        match self.byte(at) {
            b'^' => true,
            b'_' => self
                .before(at)
                .is_some_and(|c| c.is_alphanumeric() || matches!(c, '}' | ')')),
            _ => false,
        }
    }

    fn after_script(&self, at: usize) -> usize {
        let at = at + 1;
        match super::braced(self.rest(at)) {
            Some(script) => at + script.len() + 2,
            None => at + self.rest(at).bytes().take_while(u8::is_ascii_digit).count(),
        }
    }

    fn value(&self, at: usize) -> Read<Value> {
        if let Some((value, end)) = self.magnitude(at) {
            return Some((value, end));
        }
        let unsigned = self.after_any(at, &["-", "−", "+"])?;
        let negative = self.byte(at) != b'+';
        if self
            .before(at)
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | ']' | '}'))
        {
            return None;
        }
        let start = self.after_any(unsigned, &CURRENCIES).unwrap_or(unsigned);
        let (value, end) = self.magnitude(start)?;
        let signed = match value {
            Some(Value::Number(number)) if negative => Some(Value::Number(number.negated())),
            value => value,
        };
        Some((signed, end))
    }

    fn magnitude(&self, at: usize) -> Read<Value> {
        if let Some((time, end)) = self.time(at) {
            return Some((Some(Value::Time(time)), end));
        }
        let number = |n: Option<Rational>| n.map(Value::Number);
        if let Some((fraction, end)) = self.fraction(at) {
            return Some((number(fraction), end));
        }
        let (plain, end) = self.decimal(at)?;
        let (first, end) = self.scaled(plain, end);
        if self.before(at) == Some('/') {
            // The rest of a date.
            return Some((number(first), end));
        }
        let (all, end) = self.divided(first, end);
        Some((number(all), end))
    }

    /// Hours, minutes and maybe seconds.
    fn time(&self, at: usize) -> Option<(u32, usize)> {
        let pair = |at: usize| {
            let digits = self.text.get(at..at + 2)?;
            let is_pair =
                digits.bytes().all(|b| b.is_ascii_digit()) && !self.byte(at + 2).is_ascii_digit();
            digits.parse::<u32>().ok().filter(|n| is_pair && *n < 60)
        };
        let digits = self.rest(at).bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=2).contains(&digits) || self.byte(at + digits) != b':' {
            return None;
        }
        let hours: u32 = self.rest(at)[..digits].parse().ok()?;
        let end = at + digits + 3;
        let minutes = hours * 60 + pair(end - 2)?;
        match pair(end + 1).filter(|_| self.byte(end) == b':') {
            Some(seconds) => Some((minutes * 60 + seconds, end + 3)),
            None => Some((minutes * 60, end)),
        }
    }

    /// A fraction written as one sign or one command.
    fn fraction(&self, at: usize) -> Read<Rational> {
        let c = self.rest(at).chars().next()?;
        if let Some((_, top, bottom)) = VULGAR.iter().find(|v| v.0 == c) {
            return Some((Rational::new(*top, *bottom), at + c.len_utf8()));
        }
        let (top, at) = self.argument(self.after_any(at, &FRACTIONS)?)?;
        let (bottom, at) = self.argument(at)?;
        Some((top.over(bottom), at))
    }

    /// An argument of a fraction that is a number: in braces, or one digit.
    fn argument(&self, at: usize) -> Option<(Rational, usize)> {
        let at = at + self.rest(at).len() - self.rest(at).trim_start().len();
        if self.byte(at).is_ascii_digit() {
            let digit = Rational::from_digits(std::iter::once(self.byte(at)), 0)?;
            return Some((digit, at + 1));
        }
        let inner = super::braced(self.rest(at))?;
        let scan = Scan { text: inner.trim() };
        match scan.value(0)? {
            (Some(Value::Number(number)), end) if end == scan.text.len() => {
                Some((number, at + inner.len() + 2))
            }
            _ => None,
        }
    }

    /// Digits with separators and decimals.
    fn decimal(&self, at: usize) -> Read<Rational> {
        let run = |at: usize| self.rest(at).bytes().take_while(u8::is_ascii_digit).count();
        let whole = run(at);
        let bare_point = whole == 0
            && self.byte(at) == b'.'
            && !self.before(at).is_some_and(char::is_alphanumeric);
        if whole == 0 && !(bare_point && run(at + 1) > 0) {
            return None;
        }
        let mut end = at + whole;
        if (1..=3).contains(&whole) {
            while let Some(group) = self.after_any(end, &SEPARATORS).filter(|g| run(*g) == 3) {
                end = group + 3;
            }
        }
        let mut decimals = 0;
        if self.byte(end) == b'.' {
            decimals = run(end + 1);
            end += if decimals > 0 { decimals + 1 } else { 0 };
        }
        let digits = self.text[at..end].bytes().filter(u8::is_ascii_digit);
        let value = u32::try_from(decimals)
            .ok()
            .and_then(|d| Rational::from_digits(digits, d));
        Some((value, end))
    }

    /// `e3`, `\times 10^{3}` or `^{3}` after a number.
    fn scaled(&self, number: Option<Rational>, at: usize) -> (Option<Rational>, usize) {
        let ten = Rational::new(10, 1);
        if matches!(self.byte(at), b'e' | b'E')
            && let Some((exponent, end)) = self.exponent(at + 1)
            && !self.byte(end).is_ascii_alphanumeric()
        {
            let scale = ten.and_then(|t| t.power(exponent));
            return (multiply(number, scale), end);
        }
        let factor = self
            .after_any(self.after_blanks(at), &TIMES)
            .and_then(|at| self.after_any(self.after_blanks(at), &["10^"]));
        if let Some(at) = factor
            && let Some((exponent, end)) = self.exponent(at)
        {
            let scale = ten.and_then(|t| t.power(exponent));
            return (multiply(number, scale), end);
        }
        if self.byte(at) == b'^'
            && let Some((exponent, end)) = self.exponent(at + 1)
        {
            return (number.and_then(|n| n.power(exponent)), end);
        }
        (number, at)
    }

    /// A whole exponent, in braces or not.
    fn exponent(&self, at: usize) -> Option<(i32, usize)> {
        let (text, end) = if let Some(inner) = super::braced(self.rest(at)) {
            (inner.trim(), at + inner.len() + 2)
        } else {
            let sign = usize::from(matches!(self.byte(at), b'-' | b'+'));
            let digits = self.rest(at + sign).bytes().take_while(u8::is_ascii_digit);
            let end = at + sign + digits.count();
            (&self.text[at..end], end)
        };
        Some((text.replace('−', "-").parse().ok()?, end))
    }

    /// The rest of a slash fraction or of a mixed number.
    fn divided(&self, number: Option<Rational>, at: usize) -> (Option<Rational>, usize) {
        if let Some((bottom, end)) = self.denominator(at) {
            return (number.zip(bottom).and_then(|(n, b)| n.over(b)), end);
        }
        let Some(whole) = number.filter(|n| n.is_whole()) else {
            return (number, at);
        };
        let next = self.after_blanks(at);
        let slash = || {
            let (top, end) = self.decimal(next).filter(|_| next > at)?;
            let (bottom, end) = self.denominator(end)?;
            Some((top.zip(bottom).and_then(|(t, b)| t.over(b)), end))
        };
        match self.fraction(next).or_else(slash) {
            Some((Some(part), end)) if part.is_proper() => (whole.plus(part), end),
            _ => (number, at),
        }
    }

    /// `/4`, but neither a date (`3/4/2020`) nor a division by zero.
    fn denominator(&self, at: usize) -> Read<Rational> {
        let slash = self.after_any(self.after_blanks(at), &["/", "⁄"])?;
        let (bottom, end) = self.decimal(self.after_blanks(slash))?;
        let is_date = self.byte(end) == b'/' && self.byte(end + 1).is_ascii_digit();
        (!is_date && bottom != Some(Rational::ZERO)).then_some((bottom, end))
    }
}

fn multiply(number: Option<Rational>, scale: Option<Rational>) -> Option<Rational> {
    number.zip(scale).and_then(|(n, s)| n.times(s))
}
