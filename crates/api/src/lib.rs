//! The wire types and routes of the daemon's HTTP API.
//!
//! The daemon and its clients share these types and nothing else; the crate knows no HTTP library, no runtime and
//! nothing of the daemon's inside.
//!
//! | what | where |
//! |---|---|
//! | paths and media types | [`routes`] |
//! | what there is at each path, and who may ask for it | [`operation`] |
//! | who asks, and what they may do | [`Role`], [`Token`], [`Whoami`], [`local_key`] |
//! | the version of the API, and how both sides agree on it | [`version`] |
//! | what a client sends | [`AcquireRequest`], [`RenewRequest`], [`RenewalsRequest`], [`ReleasesRequest`], [`TerminateRequest`], [`HoldRequest`], [`ForgetRequest`], [`DrainRequest`] |
//! | what the daemon answers | [`AcquireAnswer`], [`Lease`], [`Renewals`], [`Releases`], [`Vm`], [`Pool`], [`Provider`], [`Request`], [`Explanation`], [`Reloaded`], [`EventPage`], [`Health`] |
//! | what went wrong | [`Problem`] with its [`code`]s, and the [`exit`] codes of the command line |
//!
//! Requests are read strictly: a key that the daemon does not know is an error that names it.
//! Answers are read leniently: a client skips keys that it does not know, and so reads a newer daemon.
//! Times are RFC 3339 in UTC, durations are text such as `90s`, `10m` or `1h30m`.

mod bulk;
pub mod code;
pub mod duration;
mod event;
pub mod exit;
mod health;
mod lease;
mod limit;
pub mod local_key;
#[cfg(feature = "schema")]
pub mod openapi;
pub mod operation;
mod owner;
mod pool;
mod problem;
mod provider;
mod reload;
mod request;
mod role;
pub mod routes;
mod stock;
mod token;
mod verb;
pub mod version;
mod vm;
mod vm_filter;
mod wish;

pub use crate::{
    bulk::{LeaseRef, Release, Releases, ReleasesRequest, Renewal, Renewals, RenewalsRequest},
    event::{Event, EventPage},
    health::Health,
    lease::{AcquireAnswer, EndedLease, Lease, Leases},
    limit::{Explanation, Limit},
    owner::{OwnerLimit, OwnerShare},
    pool::{Drain, Offer, Pool, Pools},
    problem::{Place, Problem},
    provider::{Brake, EventStream, Provider, Providers, Quota, Stranger},
    reload::Reloaded,
    request::{Request, RequestStatus, Requests},
    role::{Need, Role, UnknownRole},
    stock::{Demand, Schedule, Stock},
    token::{NewToken, TOKEN_PREFIX, Token, TokenRequest, Tokens, Whoami},
    verb::{DrainRequest, ForgetRequest, HoldRequest, TerminateRequest, VerbRequest},
    version::VERSION,
    vm::{Hold, Vm, Vms},
    vm_filter::VmFilter,
    wish::{AcquireRequest, RenewRequest},
};
