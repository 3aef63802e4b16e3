//! What each owner holds, and how much more it may.

use std::collections::BTreeMap;

use vmpool_model::{Lease, Owner, PoolName, Timestamp, config::LimitsConfig};

use crate::table::Table;

/// What every owner holds that holds something, or waits.
#[derive(Debug, Default)]
pub(crate) struct Owners(Table<Owner, Account>);

/// What one owner or sub-owner holds. Only leases count: a VM that is kept for its last user, or ends, is nobody's.
#[derive(Debug, Default, Clone)]
pub(crate) struct Account {
    /// The owner above it.
    pub(crate) parent: Option<Owner>,
    /// Its leases, those of its sub-owners included.
    pub(crate) held: usize,
    /// Its leases, those of its sub-owners left out.
    pub(crate) own: usize,
    /// Its leases in each pool where it has some, those of its sub-owners included.
    in_pools: BTreeMap<PoolName, Held>,
    /// The fence of its latest lease: who was served longest ago has the smallest. Only memory knows it once the lease ended.
    pub(crate) served: u64,
    /// When its latest lease was given.
    pub(crate) served_at: Timestamp,
    /// How many of its requests wait, those of its sub-owners included.
    waiting: usize,
}

/// What an owner holds in one pool.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    leases: usize,
    served_at: Timestamp,
}

/// A limit of an owner, and what it has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Whose limit it is: the owner's, or that of the one above it.
    pub(crate) owner: Owner,
    pub(crate) held: usize,
    pub(crate) max: u32,
    /// When it was last given a lease, and so since when it has as many.
    pub(crate) since: Timestamp,
}

impl Allowance {
    /// Returns how many more VMs the limit allows.
    pub(crate) fn left(&self) -> usize {
        (self.max as usize).saturating_sub(self.held)
    }
}

impl Owners {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Table::new(seed))
    }

    pub(crate) fn get(&self, owner: &Owner) -> Option<&Account> {
        self.0.get(owner)
    }

    /// Counts a new lease.
    pub(crate) fn count_in(&mut self, lease: &Lease) {
        self.each(&lease.owner, |account, is_itself| {
            account.held += 1;
            account.own += usize::from(is_itself);
            if account.served < lease.fence {
                (account.served, account.served_at) = (lease.fence, lease.acquired_at);
            }
            let held = account.in_pools.entry(lease.pool.clone()).or_default();
            held.leases += 1;
            held.served_at = held.served_at.max(lease.acquired_at);
        });
    }

    /// Counts a lease out that was counted in.
    pub(crate) fn count_out(&mut self, lease: &Lease) {
        self.each(&lease.owner, |account, is_itself| {
            account.held = account.held.saturating_sub(1);
            account.own = account.own.saturating_sub(usize::from(is_itself));
            if let Some(held) = account.in_pools.get_mut(&lease.pool) {
                held.leases = held.leases.saturating_sub(1);
                if held.leases == 0 {
                    account.in_pools.remove(&lease.pool);
                }
            }
        });
    }

    /// Notes that one more request of the owner waits.
    pub(crate) fn wait(&mut self, owner: &Owner) {
        self.each(owner, |account, _| account.waiting += 1);
    }

    /// Notes that a request of the owner waits no longer.
    pub(crate) fn stop_waiting(&mut self, owner: &Owner) {
        self.each(owner, |account, _| account.waiting = account.waiting.saturating_sub(1));
    }

    /// Changes the accounts of an owner and of the one above it; who neither holds nor wants anything is forgotten.
    fn each(&mut self, owner: &Owner, change: impl Fn(&mut Account, bool)) {
        let parent = match self.0.get(owner) {
            Some(account) => account.parent.clone(),
            None => owner.parent(),
        };
        for (owner, is_itself) in [(Some(owner), true), (parent.as_ref(), false)] {
            let Some(owner) = owner else { continue };
            if !self.0.contains_key(owner) {
                let parent = parent.clone().filter(|_| is_itself);
                self.0.insert(owner.clone(), Account { parent, ..Account::default() });
            }
            let Some(account) = self.0.get_mut(owner) else { continue };
            change(account, is_itself);
            if account.held == 0 && account.waiting == 0 {
                self.0.remove(owner);
            }
        }
    }

    /// Returns the owner that an owner counts for: the one above it, or itself.
    pub(crate) fn top(&self, owner: &Owner) -> Owner {
        let parent = match self.0.get(owner) {
            Some(account) => account.parent.clone(),
            None => owner.parent(),
        };
        parent.unwrap_or_else(|| owner.clone())
    }

    /// Returns the limits of an owner over all pools, and of the one above it.
    pub(crate) fn limits(&self, owner: &Owner, limits: &LimitsConfig) -> impl Iterator<Item = Allowance> {
        let top = self.top(owner);
        let of_sub = (top != *owner).then(|| self.of(owner, limits.max_of_sub_owner(owner, &top))).flatten();
        let of_top = limits.max_of(&top);
        self.of(&top, of_top).into_iter().chain(of_sub)
    }

    fn of(&self, owner: &Owner, max: Option<u32>) -> Option<Allowance> {
        let max = max?;
        let account = self.get(owner);
        let held = account.map_or(0, |account| account.held);
        let since = account.map(|account| account.served_at).unwrap_or_default();
        Some(Allowance { owner: owner.clone(), held, max, since })
    }

    /// Returns the limit of an owner in one pool, whose `max_per_owner` is given, if there is any.
    pub(crate) fn limit_in(&self, owner: &Owner, pool: &PoolName, max: Option<u32>) -> Option<Allowance> {
        let max = bounded(max)?;
        let owner = self.top(owner);
        let held =
            self.get(&owner).and_then(|account| account.in_pools.get(pool)).copied().unwrap_or_default();
        Some(Allowance { owner, held: held.leases, max, since: held.served_at })
    }

    /// Returns whether two hold the same, whatever else is remembered of whom.
    pub(crate) fn hold_the_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&Account, &Account)| {
            let pools = |account: &Account| {
                account.in_pools.iter().map(|(pool, held)| (pool.clone(), held.leases)).collect::<Vec<_>>()
            };
            (a.held, a.own, a.waiting, pools(a)) == (b.held, b.own, b.waiting, pools(b))
        };
        let is_there = |(owner, account)| other.get(owner).is_some_and(|other| same((account, other)));
        self.0.len() == other.0.len() && self.0.iter().all(is_there)
    }
}

