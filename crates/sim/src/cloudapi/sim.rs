//! The simulated server, without its sockets.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::json;
use vmpool_dummy::{Clock, CloudError, DummyCloud, DummyConfig, FaultConfig};
use vmpool_model::{Timestamp, states::cloudapi::MachineState};

use super::{
    SimConfig,
    calls::{Asked, checked},
    cloud::Cloud,
    keys::InvalidKey,
    reply::{Answer, Refusal, SimReply, refuse},
    request::SimRequest,
    routes::route,
    times::http_date,
    versions::{VERSIONS, newest},
};
use crate::{clock::system_clock, hypervisor::Hypervisor};

/// How long a server in maintenance asks its callers to wait.
const MAINTENANCE: Duration = Duration::from_secs(60);

/// A simulated CloudAPI; clones are handles to the same one.
///
/// What its machines run on are the nodes of a [`DummyCloud`], which can be looked into, made to fail and robbed of nodes:
///
/// ```
/// use vmpool_dummy::Fault;
/// use vmpool_driver::Operation;
/// use vmpool_sim::cloudapi::{CloudApiSim, SimConfig};
/// let sim = CloudApiSim::new(SimConfig::default())?;
/// // The next machine that is provisioned ends in the state `failed`.
/// sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
/// # Ok::<(), vmpool_sim::cloudapi::SimError>(())
/// ```
#[derive(Clone)]
pub struct CloudApiSim {
    cloud: Arc<Mutex<Cloud>>,
    nodes: DummyCloud,
}

