//! A VM as a node.

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{
    FailureKind, Node, NodeId, NodeImage, Timestamp,
    states::{
        RawState,
        opennebula::{LcmState, VmState, node_state},
    },
};

use super::marks::Marks;
use crate::vm::{Addresses, ListedVm, Vm};

/// Makes a node of what every VM has.
pub(super) fn node(
    operation: Operation,
    id: i32,
    name: &str,
    state: VmState,
    lcm: LcmState,
) -> Result<Node, DriverError> {
    let id = NodeId::new(id.to_string())
        .map_err(|err| DriverError::new(operation, FailureKind::Protocol).with_source(err))?;
    let mut node = Node::new(id, name, node_state(state, lcm));
    node.raw_state = RawState::OpenNebula { vm: state, lcm };
    Ok(node)
}

/// Makes a node of a VM in a listing.
pub(super) fn of_listed(operation: Operation, vm: &ListedVm) -> Result<Node, DriverError> {
    let mut node = node(operation, vm.id, &vm.name, vm.state, vm.lcm_state)?;
    let mut marks = Marks::default();
    if !vm.host.is_empty() {
        marks.extra.insert("host".to_owned(), vm.host.clone());
    }
    vm.user_template.iter().for_each(|(name, text)| marks.take(name, text));
    add(&mut node, marks, &vm.addresses, vm.template_id, vm.stime);
    Ok(node)
}

/// Makes a node of a VM that was asked for alone.
pub(super) fn of_vm(operation: Operation, vm: &Vm) -> Result<Node, DriverError> {
    let mut node = node(operation, vm.id, &vm.name, vm.state, vm.lcm_state)?;
    let mut marks = Marks::default();
    if let Some(stay) = vm.history.last() {
        marks.extra.insert("host".to_owned(), stay.host.clone());
    }
    let user_template = vm.document.child("USER_TEMPLATE");
    user_template
        .iter()
        .flat_map(|template| &template.children)
        .filter(|attribute| attribute.children.is_empty())
        .for_each(|attribute| marks.take(&attribute.name, &attribute.text));
    add(&mut node, marks, &vm.addresses(), vm.template_id(), vm.stime);
    Ok(node)
}

fn add(node: &mut Node, marks: Marks, addresses: &Addresses, template: Option<i32>, stime: i64) {
    node.token = marks.token;
    node.extra = marks.extra;
    node.public_ips = addresses.public();
    node.private_ips = addresses.private();
    // The name of the template is not in the VM.
    node.image = template.map(|id| NodeImage { id: id.to_string(), name: String::new() });
    node.created_at = (0 < stime).then(|| Timestamp::from_millis(stime.saturating_mul(1000)));
}
