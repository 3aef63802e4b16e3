//! Listings of machines: filters and pages.

use serde_json::{Value, json};
use vmpool_model::states::cloudapi::MachineState;

use super::{Asked, plain};
use crate::cloudapi::{
    cloud::Cloud,
    machine::Machine,
    reply::{Answer, Refusal, SimReply, invalid},
};

/// The longest page.
const LONGEST: usize = 1000;

/// What a listing is asked for.
#[derive(Debug, Default)]
struct Filter {
    state: Option<String>,
    name: Option<String>,
    tags: Vec<(String, String)>,
    others: Vec<(String, String)>,
    shows_ended: bool,
    has_any_tag: bool,
    limit: Option<usize>,
    offset: usize,
}

pub(in crate::cloudapi) fn list(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let filter = Filter::read(asked)?;
    let own = cloud.machines.values().filter(|machine| machine.owner == asked.login());
    let mut found: Vec<&Machine> = own.filter(|machine| filter.takes(machine)).collect();
    // By id, from the last to the first, so not by age.
    found.reverse();
    let length = if filter.has_any_tag { usize::MAX } else { filter.limit.unwrap_or(LONGEST) };
    let page = found.into_iter().skip(filter.offset).take(length);
    let page: Vec<Value> = page.map(|machine| machine.shown(asked.version)).collect();
    let count = page.len();
    let answer = SimReply::ok(json!(page));
    let answer = match filter.has_any_tag {
        true => answer,
        false => answer.with_header("x-query-limit", length.to_string()),
    };
    Ok(answer.with_header("x-resource-count", count.to_string()))
}

impl Filter {
    fn read(asked: &Asked<'_>) -> Result<Self, Refusal> {
        let mut filter = Self::default();
        let wrong = |field: &str, why: &str| Err(Refusal::field("Invalid Parameters", field, "Invalid", why));
        for (key, value) in asked.request.query() {
            match key.as_str() {
                "state" => filter.state = Some(value),
                "name" => {
                    let is_one = value.starts_with(|c: char| c.is_ascii_alphanumeric())
                        && value.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
                    if !is_one {
                        return wrong(
                            "alias",
                            "String does not match regexp: /^[a-zA-Z0-9][a-zA-Z0-9\\_\\.\\-]*$/",
                        );
                    }
                    filter.name = Some(value);
                }
                "type" if !matches!(value.as_str(), "smartmachine" | "virtualmachine") => {
                    return invalid(&format!("{value} is not a valid type"));
                }
                "docker" if !matches!(value.as_str(), "true" | "false") => {
                    return wrong("docker", "Invalid boolean");
                }
                "type" | "brand" | "image" | "memory" | "docker" => filter.others.push((key, value)),
                "tombstone" => filter.shows_ended = !value.is_empty(),
                "tags" => filter.has_any_tag = value == "*",
                "limit" => match value.parse() {
                    Ok(limit) if (1..=LONGEST).contains(&limit) => filter.limit = Some(limit),
                    _ => return wrong("limit", "Not a valid number: number must be >= 1 and <= 1000"),
                },
                "offset" => match value.parse() {
                    Ok(offset) => filter.offset = offset,
                    Err(_) => return wrong("offset", "Not a valid number"),
                },
                key => {
                    let Some(tag) = key.strip_prefix("tag.") else { continue };
                    if value.contains(['(', ')']) {
                        return Err(Refusal::grief("invalid expression"));
                    }
                    if value.is_empty() {
                        return wrong(key, "String is empty");
                    }
                    filter.tags.push((tag.to_owned(), value));
                }
            }
        }
        match filter.state.as_deref() {
            None | Some("running" | "stopped" | "active" | "destroyed" | "provisioning" | "stopping") => {
                Ok(filter)
            }
            Some("unknown") => wrong("state", "Must be one of: active, destroyed, running, stopped"),
            Some(state) => invalid(&format!("{state} is not a valid state")),
        }
    }

    fn takes(&self, machine: &Machine) -> bool {
        if self.has_any_tag {
            return !machine.tags.is_empty();
        }
        let is_in_state = match self.state.as_deref() {
            None => self.shows_ended || machine.is_active(),
            // The state that is stored, though it may not be the one that is shown.
            Some("running") => machine.state == MachineState::Running,
            Some("stopped") => machine.state == MachineState::Stopped,
            Some("destroyed") => machine.state == MachineState::Deleted,
            Some(_) => machine.is_active(),
        };
        let has_name = self.name.as_ref().is_none_or(|name| machine.name.starts_with(name.as_str()));
        is_in_state
            && has_name
            && self.tags.iter().all(|(key, value)| has_tag(machine, key, value))
            && self.others.iter().all(|(key, value)| match key.as_str() {
                "type" => machine.kind == value,
                "brand" => machine.brand == *value,
                "image" => machine.image == *value,
                "memory" => machine.memory.to_string() == *value,
                // There are no containers of Docker.
                _ => value == "false",
            })
    }
}

/// Returns whether a machine has a tag of this value, in which `*` stands for anything.
fn has_tag(machine: &Machine, key: &str, wanted: &str) -> bool {
    // The real server never finds these.
    if wanted.contains('=') || wanted.starts_with('-') && wanted.parse::<f64>().is_ok() {
        return false;
    }
    machine.tags.get(key).is_some_and(|value| fits(&plain(value), wanted))
}

fn fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (text, pattern, expected) in [
            ("pool-a", "pool-a", true),
            ("pool-a", "pool", false),
            ("pool-a", "pool*", true),
            ("pool-a", "*", true),
            ("pool-a", "*a", true),
            ("pool-a", "p*l*a", true),
            ("pool-a", "p*x*a", false),
            ("ab", "ab*b", false),
        ] {
            assert_eq!(fits(text, pattern), expected, "{text} {pattern}");
        }
    }
}