/// Says why there can be no such cloud.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// There can be no cloud of nodes under it.
    #[error(transparent)]
    Nodes(#[from] CloudError),
    /// A key of an account is none.
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

/// How a call ends for its caller.
#[derive(Debug)]
pub(super) enum Ending {
    /// With this answer.
    Answered(SimReply),
    /// Without any: the connection ends.
    Lost,
}

impl CloudApiSim {
    /// Makes a new cloud that goes by the system's clock.
    ///
    /// # Errors
    ///
    /// [`SimError`].
    pub fn new(config: SimConfig) -> Result<Self, SimError> {
        Self::with_clock(config, system_clock())
    }

    /// Makes a new cloud that goes by another clock, such as one that a test moves.
    ///
    /// # Errors
    ///
    /// [`SimError`].
    pub fn with_clock(config: SimConfig, clock: Clock) -> Result<Self, SimError> {
        // What is lost or refused on the wire is so here; everything else happens to the nodes.
        let mut faults: FaultConfig = config.faults;
        (faults.lost_requests, faults.lost_answers, faults.fail_create) = (0.0, 0.0, 0.0);
        let nodes = DummyConfig::default().with_seed(config.seed).with_faults(faults);
        let nodes = DummyCloud::in_memory(nodes)?.with_clock(Arc::clone(&clock));
        let cloud = Cloud::new(config, clock, Hypervisor::new(nodes.clone(), "cloudapi"))?;
        Ok(Self { cloud: Arc::new(Mutex::new(cloud)), nodes })
    }

    /// Returns the nodes that the machines run on.
    #[must_use]
    pub fn nodes(&self) -> &DummyCloud {
        &self.nodes
    }

    /// Answers a request as if it had come over a socket; no answer of it is ever lost.
    #[must_use]
    pub fn answer(&self, request: &SimRequest) -> SimReply {
        self.lock().handle(request)
    }

    /// Changes the configuration from now on: delays, limits and faults on the wire; what there is stays.
    pub fn reconfigure(&self, change: impl FnOnce(&mut SimConfig)) {
        change(&mut self.lock().config);
    }

    /// Returns the state of a machine that callers see.
    #[must_use]
    pub fn state(&self, id: &str) -> Option<MachineState> {
        let mut cloud = self.lock();
        let now = (cloud.clock)();
        cloud.advance(id, now);
        cloud.machines.get(id).map(|machine| MachineState::from_text(machine.shown_state()))
    }

    /// Puts a machine into a state, whatever led there, and forgets what was being done with it; returns whether there is such
    /// a machine.
    pub fn set_state(&self, id: &str, state: MachineState) -> bool {
        let mut cloud = self.lock();
        let now = (cloud.clock)();
        cloud.advance(id, now);
        let Some(machine) = cloud.machines.get_mut(id) else { return false };
        machine.jobs.clear();
        machine.is_lost = state == MachineState::Unknown;
        if !machine.is_lost {
            machine.state = state;
        }
        true
    }

    /// Returns how long a call takes over a socket.
    pub(super) fn latency(&self) -> Duration {
        self.lock().config.latency
    }

    /// Returns what time it is for the server.
    pub(super) fn now(&self) -> Timestamp {
        (self.lock().clock)()
    }

    /// Answers a request as a server does whose answers can be lost.
    pub(super) fn answer_or_lose(&self, request: &SimRequest) -> Ending {
        let mut cloud = self.lock();
        let faults = cloud.config.faults;
        if !request.is_read() && cloud.chance(faults.lost_requests) {
            return Ending::Lost;
        }
        let answer = cloud.handle(request);
        match !request.is_read() && cloud.chance(faults.lost_answers) {
            true => Ending::Lost,
            false => Ending::Answered(answer),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud {
    fn handle(&mut self, request: &SimRequest) -> SimReply {
        match self.respond(request) {
            Ok(reply) => reply,
            Err(Refusal(reply)) => *reply,
        }
    }

    /// Carries out a call: finds it, chooses the version, finds the caller, lets the time pass, and asks the call.
    fn respond(&mut self, request: &SimRequest) -> Answer {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if segments == ["--ping"] && request.is_read() {
            let body = json!({"ping": "pong", "cloudapi": {"versions": VERSIONS}});
            let name = self.config.datacenter.clone();
            return Ok(SimReply::ok(body).with_header("triton-datacenter-name", name));
        }
        if segments.last() == Some(&"") {
            return refuse(500, "InternalError", "Internal Error");
        }
        let below = segments.get(1..).unwrap_or_default();
        let Some((name, call, names)) = route(&request.method, below) else {
            let text = format!("{} is not allowed", request.method);
            return Err(Refusal::new(405, "MethodNotAllowedError", &text).early());
        };
        check_accepted(request)?;
        let range = request.header("accept-version").unwrap_or("*");
        let Some(version) = newest(range) else {
            let text = format!("{range} is not supported by {} {}", request.method, request.path());
            return Err(Refusal::new(400, "InvalidVersion", &text).early());
        };
        let now = (self.clock)();
        let caller = self.authenticate(request, now)?;
        self.account_of(&caller, request, name)?;
        if let Some(limit) = self.config.limit {
            self.buckets.take(&caller.login, limit, now)?;
        }
        self.advance_all(now);
        let asked = Asked { request, caller, version, now };
        if self.config.is_read_only && !request.is_read() {
            self.refuse_change(&asked, below)?;
        }
        call(self, &asked, &names)
    }

    /// Refuses a change because of maintenance; that a machine is not there is told before.
    fn refuse_change(&self, asked: &Asked<'_>, below: &[&str]) -> Result<(), Refusal> {
        if let ["machines", id, ..] = below {
            checked(id)?;
            let machine = self.machine(&asked.caller.login, id)?;
            if machine.is_deleted() {
                return Err(Refusal::shown(410, machine.shown(asked.version)));
            }
        }
        let text = "This service is currently under maintenance";
        let refusal = Refusal::new(503, "ServiceUnavailableError", text);
        Err(refusal.with_header("retry-after", http_date(asked.now + MAINTENANCE)))
    }
}

/// Refuses a client that wants something else than JSON.
fn check_accepted(request: &SimRequest) -> Result<(), Refusal> {
    let accepted = request.header("accept").unwrap_or("*/*");
    let known =
        ["application/json", "text/plain", "application/octet-stream", "application/javascript", "*/*"];
    match known.iter().chain(&["application/*", "text/*"]).any(|kind| accepted.contains(kind)) {
        true => Ok(()),
        false => {
            let text =
                "Server accepts: application/json,text/plain,application/octet-stream,application/javascript";
            Err(Refusal::new(406, "NotAcceptableError", text).early())
        }
    }
}

impl std::fmt::Debug for CloudApiSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudApiSim").field("cloud", &*self.lock()).finish_non_exhaustive()
    }
}
