//! What a simulated OpenNebula can be told.

use std::time::Duration;

use vmpool_dummy::FaultConfig;

/// What a simulated OpenNebula can be told; with the defaults it is faultless and as fast as its clients.
///
/// It always has the user `oneadmin` with the password `opennebula`, the image `disk0`, the network `net` and the
/// templates `small` and `large`, each with the id 0, but for `large`, which is 1.
///
/// ```
/// use std::time::Duration;
/// use vmpool_sim::opennebula::{SimConfig, SimUser};
/// let config = SimConfig::default()
///     .with_boot(Duration::from_secs(2))
///     .with_user(SimUser::new("ci", "hunter2"));
/// assert_eq!(config.users.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SimConfig {
    /// Where all random choices come from. Default: 0.
    pub seed: u64,
    /// How long a VM is in a state of booting, such as `BOOT`. Default: 0 s.
    pub boot: Duration,
    /// How long a VM is in every other state that passes by itself, such as `PROLOG` or `SHUTDOWN`. Default: 0 s.
    pub step: Duration,
    /// How long a call takes before it has its effect, over a socket. Default: 0 s.
    pub latency: Duration,
    /// How long a pending VM waits for the scheduler; with none there is no scheduler, and VMs wait for a `deploy`. Default: 0 s.
    pub schedule: Option<Duration>,
    /// The plain users beside `oneadmin`; their ids are 2, 3 and so on, and their group is `users`. Default: none.
    pub users: Vec<SimUser>,
    /// How many hosts there are. Default: 2.
    pub hosts: i32,
    /// How many processors each host has. Default: 64.
    pub host_cpus: u32,
    /// How much memory each host has, in megabytes. Default: 262,144.
    pub host_memory: u64,
    /// Whether templates, images and networks can be used by `oneadmin` only, as they are on a server on which nobody changed
    /// their permissions. Default: no, everybody can.
    pub is_private: bool,
    /// What goes wrong by chance. Lost requests and answers are those of calls that change something; `boot_failure`,
    /// `fail_create` and `half_done_creates` let a boot fail; `death_rate` lets running VMs become `UNKNOWN`. The faults of
    /// listings have no effect. Default: nothing.
    pub faults: FaultConfig,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            boot: Duration::ZERO,
            step: Duration::ZERO,
            latency: Duration::ZERO,
            schedule: Some(Duration::ZERO),
            users: Vec::new(),
            hosts: 2,
            host_cpus: 64,
            host_memory: 262_144,
            is_private: false,
            faults: FaultConfig::default(),
        }
    }
}

impl SimConfig {
    /// Chooses the seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Chooses how long VMs boot.
    #[must_use]
    pub fn with_boot(self, boot: Duration) -> Self {
        Self { boot, ..self }
    }

    /// Chooses how long every other state on the way to another takes.
    #[must_use]
    pub fn with_step(self, step: Duration) -> Self {
        Self { step, ..self }
    }

    /// Chooses how long calls take over a socket.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Does without a scheduler: a pending VM waits until it is deployed by a call.
    #[must_use]
    pub fn without_scheduler(self) -> Self {
        Self { schedule: None, ..self }
    }

    /// Adds a plain user.
    #[must_use]
    pub fn with_user(mut self, user: SimUser) -> Self {
        self.users.push(user);
        self
    }

    /// Chooses how large the hosts are: how many there are, and the processors and megabytes of memory of each.
    #[must_use]
    pub fn with_hosts(self, hosts: i32, host_cpus: u32, host_memory: u64) -> Self {
        Self { hosts, host_cpus, host_memory, ..self }
    }

    /// Lets templates, images and networks be used by `oneadmin` only.
    #[must_use]
    pub fn private(self) -> Self {
        Self { is_private: true, ..self }
    }

    /// Chooses what goes wrong by chance.
    #[must_use]
    pub fn with_faults(self, faults: FaultConfig) -> Self {
        Self { faults, ..self }
    }
}

/// A plain user of a simulated OpenNebula.
#[derive(Clone, PartialEq, Eq)]
pub struct SimUser {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl SimUser {
    /// Makes a user; a name has no colon in it.
    #[must_use]
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self { name: name.into(), password: password.into() }
    }
}

/// Shows no password.
impl std::fmt::Debug for SimUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimUser").field("name", &self.name).finish_non_exhaustive()
    }
}
