//! Listing all VMs of the account, also if the server chokes on one of them.

use vmpool_driver::{DriverError, Listing, Operation};
use vmpool_model::{
    Node,
    states::{
        RawState,
        opennebula::{LcmState, VmState},
    },
};

use super::{OpenNebulaDriver, node, number};
use crate::{
    api::{Filter, Range, StateFilter, VirtualMachine},
    client::CallError,
    vm::ListedVm,
};

const OPERATION: Operation = Operation::List;

/// The highest id that a VM can have.
const HIGHEST: u32 = i32::MAX.unsigned_abs();

/// Lists all VMs of the account that are not done.
///
/// One call does it. The server cannot send a VM that has certain characters in it, though, and then no listing that holds
/// the VM either; so it is looked for by halving windows of ids, which stay the same while VMs come and go.
pub(super) async fn list(driver: &OpenNebulaDriver) -> Result<Listing, DriverError> {
    let listing = match window(driver, Range::All).await {
        Ok(vms) => Listing::complete(nodes(&vms)?),
        Err(err) if err.is_breakdown() => around(driver).await?,
        Err(err) => return Err(err.into_driver_error(OPERATION, "the VMs of the account")),
    };
    let_go(driver, &listing.nodes).await;
    Ok(listing)
}

/// Lets VMs go that somebody made, with a token, and could not let go.
///
/// They would wait on hold for ever; that they did not boot at once was to give who knows the token time to find them.
async fn let_go(driver: &OpenNebulaDriver, nodes: &[Node]) {
    let is_held = |node: &&Node| {
        node.token.is_some() && matches!(node.raw_state, RawState::OpenNebula { vm: VmState::Hold, .. })
    };
    let held: Vec<i32> = nodes.iter().filter(is_held).filter_map(|node| number(&node.id)).collect();
    driver.held.keep(&held);
    for id in held {
        if driver.options.release_after <= driver.held.since(id) {
            // What fails is tried again by the next listing.
            let _ = VirtualMachine::new(&driver.client, id).release().await;
        }
    }
}

async fn window(driver: &OpenNebulaDriver, range: Range) -> Result<Vec<ListedVm>, CallError> {
    let pool = driver.pool();
    match driver.version.has_extended_listings() {
        true => pool.info_extended(Filter::Mine, range, StateFilter::NotDone).await,
        // The one listing there was told everything.
        false => pool.info(Filter::Mine, range, StateFilter::NotDone).await,
    }
}

fn nodes(vms: &[ListedVm]) -> Result<Vec<Node>, DriverError> {
    vms.iter().map(|vm| node::of_listed(OPERATION, vm)).collect()
}

/// Lists all VMs but those that the server cannot send, and says which these are.
///
/// The listing is partial: what a VM that cannot be read says about itself, such as its token, is not known.
async fn around(driver: &OpenNebulaDriver) -> Result<Listing, DriverError> {
    // The short listing lacks most of what the server can choke on.
    let short = driver.pool().info(Filter::Mine, Range::All, StateFilter::NotDone).await.unwrap_or_default();
    let highest = short.iter().map(|vm| vm.id.unsigned_abs()).max().unwrap_or(HIGHEST);
    let mut windows = vec![(0, highest)];
    let mut found = Vec::new();
    let mut unread = Vec::new();
    while let Some((first, last)) = windows.pop() {
        match window(driver, Range::Ids(first, last)).await {
            Ok(vms) => found.extend(vms),
            Err(err) if err.is_breakdown() && first == last => unread.push(first),
            Err(err) if err.is_breakdown() => {
                let middle = first + (last - first) / 2;
                windows.push((first, middle));
                windows.push((middle + 1, last));
            }
            Err(err) => return Err(err.into_driver_error(OPERATION, format!("the VMs {first} to {last}"))),
        }
    }
    if highest < HIGHEST
        && let Ok(newer) = window(driver, Range::From(highest + 1)).await
    {
        found.extend(newer);
    }
    if unread.is_empty() {
        // Whatever it was has gone in the meantime; the windows together may have missed what came and went.
        return Ok(Listing::partial(
            nodes(&found)?,
            "the server broke down over a listing, and then did not",
        ));
    }
    let mut listed = nodes(&found)?;
    for id in &unread {
        let known = short.iter().find(|vm| vm.id.unsigned_abs() == *id);
        listed.push(match known {
            Some(vm) => node::of_listed(OPERATION, vm)?,
            // Its state is not known, so it is busy.
            None => node::node(
                OPERATION,
                i32::try_from(*id).unwrap_or(i32::MAX),
                "",
                VmState::Unrecognized(-1),
                LcmState::LcmInit,
            )?,
        });
    }
    let ids: Vec<String> = unread.iter().map(u32::to_string).collect();
    let why = format!(
        "OpenNebula cannot send VM {}: there is a character in its attributes that it cannot write; \
         take the attribute out, such as with: onevm update",
        ids.join(", ")
    );
    Ok(Listing::partial(listed, why))
}
