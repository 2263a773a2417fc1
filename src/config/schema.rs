//! The table of known keys as a JSON Schema (draft 2020-12), for editors that check YAML while it is written.

use serde_json::{Map, Value, json};

use super::keys::{Key, Presence, Shape};
use super::table::ROOT;

/// The JSON Schema (draft 2020-12) of a config.
pub fn schema() -> Value {
    let mut schema = object(ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("evaltui config");
    schema
}

fn object(keys: &[Key]) -> Value {
    let properties: Map<_, _> = keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let required: Vec<_> = keys
        .iter()
        .filter(|key| key.presence == Presence::Required)
        .map(|key| key.name)
        .collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

fn property(key: &Key) -> Value {
    let mut schema = of(&key.shape);
    match key.presence {
        // A key without a value counts as left out.
        Presence::Default(_) | Presence::Optional => schema = or_null(schema),
        Presence::Ignored => schema["deprecated"] = json!(true),
        Presence::Required => {}
    }
    if let Presence::Default(default) = key.presence {
        schema["default"] = serde_json::from_str(default).unwrap_or(Value::Null);
    }
    schema["description"] = json!(key.doc);
    schema
}

fn or_null(mut schema: Value) -> Value {
    let null = json!({"type": "null"});
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.push(null);
        return schema;
    }
    json!({"anyOf": [schema, null]})
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Text => json!({"type": "string", "minLength": 1}),
        Shape::Whole { min, max } if *max == i64::MAX => json!({"type": "integer", "minimum": min}),
        Shape::Whole { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Number { min, max } => json!({"type": "number", "minimum": min, "maximum": max}),
        Shape::Choice(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": of(item), "minItems": 1}),
        Shape::OpenList(item) => json!({"type": "array", "items": of(item)}),
        Shape::Map(keys) => object(keys),
        Shape::MapOf(item) => json!({"type": "object", "additionalProperties": of(item)}),
        Shape::Either(shapes) => json!({"anyOf": shapes.iter().map(of).collect::<Vec<_>>()}),
        Shape::Anything => json!({}),
    }
}
