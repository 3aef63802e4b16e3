//! A machine of the shelf as a node.

use vmpool_driver::{
    DriverError, Operation,
    model::{
        FailureKind, Node, NodeId,
        states::{NodeState, RawState},
    },
};

use crate::cloud::Machine;

/// Where on a machine's card the token is written.
pub(crate) const TOKEN: &str = "vmpool-token";

/// Returns a machine as a node.
pub(crate) fn node(operation: Operation, machine: Machine) -> Result<Node, DriverError> {
    let id = NodeId::new(machine.number.to_string())
        .map_err(|err| DriverError::new(operation, FailureKind::Protocol).with_source(err))?;
    let mut node = Node::new(id, machine.label, state(&machine.condition));
    node.raw_state = RawState::Text(machine.condition);
    // A text that is no token is no reason to fail: the node is then one that vmpool did not make.
    node.token = machine.card.get(TOKEN).and_then(|text| text.parse().ok());
    node.extra = machine.card;
    node.extra.remove(TOKEN);
    node.extra.insert("model".to_owned(), machine.model);
    Ok(node)
}

/// Returns the uniform state; a condition that a later shelf invents is unknown, which counts as busy and never as gone.
fn state(condition: &str) -> NodeState {
    match condition {
        "plugged in" => NodeState::Running,
        "unplugged" => NodeState::Stopped,
        _ => NodeState::Unknown,
    }
}

/// Returns the number that an id stands for, if it is written as the shelf writes it: `7`, and not `07` or `+7`.
pub(crate) fn number(id: &NodeId) -> Option<u64> {
    let number: u64 = id.as_str().parse().ok()?;
    (number.to_string() == id.as_str()).then_some(number)
}
