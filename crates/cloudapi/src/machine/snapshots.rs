//! Snapshots of a machine.

use std::{fmt, ops::Deref};

use serde_json::json;
use vmpool_http::Method;

use super::Machine;
use crate::{client::CloudApiError, types::SnapshotData};

impl Machine {
    /// Lists the snapshots.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, CloudApiError> {
        let snapshots: Vec<SnapshotData> =
            self.datacenter.ask(self.call(Method::Get, &["snapshots"])).await?;
        Ok(snapshots.into_iter().map(|data| Snapshot { machine: self.clone(), data }).collect())
    }

    /// Gets a snapshot.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there never was one of that name.
    pub async fn snapshot(&self, name: &str) -> Result<Snapshot, CloudApiError> {
        Ok(Snapshot { machine: self.clone(), data: self.snapshot_data(name).await? })
    }

    /// Gets what there is to know about a snapshot.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there never was one of that name.
    pub async fn snapshot_data(&self, name: &str) -> Result<SnapshotData, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["snapshots", name])).await
    }

    /// Begins to make a snapshot; without a name the server calls it by the time.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `Unsupported` if machines of this brand have none.
    pub async fn create_snapshot(&self, name: Option<&str>) -> Result<Snapshot, CloudApiError> {
        let body = name.map_or_else(|| json!({}), |name| json!({"name": name}));
        let data = self.datacenter.ask(self.call(Method::Post, &["snapshots"]).with_body(body)).await?;
        Ok(Snapshot { machine: self.clone(), data })
    }

    /// Begins to roll the machine back to a snapshot and to boot it; the server accepts a name that it does not know, too.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn start_from_snapshot(&self, name: &str) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Post, &["snapshots", name]).with_body(json!({}))).await
    }

    /// Begins to delete a snapshot.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none of that name.
    pub async fn delete_snapshot(&self, name: &str) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["snapshots", name])).await
    }
}

/// A snapshot with its machine, as last seen.
///
/// Source: smartdc's `Snapshot`.
#[derive(Clone)]
pub struct Snapshot {
    machine: Machine,
    data: SnapshotData,
}

impl Snapshot {
    /// Ties a snapshot to its machine.
    #[must_use]
    pub fn new(machine: Machine, data: SnapshotData) -> Self {
        Self { machine, data }
    }

    /// Returns the machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Returns the path of the snapshot below the account.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/snapshots/{}", self.machine.path(), self.data.name)
    }

    /// Asks the server for the snapshot and shows what it says.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn refresh(&mut self) -> Result<&SnapshotData, CloudApiError> {
        self.data = self.machine.snapshot_data(&self.data.name).await?;
        Ok(&self.data)
    }

    /// Asks the server for the snapshot and returns its state.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn status(&mut self) -> Result<&str, CloudApiError> {
        Ok(&self.refresh().await?.state)
    }

    /// Begins to delete the snapshot.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn delete(&self) -> Result<(), CloudApiError> {
        self.machine.delete_snapshot(&self.data.name).await
    }

    /// Begins to roll the machine back to the snapshot and to boot it.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn start(&self) -> Result<(), CloudApiError> {
        self.machine.start_from_snapshot(&self.data.name).await
    }
}

impl Deref for Snapshot {
    type Target = SnapshotData;

    fn deref(&self) -> &SnapshotData {
        &self.data
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("machine", &self.machine.id).field("data", &self.data).finish()
    }
}
