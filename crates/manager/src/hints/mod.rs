//! What providers say by themselves, and what is worth a look without that: let through as far as it may cost requests.

mod batch;
mod budget;
mod listen;
mod starts;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};
use vmpool_driver::Driver;
use vmpool_engine::{Engine, Input, Worth};
use vmpool_model::{NodeId, ProviderName, Timestamp, VmName, config::ProviderConfig};

pub(crate) use self::starts::node_of_start;
use self::{
    batch::Batch,
    budget::Budget,
    listen::{Heard, News},
    starts::Starts,
};
use crate::{setup::Drivers, view::Listings};

/// How many messages of those who listen may wait; they read no further meanwhile.
const QUEUE: usize = 64;

/// How many nodes are looked at one by one; for more of them a listing is the better look.
const MOST_NODES: usize = 4;

/// Whether the stream is open in which a provider says by itself when something changes.
///
/// Nothing depends on it but how soon a change is seen: the provider is listed all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventStream {
    /// It was not opened yet.
    Opening,
    /// It is open.
    Up {
        /// Since when.
        since: Timestamp,
    },
    /// It could not be opened, or ended; it is opened again.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why it could not be opened last, or why it ended.
        why: String,
    },
    /// The provider itself says that it has no such stream; it is not asked again before the next start.
    NotOffered {
        /// What the provider says.
        why: String,
    },
}

/// Listens to all providers that speak by themselves.
#[derive(Debug)]
pub(crate) struct Hints {
    listeners: BTreeMap<ProviderName, Listener>,
    /// The VMs that start, of every provider.
    starts: BTreeMap<ProviderName, Starts>,
    tasks: JoinSet<()>,
    tell: mpsc::Sender<Heard>,
    heard: mpsc::Receiver<Heard>,
    /// What was heard, and not taken in yet.
    inbox: Vec<Heard>,
    /// Tells those who listen from those of before.
    generation: u64,
}

/// One provider that speaks by itself.
#[derive(Debug)]
struct Listener {
    driver: Arc<dyn Driver>,
    task: AbortHandle,
    generation: u64,
    stream: EventStream,
    /// What a look is worth at, once the budget allows one.
    pending: Batch,
    budget: Budget,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hints {
    /// Begins to listen to the providers whose drivers can.
    pub(crate) fn new(drivers: &Drivers) -> Self {
        let (tell, heard) = mpsc::channel(QUEUE);
        let (listeners, starts, tasks) = (BTreeMap::new(), BTreeMap::new(), JoinSet::new());
        let mut hints = Self { listeners, starts, tasks, tell, heard, inbox: Vec::new(), generation: 0 };
        hints.reconfigure(drivers);
        hints
    }

    /// Listens to other providers from now on; a driver that stays is listened to without a break.
    pub(crate) fn reconfigure(&mut self, drivers: &Drivers) {
        while self.tasks.try_join_next().is_some() {}
        let mut before = std::mem::take(&mut self.listeners);
        for (name, (config, driver)) in drivers {
            let same = before.remove(name).filter(|listener| Arc::ptr_eq(&listener.driver, driver));
            let listener = match same {
                Some(mut listener) => {
                    listener.budget.set(config);
                    listener
                }
                None if driver.capabilities().hints => self.listen(name, config, driver),
                None => continue,
            };
            self.listeners.insert(name.clone(), listener);
        }
        self.starts.retain(|name, _| drivers.contains_key(name));
        for (name, (config, _)) in drivers {
            self.starts.entry(name.clone()).or_insert_with(|| Starts::new(config)).set(config);
        }
    }

    /// Looks at a VM that starts before the next listing; a provider that says by itself when it has started is believed to.
    pub(crate) fn starting(&mut self, provider: &ProviderName, vm: &VmName, node: &NodeId, now: Timestamp) {
        if matches!(self.stream(provider), Some(EventStream::Up { .. })) {
            return;
        }
        if let Some(starts) = self.starts.get_mut(provider) {
            starts.add(vm, node, now);
        }
    }

    fn listen(&mut self, name: &ProviderName, config: &ProviderConfig, driver: &Arc<dyn Driver>) -> Listener {
        self.generation += 1;
        let teller =
            listen::Teller { name: name.clone(), generation: self.generation, tell: self.tell.clone() };
        Listener {
            driver: Arc::clone(driver),
            task: self.tasks.spawn(listen::listen(Arc::clone(driver), config.request_timeout, teller)),
            generation: self.generation,
            stream: EventStream::Opening,
            pending: Batch::default(),
            budget: Budget::new(config),
        }
    }

    /// Waits until a provider says something; dropping the future loses nothing.
    pub(crate) async fn hear(&mut self) {
        // This side keeps a sender, so there is always somebody who may still say something.
        self.heard.recv_many(&mut self.inbox, QUEUE).await;
    }

    /// Returns whether the stream of a provider is open; `None` if its driver cannot open one.
    pub(crate) fn stream(&self, name: &ProviderName) -> Option<&EventStream> {
        self.listeners.get(name).map(|listener| &listener.stream)
    }

    /// Returns when the budget allows a look that is worth it, if one is.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        let pending = self.listeners.values().filter(|listener| !listener.pending.is_empty());
        let starts = self.starts.values().filter_map(Starts::due_at);
        pending.map(|listener| listener.budget.due_at()).chain(starts).min()
    }

