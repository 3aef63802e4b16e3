//! The paths of the API, for the daemon that serves them and for the clients that ask.
//!
//! | method and path | what it does |
//! |---|---|
//! | `GET /v1/health` | [`Health`](crate::Health) of the daemon |
//! | `GET /v1/openapi.json` | the description of this API in OpenAPI 3.1 |
//! | `GET /v1/whoami` | [`Whoami`](crate::Whoami): who asks |
//! | `GET /v1/tokens` | [`Tokens`](crate::Tokens) |
//! | `POST /v1/tokens` | makes a token; body [`TokenRequest`](crate::TokenRequest), answer [`NewToken`](crate::NewToken) |
//! | `DELETE /v1/tokens/{token}` | revokes a token, named by its name or its id |
//! | `POST /v1/reload` | reads the configuration again; body [`VerbRequest`](crate::VerbRequest), answer [`Reloaded`](crate::Reloaded) |
//! | `GET /v1/providers` | [`Providers`](crate::Providers) |
//! | `GET /v1/providers/{provider}` | [`Provider`](crate::Provider) |
//! | `POST /v1/providers/{provider}/accept-loss` | says that its missing nodes are lost; body [`VerbRequest`](crate::VerbRequest) |
//! | `GET /v1/pools` | [`Pools`](crate::Pools) |
//! | `GET /v1/pools/{pool}` | [`Pool`](crate::Pool) |
//! | `POST /v1/pools/{pool}/drain` | brings a pool to its end; body [`DrainRequest`](crate::DrainRequest) |
//! | `POST /v1/pools/{pool}/undrain` | lets a drained pool work again; body [`VerbRequest`](crate::VerbRequest) |
//! | `GET /v1/vms?pool=&state=&address=&task=&owner=&name=` | [`Vms`](crate::Vms), those that all given parameters fit; `state` takes several, with commas between |
//! | `GET /v1/vms/{vm}` | [`Vm`](crate::Vm) |
//! | `POST /v1/vms/{vm}/terminate` | destroys a VM, leased or not; body [`TerminateRequest`](crate::TerminateRequest) |
//! | `POST /v1/vms/{vm}/hold` | keeps a VM for debugging; body [`HoldRequest`](crate::HoldRequest) |
//! | `POST /v1/vms/{vm}/unhold` | ends that; body [`VerbRequest`](crate::VerbRequest) |
//! | `POST /v1/vms/{vm}/forget` | removes the record of a VM without proof that it is gone; body [`ForgetRequest`](crate::ForgetRequest) |
//! | `POST /v1/leases` | acquires a VM; body [`AcquireRequest`](crate::AcquireRequest), answer [`AcquireAnswer`](crate::AcquireAnswer) |
//! | `GET /v1/leases` | [`Leases`](crate::Leases) |
//! | `GET /v1/leases/{lease}` | [`Lease`](crate::Lease) |
//! | `POST /v1/leases/{lease}/renew` | renews a lease; body [`RenewRequest`](crate::RenewRequest), answer [`Lease`](crate::Lease) |
//! | `DELETE /v1/leases/{lease}?fence=&by=` | releases a lease, in the name of `by`, and only the one with this fence if it is given |
//! | `POST /v1/renewals` | renews many leases at once; body [`RenewalsRequest`](crate::RenewalsRequest), answer [`Renewals`](crate::Renewals), with a result for each |
//! | `POST /v1/releases` | releases many leases at once; body [`ReleasesRequest`](crate::ReleasesRequest), answer [`Releases`](crate::Releases), with a result for each |
//! | `GET /v1/requests` | [`Requests`](crate::Requests) |
//! | `GET /v1/requests/{request}` | [`Request`](crate::Request) |
//! | `GET /v1/requests/{request}/explain` | [`Explanation`](crate::Explanation): why it waits |
//! | `DELETE /v1/requests/{request}?by=&again=` | cancels a request, in the name of `by`; a lease it was given meanwhile is released; with `again=true` the same request may be sent again |
//! | `GET /v1/owners/{owner}?pool=` | [`OwnerShare`](crate::OwnerShare): what an owner may hold, in a pool if one is named |
//! | `GET /v1/events?after=&limit=&vm=` | [`EventPage`](crate::EventPage), of one VM if asked so |
//! | `GET /v1/events/stream?after=` | server-sent events, each an [`Event`](crate::Event) with its cursor as `id` |
//! | `GET /metrics` | the metrics, for Prometheus |
//! | `GET /` | the page of the dashboard |
//! | `GET /assets/{file}` | a file of the dashboard |
//! | `GET /dashboard/state` | what the pages of the dashboard show, for them alone |
//! | `GET /dashboard/history` | how the pools were over time, for the dashboard alone |
//!
//! A stream goes on after the `Last-Event-ID` header or `?after=`, and begins now if there is neither.

