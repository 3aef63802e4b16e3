//! How many connections this process has to one server.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::endpoint::Endpoint;

/// How many connections a process may have to one server, which has fifteen for everybody.
const CONNECTIONS: usize = 8;

/// The servers that are in use.
///
/// It is the one thing that drivers of different accounts share: the server counts connections, not accounts.
static GATES: LazyLock<Mutex<HashMap<String, Weak<Semaphore>>>> = LazyLock::new(Mutex::default);

/// Lets so many calls to one server through at a time, whoever makes them.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Semaphore>);

impl Gate {
    /// Returns the gate of a server.
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        gates.retain(|_, gate| 0 < gate.strong_count());
        let server = endpoint.server();
        if let Some(gate) = gates.get(&server).and_then(Weak::upgrade) {
            return Self(gate);
        }
        let gate = Arc::new(Semaphore::new(CONNECTIONS));
        gates.insert(server, Arc::downgrade(&gate));
        Self(gate)
    }

    /// Waits for a place; nothing is never returned, since gates are not closed.
    pub(super) async fn pass(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_one_server_share_a_gate_and_others_do_not() {
        let gate = |text| Gate::of(&Endpoint::parse(text).unwrap());
        let (one, same, other) =
            (gate("http://gate-1/a"), gate("http://GATE-1:80/b"), gate("http://gate-2/"));
        assert!(Arc::ptr_eq(&one.0, &same.0));
        assert!(!Arc::ptr_eq(&one.0, &other.0));
        assert_eq!(one.0.available_permits(), 8);
    }
}
