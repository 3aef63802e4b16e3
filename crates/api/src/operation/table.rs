//! The operations, one by one.

use super::{
    Kind::{Flag, Number, Text},
    Method::{Delete, Get, Post},
    Operation, Parameter, parameter,
};
use crate::{
    Need::{Administer, Look, Nothing, Operate, Own, Use},
    routes,
};

macro_rules! operations {
    ($($name:ident = ($($head:expr),*) $(.$method:ident($($argument:expr)?))*;)*) => {
        $(
            #[doc = concat!("See the row of `", stringify!($name), "` in [`ALL`].")]
            pub const $name: Operation = Operation::new($($head),*)$(.$method($($argument)?))*;
        )*

        /// All operations.
        pub const ALL: &[Operation] = &[$($name,)*];
    };
}

const BY: Parameter = parameter("by", Text, "Who wants it, if an operator does it for somebody.");
const AFTER: Parameter =
    parameter("after", Text, "Only what comes after this: the `next` of the page before.");
const LIMIT: Parameter = parameter("limit", Number(1), "How many at most; all that there are if absent.");

operations! {
    HEALTH = ("health", Get, routes::HEALTH, Nothing, "Says how the daemon is; to who shows nothing, only that it serves")
        .answering(&[(200, Some("Health"))]);
    OPENAPI = ("openapi", Get, routes::OPENAPI, Nothing, "Describes this API")
        .answering(&[(200, Some("Document"))]).tagged();
    WHOAMI = ("whoami", Get, routes::WHOAMI, Own, "Says who asks, and what they may do")
        .answering(&[(200, Some("Whoami"))]).tagged();
    TOKENS = ("tokens", Get, routes::TOKENS, Administer, "Lists the tokens")
        .answering(&[(200, Some("Tokens"))]);
    TOKEN_CREATE = ("create_token", Post, routes::TOKENS, Administer, "Makes a token, which is told once")
        .with_body("TokenRequest").answering(&[(201, Some("NewToken"))]);
    TOKEN_REVOKE = ("revoke_token", Delete, routes::TOKEN, Administer, "Revokes a token, named by its name or its id");
    RELOAD = ("reload", Post, routes::RELOAD, Operate, "Reads the configuration again")
        .with_body("VerbRequest").answering(&[(200, Some("Reloaded"))]);
    PROVIDERS = ("providers", Get, routes::PROVIDERS, Look, "Lists the providers")
        .answering(&[(200, Some("Providers"))]);
    PROVIDER = ("provider", Get, routes::PROVIDER, Look, "Shows a provider")
        .answering(&[(200, Some("Provider"))]).tagged();
    PROVIDER_ACCEPT_LOSS = ("accept_loss", Post, routes::PROVIDER_ACCEPT_LOSS, Operate, "Says that a provider's missing nodes are lost")
        .with_body("VerbRequest");
    POOLS = ("pools", Get, routes::POOLS, Own, "Lists the pools")
        .answering(&[(200, Some("Pools"))]);
    POOL = ("pool", Get, routes::POOL, Own, "Shows a pool")
        .answering(&[(200, Some("Pool"))]).tagged();
    POOL_DRAIN = ("drain", Post, routes::POOL_DRAIN, Operate, "Brings a pool to its end")
        .with_body("DrainRequest");
    POOL_UNDRAIN = ("undrain", Post, routes::POOL_UNDRAIN, Operate, "Lets a drained pool work again")
        .with_body("VerbRequest");
    VMS = ("vms", Get, routes::VMS, Own, "Lists the VMs that all given parameters fit")
        .with_query(&[
            parameter("pool", Text, "Only those of this pool."),
            parameter("state", Text, "Only those in one of these states; several with commas between."),
            parameter("address", Text, "Only those with this IP address."),
            parameter("task", Text, "Only those whose lease is for this task."),
            parameter("owner", Text, "Only those that this owner uses or used last."),
            parameter("name", Text, "Only the one of this name."),
            AFTER,
            LIMIT,
        ])
        .answering(&[(200, Some("Vms"))]);
    VM = ("vm", Get, routes::VM, Own, "Shows a VM")
        .answering(&[(200, Some("Vm"))]).tagged();
    VM_TERMINATE = ("terminate", Post, routes::VM_TERMINATE, Operate, "Destroys a VM, leased or not")
        .with_body("TerminateRequest");
    VM_HOLD = ("hold", Post, routes::VM_HOLD, Operate, "Keeps a VM for debugging")
        .with_body("HoldRequest");
    VM_UNHOLD = ("unhold", Post, routes::VM_UNHOLD, Operate, "Ends the holding of a VM")
        .with_body("VerbRequest");
    VM_FORGET = ("forget", Post, routes::VM_FORGET, Operate, "Removes the record of a VM without proof that it is gone")
        .with_body("ForgetRequest");
    LEASES = ("leases", Get, routes::LEASES, Own, "Lists the leases")
        .with_query(&[AFTER, LIMIT]).answering(&[(200, Some("Leases"))]);
    ACQUIRE = ("acquire", Post, routes::LEASES, Use, "Acquires a VM, or several at once")
        .with_body("AcquireRequest").answering(&[(200, Some("AcquireAnswer")), (202, Some("AcquireAnswer"))]);
    LEASE = ("lease", Get, routes::LEASE, Own, "Shows a lease")
        .answering(&[(200, Some("Lease"))]).tagged();
    LEASE_RENEW = ("renew", Post, routes::LEASE_RENEW, Use, "Renews a lease")
        .with_body("RenewRequest").answering(&[(200, Some("Lease"))]);
    LEASE_RELEASE = ("release", Delete, routes::LEASE, Use, "Releases a lease")
        .with_query(&[parameter("fence", Number(0), "Only the lease with this fence."), BY]);
    RENEW_ALL = ("renew_all", Post, routes::RENEWALS, Use, "Renews many leases at once, each with a result of its own")
        .with_body("RenewalsRequest").answering(&[(200, Some("Renewals"))]);
    RELEASE_ALL = ("release_all", Post, routes::RELEASES, Use, "Releases many leases at once, each with a result of its own")
        .with_body("ReleasesRequest").answering(&[(200, Some("Releases"))]);
    REQUESTS = ("requests", Get, routes::REQUESTS, Own, "Lists the requests that wait or are remembered")
        .with_query(&[AFTER, LIMIT]).answering(&[(200, Some("Requests"))]);
    REQUEST = ("request", Get, routes::REQUEST, Own, "Shows a request")
        .answering(&[(200, Some("Request"))]).tagged();
    REQUEST_EXPLAIN = ("explain", Get, routes::REQUEST_EXPLAIN, Own, "Says why a request waits")
        .answering(&[(200, Some("Explanation"))]);
    REQUEST_CANCEL = ("cancel", Delete, routes::REQUEST, Use, "Cancels a request; a lease it was given meanwhile is released")
        .with_query(&[BY, parameter("again", Flag, "Whether the same request may be sent again.")]);
    OWNER = ("owner", Get, routes::OWNER, Own, "Says what an owner may hold")
        .with_query(&[parameter("pool", Text, "In this pool.")]).answering(&[(200, Some("OwnerShare"))]).tagged();
    EVENTS = ("events", Get, routes::EVENTS, Own, "Reads the event log by pages")
        .with_query(&[
            parameter("after", Number(0), "Only what happened after this cursor; from the beginning if absent."),
            parameter("limit", Number(1), "How many at most; 100 if absent."),
            parameter("vm", Text, "Only what is about this VM."),
        ])
        .answering(&[(200, Some("EventPage"))]);
    EVENTS_STREAM = ("event_stream", Get, routes::EVENTS_STREAM, Own, "Streams events as they happen, each with its cursor as id")
        .with_query(&[parameter("after", Number(0), "After this cursor; the header `last-event-id` goes before.")])
        .answering(&[(200, Some("EventStreamText"))]);
    METRICS = ("metrics", Get, routes::METRICS, Look, "Tells what the daemon measures, for Prometheus")
        .answering(&[(200, Some("MetricsText"))]);
    DASHBOARD = ("dashboard", Get, routes::DASHBOARD, Nothing, "The page of the dashboard")
        .answering(&[(200, Some("Page"))]);
    DASHBOARD_FILE = ("dashboard_file", Get, routes::DASHBOARD_FILE, Nothing, "A file of the dashboard")
        .answering(&[(200, Some("File"))]);
    DASHBOARD_STATE = ("dashboard_state", Get, routes::DASHBOARD_STATE, Look, "What the pages of the dashboard show, for them alone")
        .with_query(&[
            parameter("after", Number(0), "The revision that is known."),
            parameter("brief", Flag, "Whether VMs and leases are left out."),
        ])
        .answering(&[(200, Some("DashboardState"))]);
    DASHBOARD_HISTORY = ("dashboard_history", Get, routes::DASHBOARD_HISTORY, Look, "How the pools were over time, for the dashboard alone")
        .with_query(&[
            parameter("range", Text, "How far back."),
            parameter("pool", Text, "Only this pool."),
        ])
        .answering(&[(200, Some("DashboardHistory"))]);
}
