//! A batch on its way into the tree.

use vmpool_model::{Change, DomainName, Event};

use super::{
    body,
    database::Domains,
    key::{self, Kind},
    meta::DomainMeta,
};
use crate::{Batch, Claim, Committed, Cursor, Fence, Revision};

/// What one write puts into the tree: the batches of all who waited for it.
#[derive(Debug, Default)]
pub(super) struct Staged {
    batch: sled::Batch,
    /// How many rows there are to write.
    pub(super) rows: usize,
}

/// Which events a commit leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    /// How many of the newest are kept.
    pub(super) events: u64,
    /// How many of the oldest are too old.
    pub(super) expired: u64,
}

/// One key to write, or to remove.
type Row = (Vec<u8>, Option<Vec<u8>>);

impl Staged {
    /// Adds a new claim of a domain.
    pub(super) fn claim(
        &mut self,
        domains: &mut Domains,
        domain: &DomainName,
        holder: &str,
    ) -> Result<Claim, serde_json::Error> {
        let mut meta = domains.get(domain).cloned().unwrap_or_default();
        meta.fence = Fence(meta.fence.0 + 1);
        holder.clone_into(&mut meta.holder);
        let fence = meta.fence;
        let rows = vec![meta_row(domain, &meta)?];
        self.add(rows);
        domains.insert(domain.clone(), meta);
        Ok(Claim { domain: domain.clone(), fence })
    }

    /// Adds a batch whose turn was checked; nothing is added if it fails.
    pub(super) fn commit(
        &mut self,
        domains: &mut Domains,
        domain: &DomainName,
        batch: Batch,
        keep: Keep,
    ) -> Result<Committed, serde_json::Error> {
        let mut meta = domains.get(domain).cloned().unwrap_or_default();
        meta.revision = Revision(meta.revision.0 + 1);
        let mut rows = Vec::with_capacity(batch.changes.len() + batch.events.len() + 1);
        for change in &batch.changes {
            rows.extend(change_row(domain, change)?);
        }
        for event in &batch.events {
            meta.cursor = Cursor(meta.cursor.0 + 1);
            rows.push(event_row(domain, meta.cursor, event)?);
        }
        for _ in 0..meta.excess(keep.events).max(keep.expired) {
            rows.push((key::event(domain, meta.oldest.0), None));
            meta.oldest = Cursor(meta.oldest.0 + 1);
        }
        rows.push(meta_row(domain, &meta)?);
        let committed = meta.committed();
        self.add(rows);
        domains.insert(domain.clone(), meta);
        Ok(committed)
    }

    /// Adds the record of the store, and takes everything for writing.
    pub(super) fn take(&mut self, store: Vec<u8>) -> sled::Batch {
        self.rows = 0;
        let mut batch = std::mem::take(&mut self.batch);
        batch.insert(key::STORE, store);
        batch
    }

    fn add(&mut self, rows: Vec<Row>) {
        self.rows += rows.len();
        for (key, body) in rows {
            match body {
                Some(body) => self.batch.insert(key, body),
                None => self.batch.remove(key),
            }
        }
    }
}

fn change_row(domain: &DomainName, change: &Change) -> Result<Option<Row>, serde_json::Error> {
    let (key, body) = match change {
        Change::PutInstallation(id) => {
            (key::prefix(domain, Kind::Installation), Some(body::encode(Kind::Installation.name(), id)?))
        }
        Change::PutVm(vm) => (key::vm(domain, &vm.name), Some(body::encode(Kind::Vm.name(), vm)?)),
        Change::RemoveVm(name) => (key::vm(domain, name), None),
        Change::PutLease(lease) => {
            (key::lease(domain, &lease.id), Some(body::encode(Kind::Lease.name(), lease)?))
        }
        Change::RemoveLease(id) => (key::lease(domain, id), None),
        Change::PutRequest(request) => {
            (key::request(domain, &request.id), Some(body::encode(Kind::Request.name(), request)?))
        }
        Change::RemoveRequest(id) => (key::request(domain, id), None),
        Change::PutPool(pool) => {
            (key::pool(domain, &pool.name), Some(body::encode(Kind::Pool.name(), pool)?))
        }
        Change::RemovePool(name) => (key::pool(domain, name), None),
        // `change::check_all` refused the batch.
        _ => return Ok(None),
    };
    Ok(Some((key, body)))
}

fn event_row(domain: &DomainName, cursor: Cursor, event: &Event) -> Result<Row, serde_json::Error> {
    Ok((key::event(domain, cursor.0), Some(body::encode(Kind::Event.name(), event)?)))
}

fn meta_row(domain: &DomainName, meta: &DomainMeta) -> Result<Row, serde_json::Error> {
    Ok((key::prefix(domain, Kind::Domain), Some(body::encode(Kind::Domain.name(), meta)?)))
}
