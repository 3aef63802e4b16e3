//! The keys of the one tree: `DOMAIN \0 KIND ID`, and `\0` for the record of the store itself.

use vmpool_model::{DomainName, LeaseId, PoolName, RequestId, VmName};

/// The kinds of records, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Event,
    Installation,
    Lease,
    Domain,
    Pool,
    Request,
    Vm,
}

impl Kind {
    /// Returns the name of the kind in the body of a record.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Installation => "installation",
            Self::Lease => "lease",
            Self::Domain => "domain",
            Self::Pool => "pool",
            Self::Request => "request",
            Self::Vm => "vm",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Event => b'e',
            Self::Installation => b'i',
            Self::Lease => b'l',
            Self::Domain => b'm',
            Self::Pool => b'p',
            Self::Request => b'r',
            Self::Vm => b'v',
        }
    }
}

/// The key of the record of the store itself; no domain's name begins like that.
pub(super) const STORE: &[u8] = b"\0";

/// Makes the key that all records of a kind begin with; it is also the key of the single record of
/// a kind that has only one.
pub(super) fn prefix(domain: &DomainName, kind: Kind) -> Vec<u8> {
    let mut key = Vec::with_capacity(domain.as_str().len() + 40);
    key.extend(domain.as_str().as_bytes());
    key.extend([0, kind.byte()]);
    key
}

pub(super) fn vm(domain: &DomainName, name: &VmName) -> Vec<u8> {
    with_id(domain, Kind::Vm, name.as_str())
}

pub(super) fn lease(domain: &DomainName, id: &LeaseId) -> Vec<u8> {
    with_id(domain, Kind::Lease, id.as_str())
}

pub(super) fn pool(domain: &DomainName, name: &PoolName) -> Vec<u8> {
    with_id(domain, Kind::Pool, name.as_str())
}

pub(super) fn request(domain: &DomainName, id: &RequestId) -> Vec<u8> {
    with_id(domain, Kind::Request, id.as_str())
}

/// Makes the key of an event; in big-endian order, keys are ordered as cursors are.
pub(super) fn event(domain: &DomainName, cursor: u64) -> Vec<u8> {
    let mut key = prefix(domain, Kind::Event);
    key.extend(cursor.to_be_bytes());
    key
}

/// Returns the domain whose own record has this key.
pub(super) fn domain_of_record(key: &[u8]) -> Option<DomainName> {
    let name = key.strip_suffix(&[0, Kind::Domain.byte()])?;
    // A name holds no `\0`, so this is the record of a domain and no other that ends alike.
    DomainName::new(std::str::from_utf8(name).ok()?).ok()
}

/// Shows a key to people.
pub(super) fn show(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

fn with_id(domain: &DomainName, kind: Kind, id: &str) -> Vec<u8> {
    let mut key = prefix(domain, kind);
    key.extend(id.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_of_a_domains_own_record_names_the_domain() {
        let domain = DomainName::new("a-m").unwrap();
        assert_eq!(domain_of_record(&prefix(&domain, Kind::Domain)), Some(domain.clone()));
        // The last two bytes of this event's key are those of a domain's record.
        assert_eq!(domain_of_record(&event(&domain, u64::from(b'm'))), None);
        assert_eq!(domain_of_record(STORE), None);
    }

    #[test]
    fn events_are_ordered_by_cursor() {
        let domain = DomainName::new("a").unwrap();
        assert!(event(&domain, 255) < event(&domain, 256));
    }
}
