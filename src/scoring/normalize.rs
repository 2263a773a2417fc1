//! The answer normalisation of the official evaluation script of `SQuAD` 2.0: lower case, no ASCII punctuation, no articles,
//! single blanks; and Python's idea of white space and of word characters, on which it rests.
//!
//! Source: `normalize_answer` of `evaluate-v2.0.py` (<https://rajpurkar.github.io/SQuAD-explorer/>):
//! `white_space_fix(remove_articles(remove_punc(lower(s))))` with `re.compile(r'\b(a|an|the)\b', re.UNICODE)`.
//! `\b` is wherever a word character meets another, so the article goes in `a–b` (en dash) and in `the“x”`, too, which
//! comparing whole tokens (as the predecessor did) misses; for texts of ASCII letters, digits and blanks both agree.

use unicode_normalization::char::is_combining_mark;

/// Whether Python's `str.isspace`, `split` and `strip` take a character for white space.
pub fn is_python_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Python's `str.strip()`.
pub fn python_strip(text: &str) -> &str {
    text.trim_matches(is_python_space)
}

/// Whether Python's `\w` matches a character (the underscore apart): letters and numbers, but no combining marks and no
/// circled letters, which Rust counts as alphabetic.
pub fn is_python_word(c: char) -> bool {
    c.is_alphanumeric()
        && !is_combining_mark(c)
        && !matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}')
}

/// A half-open range of bytes.
pub type Span = (usize, usize);

/// A normalised text with its tokens and words. Reused from text to text, so that it allocates once.
#[derive(Debug, Clone, Default)]
pub struct Normalized {
    bytes: Vec<u8>,
    tokens: Vec<Span>,
    words: Vec<Span>,
}

/// What an ASCII byte is to the normalisation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters and digits.
    Word,
    /// White space.
    Space,
    /// `string.punctuation`: dropped.
    Punctuation,
    /// Control characters: kept, but no word characters.
    Other,
    /// The start of a longer character.
    Wide,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let b = byte as u8;
        table[byte] = if b.is_ascii_alphanumeric() {
            Class::Word
        } else if b.is_ascii_punctuation() {
            Class::Punctuation
        } else if matches!(b, b'\t'..=b'\r' | 0x1c..=0x1f | b' ') {
            Class::Space
        } else if b >= 0x80 {
            Class::Wide
        } else {
            Class::Other
        };
        byte += 1;
    }
    table
}

impl Normalized {
    /// Normalises a text.
    pub fn of(text: &str) -> Self {
        let mut normalized = Self::default();
        normalized.set(text);
        normalized
    }

    /// Normalises another text in place.
    pub fn set(&mut self, text: &str) {
        if !self.fill(text) {
            // A capital sigma is lowered by its neighbours; everything else goes letter by letter.
            self.fill(&text.to_lowercase());
        }
    }

    /// The normalised text: tokens joined by blanks.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The tokens: what Python's `split()` makes of the text.
    pub fn tokens(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.tokens
            .iter()
            .map(|(start, end)| &self.bytes[*start..*end])
    }

    /// The words: what is left between the matches of `\W+`.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.words
            .iter()
            .map(|(start, end)| &self.bytes[*start..*end])
    }

    /// Gives up at a capital sigma.
    fn fill(&mut self, text: &str) -> bool {
        let mut writer = Writer::new(self);
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match CLASSES[usize::from(*byte)] {
                Class::Word => {
                    let run = bytes[at..].iter().take_while(|b| is_word(**b)).count();
                    writer.run(&bytes[at..at + run]);
                    at += run;
                    continue;
                }
                Class::Space => writer.space(),
                Class::Punctuation => {}
                Class::Other => writer.mark(char::from(*byte)),
                Class::Wide => {
                    let Some(c) = text[at..].chars().next() else {
                        break;
                    };
                    if c == 'Σ' {
                        return false;
                    }
                    writer.wide(c);
                    at += c.len_utf8();
                    continue;
                }
            }
            at += 1;
        }
        writer.finish();
        true
    }
}

fn is_word(byte: u8) -> bool {
    CLASSES[usize::from(byte)] == Class::Word
}

