//! The words of vmpool: ids, names, nodes, states, records, legal transitions and config types.

pub mod libcloud_uuid;
pub mod states;
