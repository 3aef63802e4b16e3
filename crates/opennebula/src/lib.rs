//! OpenNebula over XML-RPC.
//!
//! The layers, from the wire up: [`rpc`] is XML-RPC as text, [`document`] the documents inside its answers, [`vm`] and
//! [`resource`] what these documents tell, [`template`] what VMs are made of, [`client`] calls a server
//! and [`api`] its methods. With the feature `events` there is also what a server says by
//! itself, in `events`. On top is the [`driver`], which pools use; everything below is complete without it.
//!
//! ```
//! use vmpool_opennebula::{
//!     api::{Filter, Range, StateFilter, VirtualMachine, VirtualMachinePool},
//!     client::{Client, ClientConfig},
//! };
//!
//! /// Makes a VM that waits, lists what the account has, and ends the VM; server and account are those of OpenNebula's own tools.
//! async fn first_vm() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::new(ClientConfig::from_env()?)?;
//!     let vm = VirtualMachine::allocate(&client, "NAME=first CPU=0.1 MEMORY=64", true).await?;
//!     let pool = VirtualMachinePool::new(&client);
//!     for listed in pool.info(Filter::Mine, Range::All, StateFilter::NotDone).await? {
//!         println!("VM {} {} is {}", listed.id, listed.name, listed.state.str_state());
//!     }
//!     vm.terminate_hard().await?;
//!     Ok(())
//! }
//! # fn main() {}
//! ```

pub mod api;
pub mod client;
pub mod document;
pub mod driver;
#[cfg(feature = "events")]
pub mod events;
pub mod resource;
pub mod rpc;
pub mod template;
pub mod vm;