/// Writes lowered characters and keeps track of the token and the word that are being written.
struct Writer<'a> {
    out: &'a mut Normalized,
    token: usize,
    word: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut Normalized) -> Self {
        out.bytes.clear();
        out.tokens.clear();
        out.words.clear();
        Self {
            out,
            token: 0,
            word: 0,
        }
    }

    fn run(&mut self, word: &[u8]) {
        let start = self.out.bytes.len();
        self.out.bytes.extend_from_slice(word);
        self.out.bytes[start..].make_ascii_lowercase();
    }

    fn wide(&mut self, c: char) {
        if is_python_space(c) {
            self.space();
            return;
        }
        for lower in c.to_lowercase() {
            if is_python_word(lower) {
                self.push(lower);
            } else {
                self.mark(lower);
            }
        }
    }

    fn push(&mut self, c: char) {
        let mut utf8 = [0; 4];
        self.out
            .bytes
            .extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }

    /// A character that ends a word, but not a token.
    fn mark(&mut self, c: char) {
        self.end_word();
        self.push(c);
        self.word = self.out.bytes.len();
    }

    fn space(&mut self) {
        self.end_word();
        self.end_token();
    }

    fn end_word(&mut self) {
        let end = self.out.bytes.len();
        match &self.out.bytes[self.word..] {
            [] => {}
            b"a" | b"an" | b"the" => {
                self.out.bytes.truncate(self.word);
                self.end_token();
            }
            _ => self.out.words.push((self.word, end)),
        }
    }

    fn end_token(&mut self) {
        let end = self.out.bytes.len();
        if end > self.token {
            self.out.tokens.push((self.token, end));
            self.out.bytes.push(b' ');
        }
        self.token = self.out.bytes.len();
        self.word = self.token;
    }

    fn finish(mut self) {
        self.space();
        if self.out.bytes.last() == Some(&b' ') {
            self.out.bytes.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text, what `normalize_answer` of `evaluate-v2.0.py` gives under Python 3.11, and `re.split(r"\W+")` of that.
    const OFFICIAL: &[(&str, &str, &[&str])] = &[
        (
            "The  Cat's a-b, an 'the' end.",
            "cats ab end",
            &["cats", "ab", "end"],
        ),
        ("a\u{2013}b", "\u{2013}b", &["b"]),
        ("\u{201c}the\u{201d} end", "\u{201c} \u{201d} end", &["end"]),
        ("a\u{301} x", "\u{301} x", &["x"]),
        (
            "d\u{2019}un an\u{2019}s",
            "d\u{2019}un \u{2019}s",
            &["d", "un", "s"],
        ),
        (
            "\u{391}\u{3a3} \u{39f}\u{394}\u{39f}\u{3a3}. \u{3a3}\u{391}",
            "\u{3b1}\u{3c2} \u{3bf}\u{3b4}\u{3bf}\u{3c2} \u{3c3}\u{3b1}",
            &[
                "\u{3b1}\u{3c2}",
                "\u{3bf}\u{3b4}\u{3bf}\u{3c2}",
                "\u{3c3}\u{3b1}",
            ],
        ),
        (
            "\u{130}stanbul Stra\u{df}e \u{fb01}",
            "i\u{307}stanbul stra\u{df}e \u{fb01}",
            &["i", "stanbul", "stra\u{df}e", "\u{fb01}"],
        ),
        (
            "x\u{1c}y\u{85}z\u{2003}w\u{200b}v",
            "x y z w\u{200b}v",
            &["x", "y", "z", "w", "v"],
        ),
        ("the\u{0}an\u{1}b", "\u{0} \u{1}b", &["b"]),
        (
            "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
            "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
            &["\u{939}", "\u{928}", "\u{926}"],
        ),
        (
            "\u{24b6} a\u{b2} \u{bd}",
            "\u{24d0} a\u{b2} \u{bd}",
            &["a\u{b2}", "\u{bd}"],
        ),
        ("_a_ the_an", "thean", &["thean"]),
        ("", "", &[]),
        ("\u{9} the \u{a}", "", &[]),
        (
            "5\u{bd} \u{b0}C \u{2013} a \u{2014} \u{1f642}an",
            "5\u{bd} \u{b0}c \u{2013} \u{2014} \u{1f642}",
            &["5\u{bd}", "c"],
        ),
    ];

    #[test]
    fn normalisation_is_the_official_scripts() {
        let mut normalized = Normalized::default();
        for (text, expected, words) in OFFICIAL {
            normalized.set(text);
            assert_eq!(normalized.as_bytes(), expected.as_bytes(), "{text:?}");
            assert!(
                normalized.words().eq(words.iter().map(|w| w.as_bytes())),
                "{text:?}"
            );
            let tokens = expected.split(' ').filter(|t| !t.is_empty());
            assert!(
                normalized.tokens().eq(tokens.map(str::as_bytes)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn texts_are_stripped_as_python_strips_them() {
        assert_eq!(
            python_strip("\u{1c}\u{85}\u{a0}\u{3000}\r\n a\u{200b} \u{1f}"),
            "a\u{200b}"
        );
        assert_eq!(python_strip("\u{0} a"), "\u{0} a");
    }
}
