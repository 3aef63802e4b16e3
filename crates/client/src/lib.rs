//! A typed client of the vmpool daemon, and its event stream.
//!
//! ```
//! # use std::time::Duration;
//! # use vmpool_client::{Client, ClientError, api::AcquireRequest, new_request_id};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! async fn use_a_vm(daemon: &str) -> Result<(), ClientError> {
//!     let client = Client::new(daemon)?;
//!     let wish = AcquireRequest::new(new_request_id(), "small", "ada").with_wait(Duration::from_secs(60));
//!     let lease = client.acquire(&wish).await?;
//!     println!("{} at {}", lease.vm, lease.addresses.join(", "));
//!     client.release(&lease.id).await
//! }
//!
//! let err = use_a_vm("127.0.0.1:7717").await.unwrap_err();
//! assert!(err.to_string().contains("the scheme is missing, write http://127.0.0.1:7717"));
//! # }
//! ```
//!
//! A daemon on this host that runs as the same user knows the client by a key that it left in a file; other daemons want a
//! [token](Client::with_token).
//! Over `https://` it trusts whom the system trusts, and whom [`Tls`] says.
//! The client takes no proxy from the environment.
//! It needs a tokio runtime with time and I/O.

mod acquire;
mod backoff;
mod bulk;
mod calls;
mod client;
pub mod compat;
mod error;
mod events;
mod keeper;
mod local_key;
mod request_id;
mod sse;
mod tls;
mod verbs;

pub use vmpool_api as api;

pub use crate::{
    client::Client,
    error::ClientError,
    events::{EventStream, Follow},
    keeper::{Keeper, Kept},
    request_id::new_request_id,
    tls::Tls,
};
