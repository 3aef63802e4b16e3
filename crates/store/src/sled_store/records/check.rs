//! Whether records can be read, and fit together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::de::DeserializeOwned;
use vmpool_model::{DomainName, Event, InstallationId, Lease, PoolRecord, RequestRecord, VmRecord};

use crate::{
    KeptRecord, Misfit,
    sled_store::{
        body,
        key::{self, Kind},
        meta::DomainMeta,
    },
};

/// What was seen of all domains so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    domains: BTreeMap<String, Seen>,
}

/// What was seen of a domain so far.
#[derive(Debug, Default)]
struct Seen {
    meta: Option<DomainMeta>,
    /// Which events are missing between those that are there.
    gaps: Vec<(u64, u64)>,
    events: Option<(u64, u64)>,
    vms: BTreeSet<String>,
    /// The VMs that are leased, by lease.
    leased: BTreeMap<String, String>,
    /// The VM of each lease.
    leases: BTreeMap<String, String>,
}

impl Checks {
    /// Looks at a record by itself, and remembers what others must fit to; says what is wrong with it.
    pub(super) fn take(&mut self, store: &Path, record: &KeptRecord) -> Option<Misfit> {
        let seen = self.domains.entry(record.domain.clone()).or_default();
        let reader = Reader { store, record };
        let read = match record.kind.as_str() {
            "event" => {
                seen.event(&record.id);
                reader.read::<Event>(Kind::Event, |_| "")
            }
            "installation" => reader.read::<InstallationId>(Kind::Installation, |_| ""),
            "domain" => reader.read_with::<DomainMeta>(Kind::Domain, |_| "", |meta| seen.meta = Some(meta)),
            "pool" => reader.read::<PoolRecord>(Kind::Pool, |pool| pool.name.as_str()),
            "request" => reader.read::<RequestRecord>(Kind::Request, |request| request.id.as_str()),
            "lease" => {
                // One that cannot be read may be what a VM is leased under.
                seen.leases.insert(record.id.clone(), String::new());
                reader.read_with::<Lease>(
                    Kind::Lease,
                    |lease| lease.id.as_str(),
                    |lease| drop(seen.leases.insert(lease.id.to_string(), lease.vm.to_string())),
                )
            }
            _ => {
                seen.vms.insert(record.id.clone());
                reader.read_with::<VmRecord>(
                    Kind::Vm,
                    |vm| vm.name.as_str(),
                    |vm| {
                        let leased = vm.lease.map(|lease| (lease.to_string(), vm.name.to_string()));
                        seen.leased.extend(leased);
                    },
                )
            }
        };
        read.err().map(|why| Misfit { place: reader.place(), why })
    }

    /// Tells what does not fit together.
    pub(super) fn end(self, store: &Path) -> Vec<Misfit> {
        let domains = self.domains.into_iter();
        let misfits = domains.flat_map(|(domain, seen)| {
            let place = format!("{}, domain {domain}", store.display());
            seen.end().into_iter().map(move |why| Misfit { place: place.clone(), why })
        });
        misfits.collect()
    }
}

impl Seen {
    /// Notes an event; they come in order.
    fn event(&mut self, cursor: &str) {
        let Ok(cursor) = cursor.parse::<u64>() else { return };
        let (first, last) = self.events.unwrap_or((cursor, cursor.saturating_sub(1)));
        if last + 1 < cursor {
            self.gaps.push((last + 1, cursor - 1));
        }
        self.events = Some((first, cursor));
    }

    fn end(self) -> Vec<String> {
        let mut found = Vec::new();
        match &self.meta {
            None => found.push("the record of the domain itself is missing, or cannot be read".to_owned()),
            Some(meta) => {
                let (first, last) = self.events.unwrap_or((meta.oldest.0, meta.oldest.0.saturating_sub(1)));
                let (oldest, newest) = (meta.oldest.0, meta.cursor.0);
                if first != oldest || last != newest {
                    found.push(format!("the events {first} to {last} are there, not {oldest} to {newest}"));
                }
            }
        }
        let gaps = self.gaps.iter().map(|(from, to)| format!("the events {from} to {to} are missing"));
        found.extend(gaps);
        for (lease, vm) in self.leases.iter().filter(|(_, vm)| !vm.is_empty()) {
            match self.leased.get(lease) {
                Some(leased) if leased == vm => {}
                Some(other) => found.push(format!("lease {lease} is of VM {vm}, and {other} says it has it")),
                None if self.vms.contains(vm) => {
                    found.push(format!("lease {lease} is of VM {vm}, which does not say so"));
                }
                None => found.push(format!("lease {lease} is of VM {vm}, which is not there")),
            }
        }
        let without = self.leased.iter().filter(|(lease, _)| !self.leases.contains_key(*lease));
        found.extend(without.map(|(lease, vm)| format!("VM {vm} has lease {lease}, which is not there")));
        found
    }
}

/// Reads the body of one record.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    store: &'a Path,
    record: &'a KeptRecord,
}

impl Reader<'_> {
    fn read<T: DeserializeOwned>(self, kind: Kind, id: impl Fn(&T) -> &str) -> Result<(), String> {
        self.read_with(kind, id, drop)
    }

    fn read_with<T: DeserializeOwned>(
        self,
        kind: Kind,
        id: impl Fn(&T) -> &str,
        take: impl FnOnce(T),
    ) -> Result<(), String> {
        let body = self.record.body.to_string();
        let read: T =
            body::decode_at(String::new, kind.name(), body.as_bytes()).map_err(|err| match err {
                crate::StoreError::Damaged { reason, .. } => reason,
                crate::StoreError::NewerVersion { found, known, .. } => {
                    format!("it is of format {found}, this version reads up to {known}: use the newer vmpool")
                }
                other => other.to_string(),
            })?;
        let named = id(&read);
        if !named.is_empty() && named != self.record.id {
            return Err(format!("it says that it is {named}"));
        }
        take(read);
        Ok(())
    }

    fn place(self) -> String {
        let KeptRecord { domain, kind, id, .. } = self.record;
        let key = DomainName::new(domain.as_str()).ok().and_then(|name| key::of(&name, kind, id));
        match key {
            Some(key) => format!("{}, record {}", self.store.display(), key::show(&key)),
            None => format!("{}, {kind} {id} of domain {domain}", self.store.display()),
        }
    }
}
