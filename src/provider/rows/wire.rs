//! The shapes on the wire, borrowed and forgiving: unknown keys are skipped, wrong types read as absent, and of a
//! repeated key the last one counts (as in Python's `json`).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Usage;

/// The largest token count that is believed (guarantees, G26): no context window comes near a thousand million.
pub const MAX_TOKENS: u64 = 1_000_000_000;

type Text<'a> = Option<Cow<'a, str>>;

/// Reads a whole text as one value.
pub(super) fn read<'a, T: Fields<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Object::<T>::deserialize(&mut deserializer)?.0;
    deserializer.end()?;
    Ok(value)
}

/// Makes a text independent of its line.
pub(super) fn own(text: Text<'_>) -> Text<'static> {
    text.map(|t| Cow::Owned(t.into_owned()))
}

/// Replaces escaped halves of surrogate pairs by U+FFFD; `None` where there are none.
pub(super) fn mend_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            _ => at += 2,
        }
    }
    out.push_str(&text[copied..]);
    (copied > 0).then_some(out)
}

/// An object of which some keys are wanted.
pub(super) trait Fields<'de>: Default {
    /// Reads (or skips) the value of one key.
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;

    /// What a text in place of the object means.
    fn of_text(_text: Cow<'de, str>) -> Self {
        Self::default()
    }
}

fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

fn drain<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn object<'de, T: Fields<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    map.next_value::<Object<T>>().map(|o| o.0)
}

/// A text; an empty one counts as absent, as every dialect has it for names and codes.
fn name<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Text<'de>, A::Error> {
    Ok(object::<Name<'de>, A>(map)?.0.filter(|t| !t.is_empty()))
}

#[derive(Default)]
struct Name<'a>(Text<'a>);

impl<'de> Fields<'de> for Name<'de> {
    fn take<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        skip(map)
    }

    fn of_text(text: Cow<'de, str>) -> Self {
        Self(Some(text))
    }
}

fn words<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Text<'de>, A::Error> {
    map.next_value::<Words>().map(|w| w.0)
}

macro_rules! scalars_read_as {
    ($value:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}

/// Any value, read as an object where it is one.
struct Object<T>(T);

impl<'de, T: Fields<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<T>, A::Error> {
        let mut value = T::default();
        while let Some(Key(key)) = map.next_key()? {
            value.take(&key, &mut map)?;
        }
        Ok(Object(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Object<T>, A::Error> {
        drain(&mut seq)?;
        Ok(Object(T::default()))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Object<T>, E> {
        Ok(Object(T::of_text(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Object<T>, E> {
        Ok(Object(T::of_text(Cow::Owned(text.to_owned()))))
    }

    scalars_read_as!(Object(T::default()));
}

/// A key, borrowed unless it holds escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// A text, a list of text parts (joined), or one part. Parts of another type, such as reasoning, are left out.
struct Words<'a>(Text<'a>);

impl<'de> Deserialize<'de> for Words<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordsVisitor)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Words<'de>, E> {
        Ok(Words(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Words<'de>, E> {
        Ok(Words(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words<'de>, A::Error> {
        let mut joined: Text<'de> = None;
        while let Some(Object(part)) = seq.next_element::<Object<Part<'de>>>()? {
            append(&mut joined, part.words());
        }
        Ok(Words(joined))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Words<'de>, A::Error> {
        let Object(part) = ObjectVisitor::<Part<'de>>(PhantomData).visit_map(map)?;
        Ok(Words(part.words()))
    }

    scalars_read_as!(Words(None));
}

fn append<'a>(joined: &mut Text<'a>, more: Text<'a>) {
    match (joined.as_mut(), more) {
        (_, None) => {}
        (None, more) => *joined = more,
        (Some(text), Some(more)) => text.to_mut().push_str(&more),
    }
}

#[derive(Default)]
struct Part<'a> {
    kind: Text<'a>,
    text: Text<'a>,
}

impl<'a> Part<'a> {
    fn words(self) -> Text<'a> {
        let speaks = self
            .kind
            .is_none_or(|k| matches!(&*k, "text" | "output_text"));
        self.text.filter(|_| speaks)
    }
}

impl<'de> Fields<'de> for Part<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.kind = name(map)?,
            "text" => self.text = words(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }

    fn of_text(text: Cow<'de, str>) -> Self {
        Self {
            kind: None,
            text: Some(text),
        }
    }
}

/// The names a row may carry.
#[derive(Default)]
pub(super) struct Id<'a> {
    snake: Text<'a>,
    camel: Text<'a>,
}

impl<'a> Id<'a> {
    /// The row's name.
    pub(super) fn get(self) -> Text<'a> {
        self.snake.or(self.camel)
    }
}

impl<'de> Fields<'de> for Id<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "custom_id" => self.snake = name(map)?,
            "customId" => self.camel = name(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// A whole line.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    /// The row's name.
    pub(super) id: Id<'a>,
    /// The answer of the endpoint.
    pub(super) response: Response<'a>,
    /// Why there is none.
    pub(super) error: ErrorBody<'a>,
}

impl<'de> Fields<'de> for Envelope<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "response" => self.response = object(map)?,
            "error" => self.error = object(map)?,
            _ => self.id.take(key, map)?,
        }
        Ok(())
    }
}

/// What lies under `response`: the completion itself, or an HTTP envelope around it.
#[derive(Default)]
pub(super) struct Response<'a> {
    /// HTTP status of the single request.
    pub(super) status: Option<u16>,
    /// The provider's name for the call.
    pub(super) request_id: Text<'a>,
    /// The completion inside the envelope.
    pub(super) body: Payload<'a>,
    /// The completion without an envelope.
    pub(super) direct: Payload<'a>,
}

impl<'de> Fields<'de> for Response<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "status_code" | "statusCode" => {
                self.status = whole(map)?.and_then(|n| n.try_into().ok());
            }
            "request_id" | "requestId" => self.request_id = name(map)?,
            "body" => self.body = object(map)?,
            _ => self.direct.take(key, map)?,
        }
        Ok(())
    }
}

/// An answer, wherever it lay.
#[derive(Default)]
pub(super) struct Answer<'a> {
    /// Why the model stopped.
    pub(super) finish_reason: Text<'a>,
    /// The text; absent where it was null.
    pub(super) text: Text<'a>,
    /// A refusal.
    pub(super) refusal: Text<'a>,
}

mod payload;

pub(super) use payload::{ErrorBody, Payload};

/// A whole number from 0; everything else is `None`. Goes through the raw text, so that `1e999` is no syntax error.
fn whole<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<u64>, A::Error> {
    let raw = map.next_value::<&'de RawValue>()?.get();
    let digits = raw.strip_suffix(".0").unwrap_or(raw);
    Ok(digits
        .parse()
        .ok()
        .filter(|_| raw.starts_with(|c: char| c.is_ascii_digit())))
}

fn tokens<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<u64>, A::Error> {
    Ok(whole(map)?.filter(|n| *n <= MAX_TOKENS))
}
