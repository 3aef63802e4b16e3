//! The nodes of a cloud and what is counted about them; every change of them is data.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};
use vmpool_model::{Timestamp, Token};

use crate::machine::{ADDRESSES, Machine, address};

/// The nodes of a cloud, by number, and what is counted about them.
#[derive(Debug, Default)]
pub(crate) struct State {
    machines: BTreeMap<u64, Machine>,
    /// When which node will be gone.
    endings: BTreeSet<(Timestamp, u64)>,
    /// How many of the nodes carry a token.
    tokens: HashMap<Token, usize>,
    counts: Counts,
}

/// What is counted about the nodes of a cloud over its whole life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) next_number: u64,
    pub(crate) created: u64,
    pub(crate) peak: usize,
    pub(crate) duplicates: BTreeSet<Token>,
}

/// One change of the nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// A node is new or has changed.
    Upsert(Box<Machine>),
    /// The node of this number is gone.
    Remove(u64),
}

impl State {
    /// Makes a cloud without nodes that counts on from `counts`.
    pub(crate) fn new(counts: Counts) -> Self {
        Self { counts, ..Self::default() }
    }

    /// Makes a change.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Upsert(machine) => self.upsert(*machine),
            Change::Remove(number) => {
                self.take(number);
            }
        }
    }

    fn upsert(&mut self, machine: Machine) {
        let number = machine.number;
        let was = self.take(number);
        if let Some(end) = machine.end {
            self.endings.insert((end.gone_at, number));
        }
        if let Some(token) = &machine.token {
            let carriers = self.tokens.entry(token.clone()).or_default();
            *carriers += 1;
            if 1 < *carriers {
                self.counts.duplicates.insert(token.clone());
            }
        }
        self.machines.insert(number, machine);
        self.counts.created += u64::from(was.is_none());
        self.counts.next_number = self.counts.next_number.max(number + 1);
        self.counts.peak = self.counts.peak.max(self.machines.len());
    }

    fn take(&mut self, number: u64) -> Option<Machine> {
        let machine = self.machines.remove(&number)?;
        if let Some(end) = machine.end {
            self.endings.remove(&(end.gone_at, number));
        }
        if let Some(token) = &machine.token
            && let Some(carriers) = self.tokens.get_mut(token)
        {
            *carriers -= 1;
            if *carriers == 0 {
                self.tokens.remove(token);
            }
        }
        Some(machine)
    }

    /// Returns the removals of all nodes that are gone by now.
    pub(crate) fn ended(&self, now: Timestamp) -> Vec<Change> {
        let ended = self.endings.iter().take_while(|(gone_at, _)| *gone_at <= now);
        ended.map(|(_, number)| Change::Remove(*number)).collect()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Machine> {
        self.machines.get(&number)
    }

    /// Returns the lowest number that no node has, from the first one that was given on.
    pub(crate) fn free_number(&self) -> u64 {
        (1..).find(|number| !self.machines.contains_key(number)).unwrap_or(self.counts.next_number)
    }

    /// Returns the lowest address that no node has.
    pub(crate) fn free_address(&self) -> IpAddr {
        let taken: BTreeSet<_> = self.machines.values().filter_map(|machine| machine.address).collect();
        let mut free = (1..=ADDRESSES).map(address).filter(|address| !taken.contains(address));
        free.next().unwrap_or_else(|| address(self.counts.next_number))
    }

    /// Returns all nodes in the order of their creation.
    pub(crate) fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.machines.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.machines.len()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns the counts from which one gets to these by adding the nodes that there are.
    pub(crate) fn counts_before_machines(&self) -> Counts {
        let present = self.machines.len() as u64;
        Counts { created: self.counts.created.saturating_sub(present), ..self.counts.clone() }
    }
}
