//! OpenNebula's XML-RPC server, as measured on a real one of version 6.10.
//!
//! ```
//! use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let sim = OpenNebulaSim::new(SimConfig::default())?;
//! let server = sim.clone().start().await?;
//! // Any client works: ONE_XMLRPC is the endpoint, ONE_AUTH a file with `oneadmin:opennebula`.
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod cloud;
mod config;
mod devices;
mod document;
mod http;
mod legality;
mod life;
mod methods;
mod place;
mod rights;
mod schedule;
mod sim;
mod template;
mod users;
mod vm;
mod wire;
mod xml;

pub use self::{
    config::{SimConfig, SimUser},
    sim::OpenNebulaSim,
};
pub use crate::server::SimServer;
