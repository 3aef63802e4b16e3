//! What docs/dummy.md says about the options.

use std::collections::BTreeMap;

use serde_json::Value;
use vmpool_dummy::{DummyConfig, factory};
use vmpool_model::config::DriverOptions;

const DOCUMENT: &str = include_str!("../../../../docs/dummy.md");

/// Returns the options and their defaults as the code has them.
fn defaults() -> BTreeMap<String, Value> {
    let Value::Object(config) = serde_json::to_value(DummyConfig::default()).unwrap() else { unreachable!() };
    let named = config.into_iter().flat_map(|(key, value)| match value {
        Value::Object(group) => {
            group.into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)).collect()
        }
        value => vec![(key, value)],
    });
    named.collect()
}

/// Returns the options and their defaults as the table of the document has them.
fn documented() -> BTreeMap<String, Value> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches('`')).collect::<Vec<_>>());
    let default = |text: &str| match text {
        "none" => Value::Null,
        text => serde_json::from_str(text).unwrap(),
    };
    cells.map(|cells| (cells[0].to_owned(), default(cells[2]))).collect()
}

#[test]
fn every_option_is_documented_with_its_default() {
    assert_eq!(documented(), defaults());
}

#[test]
fn every_way_to_log_in_is_documented() {
    // The error for one that does not exist names all that do.
    let wrong: DriverOptions = serde_json::from_str(r#"{"features": ["retina"]}"#).unwrap();
    let err = factory().check(&wrong).unwrap_err().to_string();
    let known: Vec<_> = err.split("expected").nth(1).unwrap().split('`').skip(1).step_by(2).collect();
    assert_eq!(known.len(), 3);
    assert!(known.iter().all(|feature| DOCUMENT.contains(&format!("`\"{feature}\"`"))), "{known:?}");
}

#[test]
fn the_example_is_accepted() {
    let example = DOCUMENT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config: toml::Table = example.parse().unwrap();
    let options = serde_json::to_string(&config["providers"]["lab"]["options"]).unwrap();
    factory().check(&serde_json::from_str(&options).unwrap()).unwrap();
}
