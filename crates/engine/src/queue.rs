//! The requests that wait, by pool, owner and tenant, each in the order in which it came.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vmpool_model::{Owner, RequestId, RequestRecord, Sandbox, Timestamp};

use crate::candidate::Candidates;

/// Whom a used VM is kept for.
pub(crate) type Tenant = (Owner, Option<Sandbox>);

/// A request's place among those of its owner that are alike: when it came. No two requests have the same.
pub(crate) type Place = (Timestamp, u64);

/// What requests have in common that only differ in when they came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    pub(crate) priority: i32,
    pub(crate) count: u32,
    pub(crate) candidates: Candidates,
}

/// Requests that are served in the order in which they came, by what they have in common: few kinds, however many wait.
pub(crate) type Lines = BTreeMap<Arc<Shape>, BTreeSet<Place>>;

/// A request that waits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waiter {
    pub(crate) id: RequestId,
    pub(crate) place: Place,
    pub(crate) tenant: Tenant,
    pub(crate) shape: Arc<Shape>,
}

impl Waiter {
    pub(crate) fn new(request: &RequestRecord, candidates: Candidates) -> Self {
        let RequestRecord { priority, count, .. } = *request;
        Self {
            id: request.id.clone(),
            place: place(request),
            tenant: (request.owner.clone(), request.sandbox.clone()),
            shape: Arc::new(Shape { priority, count, candidates }),
        }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.tenant.0
    }
}

/// Returns a request's place.
pub(crate) fn place(request: &RequestRecord) -> Place {
    (request.submitted_at, request.order)
}

/// The requests that wait for a VM of one pool, and perhaps of others, too.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Queue {
    by_owner: BTreeMap<Owner, Lines>,
    by_tenant: BTreeMap<Tenant, Lines>,
    /// How many of them would rather be served from this pool than from any other.
    preferring: usize,
}

impl Queue {
    pub(crate) fn insert(&mut self, waiter: &Waiter, is_preferred: bool) {
        let lines = self.by_owner.entry(waiter.owner().clone()).or_default();
        lines.entry(Arc::clone(&waiter.shape)).or_default().insert(waiter.place);
        let lines = self.by_tenant.entry(waiter.tenant.clone()).or_default();
        lines.entry(Arc::clone(&waiter.shape)).or_default().insert(waiter.place);
        self.preferring += usize::from(is_preferred);
    }

    /// Removes a request that was inserted.
    pub(crate) fn remove(&mut self, waiter: &Waiter, is_preferred: bool) {
        remove(&mut self.by_owner, waiter.owner(), waiter);
        remove(&mut self.by_tenant, &waiter.tenant, waiter);
        self.preferring -= usize::from(is_preferred);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_owner.is_empty()
    }

    /// Returns how many requests would rather be served from this pool than from any other.
    pub(crate) fn preferring(&self) -> usize {
        self.preferring
    }

    pub(crate) fn owners(&self) -> impl Iterator<Item = (&Owner, &Lines)> {
        self.by_owner.iter()
    }

    pub(crate) fn owner(&self, owner: &Owner) -> Option<&Lines> {
        self.by_owner.get(owner)
    }

    /// Returns which of an owner's requests of a shape comes first.
    pub(crate) fn first(&self, owner: &Owner, shape: &Arc<Shape>) -> Option<Place> {
        self.by_owner.get(owner)?.get(shape)?.first().copied()
    }

    pub(crate) fn tenant(&self, tenant: &Tenant) -> Option<&Lines> {
        self.by_tenant.get(tenant)
    }
}

fn remove<K: Ord>(all: &mut BTreeMap<K, Lines>, key: &K, waiter: &Waiter) {
    let Some(lines) = all.get_mut(key) else { return };
    if let Some(places) = lines.get_mut(&waiter.shape) {
        places.remove(&waiter.place);
        if places.is_empty() {
            lines.remove(&waiter.shape);
        }
    }
    if lines.is_empty() {
        all.remove(key);
    }
}

/// The requests of an owner and its sub-owners that wait, by whose they are and what they have in common.
type Wants = BTreeMap<(Owner, Arc<Shape>), BTreeSet<Place>>;

/// All requests of the domain that wait.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Waiting {
    by_place: BTreeMap<Place, Waiter>,
    /// The requests of each shape that wait, by the owner that they count for and by whose they are.
    wants: BTreeMap<Owner, Wants>,
    /// How many requests wait that want several VMs, by the owner that they count for.
    several: BTreeMap<Owner, usize>,
    /// How many requests of each priority wait.
    priorities: BTreeMap<i32, usize>,
}

