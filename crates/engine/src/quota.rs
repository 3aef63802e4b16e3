//! How much of a provider's quota is taken: a count that is kept with every record.

use std::collections::BTreeMap;

use vmpool_model::VmRecord;

/// The name by which a quota counts VMs.
const VMS: &str = "vms";

/// What VMs take of a provider's quota.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    pub(crate) vms: u128,
    needs: BTreeMap<String, u128>,
}

/// What a quota has no room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) resource: String,
    pub(crate) needs: u64,
    pub(crate) used: u64,
    pub(crate) quota: u64,
}

impl Usage {
    pub(crate) fn add(&mut self, record: &VmRecord) {
        self.add_vm(&record.needs);
    }

    /// Adds a VM with these needs.
    pub(crate) fn add_vm(&mut self, needs: &BTreeMap<String, u64>) {
        self.add_vms(needs, 1);
    }

    /// Adds this many VMs, each with these needs.
    pub(crate) fn add_vms(&mut self, needs: &BTreeMap<String, u64>, vms: usize) {
        let vms = vms as u128;
        self.vms += vms;
        for (resource, amount) in needs {
            let amount = u128::from(*amount) * vms;
            match self.needs.get_mut(resource) {
                Some(taken) => *taken += amount,
                None => drop(self.needs.insert(resource.clone(), amount)),
            }
        }
    }

    /// Takes away what [`add`](Self::add) added.
    pub(crate) fn remove(&mut self, record: &VmRecord) {
        self.remove_vm(&record.needs);
    }

    /// Takes away a VM with these needs that was added.
    pub(crate) fn remove_vm(&mut self, needs: &BTreeMap<String, u64>) {
        self.vms -= 1;
        for (resource, amount) in needs {
            if let Some(taken) = self.needs.get_mut(resource) {
                *taken -= u128::from(*amount);
            }
        }
    }

    /// Returns what is left without some of it.
    pub(crate) fn without(&self, part: &Self) -> Self {
        let needs = self.needs.iter();
        let needs =
            needs.map(|(resource, taken)| (resource.clone(), taken.saturating_sub(part.of(resource))));
        Self { vms: self.vms.saturating_sub(part.vms), needs: needs.collect() }
    }

    /// Returns what two parts take together.
    pub(crate) fn with(&self, part: &Self) -> Self {
        let mut needs = self.needs.clone();
        for (resource, taken) in &part.needs {
            *needs.entry(resource.clone()).or_default() += taken;
        }
        Self { vms: self.vms + part.vms, needs }
    }

    /// Returns how much of a resource is taken.
    pub(crate) fn of(&self, resource: &str) -> u128 {
        match resource {
            VMS => self.vms,
            _ => self.needs.get(resource).copied().unwrap_or_default(),
        }
    }

    /// Returns the first thing that `quota` has too little of for this many VMs more, each with `needs`.
    pub(crate) fn lack(
        &self,
        quota: &BTreeMap<String, u64>,
        needs: &BTreeMap<String, u64>,
        vms: usize,
    ) -> Option<Lack> {
        let lacks = |(resource, limit): (&String, &u64)| {
            let need = need(resource, needs);
            let wanted = self.of(resource) + u128::from(need) * vms as u128;
            // What a VM does not need keeps it from nothing, even if there is too much of it already.
            let fits = need == 0 || wanted <= u128::from(*limit);
            (!fits).then(|| Lack {
                resource: resource.clone(),
                needs: need,
                used: u64::try_from(self.of(resource)).unwrap_or(u64::MAX),
                quota: *limit,
            })
        };
        quota.iter().find_map(lacks)
    }

    /// Returns for how many VMs more, each with `needs`, a quota has room.
    pub(crate) fn room(&self, quota: &BTreeMap<String, u64>, needs: &BTreeMap<String, u64>) -> usize {
        let rooms = quota.iter().filter_map(|(resource, limit)| {
            let left = u128::from(*limit).saturating_sub(self.of(resource));
            left.checked_div(u128::from(need(resource, needs)))
        });
        rooms.min().map_or(usize::MAX, |room| usize::try_from(room).unwrap_or(usize::MAX))
    }
}