/// Returns how many leases an owner may have at most, whatever it has now.
pub(crate) fn most(owner: &Owner, limits: &LimitsConfig) -> Option<Allowance> {
    Owners::default().limits(owner, limits).min_by_key(|limit| limit.max)
}

/// Returns the key of the configuration that says how many leases an owner may have.
pub(crate) fn key(owner: &Owner, limits: &LimitsConfig) -> String {
    let of = |owner: &Owner| limits.owners.get(owner);
    match owner.parent() {
        _ if of(owner).is_some_and(|limits| limits.max.is_some()) => format!("limits.owners.{owner}.max"),
        Some(parent) if of(&parent).is_some_and(|limits| limits.max_per_sub_owner.is_some()) => {
            format!("limits.owners.{parent}.max_per_sub_owner")
        }
        Some(_) => "limits.max_per_sub_owner".to_owned(),
        None => "limits.max_per_owner".to_owned(),
    }
}

/// Returns an owner's share where several wait.
pub(crate) fn weight(owner: &Owner, limits: &LimitsConfig) -> u32 {
    limits.owners.get(owner).map_or(1, |limits| limits.weight.max(1))
}

/// 0 is no limit, as in Copr.
fn bounded(max: Option<u32>) -> Option<u32> {
    max.filter(|max| *max != 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vmpool_model::{LeaseId, RequestId, VmName, config::OwnerLimits};

    use super::*;

    fn owner(name: &str) -> Owner {
        Owner::new(name).unwrap()
    }

    #[test]
    fn a_limit_is_named_by_the_key_that_says_it() {
        let limits = r#"{"max_per_owner": 9, "max_per_sub_owner": 3, "owners": {"ann": {"max": 4},
            "team": {"max_per_sub_owner": 2}, "team/x": {"max": 1}}}"#;
        let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
        let keys = ["ann", "bob", "team/x", "team/y", "bob/z"].map(|name| key(&owner(name), &limits));
        let wanted = [
            "limits.owners.ann.max",
            "limits.max_per_owner",
            "limits.owners.team/x.max",
            "limits.owners.team.max_per_sub_owner",
            "limits.max_per_sub_owner",
        ];
        assert_eq!(keys, wanted);
    }

    fn pool(name: &str) -> PoolName {
        PoolName::new(name).unwrap()
    }

    fn lease(fence: u64, of: &str, pool_name: &str) -> Lease {
        Lease {
            id: LeaseId::new(format!("lease-{fence}")).unwrap(),
            vm: VmName::new(format!("{pool_name}-{fence}")).unwrap(),
            pool: pool(pool_name),
            owner: owner(of),
            sandbox: None,
            task: None,
            request: RequestId::new("r").unwrap(),
            acquired_at: Timestamp::default(),
            expires_at: Timestamp::default(),
            ttl: Duration::from_secs(1),
            fence,
            suspect: None,
        }
    }

    fn holding(leases: &[Lease]) -> Owners {
        let mut owners = Owners::default();
        leases.iter().for_each(|lease| owners.count_in(lease));
        owners
    }

    fn limits(max_per_owner: Option<u32>, max_per_sub_owner: Option<u32>) -> LimitsConfig {
        let mut limits = LimitsConfig::default();
        (limits.max_per_owner, limits.max_per_sub_owner) = (max_per_owner, max_per_sub_owner);
        limits
    }

    fn left(owners: &Owners, of: &str, limits: &LimitsConfig) -> Option<usize> {
        owners.limits(&owner(of), limits).map(|limit| limit.left()).min()
    }

    #[test]
    fn what_a_sub_owner_holds_counts_for_both() {
        let owners = holding(&[lease(1, "team/a", "x"), lease(2, "team/b", "x"), lease(3, "team", "y")]);
        let limits = limits(Some(4), Some(2));
        assert_eq!(left(&owners, "team", &limits), Some(1));
        assert_eq!(left(&owners, "team/a", &limits), Some(1));
        assert_eq!(left(&owners, "team/c", &limits), Some(1), "the team's limit is the closer one");
        assert_eq!(left(&owners, "other/c", &limits), Some(2));
        let in_x = owners.limit_in(&owner("team/c"), &pool("x"), Some(3)).unwrap();
        assert_eq!((in_x.owner.as_str(), in_x.left()), ("team", 1));
    }

    #[test]
    fn nothing_and_0_are_no_limit() {
        let owners = holding(&[lease(1, "ann", "x")]);
        let limits = limits(Some(0), None);
        assert_eq!(left(&owners, "ann", &limits), None);
        assert_eq!(left(&owners, "ann", &LimitsConfig::default()), None);
        assert_eq!(owners.limit_in(&owner("ann"), &pool("x"), Some(0)), None);
    }

    #[test]
    fn what_holds_for_one_owner_holds_instead_of_what_holds_for_all() {
        let mut limits = limits(Some(1), Some(1));
        for (of, max, max_per_sub_owner) in
            [("team", Some(9), Some(3)), ("team/big", Some(5), None), ("free", Some(0), None)]
        {
            let mut of_one = OwnerLimits::default();
            (of_one.max, of_one.max_per_sub_owner) = (max, max_per_sub_owner);
            limits.owners.insert(owner(of), of_one);
        }
        let most = |of: &str| most(&owner(of), &limits).map(|limit| limit.max);
        assert_eq!(
            ["ann", "ann/x", "team", "team/x", "team/big", "free"].map(most),
            [Some(1), Some(1), Some(9), Some(3), Some(5), None]
        );
    }

    #[test]
    fn who_neither_holds_nor_waits_is_forgotten() {
        let mut owners = holding(&[lease(1, "team/a", "x")]);
        owners.wait(&owner("team/a"));
        owners.count_out(&lease(1, "team/a", "x"));
        assert_eq!(owners.get(&owner("team")).map(|account| account.served), Some(1));
        owners.stop_waiting(&owner("team/a"));
        assert_eq!(owners.0.len(), 0, "{owners:?}");
    }
}
