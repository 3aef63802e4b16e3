//! Everything that the account has.

use std::{collections::BTreeMap, time::Duration};

use vmpool_driver::{DriverError, Listing, Operation};
use vmpool_model::{Node, NodeId, Timestamp, states::cloudapi::MachineState};

use super::{
    create::day,
    node::{DAY, node},
};
use crate::{CloudApiError, DataCenter, MachineFilter, types::MachineData};

/// How long machines that could not be made are looked for.
const LOOK_BACK: Duration = Duration::from_secs(24 * 60 * 60);

/// Lists every machine that is there.
///
/// The server hides machines that it could not make and has no filter for them: they show only among everything that ever was.
/// So that this does not grow for ever, machines carry the day on which they were asked for, and only those of today and of
/// yesterday are asked for so. They come last: one that fails while it is listed was in the first listing or is in the last one.
pub(super) async fn list(datacenter: &DataCenter) -> Result<Listing, DriverError> {
    let failed = |err: CloudApiError| err.into_driver_error(Operation::List);
    let machines = datacenter.all_machines(&MachineFilter::default()).await.map_err(failed)?;
    let mut nodes = BTreeMap::new();
    add(&mut nodes, machines.into_iter().filter(|machine| machine.state != MachineState::Deleted))?;
    let today = datacenter.now();
    let yesterday = Timestamp::from_millis(today.as_millis().saturating_sub(millis(LOOK_BACK)));
    let mut incomplete = None;
    for time in [yesterday, today] {
        let filter = MachineFilter::default().with_tag(DAY, day(time)).with_tombstones();
        match datacenter.all_machines(&filter).await {
            Ok(machines) => {
                add(
                    &mut nodes,
                    machines.into_iter().filter(|machine| machine.state == MachineState::Failed),
                )?;
            }
            Err(err) => incomplete = Some(format!("machines that could not be made are not listed: {err}")),
        }
    }
    let nodes = nodes.into_values().collect();
    Ok(match incomplete {
        None => Listing::complete(nodes),
        Some(why) => Listing::partial(nodes, why),
    })
}

/// Adds machines; what a later listing shows of one is newer.
fn add(
    nodes: &mut BTreeMap<NodeId, Node>,
    machines: impl Iterator<Item = MachineData>,
) -> Result<(), DriverError> {
    for machine in machines {
        let node = node(Operation::List, machine)?;
        nodes.insert(node.id.clone(), node);
    }
    Ok(())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