/// Returns what one VM takes of a resource: every VM takes one of `vms`.
pub(crate) fn need(resource: &str, needs: &BTreeMap<String, u64>) -> u64 {
    let other = needs.get(resource).copied().unwrap_or_default();
    match resource {
        VMS => 1,
        _ => other,
    }
}

impl PartialEq for Usage {
    fn eq(&self, other: &Self) -> bool {
        let resources = self.needs.keys().chain(other.needs.keys());
        self.vms == other.vms && resources.into_iter().all(|name| self.of(name) == other.of(name))
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{PoolName, ProviderName, Timestamp, VmName};

    use super::*;

    fn amounts<const N: usize>(amounts: [(&str, u64); N]) -> BTreeMap<String, u64> {
        amounts.map(|(name, amount)| (name.to_owned(), amount)).into()
    }

    fn record(cores: u64) -> VmRecord {
        let provider = ProviderName::new("lab").unwrap();
        let mut record = VmRecord::intended(
            VmName::new("small-a").unwrap(),
            PoolName::new("small").unwrap(),
            provider,
            Timestamp::default(),
        );
        record.needs = amounts([("cores", cores)]);
        record
    }

    #[test]
    fn a_quota_has_room_for_as_many_as_fit_into_what_is_left_of_all_that_they_need() {
        let mut usage = Usage::default();
        usage.add(&record(3));
        let needs = amounts([("cores", 2)]);
        let room = |quota: &BTreeMap<String, u64>| usage.room(quota, &needs);
        assert_eq!(room(&amounts([("cores", 8)])), 2);
        assert_eq!(room(&amounts([("cores", 8), ("vms", 2)])), 1);
        assert_eq!(room(&amounts([("cores", 2), ("vms", 9)])), 0, "there is too much already");
        assert_eq!((room(&amounts([("disks", 0)])), room(&amounts([]))), (usize::MAX, usize::MAX));
    }

    #[test]
    fn a_quota_has_room_up_to_its_last_unit() {
        let mut usage = Usage::default();
        usage.add(&record(3));
        let quota = amounts([("cores", 8), ("vms", 2)]);
        assert_eq!(usage.lack(&quota, &amounts([("cores", 5)]), 1), None);
        let lack = Lack { resource: "cores".to_owned(), needs: 6, used: 3, quota: 8 };
        assert_eq!(usage.lack(&quota, &amounts([("cores", 6)]), 1), Some(lack));
        let lack = Lack { resource: "vms".to_owned(), needs: 1, used: 1, quota: 2 };
        assert_eq!(usage.lack(&quota, &amounts([]), 2), Some(lack));
    }

    #[test]
    fn what_a_vm_does_not_need_keeps_it_from_nothing() {
        let mut usage = Usage::default();
        usage.add(&record(9));
        assert_eq!(usage.lack(&amounts([("cores", 8)]), &amounts([("disks", 1)]), 1), None);
    }

    #[test]
    fn what_is_removed_is_free_again() {
        let mut usage = Usage::default();
        usage.add(&record(u64::MAX));
        usage.add(&record(u64::MAX));
        usage.remove(&record(u64::MAX));
        usage.remove(&record(u64::MAX));
        assert_eq!(usage, Usage::default());
        usage.add(&record(1));
        assert_ne!(usage, Usage::default());
    }

    #[test]
    fn what_two_take_together_is_the_sum_of_both() {
        let (mut one, mut two) = (Usage::default(), Usage::default());
        one.add(&record(3));
        two.add(&record(4));
        two.add(&record(5));
        let both = one.with(&two);
        assert_eq!((both.vms, both.of("cores")), (3, 12));
        assert_eq!(both.without(&two), one);
    }

    #[test]
    fn as_many_vms_that_take_something_else_are_another_usage() {
        let (mut one, mut other) = (Usage::default(), Usage::default());
        one.add(&record(3));
        other.add(&record(4));
        assert_ne!(one, other);
        other = Usage { vms: 2, ..one.clone() };
        assert_ne!(one, other);
    }

    #[test]
    fn several_vms_take_several_times_what_one_takes() {
        let mut usage = Usage::default();
        usage.add_vms(&amounts([("cores", 3)]), 4);
        assert_eq!((usage.vms, usage.of("cores")), (4, 12));
    }
}
