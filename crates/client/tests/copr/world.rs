//! A daemon with two groups, and Copr's client of it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::sync::Arc;

use tokio::{sync::oneshot, task::JoinHandle};
use vmpool::store::{MemoryStore, Store};
use vmpool_client::{
    Client,
    compat::copr::{Job, VmDescriptor, VmError, VmManager},
};
use vmpool_server::{Config, Daemon, DaemonError};

/// Two groups of pools whose used VMs wait for their users.
pub(crate) const TWO_GROUPS: &str = r#"
[daemon]
listen = "127.0.0.1:0"

[access]
open_loopback = true

[providers.lab]
driver = "dummy"
list_interval = "20ms"

[pools.x86]
provider = "lab"
template = "builder"
size = 2
on_release = "reuse"
dirty_timeout = "10m"

[pools.ppc]
provider = "lab"
template = "builder"
size = 1
on_release = "reuse"
"#;

/// A running daemon, and its client.
pub(crate) struct World {
    pub(crate) manager: VmManager,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), DaemonError>>,
}

/// Makes a client of a daemon whose groups are 0 and 1.
pub(crate) fn manager(url: &str) -> VmManager {
    VmManager::new(Client::new(url).unwrap(), [(0, "x86"), (1, "ppc")])
}

impl World {
    pub(crate) async fn start(config: &str) -> Self {
        Self::on(config, Arc::new(MemoryStore::new())).await
    }

    /// Starts a daemon on records that another one may have left.
    pub(crate) async fn on(config: &str, store: Arc<dyn Store>) -> Self {
        let registry = vmpool::drivers::builtin();
        let config = Config::parse(config, "vmpool.toml", &registry).unwrap();
        let daemon = Daemon::start_with_store(config, &registry, store).await.unwrap();
        let manager = manager(&format!("http://{}", daemon.address()));
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(daemon.run(async {
            let _ = stopped.await;
        }));
        Self { manager, stop, running }
    }

    /// Starts a daemon and waits until each group has so many VMs in a state.
    pub(crate) async fn with(config: &str, state: &str, counts: [usize; 2]) -> Self {
        let world = Self::start(config).await;
        for (group, count) in (0..).zip(counts) {
            world.until(group, state, count).await;
        }
        world
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    /// Waits until a group has so many VMs in a state, and returns them.
    pub(crate) async fn until(&self, group: u32, state: &str, count: usize) -> Vec<VmDescriptor> {
        let mut events = self.manager.client().follow(Some(0));
        loop {
            let found = self.manager.get_vm_by_group_and_state_list(Some(group), &[state]).await.unwrap();
            if found.len() == count {
                return found;
            }
            events.next().await.unwrap();
        }
    }

    /// Acquires for no job in particular.
    pub(crate) async fn acquire(
        &self,
        groups: &[u32],
        owner: &str,
        sandbox: &str,
    ) -> Result<VmDescriptor, VmError> {
        self.manager.acquire_vm(groups, owner, sandbox, 4711, &Job::default()).await
    }

    /// Counts the events of a kind about a VM.
    pub(crate) async fn events(&self, kind: &str, vm: &str) -> usize {
        let events = self.manager.client().events_of(vm, 0, 1000).await.unwrap().events;
        events.iter().filter(|event| event.kind == kind).count()
    }
}

#[track_caller]
pub(crate) fn none_available<T: std::fmt::Debug>(asked: Result<T, VmError>) {
    assert!(matches!(asked, Err(VmError::NoVmAvailable { .. })), "{asked:?}");
}