use std::time::Duration;

/// The health of the daemon.
pub const HEALTH: &str = "/v1/health";
/// The description of the API.
pub const OPENAPI: &str = "/v1/openapi.json";
/// Who asks.
pub const WHOAMI: &str = "/v1/whoami";
/// All tokens; making one is posting here.
pub const TOKENS: &str = "/v1/tokens";
/// One token, as a pattern for a router.
pub const TOKEN: &str = "/v1/tokens/{token}";
/// Reading the configuration again.
pub const RELOAD: &str = "/v1/reload";
/// All providers.
pub const PROVIDERS: &str = "/v1/providers";
/// One provider, as a pattern for a router.
pub const PROVIDER: &str = "/v1/providers/{provider}";
/// Accepting the loss of a provider's nodes, as a pattern for a router.
pub const PROVIDER_ACCEPT_LOSS: &str = "/v1/providers/{provider}/accept-loss";
/// All pools.
pub const POOLS: &str = "/v1/pools";
/// One pool, as a pattern for a router.
pub const POOL: &str = "/v1/pools/{pool}";
/// Draining one pool, as a pattern for a router.
pub const POOL_DRAIN: &str = "/v1/pools/{pool}/drain";
/// Ending the drain of one pool, as a pattern for a router.
pub const POOL_UNDRAIN: &str = "/v1/pools/{pool}/undrain";
/// All VMs.
pub const VMS: &str = "/v1/vms";
/// One VM, as a pattern for a router.
pub const VM: &str = "/v1/vms/{vm}";
/// Terminating one VM, as a pattern for a router.
pub const VM_TERMINATE: &str = "/v1/vms/{vm}/terminate";
/// Holding one VM, as a pattern for a router.
pub const VM_HOLD: &str = "/v1/vms/{vm}/hold";
/// Ending the holding of one VM, as a pattern for a router.
pub const VM_UNHOLD: &str = "/v1/vms/{vm}/unhold";
/// Forgetting one VM, as a pattern for a router.
pub const VM_FORGET: &str = "/v1/vms/{vm}/forget";
/// All leases; acquiring is posting here.
pub const LEASES: &str = "/v1/leases";
/// One lease, as a pattern for a router.
pub const LEASE: &str = "/v1/leases/{lease}";
/// Renewing one lease, as a pattern for a router.
pub const LEASE_RENEW: &str = "/v1/leases/{lease}/renew";
/// Renewing many leases at once.
pub const RENEWALS: &str = "/v1/renewals";
/// Releasing many leases at once.
pub const RELEASES: &str = "/v1/releases";
/// All requests.
pub const REQUESTS: &str = "/v1/requests";
/// One request, as a pattern for a router.
pub const REQUEST: &str = "/v1/requests/{request}";
/// Explaining one request, as a pattern for a router.
pub const REQUEST_EXPLAIN: &str = "/v1/requests/{request}/explain";
/// One owner, as a pattern for a router.
pub const OWNER: &str = "/v1/owners/{owner}";
/// The event log, by pages.
pub const EVENTS: &str = "/v1/events";
/// The event log, as a stream.
pub const EVENTS_STREAM: &str = "/v1/events/stream";
/// What the daemon measures, in the text format of Prometheus.
pub const METRICS: &str = "/metrics";
/// The page of the dashboard.
pub const DASHBOARD: &str = "/";
/// One file of the dashboard, as a pattern for a router.
pub const DASHBOARD_FILE: &str = "/assets/{file}";
/// What the pages of the dashboard show, for them alone: it changes with them.
pub const DASHBOARD_STATE: &str = "/dashboard/state";
/// How the pools were over time, for the dashboard alone.
pub const DASHBOARD_HISTORY: &str = "/dashboard/history";

