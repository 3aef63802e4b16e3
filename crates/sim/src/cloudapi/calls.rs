//! The calls: what each does with what it is asked.

pub(super) mod account;
pub(super) mod actions;
pub(super) mod catalog;
pub(super) mod create;
pub(super) mod devices;
pub(super) mod listing;
pub(super) mod machines;
pub(super) mod metadata;
pub(super) mod rules;
pub(super) mod snapshots;
pub(super) mod tags;

use serde_json::{Map, Value};
use vmpool_model::Timestamp;

use super::{
    access::Caller,
    catalog::is_uuid,
    cloud::Cloud,
    machine::Machine,
    reply::{Answer, Refusal},
    request::SimRequest,
    versions::Version,
};

/// A call: what it does with the parts of the path that vary.
pub(super) type Call = fn(&mut Cloud, &Asked<'_>, &[&str]) -> Answer;

/// What is asked, by whom, and when.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) request: &'a SimRequest,
    pub(super) caller: Caller,
    pub(super) version: Version,
    pub(super) now: Timestamp,
}

impl Asked<'_> {
    /// Returns the account that the call is about.
    fn login(&self) -> &str {
        &self.caller.login
    }

    fn parameters(&self) -> Result<Map<String, Value>, Refusal> {
        self.request.parameters()
    }

    /// Returns the path of something below the account.
    fn path(&self, below: &str) -> String {
        format!("/{}/{below}", self.login())
    }
}

impl Cloud {
    /// Returns a machine that a path names, if there is or was one.
    fn named(&self, asked: &Asked<'_>, id: &str) -> Result<&Machine, Refusal> {
        checked(id)?;
        self.machine(asked.login(), id)
    }

    /// Changes a machine that a path names, unless it is gone.
    fn change(
        &mut self,
        asked: &Asked<'_>,
        id: &str,
        change: impl FnOnce(&mut Self, &mut Machine) -> Answer,
    ) -> Answer {
        checked(id)?;
        self.with_machine(asked.login(), id, |cloud, machine| match machine.is_deleted() {
            true => Err(Refusal::shown(410, machine.shown(asked.version))),
            false => change(cloud, machine),
        })
    }
}

/// Refuses what is no id of a machine.
pub(super) fn checked(id: &str) -> Result<(), Refusal> {
    match is_uuid(id) {
        true => Ok(()),
        false => Err(Refusal::field("Invalid Parameters", "uuid", "Invalid", "Invalid UUID")),
    }
}

/// Returns a value as the server compares it: a text as it is, and all else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns whether a parameter says yes, in whatever form it came.
fn says_yes(value: Option<&Value>) -> bool {
    value.is_some_and(|value| *value == Value::Bool(true) || *value == "true")
}
