//! Cases and weaknesses of Copr's VmManager that no other rule shows; docs/compat-copr.md lists all.

mod check;
mod end;
mod owner;
mod records;
mod spawn;

use vmpool_model::Node;

use crate::lab::Lab;

/// Lists these nodes, first for whom asked already and then for whom asks now, so that the rest is proven gone.
fn list_anew(lab: &mut Lab, nodes: &[Node]) {
    lab.list(nodes);
    lab.list(nodes);
}

/// Returns the nodes that the records have, as a listing shows them.
fn listed(lab: &mut Lab, of: impl Fn(&vmpool_model::VmRecord) -> bool) -> Vec<Node> {
    let installation = lab.engine.spec().installation.clone();
    let vms: Vec<_> = lab.vms().filter(|vm| of(vm)).cloned().collect();
    let as_listed = vms.into_iter().filter_map(|vm| {
        let mut node = lab.node(&vm.token(&installation), vmpool_model::states::NodeState::Running);
        node.id = vm.node?.id;
        Some(node)
    });
    as_listed.collect()
}
