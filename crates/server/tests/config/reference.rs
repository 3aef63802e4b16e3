//! The reference and the schema have every key, and the reference that is checked in is the one of this code.

use serde_json::Value;
use vmpool_server::{DEFAULT_CONFIG, config_reference, config_schema};

/// Returns the JSON of a configuration.
fn json(text: &str) -> Value {
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

/// Says what of a value a schema does not take, as far as this schema goes.
fn misfit(schema: &Value, value: &Value, path: &str) -> Option<String> {
    let refuse = |why: &str| Some(format!("{path}: {why}: {value}"));
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { None } else { refuse("no such word") };
    }
    match (schema["type"].as_str(), value) {
        (None, _) | (Some("boolean"), Value::Bool(_)) | (Some("string"), Value::String(_)) => None,
        (Some("number"), Value::Number(_)) => None,
        (Some("integer"), Value::Number(number)) if number.is_u64() => None,
        (Some("array"), Value::Array(items)) => {
            items.iter().find_map(|item| misfit(&schema["items"], item, &format!("{path}[]")))
        }
        (Some("object"), Value::Object(fields)) => {
            let kinds = schema["oneOf"].as_array().into_iter().flatten();
            let kind = kinds.clone().find(|kind| kind["properties"]["kind"]["const"] == value["kind"]);
            let schema = kind.unwrap_or(schema);
            let options = schema["allOf"].as_array().into_iter().flatten();
            let options =
                options.clone().find(|one| one["if"]["properties"]["driver"]["const"] == value["driver"]);
            fields.iter().find_map(|(key, value)| {
                let path = format!("{path}.{key}");
                match (options, key.as_str()) {
                    (Some(options), "options") => {
                        return misfit(&options["then"]["properties"]["options"], value, &path);
                    }
                    _ if schema["properties"].get(key).is_some() => {
                        return misfit(&schema["properties"][key], value, &path);
                    }
                    _ => {}
                }
                match &schema["additionalProperties"] {
                    Value::Object(_) => misfit(&schema["additionalProperties"], value, &path),
                    _ => Some(format!("{path}: no such key")),
                }
            })
        }
        _ => refuse("another type is expected"),
    }
}

/// The default configuration with everything set that it only mentions.
fn everything() -> String {
    let lines = DEFAULT_CONFIG.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_schema_takes_what_the_daemon_takes_and_refuses_slips() {
    let schema = config_schema(&vmpool::drivers::builtin());
    for text in [DEFAULT_CONFIG, &everything()] {
        assert_eq!(misfit(&schema, &json(text), ""), None);
    }
    for (from, to) in [
        ("max_starting = 2", "max_startin = 2"),
        ("max_starting = 2", "max_starting = \"2\""),
        ("on_release = \"destroy\"", "on_release = \"destory\""),
        ("boot_latency = \"2s\"", "boot_latenzy = \"2s\""),
        ("check = { kind = \"none\" }", "check = { kind = \"tcp\", prt = 22 }"),
    ] {
        assert!(DEFAULT_CONFIG.contains(from), "{from}");
        let wrong = DEFAULT_CONFIG.replacen(from, to, 1);
        assert!(misfit(&schema, &json(&wrong), "").is_some(), "{to}");
    }
}

#[test]
fn the_schema_says_what_keys_are_for_and_their_defaults() {
    let schema = config_schema(&vmpool::drivers::builtin());
    let pool = &schema["properties"]["pools"]["additionalProperties"]["properties"];
    assert_eq!(pool["max_starting"]["default"], 2);
    assert_eq!(pool["lease_ttl"]["default"], "10m");
    assert_eq!(pool["provider"]["default"], Value::Null, "what is an example is no default");
    assert!(pool["labels"]["description"].as_str().unwrap().starts_with("What requests may ask for"));
}

/// Returns every key of a schema by its path.
fn keys(schema: &Value, path: &str, found: &mut Vec<String>) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        found.push(key.clone());
        keys(inner, &format!("{path}.{key}"), found);
    }
    for inner in [&schema["items"], &schema["additionalProperties"]] {
        if inner.is_object() {
            keys(inner, path, found);
        }
    }
    for kind in schema["oneOf"].as_array().into_iter().flatten() {
        keys(kind, path, found);
    }
}

#[test]
fn every_key_is_in_the_reference() {
    let registry = vmpool::drivers::builtin();
    let (mut found, page) = (Vec::new(), config_reference(&registry));
    keys(&config_schema(&registry), "", &mut found);
    assert!(90 < found.len(), "{found:?}");
    for key in &found {
        let is_there = page.contains(&format!("| `{key}` |"))
            || ["[", "."].iter().any(|before| {
                page.contains(&format!("{before}{key}]`")) || page.contains(&format!("{before}{key}."))
            })
            || page.contains(&format!(".{key}[]]`"));
        assert!(is_there, "{key} is missing");
    }
}

/// `cargo xtask codegen` writes it.
#[cfg(all(feature = "cloudapi", feature = "opennebula"))]
#[test]
fn generated_reference_of_the_configuration_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/config.md");
    let page = config_reference(&vmpool::drivers::builtin());
    let page = format!(
        "<!-- Generated by `cargo xtask codegen` from the types of the configuration; do not edit. -->\n{page}"
    );
    if std::env::var_os("VMPOOL_CODEGEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "docs/generated/config.md is stale: run `cargo xtask codegen`");
}

#[cfg(all(feature = "cloudapi", feature = "opennebula"))]
#[test]
fn every_option_of_a_driver_is_in_its_guide() {
    let schema = config_schema(&vmpool::drivers::builtin());
    let guides = [
        ("cloudapi", include_str!("../../../../docs/cloudapi.md")),
        ("dummy", include_str!("../../../../docs/dummy.md")),
        ("opennebula", include_str!("../../../../docs/opennebula.md")),
    ];
    let drivers = schema["properties"]["providers"]["additionalProperties"]["allOf"].as_array().unwrap();
    assert_eq!(drivers.len(), guides.len());
    for one in drivers {
        let driver = one["if"]["properties"]["driver"]["const"].as_str().unwrap();
        let guide = guides.iter().find(|(name, _)| *name == driver).unwrap().1;
        let options = one["then"]["properties"]["options"]["properties"].as_object().unwrap();
        for option in options.keys() {
            let is_there =
                guide.contains(&format!("| `{option}` |")) || guide.contains(&format!("| `{option}."));
            assert!(is_there, "{driver}: {option} is not in its guide");
        }
    }
}
