//! What a request becomes.

use std::collections::BTreeMap;

use serde_json::Value;
use vmpool_driver::{Auth, CreateRequest, DriverError, Operation};
use vmpool_model::{FailureKind, Timestamp};

use super::{
    Template,
    node::{DAY, TOKEN},
};
use crate::types::{CreateMachine, CreateNetwork};

/// Keys of tags that the server drops without a word.
const DROPPED: [&str; 6] = ["account", "context", "image", "machine", "owner_uuid", "uuid"];

/// Returns what a request asks the server for.
pub(super) fn machine(
    request: &CreateRequest,
    templates: &BTreeMap<String, Template>,
    now: Timestamp,
) -> Result<CreateMachine, DriverError> {
    let refuse = |kind, what: String| Err(DriverError::new(Operation::Create, kind).with_context(what));
    match &request.auth {
        Some(Auth::SshKey(_)) => {
            let what = "machines take the SSH keys of the account: add the key there, or by a script in the template";
            return refuse(FailureKind::Unsupported, what.to_owned());
        }
        Some(_) => {
            return refuse(
                FailureKind::Unsupported,
                "machines take no password when they are made".to_owned(),
            );
        }
        None => {}
    }
    if let Some(location) = &request.location {
        let what = format!("location {location:?}: a data center is a provider of its own");
        return refuse(FailureKind::InvalidRequest, what);
    }
    let none = Template::default();
    let chosen = request.size.is_some() && request.image.is_some();
    let template = match templates.get(&request.template) {
        Some(template) => template,
        None if request.template.is_empty() && chosen => &none,
        None => {
            let known: Vec<&str> = templates.keys().map(String::as_str).collect();
            let what = format!(
                "there is no template {:?}; the templates are {}",
                request.template,
                known.join(", ")
            );
            return refuse(FailureKind::InvalidRequest, what);
        }
    };
    let metadata = template.metadata.iter().map(|(key, value)| (key.clone(), Value::String(value.clone())));
    let mut wanted = CreateMachine {
        package: request.size.clone().or_else(|| template.package.clone()),
        image: request.image.clone().or_else(|| template.image.clone()),
        name: request.name.clone(),
        networks: template.networks.iter().cloned().map(CreateNetwork::Any).collect(),
        affinity: template.affinity.clone(),
        firewall_enabled: template.firewall,
        metadata: metadata.collect(),
        ..CreateMachine::default()
    };
    for (key, value) in template.tags.iter().chain(&request.labels) {
        if key.is_empty() || value.is_empty() || DROPPED.contains(&key.as_str()) || key == TOKEN || key == DAY
        {
            let what = format!("label {key:?}: this cloud cannot keep it, choose another key and a value");
            return refuse(FailureKind::InvalidRequest, what);
        }
        wanted.tags.insert(key.clone(), value.as_str().into());
    }
    if let Some(token) = &request.token {
        wanted.tags.insert(TOKEN.to_owned(), token.to_string().into());
        wanted.tags.insert(DAY.to_owned(), day(now).into());
    }
    Ok(wanted)
}

/// Returns the day of a time in UTC, such as `2026-11-21`.
pub(super) fn day(time: Timestamp) -> String {
    time.to_string().chars().take("2026-11-21".len()).collect()
}
