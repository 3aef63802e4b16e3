//! Why a daemon did not start, or ended.

use std::{io, net::SocketAddr, path::PathBuf};

use vmpool::{
    driver::OpenError,
    manager::{StartError, StopError},
    model::ProviderName,
    store::StoreError,
};
use vmpool_api::exit;
use vmpool_tls::TlsError;

use crate::access::AccessError;

/// Says why a daemon did not start, or ended although nobody stopped it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// Something listens at the address already.
    #[error(
        "{address} is in use: if another vmpool runs here, stop it or use it, else choose another address in \
         daemon.listen"
    )]
    AddressInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// TLS cannot be spoken.
    #[error("daemon.tls.{key}: {source}")]
    Tls {
        /// The key of the table `daemon.tls`.
        key: &'static str,
        /// Why.
        source: TlsError,
    },
    /// The Unix socket cannot be listened on.
    #[error("cannot listen on the socket {} (daemon.socket): {source}", .path.display())]
    Socket {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The tokens cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The records cannot be opened.
    #[error("cannot open the records: {}", with_source(.source))]
    Store {
        /// The state directory.
        state_dir: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The driver of a provider cannot be opened.
    #[error("provider {provider}: {}", with_source(source))]
    Provider {
        /// The provider.
        provider: ProviderName,
        /// Why.
        source: OpenError,
    },
    /// The manager did not start.
    #[error("{}", with_source(.0))]
    Start(#[from] StartError),
    /// The manager ended.
    #[error("{}", with_source(.0))]
    Stopped(#[from] StopError),
    /// The server of the HTTP API broke off.
    #[error("the HTTP API broke off: {source}")]
    Serve {
        /// Why.
        source: io::Error,
    },
}

impl DaemonError {
    /// Returns what a command line exits with; see [`exit`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store { source: StoreError::NotADirectory { .. }, .. } => exit::CONFIG,
            Self::AddressInUse { .. } => exit::PORT_IN_USE,
            Self::Store { source, .. } | Self::Start(StartError::Store { source, .. }) => store(source),
            Self::Provider { source: OpenError::Driver(_) | OpenError::InUse(_), .. } => exit::PROVIDER,
            Self::Provider { .. } | Self::Start(_) | Self::Tls { .. } => exit::CONFIG,
            Self::Stopped(StopError::Fenced { .. }) => exit::STATE_IN_USE,
            Self::Access(_) => exit::STORE,
            Self::Socket { source, .. } if source.kind() == io::ErrorKind::AddrInUse => exit::PORT_IN_USE,
            Self::Socket { .. } | Self::Listen { .. } | Self::Stopped(_) | Self::Serve { .. } => {
                exit::FAILURE
            }
        }
    }

    /// Returns what to do next, where the message does not say it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store { state_dir, source: StoreError::Damaged { .. } } => {
                Some(after_damage(&state_dir.display().to_string()))
            }
            Self::Start(StartError::Store { source: StoreError::Damaged { .. }, .. }) => {
                Some(after_damage("the state directory"))
            }
            _ => None,
        }
    }
}

fn store(err: &StoreError) -> u8 {
    match err {
        StoreError::InUse { .. } | StoreError::Fenced { .. } => exit::STATE_IN_USE,
        _ => exit::STORE,
    }
}

/// Says how to go on without the records, and what that costs.
fn after_damage(state_dir: &str) -> String {
    format!(
        "put a copy of {state_dir} back, or move {state_dir} away to start without records: all leases are lost then, \
         and the VMs left behind are destroyed as orphans after orphan_grace if the configuration names the same \
         installation as before, else they stay until you remove them at the provider"
    )
}

fn with_source(err: &dyn std::error::Error) -> String {
    match err.source() {
        // Some of these errors name their cause already.
        Some(cause) if !err.to_string().contains(&cause.to_string()) => format!("{err}: {cause}"),
        _ => err.to_string(),
    }
}
