//! The HTTP API: thin handlers over the manager's handle.

mod bulk;
mod convert;
mod dashboard;
mod etag;
mod events;
mod fallback;
mod guard;
mod health;
mod host;
mod leases;
mod metrics;
mod openapi;
mod owners;
mod page;
mod poll;
mod pools;
mod providers;
mod read;
mod refuse;
mod reload;
mod requests;
mod router;
mod tokens;
mod trace;
mod version;
mod vms;

use std::{net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use jiff::Timestamp;
use tokio::sync::watch;
use vmpool::manager::ManagerHandle;
use vmpool_api::{operation, routes};

use self::router::Routes;
use crate::{Reloader, access::Access, metrics::measure, observe::Watched};

pub(crate) use self::{read::invalid_name, refuse::Refused};

/// What all handlers share: each request gets it as a pointer, since it is cloned several times on the way to its handler.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<Shared>);

/// What all handlers share, itself.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) manager: ManagerHandle,
    pub(crate) access: Access,
    pub(crate) started_at: Timestamp,
    pub(crate) state_dir: Option<PathBuf>,
    /// How long an acquire holds a connection before it answers that the request still waits.
    pub(crate) hold: Duration,
    /// What reads the configuration again, if it is that of a file.
    pub(crate) reloader: Option<Reloader>,
    /// What is known of the daemon beside its manager.
    pub(crate) watched: Watched,
    /// Becomes true when the daemon stops.
    pub(crate) stopping: watch::Receiver<bool>,
    polls: poll::Polls,
    streams: events::Streams,
}

impl Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    pub(crate) fn new(
        manager: ManagerHandle,
        watched: Watched,
        access: Access,
        hold: Duration,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Shared {
            manager,
            access,
            started_at: convert::time(watched.started_at),
            watched,
            state_dir: None,
            hold,
            reloader: None,
            stopping,
            polls: poll::Polls::default(),
            streams: events::Streams::default(),
        }))
    }

    /// Says where the records are, and what reads the configuration again.
    pub(crate) fn with(self, state_dir: Option<PathBuf>, reloader: Option<Reloader>) -> Self {
        Self(Arc::new(Shared { state_dir, reloader, ..(*self.0).clone() }))
    }

    /// Makes the router of all routes, served at an address.
    pub(crate) fn router(self, address: SocketAddr) -> Router {
        let measured = self.watched.metrics.clone();
        routes(self.access.clone())
            .into_router()
            .fallback(fallback::no_route)
            .method_not_allowed_fallback(fallback::method_not_allowed)
            .layer(DefaultBodyLimit::max(routes::MAX_BODY))
            .layer(middleware::from_fn_with_state(address, host::check))
            .layer(middleware::from_fn(version::negotiate))
            .layer(middleware::from_fn_with_state(measured, measure))
            .layer(middleware::from_fn(trace::request))
            .with_state(self)
    }
}

/// Serves every operation of the API.
fn routes(access: Access) -> Routes {
    Routes::new(access)
        .at(operation::HEALTH, health::show)
        .at(operation::OPENAPI, openapi::show)
        .at(operation::WHOAMI, tokens::whoami)
        .at(operation::TOKENS, tokens::list)
        .at(operation::TOKEN_CREATE, tokens::create)
        .at(operation::TOKEN_REVOKE, tokens::revoke)
        .at(operation::RELOAD, reload::reload)
        .at(operation::PROVIDERS, providers::list)
        .at(operation::PROVIDER, providers::show)
        .at(operation::PROVIDER_ACCEPT_LOSS, providers::accept_loss)
        .at(operation::POOLS, pools::list)
        .at(operation::POOL, pools::show)
        .at(operation::POOL_DRAIN, pools::drain)
        .at(operation::POOL_UNDRAIN, pools::undrain)
        .at(operation::VMS, vms::list)
        .at(operation::VM, vms::show)
        .at(operation::VM_TERMINATE, vms::terminate)
        .at(operation::VM_HOLD, vms::hold)
        .at(operation::VM_UNHOLD, vms::unhold)
        .at(operation::VM_FORGET, vms::forget)
        .at(operation::LEASES, leases::list)
        .at(operation::ACQUIRE, leases::acquire)
        .at(operation::LEASE, leases::show)
        .at(operation::LEASE_RENEW, leases::renew)
        .at(operation::LEASE_RELEASE, leases::release)
        .at(operation::RENEW_ALL, bulk::renew)
        .at(operation::RELEASE_ALL, bulk::release)
        .at(operation::REQUESTS, requests::list)
        .at(operation::REQUEST, requests::show)
        .at(operation::REQUEST_EXPLAIN, requests::explain)
        .at(operation::REQUEST_CANCEL, requests::cancel)
        .at(operation::OWNER, owners::show)
        .at(operation::EVENTS, events::page)
        .at(operation::EVENTS_STREAM, events::stream)
        .at(operation::METRICS, metrics::show)
        .at(operation::DASHBOARD, dashboard::page)
        .at(operation::DASHBOARD_FILE, dashboard::asset)
        .at(operation::DASHBOARD_STATE, dashboard::state)
        .at(operation::DASHBOARD_HISTORY, dashboard::history)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{access::Tokens, config::AccessConfig};

    #[test]
    fn every_operation_of_the_api_is_served() {
        let clock = Arc::new(vmpool::manager::SystemClock::new());
        let access = Access::new(AccessConfig::default(), Tokens::open(None).unwrap(), 1, clock);
        let routes = routes(access);
        let all: Vec<_> = operation::ALL.iter().map(|operation| operation.id).collect();
        assert_eq!(routes.served(), all);
    }
}
