//! Every metric that the daemon shows: `docs/generated/metrics.md` is made from this file.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number that only grows, until the daemon starts anew.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// How many measured values were at most so large.
    Histogram,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric with all its label values.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) labels: &'static [&'static str],
    pub(crate) help: &'static str,
}

macro_rules! families {
    ($($(#[doc = $doc:literal])* $constant:ident = $name:literal, $kind:ident, [$($label:literal),*];)*) => {
        $(pub(crate) const $constant: Family = Family {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: concat!($($doc),*),
        };)*

        /// All metrics.
        #[cfg(test)]
        pub(crate) const ALL: &[Family] = &[$($constant),*];
    };
}

families! {
    /// What runs: always 1, with the version as a label.
    BUILD_INFO = "vmpool_build_info", Gauge, ["version"];
    /// When the daemon started, in seconds since 1970.
    START_TIME = "vmpool_start_time_seconds", Gauge, [];
    /// How many VMs a pool has in each state, those being destroyed included.
    POOL_VMS = "vmpool_pool_vms", Gauge, ["pool", "state"];
    /// How many VMs a pool may have at once, `max_total`.
    POOL_MAX = "vmpool_pool_max_vms", Gauge, ["pool"];
    /// How many VMs a pool is to have ready at present.
    POOL_TARGET = "vmpool_pool_target_ready_vms", Gauge, ["pool"];
    /// How many requests wait that would rather be served from this pool than from any other.
    POOL_WAITING = "vmpool_pool_waiting_requests", Gauge, ["pool"];
    /// How many VMs those who wait are to get from a pool.
    POOL_WANTED = "vmpool_pool_wanted_vms", Gauge, ["pool"];
    /// How many VMs of a pool are asked for per second: an average that forgets.
    POOL_ARRIVALS = "vmpool_pool_arrivals_per_second", Gauge, ["pool"];
    /// Whether a pool is drained.
    POOL_DRAINED = "vmpool_pool_drained", Gauge, ["pool"];
    /// What keeps a pool from making the VMs that it lacks: 1 for each limit that binds, such as `quota`.
    POOL_LIMITED = "vmpool_pool_limited", Gauge, ["pool", "limit"];
    /// How many leases there are.
    LEASES = "vmpool_leases", Gauge, ["pool"];
    /// How many leases were granted.
    LEASES_GRANTED = "vmpool_leases_granted_total", Counter, ["pool"];
    /// How many leases were given back, or ended with their VM.
    LEASES_RELEASED = "vmpool_leases_released_total", Counter, ["pool"];
    /// How many leases ended because nobody renewed them.
    LEASES_EXPIRED = "vmpool_leases_expired_total", Counter, ["pool"];
    /// How long requests waited that were granted, from when they came; 0 if a VM was ready.
    REQUEST_WAIT = "vmpool_request_wait_seconds", Histogram, ["pool"];
    /// How many requests ended without a VM: `timed_out`, `cancelled` or `turned_away`.
    REQUESTS_UNSERVED = "vmpool_requests_unserved_total", Counter, ["outcome"];
    /// How long acquires took to answer: `granted`, `waiting` (asked again later) or `refused`.
    ACQUIRE = "vmpool_acquire_duration_seconds", Histogram, ["outcome"];
    /// How many VMs were asked for.
    SPAWNS = "vmpool_vm_spawns_total", Counter, ["pool"];
    /// How many VMs were not made by their provider.
    SPAWN_FAILURES = "vmpool_vm_spawn_failures_total", Counter, ["pool"];
    /// How long VMs took from being asked for to being ready.
    VM_START = "vmpool_vm_start_seconds", Histogram, ["pool"];
    /// How many VMs were proven gone.
    VMS_GONE = "vmpool_vms_gone_total", Counter, ["pool"];
    /// How long health checks took: `passed`, `failed` or `canceled`.
    CHECKS = "vmpool_check_duration_seconds", Histogram, ["pool", "outcome"];
    /// How long hooks took: `ok`, `failed` or `canceled`.
    HOOKS = "vmpool_hook_duration_seconds", Histogram, ["pool", "hook", "outcome"];
    /// How many calls were made to a provider, attempts that were repeated not counted: `ok`, the kind of the failure, or
    /// `canceled`.
    PROVIDER_CALLS = "vmpool_provider_calls_total", Counter, ["provider", "operation", "outcome"];
    /// How long calls to a provider took, repetitions included.
    PROVIDER_CALL_TIME = "vmpool_provider_call_duration_seconds", Histogram, ["provider", "operation"];
    /// How many calls to a provider are under way.
    PROVIDER_CALLS_NOW = "vmpool_provider_calls_in_flight", Gauge, ["provider"];
    /// Whether the last listing of a provider was complete.
    PROVIDER_UP = "vmpool_provider_up", Gauge, ["provider"];
    /// Whether nothing is created at a provider for a while, because it failed too often.
    PROVIDER_BREAKER = "vmpool_provider_breaker_open", Gauge, ["provider"];
    /// What keeps VMs from being created at a provider: 1 for what does, such as `breaker_open`.
    PROVIDER_LIMITED = "vmpool_provider_limited", Gauge, ["provider", "limit"];
    /// When a provider was last listed, in seconds since 1970.
    PROVIDER_LISTED = "vmpool_provider_listed_timestamp_seconds", Gauge, ["provider"];
    /// How many nodes the last listing of a provider held, foreign ones included.
    PROVIDER_NODES = "vmpool_provider_nodes", Gauge, ["provider"];
    /// How much is used of a provider's quota, VMs included that start or are being destroyed.
    QUOTA_USED = "vmpool_provider_quota_used", Gauge, ["provider", "part"];
    /// How much there is of a provider's quota.
    QUOTA_LIMIT = "vmpool_provider_quota_limit", Gauge, ["provider", "part"];
    /// How many nodes at a provider are ours and belong to no record.
    ORPHANS = "vmpool_provider_orphans", Gauge, ["provider"];
    /// How many nodes at a provider are not ours.
    STRANGERS = "vmpool_provider_strangers", Gauge, ["provider"];
    /// How many nodes of a provider are missing at once, so that none counts as lost; 0 if that is not so.
    MASS_LOSS = "vmpool_provider_mass_loss_nodes", Gauge, ["provider"];
    /// How many orphans the sweep of a provider found.
    ORPHANS_FOUND = "vmpool_orphans_found_total", Counter, ["provider"];
    /// How many nodes would have run for ever: `destroyed` because no record claimed them, or `adopted` although their
    /// creation was never answered.
    LEAKS_PREVENTED = "vmpool_leaks_prevented_total", Counter, ["how"];
    /// How many events of each kind were written into the log.
    EVENTS = "vmpool_events_total", Counter, ["kind"];
    /// How long commits took until they were durable.
    COMMITS = "vmpool_store_commit_duration_seconds", Histogram, [];
    /// How many commits failed.
    COMMIT_FAILURES = "vmpool_store_commit_failures_total", Counter, [];
    /// Whether the store is short of room.
    STORE_SHORT = "vmpool_store_short", Gauge, [];
    /// How many requests of HTTP were answered.
    HTTP_REQUESTS = "vmpool_http_requests_total", Counter, ["method", "route", "status"];
    /// How long requests of HTTP took to answer; a stream counts until it begins.
    HTTP_TIME = "vmpool_http_request_duration_seconds", Histogram, ["method", "route"];
    /// How much memory the process has, in bytes.
    MEMORY = "process_resident_memory_bytes", Gauge, [];
    /// How many files and sockets the process has open.
    FILES = "process_open_fds", Gauge, [];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        let names: BTreeSet<_> = ALL.iter().map(|family| family.name).collect();
        assert_eq!(names.len(), ALL.len(), "a name is given twice");
        for Family { name, kind, labels, help } in ALL {
            assert!(name.starts_with("vmpool_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(*kind != Kind::Histogram || name.ends_with("_seconds"), "{name} has another unit");
            assert!(help.trim().ends_with('.'), "{name}: {help}");
            assert!(!labels.contains(&"le"), "{name}");
        }
    }
}
