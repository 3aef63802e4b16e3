//! All that there is in the simulated data center.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vmpool_dummy::Clock;
use vmpool_model::Timestamp;

use super::{
    SimConfig,
    catalog::{Catalog, text},
    generated::GeneratedKey,
    keys::{InvalidKey, SimKey},
    limits::Buckets,
    machine::{Machine, Nic},
    reply::{Refusal, missing},
};
use crate::hypervisor::Hypervisor;

/// How many addresses a network has.
const ADDRESSES: u32 = 1000;

/// All that there is in the simulated data center.
pub(super) struct Cloud {
    pub(super) config: SimConfig,
    pub(super) clock: Clock,
    pub(super) hypervisor: Hypervisor,
    pub(super) rng: fastrand::Rng,
    pub(super) catalog: Catalog,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) machines: BTreeMap<String, Machine>,
    pub(super) buckets: Buckets,
    /// The networks and addresses that are taken, by how far they are from the first one of the network.
    leases: BTreeSet<(String, u32)>,
    /// How many jobs there were.
    pub(super) jobs: u64,
}

/// An account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) login: String,
    pub(super) keys: Vec<SimKey>,
    pub(super) users: BTreeMap<String, Vec<SimKey>>,
    pub(super) is_disabled: bool,
    pub(super) is_approved: bool,
    pub(super) made_at: Timestamp,
    pub(super) rules: Vec<Rule>,
    /// What `role-tag` was set to, by path.
    pub(super) role_tags: BTreeMap<String, Vec<Value>>,
}

/// A rule of the firewall.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) rule: String,
    pub(super) is_enabled: bool,
    pub(super) description: Option<String>,
}

impl Cloud {
    pub(super) fn new(
        mut config: SimConfig,
        clock: Clock,
        hypervisor: Hypervisor,
    ) -> Result<Self, InvalidKey> {
        if config.accounts.is_empty() {
            let key = GeneratedKey::from_seed(config.seed)?;
            config.accounts.push(super::SimAccount::new("sim").with_key("sim", key.public_key()));
        }
        let now = clock();
        let mut cloud = Self {
            rng: fastrand::Rng::with_seed(config.seed),
            hypervisor,
            catalog: Catalog::new(),
            accounts: BTreeMap::new(),
            machines: BTreeMap::new(),
            buckets: Buckets::default(),
            leases: BTreeSet::new(),
            jobs: 0,
            clock,
            config,
        };
        for account in cloud.config.accounts.clone() {
            let keys = account.keys.iter().map(|(name, line)| SimKey::parse(name, line));
            let users = account.users.iter().map(|(login, line)| {
                let key = SimKey::parse(login, line)?;
                Ok((login.clone(), vec![key]))
            });
            let made = Account {
                id: cloud.uuid(),
                login: account.login.clone(),
                keys: keys.collect::<Result<_, _>>()?,
                users: users.collect::<Result<_, _>>()?,
                is_disabled: account.is_disabled,
                is_approved: account.is_approved,
                made_at: now,
                rules: Vec::new(),
                role_tags: BTreeMap::new(),
            };
            cloud.accounts.insert(account.login, made);
        }
        Ok(cloud)
    }

    /// Makes an id.
    pub(super) fn uuid(&mut self) -> String {
        let bits = self.rng.u128(..);
        let (high, low) = (bits >> 64, bits & u128::from(u64::MAX));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            (high >> 32) & 0xffff_ffff,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    }

    /// Returns a machine of an account.
    pub(super) fn machine(&self, login: &str, id: &str) -> Result<&Machine, Refusal> {
        match self.machines.get(id) {
            Some(machine) if machine.owner == login => Ok(machine),
            _ => missing("VM not found"),
        }
    }

    /// Changes a machine together with what is around it.
    pub(super) fn with_machine<T>(
        &mut self,
        login: &str,
        id: &str,
        change: impl FnOnce(&mut Self, &mut Machine) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.machine(login, id)?;
        let Some(mut machine) = self.machines.remove(id) else { return missing("VM not found") };
        let result = change(self, &mut machine);
        self.machines.insert(id.to_owned(), machine);
        result
    }

    /// Makes a network interface on a network.
    pub(super) fn nic(&mut self, network: &str, is_primary: bool) -> Nic {
        let free = (5..ADDRESSES).find(|offset| !self.leases.contains(&(network.to_owned(), *offset)));
        let offset = free.unwrap_or(ADDRESSES);
        self.leases.insert((network.to_owned(), offset));
        let [_, _, low @ ..] = self.rng.u64(..).to_be_bytes();
        let [_, _, _, a, b, c] = low;
        let (base, netmask) = range(network, &self.catalog);
        let ip = |offset: u32| std::net::Ipv4Addr::from_bits(base + offset).to_string();
        Nic {
            mac: format!("90:b8:d0:{a:02x}:{b:02x}:{c:02x}"),
            ip: ip(offset),
            is_primary,
            gateway: ip(1),
            netmask,
            network: network.to_owned(),
            offset,
        }
    }

    /// Gives back the address of a network interface.
    pub(super) fn release(&mut self, nic: &Nic) {
        self.leases.remove(&(nic.network.clone(), nic.offset));
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        0.0 < probability && self.rng.f64() < probability
    }
}

/// Returns where the addresses of a network begin, and their mask.
fn range(network: &str, catalog: &Catalog) -> (u32, &'static str) {
    match catalog.network(network).map(|network| text(network, "name")) {
        // A range that no real machine has, and that is none of those inside of networks.
        Some("external") => (0xc612_0000, "255.255.0.0"),
        Some("internal") => (0x0a63_0000, "255.255.0.0"),
        _ => (0xc0a8_8000, "255.255.252.0"),
    }
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud")
            .field("config", &self.config)
            .field("machines", &self.machines.len())
            .finish_non_exhaustive()
    }
}
