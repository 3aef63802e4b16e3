//! The requests that wait for a VM of one pool, in their order and by tenant.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{Owner, RequestId, RequestRecord, Sandbox};

/// Whom a used VM is kept for.
pub(crate) type Tenant = (Owner, Option<Sandbox>);

/// The requests that wait for a VM of one pool.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Queue {
    waiting: BTreeMap<u64, (Tenant, RequestId)>,
    orders: BTreeMap<Tenant, BTreeSet<u64>>,
}

impl Queue {
    /// Adds a request at the place that its order gives it.
    pub(crate) fn insert(&mut self, request: &RequestRecord) {
        let tenant = (request.owner.clone(), request.sandbox.clone());
        self.orders.entry(tenant.clone()).or_default().insert(request.order);
        self.waiting.insert(request.order, (tenant, request.id.clone()));
    }

    /// Removes a request, if it waits.
    pub(crate) fn remove(&mut self, request: &RequestRecord) {
        let Some((tenant, _)) = self.waiting.remove(&request.order) else { return };
        if let Some(orders) = self.orders.get_mut(&tenant) {
            orders.remove(&request.order);
            if orders.is_empty() {
                self.orders.remove(&tenant);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the request that came first.
    pub(crate) fn first(&self) -> Option<(&Tenant, &RequestId)> {
        self.waiting.values().next().map(|(tenant, id)| (tenant, id))
    }

    /// Returns the request that came first of those whose tenant is a key of `kept`.
    ///
    /// It looks at no more tenants than the shorter of both sides has.
    pub(crate) fn first_of<V>(&self, kept: &BTreeMap<Tenant, V>) -> Option<(&Tenant, &RequestId)> {
        let first = |orders: &BTreeSet<u64>| orders.first().copied();
        let order = match kept.len() < self.orders.len() {
            true => kept.keys().filter_map(|tenant| first(self.orders.get(tenant)?)).min(),
            false => {
                let both = self.orders.iter().filter(|(tenant, _)| kept.contains_key(*tenant));
                both.filter_map(|(_, orders)| first(orders)).min()
            }
        }?;
        self.waiting.get(&order).map(|(tenant, id)| (tenant, id))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vmpool_model::{PoolName, RequestStatus, Timestamp};

    use super::*;

    fn tenant(owner: &str) -> Tenant {
        (Owner::new(owner).unwrap(), None)
    }

    fn request(order: u64, owner: &str) -> RequestRecord {
        RequestRecord {
            id: RequestId::new(format!("r{order}")).unwrap(),
            pools: vec![PoolName::new("small").unwrap()],
            labels: BTreeSet::new(),
            count: 1,
            priority: 0,
            owner: Owner::new(owner).unwrap(),
            sandbox: None,
            task: None,
            ttl: Duration::from_secs(60),
            submitted_at: Timestamp::default(),
            order,
            deadline: Timestamp::default(),
            status: RequestStatus::Waiting,
        }
    }

    fn queue() -> Queue {
        let mut queue = Queue::default();
        for (order, owner) in [(4, "ann"), (2, "bob"), (3, "ann"), (1, "cat")] {
            queue.insert(&request(order, owner));
        }
        queue
    }

    fn first_of<const N: usize>(queue: &Queue, owners: [&str; N]) -> Option<String> {
        let kept = owners.map(|owner| (tenant(owner), ())).into();
        queue.first_of(&kept).map(|(_, id)| id.to_string())
    }

    #[test]
    fn the_first_of_some_tenants_is_found_whoever_else_waits() {
        let queue = queue();
        assert_eq!(first_of(&queue, ["ann"]).as_deref(), Some("r3"));
        assert_eq!(first_of(&queue, ["ann", "bob"]).as_deref(), Some("r2"));
        assert_eq!(first_of(&queue, ["ann", "bob", "dan", "eve"]).as_deref(), Some("r2"));
        assert_eq!(first_of(&queue, ["dan"]), None);
    }

    #[test]
    fn what_is_removed_waits_in_no_index() {
        let mut queue = queue();
        for (order, owner) in [(1, "cat"), (3, "ann"), (4, "ann"), (2, "bob"), (2, "bob")] {
            queue.remove(&request(order, owner));
        }
        assert_eq!(queue, Queue::default());
    }
}
