//! Simulated clouds on loopback, for testing whatever speaks to a real one.
//!
//! A simulated cloud speaks the protocol of the real one closely enough that its real clients take it for real, and it can be
//! slow, fail, lose answers and forget machines, all from one seed. What runs in it are the nodes of a
//! [`DummyCloud`](vmpool_dummy::DummyCloud), so whatever the dummy can do to nodes can be done to its machines.
//!
//! [`opennebula`] is OpenNebula's XML-RPC server, and [`cloudapi`] is Triton CloudAPI.

mod clock;
pub mod cloudapi;
mod hypervisor;
pub mod opennebula;
mod server;