impl Waiting {
    pub(crate) fn insert(&mut self, waiter: Waiter) {
        let top = top(waiter.owner());
        if 1 < waiter.shape.count {
            *self.several.entry(top.clone()).or_default() += 1;
        }
        let wants = self.wants.entry(top).or_default();
        let places = wants.entry((waiter.owner().clone(), Arc::clone(&waiter.shape))).or_default();
        places.insert(waiter.place);
        *self.priorities.entry(waiter.shape.priority).or_default() += 1;
        self.by_place.insert(waiter.place, waiter);
    }

    pub(crate) fn remove(&mut self, place: &Place) -> Option<Waiter> {
        let waiter = self.by_place.remove(place)?;
        let priority = waiter.shape.priority;
        if let Some(requests) = self.priorities.get_mut(&priority) {
            *requests -= 1;
            if *requests == 0 {
                self.priorities.remove(&priority);
            }
        }
        let top = top(waiter.owner());
        if 1 < waiter.shape.count
            && let Some(requests) = self.several.get_mut(&top)
        {
            *requests -= 1;
            if *requests == 0 {
                self.several.remove(&top);
            }
        }
        if let Some(wants) = self.wants.get_mut(&top) {
            let key = (waiter.owner().clone(), Arc::clone(&waiter.shape));
            if let Some(places) = wants.get_mut(&key) {
                places.remove(&waiter.place);
                if places.is_empty() {
                    wants.remove(&key);
                }
            }
            if wants.is_empty() {
                self.wants.remove(&top);
            }
        }
        Some(waiter)
    }

    pub(crate) fn get(&self, place: &Place) -> Option<&Waiter> {
        self.by_place.get(place)
    }

    /// Returns the highest priority of those that wait.
    pub(crate) fn highest_priority(&self) -> Option<i32> {
        self.priorities.last_key_value().map(|(priority, _)| *priority)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_place.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_place.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.by_place.values()
    }

    /// Returns what an owner and its sub-owners want: of whom, of which shape, and which requests.
    pub(crate) fn wants(&self, top: &Owner) -> impl Iterator<Item = (&Owner, &Arc<Shape>, &BTreeSet<Place>)> {
        let wants = self.wants.get(top).into_iter().flatten();
        wants.map(|((owner, shape), places)| (owner, shape, places))
    }

    /// Returns whether an owner or a sub-owner wants several VMs in one request.
    pub(crate) fn wants_several(&self, top: &Owner) -> bool {
        self.several.contains_key(top)
    }

    /// Returns the owners who, or whose sub-owners, want several VMs in one request.
    pub(crate) fn want_several(&self) -> impl Iterator<Item = &Owner> {
        self.several.keys()
    }
}

/// Returns the owner that an owner counts for: the one above it, or itself.
pub(crate) fn top(owner: &Owner) -> Owner {
    owner.parent().unwrap_or_else(|| owner.clone())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vmpool_model::{PoolName, RequestStatus};

    use super::*;
    use crate::candidate::Candidate;

    fn waiter(order: u64, owner: &str) -> Waiter {
        let pool = PoolName::new("small").unwrap();
        let request = RequestRecord {
            id: RequestId::new(format!("r{order}")).unwrap(),
            pools: vec![pool.clone()],
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
            until: None,
            at_once: false,
            status: RequestStatus::Waiting,
        };
        Waiter::new(&request, Arc::new([Candidate { pool, instead_of: None }]))
    }

    #[test]
    fn what_is_removed_waits_in_no_index() {
        let waiters = [(4, "ann"), (2, "team/bob"), (3, "ann"), (1, "team")].map(|(at, of)| waiter(at, of));
        let (mut queue, mut waiting) = (Queue::default(), Waiting::default());
        for waiter in &waiters {
            queue.insert(waiter, true);
            waiting.insert(waiter.clone());
        }
        assert_eq!((queue.preferring(), waiting.len()), (4, 4));
        assert!(!queue.is_empty() && !waiting.is_empty());
        let team = Owner::new("team").unwrap();
        assert_eq!((waiting.wants(&team).count(), waiting.wants_several(&team)), (2, false));
        for waiter in &waiters {
            queue.remove(waiter, true);
            assert_eq!(waiting.remove(&waiter.place).as_ref(), Some(waiter));
        }
        assert!(queue.is_empty() && waiting.is_empty());
        assert_eq!((queue, waiting), (Queue::default(), Waiting::default()));
    }

    #[test]
    fn those_who_are_alike_wait_in_one_line() {
        let mut queue = Queue::default();
        for order in [3, 1, 2] {
            queue.insert(&waiter(order, "ann"), false);
        }
        let lines: Vec<_> = queue.owners().flat_map(|(_, lines)| lines.values()).collect();
        let orders: Vec<_> = lines.iter().flat_map(|places| places.iter().map(|(_, order)| *order)).collect();
        assert_eq!((lines.len(), orders), (1, vec![1, 2, 3]));
    }
}
