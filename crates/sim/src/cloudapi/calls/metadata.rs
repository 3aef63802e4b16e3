//! Metadata: texts, numbers and booleans by key, and passwords beside them.

use serde_json::json;

use super::Asked;
use crate::cloudapi::{
    cloud::Cloud,
    jobs::Work,
    reply::{Answer, Refusal, SimReply, invalid, missing},
};

/// The keys that cannot be deleted.
const KEPT: [&str; 3] = ["root_authorized_keys", "administrator_pw", "credentials"];

/// The keys that the server takes for something else, and drops.
const DROPPED: [&str; 6] = ["credentials", "account", "machine", "uuid", "owner_uuid", "image"];

pub(in crate::cloudapi) fn list(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    let mut shown = json!(machine.metadata);
    if asked.request.asked("credentials").is_some_and(|value| value == "true") {
        shown["credentials"] = json!(machine.credentials);
    }
    Ok(SimReply::ok(shown))
}

pub(in crate::cloudapi) fn get(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, key] = names else { return missing("metadatum not found") };
    match cloud.named(asked, id)?.metadata.get(*key) {
        Some(value) => Ok(SimReply::ok(value.clone())),
        None => missing(&format!("metadatum \"{key}\" not found")),
    }
}

pub(in crate::cloudapi) fn update(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let mut entries = asked.parameters()?;
    entries.retain(|key, _| !DROPPED.contains(&key.as_str()) && !key.ends_with("_pw"));
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |cloud, machine| {
        for (key, value) in &entries {
            if value.is_object() || value.is_array() || value.is_null() {
                let field = format!("customer_metadata.{key}");
                let message = "Invalid metadatum parameters";
                return Err(Refusal::field(message, &field, "Invalid", "Forbidden Data Type"));
            }
        }
        let mut wished = machine.metadata.clone();
        wished.extend(entries.clone());
        let job = cloud.enqueue(machine, Work::SetMetadata(entries), &asked.caller, asked.now);
        Ok(SimReply::ok(json!(wished)).with_header("x-job-uuid", job))
    })
}

pub(in crate::cloudapi) fn delete(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, key] = names else { return missing("metadatum not found") };
    cloud.change(asked, id, |cloud, machine| {
        if KEPT.contains(key) {
            return invalid(&format!("Metadata key {key} can not be deleted"));
        }
        if !machine.metadata.contains_key(*key) {
            return missing(&format!("metadatum \"{key}\" not found"));
        }
        cloud.enqueue(machine, Work::RemoveMetadata((*key).to_owned()), &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}

pub(in crate::cloudapi) fn delete_all(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |cloud, machine| {
        cloud.enqueue(machine, Work::RemoveAllMetadata, &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}
