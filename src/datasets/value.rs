//! Reading JSON values as the fields of an item: texts, lists of texts, choices, truth values.

use serde_json::{Map, Value};

use super::draft::Choice;
use super::row::RejectReason;
use crate::domain::DatasetFormat;
use crate::domain::text::nearest;

/// Integers beyond this are not kept exactly by a double (IEEE 754: 53 bits of precision).
const EXACT: f64 = 9_007_199_254_740_992.0;

const TEXT: &str = "a text";
const SCALAR: &str = "a text, a number within 2^53 or a truth value";
const LIST: &str = "a list of texts or numbers, or one of them";
const CHOICES: &str = "a list of at least two texts, or an object from letter to text";
const TRUTH: &str = "true or false";

/// The kind of a value, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The value of a field; null counts as absent.
pub(super) fn get<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

/// The value of a needed field.
pub(super) fn need<'a>(
    object: &'a Map<String, Value>,
    field: &str,
) -> Result<&'a Value, RejectReason> {
    match object.get(field) {
        Some(Value::Null) => Err(wrong(field, "a value", &Value::Null)),
        Some(value) => Ok(value),
        None => Err(RejectReason::MissingField {
            field: field.to_owned(),
            present: object.keys().cloned().collect(),
            nearest: nearest(field, object.keys().map(String::as_str)).map(str::to_owned),
        }),
    }
}

/// A field that must be a text.
pub(super) fn text(field: &str, value: &Value) -> Result<String, RejectReason> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| wrong(field, TEXT, value))
}

/// A text, or a number or truth value as its JSON text.
pub(super) fn scalar(field: &str, value: &Value) -> Result<String, RejectReason> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        Value::Number(number) if number.as_f64().is_some_and(|n| n.abs() < EXACT) => {
            Ok(number.to_string())
        }
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(wrong(field, SCALAR, value))
        }
    }
}

/// A list of scalars, or one of them.
pub(super) fn texts(field: &str, value: &Value) -> Result<Vec<String>, RejectReason> {
    match value {
        Value::Array(values) => values.iter().map(|v| scalar(field, v)).collect(),
        Value::Object(_) => Err(wrong(field, LIST, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            scalar(field, value).map(|text| vec![text])
        }
    }
}

/// A list that must be one.
pub(super) fn list<'a>(
    object: &'a Map<String, Value>,
    field: &str,
) -> Result<&'a [Value], RejectReason> {
    let value = need(object, field)?;
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| wrong(field, "a list", value))
}

/// Options: a list of texts, or an object from letter to text, in the order of its letters.
pub(super) fn choices(field: &str, value: &Value) -> Result<Vec<Choice>, RejectReason> {
    match value {
        Value::Array(values) => values
            .iter()
            .map(|v| Ok(option(None, &scalar(field, v)?)))
            .collect(),
        Value::Object(map) => map
            .iter()
            .map(|(label, v)| Ok(option(Some(label), &scalar(field, v)?)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(wrong(field, CHOICES, value))
        }
    }
}

fn option(label: Option<&String>, text: &str) -> Choice {
    Choice {
        label: label.cloned(),
        text: text.trim().to_owned(),
    }
}

/// A truth value, also as 0, 1 or the words for it, as CSV files have them.
pub(super) fn truth(field: &str, value: &Value) -> Result<bool, RejectReason> {
    let word = scalar(field, value)?.trim().to_ascii_lowercase();
    match word.as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" | "" => Ok(false),
        _ => Err(wrong(field, TRUTH, value)),
    }
}

/// The official format that an object has the shape of.
pub(super) fn resembles(object: &Map<String, Value>) -> Option<DatasetFormat> {
    let is_list = |field| object.get(field).is_some_and(Value::is_array);
    if is_list("data") {
        return Some(DatasetFormat::Squad);
    }
    if is_list("Data") {
        return Some(DatasetFormat::TriviaQa);
    }
    object.get("question")?;
    match object.get("answer")? {
        Value::Array(_) => Some(DatasetFormat::NqOpen),
        Value::String(text) if text.contains("####") => Some(DatasetFormat::Gsm8k),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            None
        }
    }
}

fn wrong(field: &str, expected: &'static str, value: &Value) -> RejectReason {
    RejectReason::WrongType {
        field: field.to_owned(),
        expected,
        found: kind(value),
    }
}
