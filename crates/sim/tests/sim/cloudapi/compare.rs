//! Whether two answers are the same up to ids, times and addresses.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is a time, made of dice, or an address, which the imitated network chose in another way.
const MASKED: [&str; 9] =
    ["created", "updated", "time", "mac", "ip", "ips", "primaryIp", "gateway", "owner_uuid"];

/// The headers that say something.
const HEADERS: [&str; 6] =
    ["x-query-limit", "x-resource-count", "location", "retry-after", "triton-datacenter-name", "x-job-uuid"];

/// The ids of the recorded machines, and those of the ones that stand for them.
#[derive(Debug, Default)]
pub(super) struct Names {
    pairs: Vec<(String, String)>,
}

impl Names {
    pub(super) fn add(&mut self, recorded: &str, ours: &str) {
        self.pairs.push((recorded.to_owned(), ours.to_owned()));
    }

    /// Returns a recorded text with our ids.
    pub(super) fn ours(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
    }
}

/// Compares headers; what is made of dice counts only by being there.
pub(super) fn same_headers(
    ours: &BTreeMap<&str, &str>,
    recorded: &BTreeMap<String, String>,
) -> Result<(), String> {
    for name in HEADERS {
        let (found, expected) = (ours.get(name).copied(), recorded.get(name).map(String::as_str));
        let is_same = match name {
            "x-job-uuid" => found.is_some() == expected.is_some(),
            _ => found == expected,
        };
        if !is_same {
            return Err(format!("the header {name} is {found:?} instead of {expected:?}"));
        }
    }
    Ok(())
}

/// Compares bodies without the fields that are masked; lists of machines in any order, since they are sorted by their ids.
pub(super) fn same(ours: &Value, recorded: &Value, masked: &[&str]) -> Result<(), String> {
    let (mut ours, mut recorded) = (ours.clone(), recorded.clone());
    for value in [&mut ours, &mut recorded] {
        mask(value, masked);
        if let Value::Array(items) = value
            && items.iter().all(|item| item.get("package").is_some())
        {
            items.sort_by_key(|item| item["name"].to_string());
        }
    }
    let mut differences = Vec::new();
    compare(&ours, &recorded, "", &mut differences);
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences.join("; ")),
    }
}

fn mask(value: &mut Value, masked: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, masked)),
        Value::Object(fields) => {
            fields.retain(|key, _| !masked.contains(&key.as_str()));
            for (key, value) in fields.iter_mut() {
                match MASKED.contains(&key.as_str()) {
                    true => *value = Value::Null,
                    false => mask(value, masked),
                }
            }
        }
        _ => {}
    }
}

fn compare(ours: &Value, recorded: &Value, path: &str, differences: &mut Vec<String>) {
    match (ours, recorded) {
        (Value::Object(found), Value::Object(expected)) => {
            for key in found.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>() {
                match (found.get(key), expected.get(key)) {
                    (Some(found), Some(expected)) => {
                        compare(found, expected, &format!("{path}.{key}"), differences);
                    }
                    (found, expected) => {
                        differences.push(format!("{path}.{key} is {found:?} instead of {expected:?}"));
                    }
                }
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                compare(found, expected, &format!("{path}[{index}]"), differences);
            }
        }
        _ if ours == recorded => {}
        _ => differences.push(format!("{path} is {ours} instead of {recorded}")),
    }
}
