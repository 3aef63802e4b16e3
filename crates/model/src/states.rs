//! States: the uniform [`NodeState`], and the providers' own states beside it.
//!
//! The tables behind them are in `xtask/tables`; the files that hold them are generated.

pub mod cloudapi;
mod node;
mod node_state;
pub mod opennebula;
mod raw;

pub use node::ParseNodeStateError;
pub use node_state::NodeState;
pub use raw::RawState;
