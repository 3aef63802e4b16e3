//! The vmpool daemon as a library: its configuration and its HTTP API.
//!
//! A daemon of your own, with a driver of your own, is a registry and a few lines around [`Config`] and [`Daemon`]:
//!
//! ```
//! use std::{error::Error, path::Path};
//! use vmpool_server::{Config, Daemon};
//!
//! async fn serve(config: &Path) -> Result<(), Box<dyn Error>> {
//!     // Add `.with(your_driver::factory())`.
//!     let registry = vmpool_server::drivers::builtin();
//!     let daemon = Daemon::start(Config::load(config, &registry)?, &registry).await?;
//!     daemon.run(std::future::pending()).await?;
//!     Ok(())
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let err = serve(Path::new("no-such-file.toml")).await.unwrap_err();
//! assert!(err.to_string().starts_with("cannot read the configuration no-such-file.toml"));
//! # });
//! # Ok::<(), Box<dyn Error>>(())
//! ```
//!
//! The routes are in [`vmpool_api::routes`], and `vmpool-client` speaks to them.
//! Who asks shows a token, unless the connection proves who they are or the configuration asks nobody: see [`AccessConfig`].
//! On loopback it answers only to IP addresses and `localhost`, so that no web page can reach it under a name of its own.

mod access;
mod config;
mod daemon;
mod dashboard;
mod error;
mod http;
mod listen;
mod metrics;
mod observe;
#[cfg(feature = "otel")]
pub mod otel;
mod reload;
mod tls;
mod words;

pub use vmpool::{driver, drivers, model, store};
pub use vmpool_api as api;

pub use crate::{
    access::AccessError,
    config::{
        AccessConfig, ClientCertificates, Config, ConfigError, ConfigProblem, DEFAULT_CONFIG, DaemonConfig,
        Grant, TlsConfig, config_reference, config_schema,
    },
    daemon::Daemon,
    error::DaemonError,
    reload::{ReloadError, Reloader},
};
