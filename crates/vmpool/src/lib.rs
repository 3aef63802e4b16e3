//! Pools of virtual machines on private clouds, kept ready and handed out under leases.
//!
//! A [`Manager`](manager::Manager) keeps pools at providers and gives out their VMs; this program runs one on the cloud
//! in memory, leases a VM and gives it back:
//!
#![cfg_attr(feature = "dummy", doc = concat!("```\n", include_str!("../examples/pool.rs"), "```"))]
//!
//! Everything that is answered is durable, as far as the store is: with [`store::MemoryStore`] until the process ends,
//! with `store::SledStore` for good.
//! The daemon in `vmpool-server` is the same manager behind HTTP.
//!
//! | module | what |
//! |---|---|
//! | [`model`] | the words: names, nodes, states, records, configuration |
//! | [`driver`] | the contract with a cloud, for whoever writes a driver or calls one |
//! | [`drivers`] | the drivers that are built in, and opening one with the usual layers |
//! | [`layers`] | time limits, retries and traces around any driver |
//! | [`store`] | where the records are |
//! | [`engine`] | all decisions, as a pure function of input and time |
//! | [`manager`] | carries the decisions out |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `client` | no | the module `client`: a client of the daemon over HTTP |
//! | `cloudapi` | no | the module `cloudapi` and the driver of that name: Triton CloudAPI |
//! | `dummy` | yes | the module `dummy` and the driver of that name: a cloud in memory |
//! | `opennebula` | no | the module `opennebula` and the driver of that name |
//! | `sled` | yes | `store::SledStore`: records in a directory |
//! | `ssh` | yes | the module `ssh`: deployments by the host's `ssh`, on Unix |

pub mod drivers;
#[cfg(all(feature = "ssh", unix))]
pub mod ssh;

#[cfg(feature = "client")]
pub use vmpool_client as client;
#[cfg(feature = "cloudapi")]
pub use vmpool_cloudapi as cloudapi;
#[cfg(feature = "dummy")]
pub use vmpool_dummy as dummy;
#[cfg(feature = "opennebula")]
pub use vmpool_opennebula as opennebula;

pub use vmpool_driver as driver;
pub use vmpool_engine as engine;
pub use vmpool_layers as layers;
pub use vmpool_manager as manager;
pub use vmpool_model as model;
pub use vmpool_store as store;
