//! What a model's endpoint answers: completion, usage or error body, in the chat and the responses form.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Answer, Fields, Object, Text, Usage, append, drain, name, object, own, read, skip, tokens,
    words,
};

/// A completion or an error body.
#[derive(Default)]
pub(in super::super) struct Payload<'a> {
    /// Whether the object had any key (an empty one counts as absent).
    pub(in super::super) seen: bool,
    /// The completion's id.
    pub(in super::super) id: Text<'a>,
    /// The model that answered.
    pub(in super::super) model: Text<'a>,
    /// The answer, where there is one.
    pub(in super::super) answer: Option<Answer<'a>>,
    /// Tokens.
    pub(in super::super) usage: Option<Usage>,
    /// What went wrong.
    pub(in super::super) error: ErrorBody<'a>,
    rank: Rank,
    status: Text<'a>,
    reason: Text<'a>,
}

/// Where the answer lay; the later beats the earlier, whatever the order of the keys.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Rank {
    #[default]
    Nowhere,
    Output,
    Content,
    Message,
    Choices,
}

impl<'a> Payload<'a> {
    fn offer(&mut self, rank: Rank, answer: Option<Answer<'a>>) {
        if let Some(mut answer) = answer
            && rank >= self.rank
        {
            if rank == Rank::Output {
                answer.finish_reason = self.reason.clone().or_else(|| self.status.clone());
            }
            self.rank = rank;
            self.answer = Some(answer);
        }
    }

    /// The responses form tells why it stopped beside the output, maybe after it.
    fn stopped_because(&mut self, reason: Text<'a>) {
        if self.rank == Rank::Output
            && let Some(answer) = &mut self.answer
        {
            answer.finish_reason = reason;
        }
    }

    fn into_owned(self) -> Payload<'static> {
        Payload {
            seen: self.seen,
            id: own(self.id),
            model: own(self.model),
            answer: self.answer.map(|a| Answer {
                finish_reason: own(a.finish_reason),
                text: own(a.text),
                refusal: own(a.refusal),
            }),
            usage: self.usage,
            error: self.error.into_owned(),
            rank: self.rank,
            status: own(self.status),
            reason: own(self.reason),
        }
    }
}

impl<'de> Fields<'de> for Payload<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.seen = true;
        match key {
            "id" => self.id = name(map)?,
            "model" => self.model = name(map)?,
            "choices" => {
                let choice = map.next_value::<First<Choice<'de>>>()?.0;
                self.offer(Rank::Choices, choice.map(|c| c.answer));
            }
            "message" => {
                let message = object::<Message<'de>, A>(map)?;
                if let Some(text) = message.bare {
                    self.error.message.get_or_insert(text);
                } else if message.seen {
                    self.offer(Rank::Message, Some(message.answer));
                }
            }
            "content" => {
                let text = words(map)?;
                self.offer(
                    Rank::Content,
                    text.map(|t| Answer {
                        text: Some(t),
                        ..Answer::default()
                    }),
                );
            }
            "output" => {
                let output = map.next_value::<Output<'de>>()?.0;
                self.offer(Rank::Output, output);
            }
            "status" => {
                self.status = name(map)?;
                let reason = self.reason.clone().or_else(|| self.status.clone());
                self.stopped_because(reason);
            }
            "incomplete_details" => {
                self.reason = object::<Details<'de>, A>(map)?
                    .reason
                    .or(self.reason.take());
                let reason = self.reason.clone().or_else(|| self.status.clone());
                self.stopped_because(reason);
            }
            "usage" => self.usage = object::<UsageFields, A>(map)?.0,
            "error" => self.error = object(map)?,
            "detail" => self.error.message = name(map)?,
            "code" | "type" => self.error.take(key, map)?,
            _ => skip(map)?,
        }
        Ok(())
    }

    /// A body that is a JSON text is read again; any other text is the message of an error.
    fn of_text(text: Cow<'de, str>) -> Self {
        match read::<Payload<'_>>(&text) {
            Ok(payload) if payload.seen => payload.into_owned(),
            _ => Self {
                seen: !text.is_empty(),
                error: ErrorBody::of_text(text),
                ..Self::default()
            },
        }
    }
}

/// The first element of a list; the others are skipped.
struct First<T>(Option<T>);

impl<'de, T: Fields<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Fields<'de>> Visitor<'de> for FirstVisitor<T> {
            type Value = First<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<First<T>, A::Error> {
                let first = seq.next_element::<Object<T>>()?.map(|o| o.0);
                drain(&mut seq)?;
                Ok(First(first))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<First<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(First(None))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<First<T>, E> {
                Ok(First(None))
            }
            scalars_read_as!(First(None));
        }
        deserializer.deserialize_any(FirstVisitor(std::marker::PhantomData))
    }
}

#[derive(Default)]
struct Choice<'a> {
    answer: Answer<'a>,
}

