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

    const ALL: [Self; 7] =
        [Self::Event, Self::Installation, Self::Lease, Self::Domain, Self::Pool, Self::Request, Self::Vm];

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

/// Returns the domain that a record belongs to.
pub(super) fn domain_of(key: &[u8]) -> Option<DomainName> {
    let name = key.split(|byte| *byte == 0).next()?;
    DomainName::new(std::str::from_utf8(name).ok()?).ok()
}

/// Returns what a key is made of: the domain, the kind, and what stands behind them.
pub(super) fn parts(key: &[u8]) -> Option<(DomainName, Kind, &[u8])> {
    let domain = domain_of(key)?;
    let (byte, id) = key.get(domain.as_str().len() + 1..)?.split_first()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.byte() == *byte)?;
    Some((domain, kind, id))
}

/// Makes the key of a record of which kind and id are told as text; `None` if there is no such kind, or no such cursor.
pub(super) fn of(domain: &DomainName, kind: &str, id: &str) -> Option<Vec<u8>> {
    match Kind::ALL.into_iter().find(|known| known.name() == kind)? {
        Kind::Event => Some(event(domain, id.parse().ok()?)),
        kind @ (Kind::Installation | Kind::Domain) => id.is_empty().then(|| prefix(domain, kind)),
        kind => (!id.is_empty()).then(|| with_id(domain, kind, id)),
    }
}

/// Makes the key that comes after all records of the same domain.
pub(super) fn after_domain(key: &[u8]) -> Vec<u8> {
    let mut after: Vec<u8> = key.iter().copied().take_while(|byte| *byte != 0).collect();
    after.push(1);
    after
}

/// Makes the key that comes after the events of a domain.
pub(super) fn after_events(domain: &DomainName) -> Vec<u8> {
    let mut key = prefix(domain, Kind::Event);
    key.pop();
    key.push(Kind::Event.byte() + 1);
    key
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
    fn every_record_of_a_domain_comes_before_those_of_the_next_one() {
        let [a, longer] = ["a", "a-m"].map(|name| DomainName::new(name).unwrap());
        let record = prefix(&a, Kind::Vm);
        assert_eq!([domain_of(&record), domain_of(STORE)], [Some(a.clone()), None]);
        assert!(record < after_domain(&record) && after_domain(&record) < prefix(&longer, Kind::Event));
        assert!(STORE < after_domain(STORE).as_slice() && after_domain(STORE) < prefix(&a, Kind::Event));
    }

    #[test]
    fn all_other_records_come_after_the_events() {
        let domain = DomainName::new("a").unwrap();
        let after = after_events(&domain);
        assert!(event(&domain, u64::MAX) < after);
        assert!(
            [Kind::Installation, Kind::Lease, Kind::Vm].iter().all(|kind| after <= prefix(&domain, *kind))
        );
    }

    #[test]
    fn a_key_that_is_taken_apart_can_be_made_again() {
        let domain = DomainName::new("a").unwrap();
        for (kind, id, key) in [
            ("event", "258", event(&domain, 258)),
            ("installation", "", prefix(&domain, Kind::Installation)),
            ("vm", "small-1", with_id(&domain, Kind::Vm, "small-1")),
        ] {
            assert_eq!(
                parts(&key).map(|(domain, kind, _)| (domain, kind.name())),
                Some((domain.clone(), kind))
            );
            assert_eq!(of(&domain, kind, id), Some(key));
        }
        assert_eq!(
            (of(&domain, "vm", ""), of(&domain, "odd", "1"), of(&domain, "event", "x")),
            (None, None, None)
        );
        assert!(parts(STORE).is_none() && parts(b"a\0").is_none() && parts(b"a\0z").is_none());
    }

    #[test]
    fn events_are_ordered_by_cursor() {
        let domain = DomainName::new("a").unwrap();
        assert!(event(&domain, 255) < event(&domain, 256));
    }
}
