//! What happened: the history that people, dashboards and audits read.

use serde::{Deserialize, Serialize};

use crate::{LeaseId, Owner, PoolName, ProviderName, RequestId, Timestamp, VmName};

/// One thing that happened, written in the same batch as the records it changed.
///
/// No decision depends on an event: the records are the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The pool it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolName>,
    /// The provider it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The VM it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<VmName>,
    /// The lease it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// The request it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Who asked for it, if somebody did and said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Owner>,
    /// More about it, for people; empty if there is nothing to add.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Event {
    /// Makes an event about nothing in particular yet.
    #[must_use]
    pub fn new(at: Timestamp, kind: EventKind) -> Self {
        Self {
            at,
            kind,
            pool: None,
            provider: None,
            vm: None,
            lease: None,
            request: None,
            owner: None,
            by: None,
            detail: String::new(),
        }
    }
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What kind of thing happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
            /// A kind that a newer version wrote.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl EventKind {
            /// All kinds that this version writes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the kind as text, such as `vm_ready`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown => "unknown",
                }
            }
        }
    };
}

event_kinds! {
    /// The daemon took the records over.
    DaemonStarted = "daemon_started",
    /// The daemon gave the records up in good order.
    DaemonStopped = "daemon_stopped",
    /// A VM is intended; its provider will be asked for it.
    VmSpawning = "vm_spawning",
    /// The provider made the VM's node.
    VmCreated = "vm_created",
    /// A node whose creation was never answered was found and taken over.
    VmAdopted = "vm_adopted",
    /// The provider did not make the node; the record is gone.
    SpawnFailed = "spawn_failed",
    /// The creation was not answered; the node is looked up before anything is repeated.
    CreateUnknown = "create_unknown",
    /// The node runs and has an address.
    VmGotIp = "vm_got_ip",
    /// The VM can be leased for the first time, or again after a check that failed; when one comes back from a lease or a hold
    /// is told by `hook_succeeded`, or by the end of these.
    VmReady = "vm_ready",
    /// A health check failed.
    CheckFailed = "check_failed",
    /// A VM is doubted that somebody uses, or whose node is in no known state for too long; nothing happens to it for that,
    /// and its holder may go on or release it.
    VmSuspect = "vm_suspect",
    /// A VM is not doubted any more: its node runs again, a check passed, or it is checked anew.
    VmTrusted = "vm_trusted",
    /// A VM is held for debugging, or is to be when its lease ends.
    VmHeld = "vm_held",
    /// A VM is not held any more.
    VmUnheld = "vm_unheld",
    /// A hook ended well.
    HookSucceeded = "hook_succeeded",
    /// A hook failed, or took too long.
    HookFailed = "hook_failed",
    /// The VM is to be destroyed.
    VmTerminating = "vm_terminating",
    /// Destroying the VM failed; it is tried again.
    DestroyFailed = "destroy_failed",
    /// The VM is being destroyed for longer than it should take, or its provider is not configured.
    VmStuck = "vm_stuck",
    /// The VM is proven gone.
    VmGone = "vm_gone",
    /// An operator made vmpool forget a VM without proof that it is gone.
    VmForgotten = "vm_forgotten",
    /// A VM was leased.
    LeaseGranted = "lease_granted",
    /// A lease was given back.
    LeaseReleased = "lease_released",
    /// A lease ended because nobody renewed it.
    LeaseExpired = "lease_expired",
    /// A request began to wait.
    RequestWaiting = "request_waiting",
    /// A request's time was over before there was a VM.
    RequestTimedOut = "request_timed_out",
    /// A request was withdrawn.
    RequestCancelled = "request_cancelled",
    /// A request waited until nobody could ever serve it any more, because a pool was drained or the configuration changed.
    RequestTurnedAway = "request_turned_away",
    /// A node that carries our token belongs to no record.
    OrphanFound = "orphan_found",
    /// A node that belongs to no record is destroyed.
    OrphanDestroyed = "orphan_destroyed",
    /// A provider stopped answering as it should.
    ProviderFailed = "provider_failed",
    /// A provider answers again.
    ProviderRecovered = "provider_recovered",
    /// Nothing more is created at a provider for a while, because it failed too often.
    BreakerOpened = "breaker_opened",
    /// VMs are created at a provider again.
    BreakerClosed = "breaker_closed",
    /// An offer of a pool is not used for a while, because it failed.
    OfferPaused = "offer_paused",
    /// Too many nodes of a provider are missing at once: none counts as lost.
    MassLoss = "mass_loss",
    /// The nodes that were missing at once were seen again, or an operator said that they are lost.
    MassLossEnded = "mass_loss_ended",
    /// A node that carries our token and cannot be placed was seen; nothing is done about it.
    StrangerSeen = "stranger_seen",
    /// A pool is drained.
    PoolDrained = "pool_drained",
    /// A pool is not drained any more.
    PoolUndrained = "pool_undrained",
    /// The configuration was changed.
    ConfigChanged = "config_changed",
    /// A token was made.
    TokenCreated = "token_created",
    /// A token was revoked.
    TokenRevoked = "token_revoked",
    /// Somebody showed what the daemon does not know, or asked for what their role may not; told once in ten seconds at most,
    /// with how many there were.
    AccessRefused = "access_refused",
    /// A record cannot be read and is left alone.
    RecordUnreadable = "record_unreadable",
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_newer_version_is_read_as_unknown() {
        let json = r#"{"at":"2026-01-01T00:00:00Z","kind":"vm_painted_blue"}"#;
        assert_eq!(serde_json::from_str::<Event>(json).unwrap().kind, EventKind::Unknown);
    }

    #[test]
    fn an_event_of_before_it_was_told_who_asked_for_it_is_read() {
        let json = r#"{"at":"2026-01-01T00:00:00Z","kind":"pool_drained","pool":"small"}"#;
        assert_eq!(serde_json::from_str::<Event>(json).unwrap().by, None);
    }

    #[test]
    fn every_kind_is_written_as_its_text() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