impl<'de> Fields<'de> for Choice<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "finish_reason" | "finishReason" => self.answer.finish_reason = name(map)?,
            "message" => {
                let message = object::<Message<'de>, A>(map)?.answer;
                self.answer.text = message.text.or(self.answer.text.take());
                self.answer.refusal = message.refusal;
            }
            "text" => self.answer.text = words(map)?.or(self.answer.text.take()),
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Message<'a> {
    seen: bool,
    bare: Text<'a>,
    answer: Answer<'a>,
}

impl<'de> Fields<'de> for Message<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.seen = true;
        match key {
            "content" => self.answer.text = words(map)?,
            "refusal" => self.answer.refusal = name(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }

    fn of_text(text: Cow<'de, str>) -> Self {
        Self {
            bare: Some(text).filter(|t| !t.is_empty()),
            ..Self::default()
        }
    }
}

#[derive(Default)]
struct Details<'a> {
    reason: Text<'a>,
}

impl<'de> Fields<'de> for Details<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "reason" => self.reason = name(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// The output list of the responses form: the text of all its messages, joined.
struct Output<'a>(Option<Answer<'a>>);

impl<'de> Deserialize<'de> for Output<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OutputVisitor;
        impl<'de> Visitor<'de> for OutputVisitor {
            type Value = Output<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Output<'de>, A::Error> {
                let mut answer = Answer::default();
                while let Some(Object(item)) = seq.next_element::<Object<OutputItem<'de>>>()? {
                    if item.kind.is_none_or(|k| k == "message") {
                        append(&mut answer.text, item.text);
                    }
                }
                Ok(Output(Some(answer)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Output<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Output(None))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Output<'de>, E> {
                Ok(Output(None))
            }
            scalars_read_as!(Output(None));
        }
        deserializer.deserialize_any(OutputVisitor)
    }
}

#[derive(Default)]
struct OutputItem<'a> {
    kind: Text<'a>,
    text: Text<'a>,
}

impl<'de> Fields<'de> for OutputItem<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.kind = name(map)?,
            "content" => self.text = words(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// Usage; absent where the value is no object or an empty one.
#[derive(Default)]
struct UsageFields(Option<Usage>);

impl<'de> Fields<'de> for UsageFields {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let usage = self.0.get_or_insert_default();
        match key {
            "prompt_tokens" | "input_tokens" => usage.prompt = tokens(map)?,
            "completion_tokens" | "output_tokens" => usage.completion = tokens(map)?,
            "total_tokens" => usage.total = tokens(map)?,
            "prompt_tokens_details" | "input_tokens_details" => {
                usage.cached = object::<Cached, A>(map)?.0;
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Cached(u64);

impl<'de> Fields<'de> for Cached {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "cached_tokens" => self.0 = tokens(map)?.unwrap_or(0),
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// An error: a text, `{code, type, message}`, or the same one level deeper. Empty ones count as none.
#[derive(Default)]
pub(in super::super) struct ErrorBody<'a> {
    /// The code; numbers become text.
    pub(in super::super) code: Text<'a>,
    /// The type.
    pub(in super::super) kind: Text<'a>,
    /// The message.
    pub(in super::super) message: Text<'a>,
}

impl ErrorBody<'_> {
    /// Whether there is no error.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.code.is_none() && self.kind.is_none() && self.message.is_none()
    }

    /// This error, with what it lacks taken from another.
    pub(in super::super) fn or(self, other: Self) -> Self {
        Self {
            code: self.code.or(other.code),
            kind: self.kind.or(other.kind),
            message: self.message.or(other.message),
        }
    }

    /// The HTTP status, where the code is one.
    pub(in super::super) fn status(&self) -> Option<u16> {
        let code = self.code.as_ref()?.parse().ok()?;
        (100..600).contains(&code).then_some(code)
    }

    fn into_owned(self) -> ErrorBody<'static> {
        ErrorBody {
            code: own(self.code),
            kind: own(self.kind),
            message: own(self.message),
        }
    }
}

impl<'de> Fields<'de> for ErrorBody<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "code" => self.code = code(map)?,
            "type" => self.kind = name(map)?,
            "message" | "detail" => self.message = name(map)?,
            "error" => {
                let inner = object::<Self, A>(map)?;
                *self = std::mem::take(self).or(inner);
            }
            _ => skip(map)?,
        }
        Ok(())
    }

    fn of_text(text: Cow<'de, str>) -> Self {
        Self {
            message: Some(text).filter(|t| !t.trim().is_empty()),
            ..Self::default()
        }
    }
}

fn code<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Text<'de>, A::Error> {
    let raw = map.next_value::<&'de RawValue>()?.get();
    let text = match raw.as_bytes().first() {
        Some(b'0'..=b'9' | b'-') => Some(Cow::Borrowed(raw)),
        Some(b'"') => serde_json::from_str::<String>(raw).ok().map(Cow::Owned),
        _ => None,
    };
    Ok(text.filter(|t| !t.is_empty()))
}
