//! Triton CloudAPI, as measured on a real one of version 9.20.
//!
//! ```
//! use vmpool_sim::cloudapi::{CloudApiSim, SimConfig};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let sim = CloudApiSim::new(SimConfig::default())?;
//! let server = sim.clone().start().await?;
//! // Any client works that signs with the key of the account `sim`.
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod calls;
mod catalog;
mod cloud;
mod config;
mod generated;
mod http;
mod jobs;
mod keys;
mod limits;
mod machine;
mod reply;
mod request;
mod routes;
mod sim;
mod times;
mod versions;

pub use self::{
    config::{Limit, SimAccount, SimConfig},
    generated::GeneratedKey,
    keys::{InvalidKey, fingerprint},
    reply::SimReply,
    request::SimRequest,
    sim::{CloudApiSim, SimError},
};
pub use crate::server::SimServer;