/// The header that carries the id of a request, in and out; the daemon's log tells it.
pub const REQUEST_ID: &str = "x-request-id";

/// The media type of a [`Problem`](crate::Problem).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The media type of the event stream.
pub const EVENT_STREAM: &str = "text/event-stream";

/// The most bytes that the body of a request may have.
pub const MAX_BODY: usize = 64 * 1024;
/// The most leases that one request renews or releases.
pub const MAX_LEASES: usize = 500;
/// The most events that one page has; asking for more yields this many.
pub const MAX_EVENTS: usize = 1000;

/// How long a request that waits is kept beyond the daemon's answer if it is not sent again: its client is gone then.
pub const POLL_GRACE: Duration = Duration::from_secs(30);

/// Returns the path of one token.
#[must_use]
pub fn token(name: &str) -> String {
    format!("{TOKENS}/{}", segment(name))
}

/// Returns the path of one pool.
#[must_use]
pub fn pool(name: &str) -> String {
    format!("{POOLS}/{}", segment(name))
}

/// Returns the path of one VM.
#[must_use]
pub fn vm(name: &str) -> String {
    format!("{VMS}/{}", segment(name))
}

/// Returns the path of one provider.
#[must_use]
pub fn provider(name: &str) -> String {
    format!("{PROVIDERS}/{}", segment(name))
}

/// Returns the path for accepting the loss of a provider's nodes.
#[must_use]
pub fn provider_accept_loss(name: &str) -> String {
    format!("{}/accept-loss", provider(name))
}

/// Returns the path for draining one pool.
#[must_use]
pub fn pool_drain(name: &str) -> String {
    format!("{}/drain", pool(name))
}

/// Returns the path for ending the drain of one pool.
#[must_use]
pub fn pool_undrain(name: &str) -> String {
    format!("{}/undrain", pool(name))
}

/// Returns the path for terminating one VM.
#[must_use]
pub fn vm_terminate(name: &str) -> String {
    format!("{}/terminate", vm(name))
}

/// Returns the path for holding one VM.
#[must_use]
pub fn vm_hold(name: &str) -> String {
    format!("{}/hold", vm(name))
}

/// Returns the path for ending the holding of one VM.
#[must_use]
pub fn vm_unhold(name: &str) -> String {
    format!("{}/unhold", vm(name))
}

/// Returns the path for forgetting one VM.
#[must_use]
pub fn vm_forget(name: &str) -> String {
    format!("{}/forget", vm(name))
}

/// Returns the path of one lease.
#[must_use]
pub fn lease(id: &str) -> String {
    format!("{LEASES}/{}", segment(id))
}

/// Returns the path for renewing one lease.
#[must_use]
pub fn lease_renew(id: &str) -> String {
    format!("{}/renew", lease(id))
}

/// Returns the path of one request.
#[must_use]
pub fn request(id: &str) -> String {
    format!("{REQUESTS}/{}", segment(id))
}

/// Returns the path for explaining one request.
#[must_use]
pub fn request_explain(id: &str) -> String {
    format!("{}/explain", request(id))
}

/// Returns the path of one owner.
#[must_use]
pub fn owner(name: &str) -> String {
    format!("/v1/owners/{}", segment(name))
}

/// Encodes one segment of a path, so that no text can reach another route.
///
/// A segment of dots alone is encoded, too, because URL libraries resolve `.` and `..`.
fn segment(text: &str) -> String {
    use std::fmt::Write as _;

    let dots = text.bytes().all(|byte| byte == b'.');
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'.' if !dots => path.push('.'),
            b'-' | b'_' | b'~' | b':' => path.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => path.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_reach_another_route() {
        assert_eq!(vm("../leases"), "/v1/vms/..%2Fleases");
        assert_eq!(vm("a?b#c d"), "/v1/vms/a%3Fb%23c%20d");
    }

    #[test]
    fn an_id_stays_readable() {
        assert_eq!(lease_renew("3:17-a_b.c"), "/v1/leases/3:17-a_b.c/renew");
    }
}
