//! The answer normalisation of the official SQuAD 2.0 evaluation script: lower case, no ASCII punctuation, no articles,
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
        self.tokens.iter().map(|(start, end)| &self.bytes[*start..*end])
    }

    /// The words: what is left between the matches of `\W+`.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.words.iter().map(|(start, end)| &self.bytes[*start..*end])
    }

    /// Gives up at a capital sigma.
    fn fill(&mut self, text: &str) -> bool {
        let mut writer = Writer::new(self);
        let mut chars = text.as_bytes().iter().enumerate();
        while let Some((at, byte)) = chars.next() {
            match CLASSES[usize::from(*byte)] {
                Class::Word => writer.out.bytes.push(byte.to_ascii_lowercase()),
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
                    if c.len_utf8() > 1 {
                        chars.nth(c.len_utf8() - 2);
                    }
                }
            }
        }
        writer.finish();
        true
    }
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
