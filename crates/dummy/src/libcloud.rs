//! What libcloud's dummy driver shows: its catalog, its first nodes, its unique ids.
//!
//! Source: `libcloud/compute/drivers/dummy.py`, 0.6 and later.

use vmpool_driver::Catalog;
use vmpool_model::{
    InvalidName, Node, NodeImage, NodeLocation, NodeSize, Timestamp,
    libcloud_uuid::{legacy_id, libcloud_v1},
};

use crate::{
    machine::{Machine, address},
    state::{Change, Counts, State},
};

/// Returns the unique id that libcloud up to 0.11 gives to a node of its dummy driver.
///
/// There the ids are numbers, and the number 0 is no id, so node `0` hashes as `None`.
/// Since 0.12 the ids are those of [`libcloud_v2`](vmpool_driver::model::libcloud_uuid::libcloud_v2).
///
/// ```
/// use vmpool_dummy::libcloud_v1_uuid;
/// use vmpool_driver::model::{Node, NodeId, states::NodeState};
/// let node = Node::new(NodeId::new("3")?, "dummy-3", NodeState::Running);
/// assert_eq!(libcloud_v1_uuid(&node), "d3748461511d8b9b0e0bfa0d4d3383a619a2bb9f");
/// # Ok::<(), vmpool_driver::model::InvalidName>(())
/// ```
#[must_use]
pub fn libcloud_v1_uuid(node: &Node) -> String {
    match node.id.as_str().parse() {
        Ok(number) => libcloud_v1(legacy_id(number).as_deref(), 0),
        Err(_) => libcloud_v1(Some(node.id.as_str()), 0),
    }
}

/// Returns the sizes, images and locations.
pub(crate) fn catalog() -> Catalog {
    let size = |id: &str, name: &str, ram, disk, bandwidth, price| NodeSize {
        id: id.to_owned(),
        name: name.to_owned(),
        ram,
        disk,
        bandwidth: Some(bandwidth),
        price: Some(price),
    };
    let location = |id: &str, name: &str, country: &str| NodeLocation {
        id: id.to_owned(),
        name: name.to_owned(),
        country: country.to_owned(),
    };
    let mut catalog = Catalog::default();
    catalog.sizes = vec![
        size("1", "Small", 128, 4, 500, 4.0),
        size("2", "Medium", 512, 16, 1500, 8.0),
        size("3", "Big", 4096, 32, 2500, 32.0),
        size("4", "XXL Big", 8192, 128, 7500, 64.0),
    ];
    catalog.images = vec![image("1", "Ubuntu 9.10"), image("2", "Ubuntu 9.04"), image("3", "Slackware 4")];
    catalog.locations = vec![
        location("1", "Paul's Room", "US"),
        location("2", "London Loft", "GB"),
        location("3", "Island Datacenter", "FJ"),
    ];
    catalog
}

/// Begins a cloud with `count` nodes, or with the two default ones.
///
/// Unlike in libcloud the two have an address each.
pub(crate) fn begin(count: Option<u64>, now: Timestamp) -> Result<State, InvalidName> {
    let (numbers, shift) = match count {
        None => (1..3, 0),
        Some(count) => (0..count, 1),
    };
    let first_created = numbers.end.saturating_sub(numbers.start) + 1;
    let mut state = State::new(Counts { next_number: first_created, ..Counts::default() });
    for number in numbers {
        let mut machine = Machine::new(number, format!("dummy-{number}"), now)?;
        machine.address = Some(address(number + shift));
        machine.extra = extra();
        state.apply(Change::Upsert(Box::new(machine)));
    }
    Ok(state)
}

/// Makes the node that a create returns, whatever was asked for.
pub(crate) fn machine(number: u64, now: Timestamp) -> Result<Machine, InvalidName> {
    let mut machine = Machine::new(number, format!("dummy-{number}"), now)?;
    machine.size = Some(NodeSize {
        id: "s1".to_owned(),
        name: "foo".to_owned(),
        ram: 2048,
        disk: 160,
        bandwidth: None,
        price: Some(0.0),
    });
    machine.image = Some(image("i2", "image"));
    machine.extra = extra();
    Ok(machine)
}

fn extra() -> std::collections::BTreeMap<String, String> {
    [("foo".to_owned(), "bar".to_owned())].into()
}

fn image(id: &str, name: &str) -> NodeImage {
    NodeImage { id: id.to_owned(), name: name.to_owned() }
}
