//! OpenNebula over XML-RPC.
//!
//! The layers, from the wire up: [`rpc`] is XML-RPC as text, [`document`] the documents inside its answers.

pub mod document;
pub mod rpc;
