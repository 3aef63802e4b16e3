//! What a simulated CloudAPI can be told.

use std::time::Duration;

use vmpool_dummy::FaultConfig;

/// What a simulated CloudAPI can be told; with the defaults it is faultless and as fast as its clients.
///
/// It always has the packages `sample-128M`, `sample-256M`, `sample-1G`, `sample-bhyve-1G` and `sample-bhyve-flex-1G`, three
/// images and three networks. Without any account it has the account `sim` with a [`GeneratedKey`](super::GeneratedKey).
///
/// ```
/// use std::time::Duration;
/// use vmpool_sim::cloudapi::{SimAccount, SimConfig};
/// let config = SimConfig::default().with_boot(Duration::from_secs(2)).with_account(
///     SimAccount::new("ops").with_key("mine", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICdz/yAl4aH8X46UQkdT3ytMbbmelBLC5/WiJYZP2N/O"),
/// );
/// assert_eq!(config.accounts.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SimConfig {
    /// Where all random choices come from, the key of the account `sim` included. Default: 0.
    pub seed: u64,
    /// How long a machine is provisioned, and how long it boots. Default: 0 s.
    pub boot: Duration,
    /// How long every other change of a machine takes. Default: 0 s.
    pub step: Duration,
    /// How long a call takes before it has its effect, over a socket. Default: 0 s.
    pub latency: Duration,
    /// The accounts. Default: `sim` alone.
    pub accounts: Vec<SimAccount>,
    /// The name of the data center. Default: `coal`.
    pub datacenter: String,
    /// How many machines there is room for; a create beyond is refused. Default: no limit.
    pub capacity: Option<usize>,
    /// How often an account may call. Default: as often as it likes.
    pub limit: Option<Limit>,
    /// Whether the server is in maintenance, so that it refuses every change. Default: no.
    pub is_read_only: bool,
    /// What goes wrong by chance. Lost requests and answers are those of calls that change something; `fail_create` refuses a
    /// create for want of room; `boot_failure` and `half_done_creates` let machines become `failed`; `death_rate` lets the
    /// servers of running machines be lost, which makes these `unknown`. The faults of listings have no effect. Default: nothing.
    pub faults: FaultConfig,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            boot: Duration::ZERO,
            step: Duration::ZERO,
            latency: Duration::ZERO,
            accounts: Vec::new(),
            datacenter: "coal".to_owned(),
            capacity: None,
            limit: None,
            is_read_only: false,
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

    /// Chooses how long machines are provisioned and boot.
    #[must_use]
    pub fn with_boot(self, boot: Duration) -> Self {
        Self { boot, ..self }
    }

    /// Chooses how long every other change takes.
    #[must_use]
    pub fn with_step(self, step: Duration) -> Self {
        Self { step, ..self }
    }

    /// Chooses how long calls take over a socket.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Adds an account.
    #[must_use]
    pub fn with_account(mut self, account: SimAccount) -> Self {
        self.accounts.push(account);
        self
    }

    /// Chooses how many machines there is room for.
    #[must_use]
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity: Some(capacity), ..self }
    }

    /// Chooses how often an account may call.
    #[must_use]
    pub fn with_limit(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Chooses what goes wrong by chance.
    #[must_use]
    pub fn with_faults(self, faults: FaultConfig) -> Self {
        Self { faults, ..self }
    }
}

/// How often an account may call: the server counts down from `burst`, and up again with time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limit {
    /// How many calls can come at once. Default: 30.
    pub burst: u32,
    /// How many calls a second can go on for ever. Default: 10.
    pub per_second: u32,
    /// What a refusal asks its caller to wait; real servers ask nothing. Default: nothing.
    pub retry_after: Option<Duration>,
}

impl Default for Limit {
    fn default() -> Self {
        Self { burst: 30, per_second: 10, retry_after: None }
    }
}

impl Limit {
    /// Chooses how many calls can come at once, and how many a second can go on for ever.
    #[must_use]
    pub fn new(burst: u32, per_second: u32) -> Self {
        Self { burst, per_second, retry_after: None }
    }

    /// Lets refusals say how long to wait.
    #[must_use]
    pub fn with_retry_after(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }
}

/// An account of a simulated CloudAPI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimAccount {
    pub(crate) login: String,
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) users: Vec<(String, String)>,
    pub(crate) is_disabled: bool,
    pub(crate) is_approved: bool,
}

impl SimAccount {
    /// Makes an account without keys.
    #[must_use]
    pub fn new(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            keys: Vec::new(),
            users: Vec::new(),
            is_disabled: false,
            is_approved: true,
        }
    }

    /// Adds a public key by a name, in OpenSSH's one-line form.
    #[must_use]
    pub fn with_key(mut self, name: impl Into<String>, line: impl Into<String>) -> Self {
        self.keys.push((name.into(), line.into()));
        self
    }

    /// Adds a user below the account with a public key, in OpenSSH's one-line form; users may do what the account may.
    #[must_use]
    pub fn with_user(mut self, login: impl Into<String>, line: impl Into<String>) -> Self {
        self.users.push((login.into(), line.into()));
        self
    }

    /// Makes the account one that was disabled.
    #[must_use]
    pub fn disabled(self) -> Self {
        Self { is_disabled: true, ..self }
    }

    /// Makes the account one that may not provision.
    #[must_use]
    pub fn unapproved(self) -> Self {
        Self { is_approved: false, ..self }
    }
}
