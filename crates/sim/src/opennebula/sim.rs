//! The simulated server, without its sockets.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use vmpool_dummy::{Clock, CloudError, DummyCloud, DummyConfig, FaultConfig};
use vmpool_model::states::opennebula::{LcmState, VmState};

use super::{
    SimConfig,
    cloud::Cloud,
    methods::{is_read, method},
    place::Place,
    wire::{AUTHENTICATION, Answer, Call, Failure, Fault, Params, Value, fault, refuse, respond},
};
use crate::{clock::system_clock, hypervisor::Hypervisor};

/// A simulated OpenNebula; clones are handles to the same one.
///
/// What its VMs run on are the nodes of a [`DummyCloud`], which can be looked into, made to fail and robbed of nodes:
///
/// ```
/// use vmpool_dummy::Fault;
/// use vmpool_driver::Operation;
/// use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig};
/// let sim = OpenNebulaSim::new(SimConfig::default())?;
/// // The next VM that boots ends in BOOT_FAILURE.
/// sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
/// # Ok::<(), vmpool_dummy::CloudError>(())
/// ```
#[derive(Clone)]
pub struct OpenNebulaSim {
    cloud: Arc<Mutex<Cloud>>,
    nodes: DummyCloud,
}

/// How a call ends for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With this answer.
    Answered(String),
    /// Without any: the connection ends.
    Lost,
}

impl OpenNebulaSim {
    /// Makes a new cloud that goes by the system's clock.
    ///
    /// # Errors
    ///
    /// If there can be no cloud of nodes under it.
    pub fn new(config: SimConfig) -> Result<Self, CloudError> {
        Self::with_clock(config, system_clock())
    }

    /// Makes a new cloud that goes by another clock, such as one that a test moves.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn with_clock(config: SimConfig, clock: Clock) -> Result<Self, CloudError> {
        // What is lost on the wire is lost here; everything else happens to the nodes.
        let mut faults: FaultConfig = config.faults;
        (faults.lost_requests, faults.lost_answers) = (0.0, 0.0);
        let nodes = DummyConfig::default().with_seed(config.seed).with_faults(faults);
        let nodes = DummyCloud::in_memory(nodes)?.with_clock(Arc::clone(&clock));
        let cloud = Cloud::new(config, clock, Hypervisor::new(nodes.clone(), "opennebula"));
        Ok(Self { cloud: Arc::new(Mutex::new(cloud)), nodes })
    }

    /// Returns the nodes that the VMs run on.
    #[must_use]
    pub fn nodes(&self) -> &DummyCloud {
        &self.nodes
    }

    /// Answers a call of XML-RPC, as if it had come over a socket; no answer of it is ever lost.
    #[must_use]
    pub fn answer(&self, body: &[u8]) -> String {
        match Call::parse(body) {
            Err(broken) => fault(&broken),
            Ok(call) => respond(&call.method, &self.lock().handle(&call)),
        }
    }

    /// Changes the configuration from now on: delays, scheduler and faults on the wire; what there is stays.
    pub fn reconfigure(&self, change: impl FnOnce(&mut SimConfig)) {
        change(&mut self.lock().config);
    }

    /// Returns the states of a VM.
    #[must_use]
    pub fn state(&self, id: i32) -> Option<(VmState, LcmState)> {
        let mut cloud = self.lock();
        let now = (cloud.clock)();
        cloud.advance(id, now);
        cloud.vms.get(&id).map(|vm| (vm.place.state, vm.place.lcm))
    }

    /// Puts a VM into a state, whatever led there; the LCM state counts only with [`VmState::Active`].
    ///
    /// It goes on from there by itself, if it does from that state. Returns whether there is such a VM.
    pub fn set_state(&self, id: i32, state: VmState, lcm: LcmState) -> bool {
        let mut cloud = self.lock();
        let now = (cloud.clock)();
        let Some(vm) = cloud.vms.get_mut(&id) else { return false };
        let lcm = if state == VmState::Active { lcm } else { LcmState::LcmInit };
        (vm.place, vm.since, vm.is_stuck) = (Place { state, lcm }, now, false);
        true
    }

    /// Returns how long a call takes over a socket.
    pub(crate) fn latency(&self) -> Duration {
        self.lock().config.latency
    }

    /// Answers a call as a server does whose answers can be lost.
    pub(crate) fn answer_or_lose(&self, body: &[u8]) -> Ending {
        let call = match Call::parse(body) {
            Err(broken) => return Ending::Answered(fault(&broken)),
            Ok(call) => call,
        };
        let mut cloud = self.lock();
        let can_be_lost = !is_read(&call.method);
        let faults = cloud.config.faults;
        if can_be_lost && cloud.chance(faults.lost_requests) {
            return Ending::Lost;
        }
        let answer = cloud.handle(&call);
        match can_be_lost && cloud.chance(faults.lost_answers) {
            true => Ending::Lost,
            false => Ending::Answered(respond(&call.method, &answer)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud {
    /// Carries out a call: finds the method and the caller, lets the time pass, and asks the method.
    fn handle(&mut self, call: &Call) -> Answer {
        let Some(method) = method(&call.method) else {
            let text = format!("Method '{}' not defined", call.method);
            return Err(Failure::Fault(Fault::new(-506, text)));
        };
        let session = Params(&call.params).text(0)?;
        let now = (self.clock)();
        self.requests = self.requests.wrapping_add(1);
        let Some(caller) = self.authenticate(session, now) else {
            return refuse(AUTHENTICATION, "User couldn't be authenticated, aborting call.");
        };
        self.advance_all(now);
        let rest: &[Value] = call.params.get(1..).unwrap_or_default();
        method(self, &caller, Params(rest), now)
    }

    fn chance(&mut self, probability: f64) -> bool {
        0.0 < probability && self.rng.f64() < probability
    }
}

impl std::fmt::Debug for OpenNebulaSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenNebulaSim").field("cloud", &*self.lock()).finish_non_exhaustive()
    }
}
