//! A machine as a node.

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{FailureKind, Node, NodeId, NodeImage, NodeSize};

use crate::types::{MachineData, TagValue};

/// The tag that holds the token.
pub(super) const TOKEN: &str = "vmpool-token";

/// The tag that holds the day on which a machine with a token was asked for, in UTC.
pub(super) const DAY: &str = "vmpool-day";

/// Returns a machine as a node.
pub(super) fn node(operation: Operation, machine: MachineData) -> Result<Node, DriverError> {
    let id = NodeId::new(machine.id.clone()).map_err(|err| {
        DriverError::new(operation, FailureKind::Protocol)
            .with_context("the answer has no usable id")
            .with_source(err)
    })?;
    let name = machine.name.clone().unwrap_or_else(|| machine.id.clone());
    let mut node = Node::new(id, name, machine.state.node_state());
    node.public_ips = machine.public_ips();
    node.private_ips = machine.private_ips();
    node.raw_state = machine.state.into();
    node.token = machine.tags.get(TOKEN).and_then(TagValue::as_text).and_then(|text| text.parse().ok());
    node.created_at = machine.created.and_then(|time| time.parse().ok());
    node.image = machine.image.map(|id| NodeImage { name: id.clone(), id });
    if !machine.package.is_empty() {
        node.size = Some(NodeSize {
            id: machine.package.clone(),
            name: machine.package,
            ram: machine.memory.unwrap_or_default(),
            disk: machine.disk.unwrap_or_default() / 1024,
            bandwidth: None,
            price: None,
        });
    }
    let extra = [
        ("brand", machine.brand),
        ("compute_node", machine.compute_node),
        ("primary_ip", machine.primary_ip),
    ];
    node.extra.extend(extra.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    if machine.deletion_protection {
        node.extra.insert("deletion_protection".to_owned(), "true".to_owned());
    }
    // Labels win: they are what somebody asked for under this key.
    let tags = machine.tags.into_iter().filter(|(key, _)| key != TOKEN && key != DAY);
    node.extra.extend(tags.map(|(key, value)| (key, value.to_string())));
    Ok(node)
}
