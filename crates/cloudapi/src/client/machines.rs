//! Machines as the data center lists, gets and makes them.

use std::collections::BTreeMap;

use vmpool_http::Method;
use vmpool_model::{Certainty, FailureKind};

use super::{
    CloudApiError, DataCenter,
    call::{Call, decode},
};
use crate::{
    machine::Machine,
    types::{CreateMachine, MachineData},
};

/// Which machines a listing shows; without anything, those that are neither destroyed nor failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MachineFilter {
    /// Those whose name begins so: the server takes it for a prefix.
    pub name_prefix: Option<String>,
    /// Those in a state: `running`, `stopped`, `active`, `destroyed`, `provisioning` or `stopping`; the last two mean active.
    pub state: Option<String>,
    /// Those with all these tags; `*` in a value stands for anything.
    pub tags: BTreeMap<String, String>,
    /// Those made from an image.
    pub image: Option<String>,
    /// Those with so much memory in MiB.
    pub memory: Option<u64>,
    /// Those of a brand, such as `bhyve`.
    pub brand: Option<String>,
    /// Those of a type: `smartmachine` or `virtualmachine`.
    pub kind: Option<String>,
    /// Only containers of Docker, or none of them.
    pub docker: Option<bool>,
    /// Those that are destroyed or failed, too.
    pub tombstone: bool,
}

impl MachineFilter {
    /// Shows machines that carry a tag, too; tags add up.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Shows machines whose name begins so.
    #[must_use]
    pub fn with_name_prefix(self, prefix: impl Into<String>) -> Self {
        Self { name_prefix: Some(prefix.into()), ..self }
    }

    /// Shows machines in a state.
    #[must_use]
    pub fn with_state(self, state: impl Into<String>) -> Self {
        Self { state: Some(state.into()), ..self }
    }

    /// Shows machines that are destroyed or failed, too.
    #[must_use]
    pub fn with_tombstones(self) -> Self {
        Self { tombstone: true, ..self }
    }

    fn query(&self) -> Vec<(String, String)> {
        let pair = |key: &str, value: &Option<String>| value.clone().map(|value| (key.to_owned(), value));
        let mut query: Vec<_> = [
            pair("name", &self.name_prefix),
            pair("state", &self.state),
            pair("image", &self.image),
            pair("memory", &self.memory.map(|memory| memory.to_string())),
            pair("brand", &self.brand),
            pair("type", &self.kind),
            pair("docker", &self.docker.map(|docker| docker.to_string())),
            pair("tombstone", &self.tombstone.then(|| "true".to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect();
        query.extend(self.tags.iter().map(|(key, value)| (format!("tag.{key}"), value.clone())));
        query
    }

    fn call(&self, method: Method) -> Call {
        let query = self.query();
        query
            .into_iter()
            .fold(Call::new(method, &["machines"]), |call, (key, value)| call.with_query(&key, value))
    }
}

impl DataCenter {
    /// Lists one page of machines: up to `limit` (at most 1000) from the `offset`th on.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn machines_page(
        &self,
        filter: &MachineFilter,
        limit: Option<usize>,
        offset: Option<usize>,
    ) -> Result<Vec<MachineData>, CloudApiError> {
        let mut call = filter.call(Method::Get);
        for (key, value) in [("limit", limit), ("offset", offset)] {
            if let Some(value) = value {
                call = call.with_query(key, value.to_string());
            }
        }
        self.ask(call).await
    }

    /// Counts machines, up to 1000: the server counts no further.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn count_machines(&self, filter: &MachineFilter) -> Result<usize, CloudApiError> {
        let call = filter.call(Method::Head);
        let shown = self.shown(&call);
        let answer = self.answer(call).await?;
        let count = answer.header("x-resource-count").and_then(|count| count.parse().ok());
        count.ok_or_else(|| {
            let message = "the answer has no count in it".to_owned();
            CloudApiError::new(shown, FailureKind::Protocol, Certainty::NotApplied, message)
        })
    }

    /// Gets what there is to know about a machine; a destroyed one is shown, too, in the state `deleted`.
    ///
    /// With `credentials` the passwords of the machine are part of its metadata.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if the account never had such a machine.
    pub async fn machine_data(&self, id: &str, credentials: bool) -> Result<MachineData, CloudApiError> {
        let call = Call::new(Method::Get, &["machines", id]);
        let call = if credentials { call.with_query("credentials", "true") } else { call };
        self.machine_or_ghost(call).await
    }

    /// Gets a machine; a destroyed one is shown, too, in the state `deleted`.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if the account never had such a machine.
    pub async fn machine(&self, id: &str) -> Result<Machine, CloudApiError> {
        Ok(Machine::new(self.clone(), self.machine_data(id, false).await?))
    }

    /// Lists the machines that a filter shows, each once, over all pages.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn machines(&self, filter: &MachineFilter) -> Result<Vec<Machine>, CloudApiError> {
        let machines = self.all_machines(filter).await?;
        Ok(machines.into_iter().map(|data| Machine::new(self.clone(), data)).collect())
    }

    /// Makes a machine and returns it as the server first shows it, most often provisioning.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`]; if its certainty is unknown the machine may exist: look for it by a tag before repeating the call.
    pub async fn create_machine(&self, request: &CreateMachine) -> Result<Machine, CloudApiError> {
        let call = Call::new(Method::Post, &["machines"]).with_body(request.to_body());
        let call = call.with_role_tags(&request.role_tags);
        match self.ask::<MachineData>(call).await {
            Ok(data) => Ok(Machine::new(self.clone(), data)),
            // It is an image or a package that is not found: there is no machine yet that could be missing.
            Err(err) if err.kind == FailureKind::NotFound => {
                Err(CloudApiError { kind: FailureKind::InvalidRequest, ..err })
            }
            Err(err) => Err(err),
        }
    }

    /// Begins to destroy a machine in whatever state; success means accepted, and it may already be on its way.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`]; [`CloudApiError::is_gone`] if it is destroyed already.
    pub async fn delete_machine(&self, id: &str) -> Result<(), CloudApiError> {
        self.order(Call::new(Method::Delete, &["machines", id])).await
    }

    /// Asks for a machine; the status 410 has a machine as its body, too.
    async fn machine_or_ghost(&self, call: Call) -> Result<MachineData, CloudApiError> {
        let shown = self.shown(&call);
        let (answer, now) = (self.answer_also(call, Some(410)).await?, self.now());
        match decode(shown.clone(), &answer) {
            Ok(machine) => Ok(machine),
            Err(_) if answer.status == 410 => Err(CloudApiError::refused(shown, &answer, now)),
            Err(err) => Err(err),
        }
    }
}
