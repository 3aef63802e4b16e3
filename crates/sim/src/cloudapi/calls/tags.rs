//! Tags: texts, numbers and booleans by key.

use serde_json::{Map, Value, json};

use super::Asked;
use crate::cloudapi::{
    cloud::Cloud,
    jobs::Work,
    reply::{Answer, Refusal, SimReply, missing, refuse},
};

/// The keys that the server takes for something else, and drops.
const DROPPED: [&str; 6] = ["account", "machine", "uuid", "owner_uuid", "context", "image"];

/// The tags with a meaning to the server.
const SPECIAL: [&str; 4] =
    ["triton.cns.services", "triton.cns.disable", "triton.cns.reverse_ptr", "triton.cmon.groups"];

/// Refuses tags that are none, and drops those that the server drops.
pub(super) fn check(tags: &mut Map<String, Value>, message: &str) -> Result<(), Refusal> {
    tags.retain(|key, _| !DROPPED.contains(&key.as_str()));
    for (key, value) in tags {
        if key.starts_with("triton.") && !SPECIAL.contains(&key.as_str()) {
            let why = format!("Unrecognized special triton tag \"{key}\"");
            return Err(Refusal::field(message, "tags", "Invalid", &why));
        }
        if value.is_object() || value.is_array() || value.is_null() {
            return Err(Refusal::field(message, &format!("tags.{key}"), "Invalid", "Forbidden Data Type"));
        }
    }
    Ok(())
}

pub(in crate::cloudapi) fn list(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    Ok(SimReply::ok(json!(machine.tags)))
}

pub(in crate::cloudapi) fn get(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, key] = names else { return missing("tag not found") };
    match cloud.named(asked, id)?.tags.get(*key) {
        Some(Value::String(text)) => Ok(SimReply::ok(json!(text))),
        // What is no text comes out as nothing.
        Some(_) => Ok(SimReply::ok(json!(""))),
        None => missing(&format!("tag \"{key}\" not found")),
    }
}

pub(in crate::cloudapi) fn add(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    set(cloud, asked, ids, false)
}

pub(in crate::cloudapi) fn replace(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    set(cloud, asked, ids, true)
}

fn set(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str], replaces: bool) -> Answer {
    let mut tags = asked.parameters()?;
    let what = if replaces { "replacing" } else { "adding" };
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |cloud, machine| {
        check(&mut tags, &format!("error {what} tags: Invalid tag parameters"))?;
        if tags.is_empty() {
            return refuse(409, "MissingParameter", "tags are required");
        }
        let mut wished = if replaces { Map::new() } else { machine.tags.clone() };
        wished.extend(tags.clone());
        let work = if replaces { Work::ReplaceTags(tags) } else { Work::SetTags(tags) };
        let job = cloud.enqueue(machine, work, &asked.caller, asked.now);
        Ok(SimReply::ok(json!(wished)).with_header("x-job-uuid", job))
    })
}

pub(in crate::cloudapi) fn delete(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, key] = names else { return missing("tag not found") };
    cloud.change(asked, id, |cloud, machine| {
        if !machine.tags.contains_key(*key) {
            return missing(&format!("tag \"{key}\" not found"));
        }
        cloud.enqueue(machine, Work::RemoveTag((*key).to_owned()), &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}

pub(in crate::cloudapi) fn delete_all(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |cloud, machine| {
        cloud.enqueue(machine, Work::RemoveTags, &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}