    /// Takes in what was heard, and returns what the engine is to be told of it now.
    pub(crate) fn take(&mut self, engine: &Engine, listings: &Listings, now: Timestamp) -> Vec<Input> {
        for Heard { provider, generation, news } in std::mem::take(&mut self.inbox) {
            let listener = self.listeners.get_mut(&provider);
            if let Some(listener) = listener.filter(|listener| listener.generation == generation) {
                listener.take_in(&provider, engine, news, now);
            }
        }
        let due = self.listeners.iter_mut();
        let due = due.filter_map(|(provider, listener)| listener.due(provider, engine, now));
        let starts = self.starts.iter_mut().filter_map(|(provider, starts)| {
            let nodes = listings.get(provider).map_or(0, |listing| listing.nodes);
            starts.due(provider, engine, nodes, now)
        });
        due.chain(starts).collect()
    }
}

impl Listener {
    fn take_in(&mut self, provider: &ProviderName, engine: &Engine, news: News, now: Timestamp) {
        match news {
            News::Up => {
                tracing::info!(%provider, "the provider says by itself when something changes");
                self.stream = EventStream::Up { since: now };
                // What happened before is not told.
                self.pending = Batch::all();
            }
            News::Down(why) => match &mut self.stream {
                EventStream::Down { why: last, .. } => *last = why,
                stream => {
                    tracing::warn!(%provider, "the stream of events is down, listings go on as ever: {why}");
                    *stream = EventStream::Down { since: now, why };
                }
            },
            News::NotOffered(why) => {
                tracing::info!(%provider, "the provider has no stream of events, listings go on as ever: {why}");
                self.stream = EventStream::NotOffered { why };
            }
            News::Hints(batch) => self.pending.add(batch.worth(provider, engine)),
        }
    }

    /// Takes what is to be looked at, as far as the budget allows.
    fn due(&mut self, provider: &ProviderName, engine: &Engine, now: Timestamp) -> Option<Input> {
        let room = self.budget.room(now);
        if self.pending.is_empty() || room == 0 {
            return None;
        }
        // What was worth a look may be so no more.
        let batch = std::mem::take(&mut self.pending).worth(provider, engine);
        if batch.is_empty() {
            return None;
        }
        let nodes = batch.into_nodes(MOST_NODES.min(room));
        self.budget.spend(now, nodes.len().max(1));
        Some(Input::Hint { provider: provider.clone(), nodes })
    }
}

impl Batch {
    /// Returns what of it is worth a request.
    fn worth(self, provider: &ProviderName, engine: &Engine) -> Self {
        let mut worth = Self::default();
        for hint in self {
            match engine.hint_worth(provider, hint.as_ref()) {
                Worth::Nothing => {}
                Worth::Node => worth.push(hint),
                // One listing is a look at everything.
                _ => return Self::all(),
            }
        }
        worth
    }
}
