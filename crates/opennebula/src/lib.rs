//! OpenNebula over XML-RPC.
//!
//! The layers, from the wire up: [`rpc`] is XML-RPC as text, [`document`] the documents inside its answers, [`vm`] and
//! [`resource`] what these documents tell, [`template`] what VMs are made of, [`client`] calls a server
//! and [`api`] its methods. With the feature `events` there is also what a server says by
//! itself, in `events`. On top is the [`driver`], which pools use; everything below is complete without it.

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
