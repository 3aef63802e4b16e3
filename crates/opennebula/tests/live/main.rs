//! The suite for drivers and the life of a VM on a real OpenNebula, if `VMPOOL_LIVE_OPENNEBULA` has its address, such as
//! `http://one.example:2633/RPC2`.
//!
//! The account is that of OpenNebula's own tools: in the file that `ONE_AUTH` names, else in `~/.one/one_auth`. A plain user
//! does; what takes an administrator is passed over then, and said so. The hosts may be dummies or real ones.
//!
//! * `VMPOOL_LIVE_ATTRIBUTES` is added to the template of every VM, such as `DISK=[IMAGE_ID=5] GRAPHICS=[TYPE=vnc]`; without it
//!   a VM is a tenth of a processor and 64 MB, with nothing on it.
//! * `VMPOOL_LIVE_DEPLOY`, with anything in it, says that the server has no scheduler: the tests put VMs on hosts themselves.
//!
//! Every test has a name of its own in all that it makes, and ends that, also when it fails; should it be killed, the server
//! ends its VMs an hour after they were made. Nothing else on the server is touched.
//!
//! Without the address each test says that it was not run, and shows nothing.
#![expect(clippy::panic, clippy::print_stderr, reason = "tests may panic, and say what they pass over")]

mod account;
mod clean;
mod devices;
mod driver;
mod notes;
mod places;
mod pool;
mod power;
mod refusals;
mod snapshots;
mod suite;
mod wait;

/// Why a test fails.
type Failure = Box<dyn std::error::Error + Send + Sync>;
