//! The disks and network cards of a VM.

use super::{Addresses, addresses::IN_NIC};
use crate::document::Element;

/// A disk of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disk {
    /// Its number in the VM, by which it is detached, saved and resized.
    pub id: i32,
    /// The image it was made from, if it was.
    pub image_id: Option<i32>,
    /// The name of that image.
    pub image: String,
    /// Its size in MiB.
    pub size: Option<u64>,
    /// Everything that is known about it.
    pub element: Element,
}

impl Disk {
    pub(super) fn read(element: &Element) -> Option<Self> {
        Some(Self {
            id: element.number("DISK_ID")?,
            image_id: element.number("IMAGE_ID"),
            image: element.text_of("IMAGE").to_owned(),
            size: element.number("SIZE"),
            element: element.clone(),
        })
    }
}

/// A network card of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nic {
    /// Its number in the VM, by which it is detached.
    pub id: i32,
    /// The network it is in.
    pub network_id: Option<i32>,
    /// The name of that network.
    pub network: String,
    /// Its hardware address.
    pub mac: String,
    /// Its addresses; the server gives them out when it makes the VM, long before anything answers there.
    pub addresses: Addresses,
    /// Everything that is known about it.
    pub element: Element,
}

impl Nic {
    pub(super) fn read(element: &Element) -> Option<Self> {
        let mut addresses = Addresses::default();
        IN_NIC.iter().for_each(|place| addresses.add(element.text_of(place)));
        Some(Self {
            id: element.number("NIC_ID")?,
            network_id: element.number("NETWORK_ID"),
            network: element.text_of("NETWORK").to_owned(),
            mac: element.text_of("MAC").to_owned(),
            addresses,
            element: element.clone(),
        })
    }
}
