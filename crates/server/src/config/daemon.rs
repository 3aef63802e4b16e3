//! What the daemon itself can be told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Deserializer, de::Error as _};
use vmpool::model::time::duration_text;

use super::TlsConfig;

/// The port that the daemon listens on unless it is told another.
const PORT: u16 = 7717;

/// How long all leases last at least after a start unless the daemon is told another time.
const RESTART_GRACE: Duration = Duration::from_secs(30);

/// How many connections there may be at once unless the daemon is told another number.
const MAX_CONNECTIONS: usize = 4096;

/// How many events are kept, and for how long, unless the daemon is told otherwise.
const KEEP_EVENTS: u64 = 1_000_000;
const KEEP_EVENTS_FOR: Duration = Duration::from_secs(30 * 86_400);

/// How much memory the store's cache may take unless the daemon is told another size.
const CACHE_BYTES: u64 = 32 << 20;

/// What the daemon itself can be told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DaemonConfig {
    /// Where the HTTP API listens; port 0 takes a free one. Default: `127.0.0.1:7717`.
    ///
    /// Without `tls`, what travels over it is in clear: keep it on loopback then, or on a network that you trust.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// How the daemon proves who it is over TCP. Default: not at all, and TCP is in clear.
    pub tls: Option<TlsConfig>,
    /// A Unix socket that the HTTP API listens on beside it, where the system says which user asks. Default: none.
    pub socket: Option<PathBuf>,
    /// How many connections there may be at once: a new one takes the place of the one that is idle longest. Default: 4096.
    pub max_connections: usize,
    /// The directory of the records; it is made if it is not there. Default: `vmpool-state`.
    pub state_dir: PathBuf,
    /// Which messages are logged: a level such as `info`, or a filter such as `info,vmpool_manager=debug`. Default:
    /// `info`.
    pub log: String,
    /// How long all leases last at least after a start, so that their holders have time to come back. Default: 30 s.
    #[serde(with = "duration_text")]
    pub restart_grace: Duration,
    /// Whether the options of drivers may hold secrets themselves, in place of saying where they are. Default: false.
    pub allow_clear_secrets: bool,
    /// How many events are kept; older ones are removed. At least one, and up to a tenth more. Default: 1,000,000.
    pub keep_events: u64,
    /// For how long events are kept, but for the newest thousand. Default: 30 days.
    #[serde(with = "duration_text")]
    pub keep_events_for: Duration,
    /// How much memory the store may take to have records at hand, in bytes. Default: 32 MiB.
    pub cache_bytes: u64,
}

impl Default for DaemonConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            tls: None,
            socket: None,
            max_connections: MAX_CONNECTIONS,
            state_dir: PathBuf::from("vmpool-state"),
            log: "info".to_owned(),
            restart_grace: RESTART_GRACE,
            allow_clear_secrets: false,
            keep_events: KEEP_EVENTS,
            keep_events_for: KEEP_EVENTS_FOR,
            cache_bytes: CACHE_BYTES,
        }
    }
}

impl DaemonConfig {
    /// Returns the files that count from where the configuration is, beside the state directory.
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.socket.iter_mut().chain(self.tls.iter_mut().flat_map(TlsConfig::files_mut))
    }

    /// Listens elsewhere.
    #[must_use]
    pub fn with_listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Keeps the records elsewhere.
    #[must_use]
    pub fn with_state_dir(self, state_dir: impl Into<PathBuf>) -> Self {
        Self { state_dir: state_dir.into(), ..self }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "{text:?} is not an address to listen on: write an IP address and a port, such as 127.0.0.1:{PORT} or \
             [::1]:{PORT}"
        ))
    })
}
