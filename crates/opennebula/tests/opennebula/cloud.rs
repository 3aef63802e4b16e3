//! The simulated OpenNebula behind a server that remembers what it was asked, under a clock that the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use vmpool_model::{
    Timestamp,
    states::opennebula::{LcmState, VmState},
};
use vmpool_opennebula::{
    client::{Client, ClientConfig, Session},
    driver::OpenNebulaDriver,
    rpc::Call,
};
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimUser};

use crate::server::{Act, Server, http};

/// A simulated OpenNebula in which every step takes a second.
#[derive(Debug)]
pub(crate) struct Cloud {
    sim: OpenNebulaSim,
    clock: Arc<AtomicI64>,
}

/// Starts a cloud, and makes a driver for its administrator or for a plain user.
pub(crate) async fn cloud(is_admin: bool) -> (Server, Cloud, OpenNebulaDriver) {
    let clock = Arc::new(AtomicI64::new(1_795_251_939_000));
    let reading = Arc::clone(&clock);
    let tell = Arc::new(move || Timestamp::from_millis(reading.load(Ordering::Relaxed)));
    let second = Duration::from_secs(1);
    let config = SimConfig::default().with_boot(second).with_step(second).with_user(plain_user());
    let sim = OpenNebulaSim::with_clock(config, tell).unwrap();
    let answering = sim.clone();
    let server = Server::start(move |call| {
        vec![Act::Send(http(answering.answer(call.to_xml().as_bytes()).as_bytes()))]
    })
    .await;
    let driver = OpenNebulaDriver::connect(client(&server.endpoint, is_admin)).await.unwrap();
    (server, Cloud { sim, clock }, driver)
}

/// Makes a client of a simulated server.
pub(crate) fn client(endpoint: &str, is_admin: bool) -> Client {
    let session = if is_admin { Session::of("oneadmin", "opennebula") } else { Session::of("ci", "hunter2") };
    Client::new(ClientConfig::new(endpoint, session)).unwrap()
}

/// The user that is no administrator.
pub(crate) fn plain_user() -> SimUser {
    SimUser::new("ci", "hunter2")
}

impl Cloud {
    /// Sets the numbers of a state.
    pub(crate) fn set_state(&self, id: i32, state: i32, lcm: i32) {
        assert!(self.sim.set_state(id, VmState::from_number(state), LcmState::from_number(lcm)));
    }

    /// Returns the name of the state that a VM has within `ACTIVE`.
    pub(crate) fn lcm_state(&self, id: i32) -> &'static str {
        self.sim.state(id).unwrap().1.str_lcm_state()
    }

    /// Returns the state that a VM has a second later.
    pub(crate) fn state_after_a_second(&self, id: i32) -> VmState {
        self.clock.fetch_add(1000, Ordering::Relaxed);
        self.sim.state(id).unwrap().0
    }

    /// Returns the simulated cloud itself, for a server of another kind.
    pub(crate) fn answering(&self) -> OpenNebulaSim {
        self.sim.clone()
    }

    /// Notes something about a VM that no answer can be sent with.
    pub(crate) fn poison(&self, id: i32) {
        let call = Call::new("one.vm.update").with("oneadmin:opennebula").with(id);
        let answer =
            self.sim.answer(call.with("<T><LABELS>&#128640;</LABELS></T>").with(1).to_xml().as_bytes());
        assert!(answer.contains("<boolean>1</boolean>"), "{answer}");
    }
}
