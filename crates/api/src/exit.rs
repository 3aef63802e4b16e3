//! The exit codes of the command line; they are part of the API and never change their meaning.
//!
//! A command that is run under a lease (`vmpool acquire POOL -- COMMAND`) ends with the exit code of that command.

/// It worked.
pub const OK: u8 = 0;
/// It failed for a reason that has no code of its own.
pub const FAILURE: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// The configuration is wrong.
pub const CONFIG: u8 = 3;
/// There is no VM, or none became ready in time.
pub const NO_VM: u8 = 4;
/// There is no such pool, VM, lease, request or provider.
pub const NOT_FOUND: u8 = 5;
/// The daemon refused: something is in a state that forbids it, or the wish contradicts an earlier one.
pub const REFUSED: u8 = 6;
/// The daemon cannot be reached, or does not answer.
pub const UNREACHABLE: u8 = 7;
/// The address that the daemon is to listen on is in use.
pub const PORT_IN_USE: u8 = 8;
/// Another process uses the state directory.
pub const STATE_IN_USE: u8 = 9;
/// The store is damaged or cannot be opened, or a newer version wrote it.
pub const STORE: u8 = 10;
/// Client and daemon speak different versions of the API.
pub const VERSION: u8 = 11;
/// A provider or its driver failed.
pub const PROVIDER: u8 = 12;
/// The daemon failed, or answered something that cannot be understood.
pub const DAEMON: u8 = 13;
/// The lease ended while a command ran with its VM, so what the command made is not to be trusted.
pub const LEASE_LOST: u8 = 14;
/// The daemon wants to know who asks, or who asks may not do this.
pub const DENIED: u8 = 15;
/// It was interrupted by ctrl-c; 128 + n stands for another signal n, such as 143 for SIGTERM.
pub const INTERRUPTED: u8 = 130;

/// All exit codes with their names and meanings, in order; the table that help texts and docs print.
pub const ALL: &[(u8, &str, &str)] = &[
    (OK, "ok", "it worked"),
    (FAILURE, "failure", "it failed for a reason that has no code of its own"),
    (USAGE, "usage", "the command line is wrong"),
    (CONFIG, "config", "the configuration is wrong"),
    (NO_VM, "no_vm", "there is no VM, or none became ready in time"),
    (NOT_FOUND, "not_found", "there is no such pool, VM, lease, request or provider"),
    (
        REFUSED,
        "refused",
        "the daemon refused: something is in a state that forbids it, or the wish contradicts an earlier one",
    ),
    (UNREACHABLE, "unreachable", "the daemon cannot be reached, or does not answer"),
    (PORT_IN_USE, "port_in_use", "the address that the daemon is to listen on is in use"),
    (STATE_IN_USE, "state_in_use", "another process uses the state directory"),
    (STORE, "store", "the store is damaged or cannot be opened, or a newer version wrote it"),
    (
        VERSION,
        "version",
        "client and daemon speak different versions of the API, or it is no daemon of vmpool",
    ),
    (PROVIDER, "provider", "a provider or its driver failed"),
    (DAEMON, "daemon", "the daemon failed, or answered something that cannot be understood"),
    (
        LEASE_LOST,
        "lease_lost",
        "the lease ended while a command ran with its VM, so what the command made is not to be trusted",
    ),
    (DENIED, "denied", "the daemon wants to know who asks, or who asks may not do this"),
    (
        INTERRUPTED,
        "interrupted",
        "it was interrupted by ctrl-c; 128 + n stands for another signal n, such as 143 for SIGTERM",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_has_one_row() {
        for pair in ALL.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{pair:?}");
        }
    }
}
