//! The JSON Schema of a configuration, for editors and whoever writes configurations by program.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vmpool::driver::Registry;

use super::{
    about::{self, About},
    secrets::is_secret,
    shape::{self, Shape},
};

/// Returns the JSON Schema of a configuration, options of the drivers included; TOML and JSON have the same values.
///
/// ```
/// let schema = vmpool_server::config_schema(&vmpool::drivers::builtin());
/// assert_eq!(schema["properties"]["daemon"]["properties"]["state_dir"]["default"], "vmpool-state");
/// ```
#[must_use]
pub fn config_schema(registry: &Registry) -> Value {
    let mut schema = of(&shape::of_config(), "", &about::all());
    let options: Vec<Value> = registry
        .names()
        .filter_map(|name| {
            let options = of(&shape::of_driver(registry, name)?, "options", &BTreeMap::new());
            Some(json!({
                "if": {"properties": {"driver": {"const": name}}},
                "then": {"properties": {"options": options}},
            }))
        })
        .collect();
    if let Some(provider) = schema.pointer_mut("/properties/providers/additionalProperties") {
        provider["required"] = json!(["driver"]);
        provider["allOf"] = Value::Array(options);
    }
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("The configuration of vmpool");
    schema
}

fn of(shape: &Shape, path: &str, abouts: &BTreeMap<String, About>) -> Value {
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let table = |keys: &[(String, Shape)]| -> Map<String, Value> {
        keys.iter().map(|(key, shape)| (key.clone(), of(shape, &join(key), abouts))).collect()
    };
    let mut schema = match shape {
        Shape::Anything => json!({}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Whole(u64::MAX) => json!({"type": "integer", "minimum": 0}),
        Shape::Whole(max) => json!({"type": "integer", "minimum": 0, "maximum": max}),
        Shape::Number => json!({"type": "number"}),
        Shape::Text if path.strip_prefix("options.").is_some_and(is_secret) => secret(),
        Shape::Text => json!({"type": "string"}),
        Shape::Duration => {
            json!({"type": "string", "pattern": "^[0-9]", "examples": ["500ms", "90s", "1h30m"]})
        }
        Shape::OneOf(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": of(item, &format!("{path}[]"), abouts)}),
        Shape::Named(inner) => {
            json!({"type": "object", "additionalProperties": of(inner, &join("NAME"), abouts)})
        }
        Shape::Table(keys) => {
            json!({"type": "object", "properties": table(keys), "additionalProperties": false})
        }
        Shape::Kinds(kinds) => {
            let kinds = kinds.iter().map(|(kind, keys)| {
                let mut properties = table(keys);
                properties.insert("kind".to_owned(), json!({"const": kind}));
                json!({"properties": properties, "required": ["kind"], "additionalProperties": false})
            });
            json!({"type": "object", "oneOf": kinds.collect::<Vec<_>>()})
        }
    };
    if let Some(about) = abouts.get(path) {
        if !about.meaning.is_empty() {
            schema["description"] = json!(about.meaning);
        }
        if let Some(value) = about.default().and_then(value) {
            schema["default"] = value;
        }
    }
    schema
}

/// Returns what a secret may be: itself, or where it is.
fn secret() -> Value {
    let text = json!({"type": "string"});
    let place = json!({
        "type": "object",
        "properties": {"file": text, "env": text, "credential": text},
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    json!({"anyOf": [text, place]})
}

/// Reads a value as TOML has it.
fn value(text: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {text}").parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
