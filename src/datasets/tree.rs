//! JSON files that are one object with a long list: read element by element, never held whole.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{SourceError, name_list};
use super::row::RejectReason;
use super::start::count;
use crate::domain::text::{printable, shorten};

/// Takes the line on which an element starts and the element.
pub(super) type Each<'a> = dyn FnMut(u64, Result<Value, RejectReason>) -> ControlFlow<()> + 'a;

/// Hands over the elements of the list under `key`, in order; memory holds one at a time.
pub(super) fn read(
    path: &str,
    key: &'static str,
    input: &mut dyn BufRead,
    each: &mut Each<'_>,
) -> Result<(), SourceError> {
    let line = Cell::new(1);
    let mut top = Top {
        key,
        line: &line,
        each,
        other_keys: Vec::new(),
        is_found: false,
        is_stopped: false,
    };
    let mut json = serde_json::Deserializer::from_reader(LineCounter {
        inner: BufReader::new(input),
        line: &line,
    });
    let result = top.deserialize(&mut json);
    if top.is_stopped {
        return Ok(());
    }
    result.map_err(|error| failure(path, error))?;
    if !top.is_found {
        return Err(SourceError::Shape {
            path: path.to_owned(),
            line: 1,
            expected: "the official JSON of its format (an object with the list \"data\" for squad, \"Data\" for triviaqa)",
            found: format!("an object with {}", name_list(&top.other_keys)),
            advice: "set the format the file has, e.g. `format: jsonl` for one object per line"
                .to_owned(),
        });
    }
    json.end().map_err(|error| failure(path, error))
}

fn failure(path: &str, error: serde_json::Error) -> SourceError {
    use serde_json::error::Category;
    let path = path.to_owned();
    let line = error.line();
    match error.classify() {
        Category::Io => SourceError::Read {
            path,
            line: line as u64,
            source: error.into(),
        },
        Category::Data => SourceError::Shape {
            path,
            line: line as u64,
            expected: "the official JSON of its format",
            found: shorten(&printable(&error.to_string()), 120),
            advice: "check `format` of this source".to_owned(),
        },
        Category::Syntax | Category::Eof => SourceError::Syntax {
            path,
            line,
            column: error.column(),
            source: error,
        },
    }
}

/// Counts line feeds as they are read; `serde_json` takes byte after byte, so the count is that of its position.
struct LineCounter<'a, R> {
    inner: BufReader<R>,
    line: &'a Cell<u64>,
}

impl<R: Read> Read for LineCounter<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.line.set(self.line.get() + count(&buffer[..n], b'\n'));
        Ok(n)
    }
}

/// The object that is the whole file.
struct Top<'a, 'e> {
    key: &'static str,
    line: &'a Cell<u64>,
    each: &'a mut Each<'e>,
    other_keys: Vec<String>,
    is_found: bool,
    is_stopped: bool,
}

impl<'de> DeserializeSeed<'de> for &mut Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the list {:?}", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.key {
                self.is_found = true;
                map.next_value_seed(List(self))?;
            } else {
                self.other_keys.push(key);
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The list inside the object.
struct List<'t, 'a, 'e>(&'t mut Top<'a, 'e>);

impl<'de> DeserializeSeed<'de> for List<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list under {:?}", self.0.key)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self(top) = self;
        while let Some(raw) = elements.next_element::<Box<RawValue>>()? {
            let feeds = count(raw.get().as_bytes(), b'\n');
            let value = serde_json::from_str(raw.get())
                .map_err(|error| RejectReason::NotJson(error.to_string()));
            if (top.each)(top.line.get() - feeds, value) == ControlFlow::Break(()) {
                top.is_stopped = true;
                return Err(A::Error::custom("stopped by the sink"));
            }
        }
        Ok(())
    }
}
