//! The HTTP API: thin handlers over the manager's handle.

mod convert;
mod dashboard;
mod events;
mod fallback;
mod health;
mod host;
mod leases;
mod metrics;
mod owners;
mod poll;
mod pools;
mod providers;
mod read;
mod refuse;
mod reload;
mod requests;
mod version;
mod vms;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware, routing};
use jiff::Timestamp;
use tokio::sync::watch;
use vmpool::manager::{ManagerHandle, View};
use vmpool_api::routes;

use self::refuse::Refused;
use crate::{Reloader, metrics::measure, observe::Watched};

/// What all handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) manager: ManagerHandle,
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
}

impl Api {
    pub(crate) fn new(
        manager: ManagerHandle,
        watched: Watched,
        state_dir: Option<PathBuf>,
        hold: Duration,
        reloader: Option<Reloader>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let started_at = convert::time(watched.started_at);
        let polls = poll::Polls::default();
        Self { manager, started_at, state_dir, hold, reloader, watched, stopping, polls }
    }

    /// Makes the router of all routes, served at an address.
    pub(crate) fn router(self, address: SocketAddr) -> Router {
        let leases = routing::get(leases::list).post(leases::acquire);
        let lease = routing::get(leases::show).delete(leases::release);
        let request = routing::get(requests::show).delete(requests::cancel);
        let measured = self.watched.metrics.clone();
        Router::new()
            .route(routes::HEALTH, routing::get(health::show))
            .route(routes::RELOAD, routing::post(reload::reload))
            .route(routes::PROVIDERS, routing::get(providers::list))
            .route(routes::PROVIDER, routing::get(providers::show))
            .route(routes::PROVIDER_ACCEPT_LOSS, routing::post(providers::accept_loss))
            .route(routes::POOLS, routing::get(pools::list))
            .route(routes::POOL, routing::get(pools::show))
            .route(routes::POOL_DRAIN, routing::post(pools::drain))
            .route(routes::POOL_UNDRAIN, routing::post(pools::undrain))
            .route(routes::VMS, routing::get(vms::list))
            .route(routes::VM, routing::get(vms::show))
            .route(routes::VM_TERMINATE, routing::post(vms::terminate))
            .route(routes::VM_HOLD, routing::post(vms::hold))
            .route(routes::VM_UNHOLD, routing::post(vms::unhold))
            .route(routes::VM_FORGET, routing::post(vms::forget))
            .route(routes::LEASES, leases)
            .route(routes::LEASE, lease)
            .route(routes::LEASE_RENEW, routing::post(leases::renew))
            .route(routes::REQUESTS, routing::get(requests::list))
            .route(routes::REQUEST, request)
            .route(routes::REQUEST_EXPLAIN, routing::get(requests::explain))
            .route(routes::OWNER, routing::get(owners::show))
            .route(routes::EVENTS, routing::get(events::page))
            .route(routes::EVENTS_STREAM, routing::get(events::stream))
            .route(routes::METRICS, routing::get(metrics::show))
            .route(routes::DASHBOARD, routing::get(dashboard::page))
            .route(routes::DASHBOARD_FILE, routing::get(dashboard::asset))
            .route(routes::DASHBOARD_STATE, routing::get(dashboard::state))
            .route(routes::DASHBOARD_HISTORY, routing::get(dashboard::history))
            .fallback(fallback::no_route)
            .method_not_allowed_fallback(fallback::method_not_allowed)
            .layer(DefaultBodyLimit::max(routes::MAX_BODY))
            .layer(middleware::from_fn_with_state(address, host::check))
            .layer(middleware::from_fn(version::negotiate))
            .layer(middleware::from_fn_with_state(measured, measure))
            .with_state(self)
    }

    /// Shows everything as it is. It is a copy of all records, so it is not for what is asked for often.
    pub(crate) async fn view(&self) -> Result<Arc<View>, Refused> {
        Ok(self.manager.view().await?)
    }
}
