//! The offers of a pool: how many of its VMs each has, and whether it pauses.

use vmpool_model::{RecordState, VmRecord, config::OfferConfig};

use crate::{backoff::Pause, pool::is_gone};

/// One offer of a pool.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) config: OfferConfig,
    /// How many VMs there may be, those being destroyed included.
    pub(crate) total: usize,
    /// How many of them are not being destroyed.
    pub(crate) live: usize,
    pub(crate) pause: Pause,
}

impl Offer {
    pub(crate) fn new(config: OfferConfig) -> Self {
        Self { config, total: 0, live: 0, pause: Pause::default() }
    }

    /// Returns whether a VM was made by this offer; a record of before there were offers does not say of which template
    /// it is.
    pub(crate) fn made(&self, record: &VmRecord) -> bool {
        self.config.provider == record.provider
            && (self.config.template == record.template || record.template.is_empty())
    }

    pub(crate) fn count_in(&mut self, record: &VmRecord) {
        self.total += usize::from(!is_gone(record));
        self.live += usize::from(record.state != RecordState::Terminating);
    }

    /// Counts a record out, exactly as it was counted in.
    pub(crate) fn count_out(&mut self, record: &VmRecord) {
        self.total -= usize::from(!is_gone(record));
        self.live -= usize::from(record.state != RecordState::Terminating);
    }

    /// Returns whether this offer is to be taken rather than another one: a lower preference, or else fewer VMs for its
    /// weight.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        let load = |offer: &Self, by: &Self| offer.live as u128 * u128::from(by.config.weight);
        match self.config.preference.cmp(&other.config.preference) {
            std::cmp::Ordering::Equal => load(self, other) < load(other, self),
            order => order.is_lt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{PoolName, ProviderName, Timestamp, VmName};

    use super::*;

    fn offer(preference: u32, weight: u32, live: usize) -> Offer {
        let mut config = OfferConfig::new(ProviderName::new("lab").unwrap(), "small");
        (config.preference, config.weight) = (preference, weight);
        Offer { live, ..Offer::new(config) }
    }

    #[test]
    fn a_lower_preference_comes_first_however_many_vms_there_are() {
        assert!(offer(0, 1, 9).is_before(&offer(1, 1, 0)));
        assert!(!offer(1, 9, 0).is_before(&offer(0, 1, 9)));
    }

    #[test]
    fn among_equals_the_one_with_fewer_vms_for_its_weight_comes_first() {
        assert!(offer(0, 3, 2).is_before(&offer(0, 1, 1)));
        assert!(!offer(0, 3, 3).is_before(&offer(0, 1, 1)), "as many for its weight");
        assert!(!offer(0, 1, 1).is_before(&offer(0, 3, 3)), "as many for its weight");
        assert!(offer(0, 1, 1).is_before(&offer(0, 3, 4)));
    }

    #[test]
    fn a_record_without_a_template_is_of_the_provider_it_is_at() {
        let name = |text| VmName::new(text).unwrap();
        let mut record = VmRecord::intended(
            name("small-a"),
            PoolName::new("small").unwrap(),
            ProviderName::new("lab").unwrap(),
            Timestamp::default(),
        );
        assert!(offer(0, 1, 0).made(&record));
        record.template = "big".to_owned();
        assert!(!offer(0, 1, 0).made(&record));
    }
}
