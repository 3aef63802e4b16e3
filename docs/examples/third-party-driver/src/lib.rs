//! A complete driver by a third party, for a cloud that is a shelf of machines in memory.
//!
//! `docs/writing-a-driver.md` goes through it step by step.
//!
//! | module | what |
//! |---|---|
//! | [`cloud`] | the cloud with an API of its own: what a third party already has |
//! | [`ShelfDriver`] | the driver: translates between that API and the contract |
//! | [`factory`] | makes drivers of the options in a configuration |
//!
//! ```
//! use std::sync::Arc;
//! use vmpool_driver::{CreateRequest, Driver};
//! use vmpool_shelf::{ShelfDriver, cloud::Shelf};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let driver = ShelfDriver::new(Arc::new(Shelf::new(8)), "shelf://lab");
//! let request = CreateRequest::new("paperback").with_token("lab/books/books-1".parse()?);
//! let node = driver.create(&request).await?;
//! assert_eq!(node.name, "books-1");
//! driver.destroy(&node.id).await?;
//! assert!(driver.list().await?.nodes.is_empty());
//! # Ok(())
//! # }
//! ```

pub mod cloud;
mod driver;
mod error;
mod factory;
mod node;

pub use crate::{
    driver::ShelfDriver,
    factory::{ShelfFactory, ShelfOptions, factory},
};
