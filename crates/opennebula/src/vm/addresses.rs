//! The addresses of a VM, from every place that may have one.

use std::net::IpAddr;

/// The places in a network card that may hold an address, what is reached from outside first.
pub(super) const IN_NIC: [&str; 5] = ["EXTERNAL_IP", "IP", "IP6_GLOBAL", "IP6", "IP6_ULA"];

/// The places in `MONITORING` that may hold addresses, which the guest or a public cloud reported.
pub(super) const IN_MONITORING: [&str; 7] = [
    "AWS_PUBLIC_IP_ADDRESS",
    "AWS_IP_ADDRESS",
    "AZ_IPADDRESS",
    "SL_PRIMARYIPADDRESS",
    "GUEST_IP",
    "GUEST_IP_ADDRESSES",
    "AWS_PRIVATE_IP_ADDRESS",
];

/// The addresses of a VM, each once, in the order in which they were found.
///
/// ```
/// use vmpool_opennebula::vm::Addresses;
/// let mut addresses = Addresses::default();
/// addresses.add("10.0.0.4, 203.0.113.9, fe80::1, 10.0.0.4, none");
/// assert_eq!(addresses.private().len(), 1);
/// assert_eq!(addresses.public()[0].to_string(), "203.0.113.9");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    found: Vec<IpAddr>,
}

impl Addresses {
    /// Adds the addresses of a text, which are separated by commas or blanks.
    ///
    /// What is no address is passed over, and so are addresses of one link, which nobody else reaches.
    pub fn add(&mut self, text: &str) {
        for word in text.split([',', ' ', '\t', '\n']) {
            if let Ok(address) = word.parse()
                && !is_of_one_link(address)
                && !self.found.contains(&address)
            {
                self.found.push(address);
            }
        }
    }

    /// Returns all addresses.
    #[must_use]
    pub fn all(&self) -> &[IpAddr] {
        &self.found
    }

    /// Returns the addresses that are reached from outside.
    #[must_use]
    pub fn public(&self) -> Vec<IpAddr> {
        self.found.iter().copied().filter(|address| !is_private(*address)).collect()
    }

    /// Returns the addresses of private networks.
    #[must_use]
    pub fn private(&self) -> Vec<IpAddr> {
        self.found.iter().copied().filter(|address| is_private(*address)).collect()
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}

fn is_of_one_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_local_addresses_are_private_and_global_ones_are_not() {
        let mut addresses = Addresses::default();
        addresses.add("fd00::5");
        addresses.add("2001:db8::5");
        assert_eq!(addresses.private(), ["fd00::5".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses.public(), ["2001:db8::5".parse::<IpAddr>().unwrap()]);
    }
}
