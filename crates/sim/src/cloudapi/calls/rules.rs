//! Rules of the firewall: they are kept, and nothing is filtered.

use serde_json::{Value, json};

use super::{Asked, plain, says_yes};
use crate::cloudapi::{
    cloud::{Cloud, Rule},
    machine::Machine,
    reply::{Answer, Refusal, SimReply, missing, refuse},
};

impl Rule {
    fn shown(&self) -> Value {
        let mut shown = json!({"id": self.id, "rule": self.rule, "enabled": self.is_enabled});
        if let Some(description) = &self.description {
            shown["description"] = json!(description);
        }
        shown
    }

    /// Returns whether the rule speaks of a machine.
    fn concerns(&self, machine: &Machine) -> bool {
        let has = |(key, value): (&String, &Value)| {
            let mark = format!("tag \"{key}\"");
            self.rule.contains(&format!("{mark} = \"{}\"", plain(value)))
                || self.rule.contains(&mark) && !self.rule.contains(&format!("{mark} ="))
        };
        self.rule.contains("all vms") || self.rule.contains(&machine.id) || machine.tags.iter().any(has)
    }
}

impl Cloud {
    fn rules(&mut self, asked: &Asked<'_>) -> Result<&mut Vec<Rule>, Refusal> {
        match self.accounts.get_mut(asked.login()) {
            Some(account) => Ok(&mut account.rules),
            None => missing("account not found"),
        }
    }

    fn rule(&mut self, asked: &Asked<'_>, id: &str) -> Result<&mut Rule, Refusal> {
        match self.rules(asked)?.iter_mut().find(|rule| rule.id == id) {
            Some(rule) => Ok(rule),
            None => missing("Rule not found"),
        }
    }
}

/// Returns a rule as text, if it is one.
fn text(given: Option<&Value>) -> Result<Option<String>, Refusal> {
    let Some(rule) = given.map(plain) else { return Ok(None) };
    let words: Vec<&str> = rule.split_whitespace().collect();
    let has = |word: &str| words.iter().any(|other| other.eq_ignore_ascii_case(word));
    match has("from") && has("to") && (has("allow") || has("block")) {
        true => Ok(Some(rule)),
        false => Err(Refusal::field("Invalid parameters", "rule", "Invalid", "Error parsing the rule")),
    }
}

pub(in crate::cloudapi) fn list(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    Ok(SimReply::ok(cloud.rules(asked)?.iter().map(Rule::shown).collect()))
}

pub(in crate::cloudapi) fn get(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    Ok(SimReply::ok(cloud.rule(asked, ids.first().copied().unwrap_or_default())?.shown()))
}

pub(in crate::cloudapi) fn create(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let given = asked.parameters()?;
    let Some(rule) = text(given.get("rule"))? else {
        return refuse(409, "MissingParameter", "rule is required");
    };
    let rule = Rule {
        id: cloud.uuid(),
        rule,
        is_enabled: says_yes(given.get("enabled")),
        description: given.get("description").map(plain),
    };
    let answer = SimReply::created(rule.shown(), asked.path(&format!("fwrules/{}", rule.id)));
    cloud.rules(asked)?.push(rule);
    Ok(answer)
}

pub(in crate::cloudapi) fn update(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let given = asked.parameters()?;
    let new = text(given.get("rule"))?;
    let rule = cloud.rule(asked, ids.first().copied().unwrap_or_default())?;
    rule.rule = new.unwrap_or_else(|| rule.rule.clone());
    if given.contains_key("enabled") {
        rule.is_enabled = says_yes(given.get("enabled"));
    }
    if let Some(description) = given.get("description") {
        rule.description = Some(plain(description));
    }
    Ok(SimReply::ok(rule.shown()))
}

pub(in crate::cloudapi) fn enable(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    turn(cloud, asked, ids, true)
}

pub(in crate::cloudapi) fn disable(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    turn(cloud, asked, ids, false)
}

fn turn(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str], is_on: bool) -> Answer {
    let rule = cloud.rule(asked, ids.first().copied().unwrap_or_default())?;
    rule.is_enabled = is_on;
    Ok(SimReply::ok(rule.shown()))
}

pub(in crate::cloudapi) fn delete(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let id = ids.first().copied().unwrap_or_default();
    cloud.rule(asked, id)?;
    cloud.rules(asked)?.retain(|rule| rule.id != id);
    Ok(SimReply::empty(204))
}

pub(in crate::cloudapi) fn of_machine(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let rules = cloud.rules(asked)?.clone();
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    Ok(SimReply::ok(rules.iter().filter(|rule| rule.concerns(machine)).map(Rule::shown).collect()))
}

pub(in crate::cloudapi) fn machines(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let rule = cloud.rule(asked, ids.first().copied().unwrap_or_default())?.clone();
    let own = cloud.machines.values().filter(|machine| machine.owner == asked.login() && machine.is_active());
    let concerned = own.filter(|machine| rule.concerns(machine));
    Ok(SimReply::ok(concerned.map(|machine| machine.shown(asked.version)).collect()))
}
