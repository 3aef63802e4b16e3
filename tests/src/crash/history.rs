//! What the clients of a crash run saw, and what must be true of it.

use std::collections::BTreeMap;

/// Milliseconds since the epoch, on the clock of the clients; that of the daemon may show something else.
pub type Millis = i64;

/// What one client knows of one lease; times are the client's.
///
/// The client certainly holds the lease from `acquired` to the earlier of `ended` and `expires`: it was told so, and
/// did nothing to end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The lease.
    pub lease: String,
    /// The VM.
    pub vm: String,
    /// The fence of the lease.
    pub fence: u64,
    /// When the answer that gave the lease arrived.
    pub acquired: Millis,
    /// Until when the lease lasts at least: its time to live, from when its holder sent what the last answer is about.
    pub expires: Millis,
    /// When the client first asked to release it.
    pub ended: Option<Millis>,
    /// Whether the release was acknowledged.
    pub released: bool,
}

impl Held {
    /// Returns when the client no longer certainly holds the lease.
    #[must_use]
    pub fn until(&self) -> Millis {
        self.ended.map_or(self.expires, |ended| ended.min(self.expires))
    }
}

/// What kind of promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Something that was acknowledged is lost.
    Lost,
    /// A VM had two holders at once, or was created twice.
    Twice,
    /// Something is left that nobody wants, or was never to be.
    Leak,
    /// Something else that must not be.
    Other,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of what kind it is.
    pub kind: Broken,
    /// What it is, for people.
    pub what: String,
}

impl Violation {
    /// Makes a violation.
    #[must_use]
    pub fn new(kind: Broken, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

/// Everything that was acknowledged in a run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By lease.
    pub held: BTreeMap<String, Held>,
    /// How many acquires were acknowledged.
    pub acquires: usize,
    /// How many renewals were acknowledged.
    pub renewals: usize,
    /// How many releases were acknowledged.
    pub releases: usize,
    /// What clients saw that must not be.
    pub violations: Vec<Violation>,
}

impl History {
    /// Notes an acknowledged acquire; the same lease may be acknowledged twice, since a client repeats its request.
    pub fn acquired(&mut self, held: Held) {
        self.acquires += 1;
        if let Some(before) = self.held.get_mut(&held.lease) {
            if (&before.vm, before.fence) != (&held.vm, held.fence) {
                let what = format!("lease {} changed its VM or fence", held.lease);
                self.violations.push(Violation::new(Broken::Lost, what));
            }
            before.expires = before.expires.max(held.expires);
            return;
        }
        self.held.insert(held.lease.clone(), held);
    }

    /// Notes an acknowledged renewal.
    pub fn renewed(&mut self, lease: &str, expires: Millis) {
        self.renewals += 1;
        if let Some(held) = self.held.get_mut(lease) {
            held.expires = expires;
        }
    }

    /// Notes that a release is about to be asked for.
    pub fn releasing(&mut self, lease: &str, now: Millis) {
        if let Some(held) = self.held.get_mut(lease) {
            held.ended = held.ended.or(Some(now));
        }
    }

    /// Notes an acknowledged release.
    pub fn released(&mut self, lease: &str) {
        self.releases += 1;
        if let Some(held) = self.held.get_mut(lease) {
            held.released = true;
        }
    }

    /// Returns the leases that must exist at `now`, because nothing that was acknowledged or asked for ended them;
    /// those that end within `margin` are left out.
    #[must_use]
    pub fn must_exist(&self, now: Millis, margin: Millis) -> Vec<&Held> {
        self.held.values().filter(|held| held.ended.is_none() && now + margin < held.expires).collect()
    }

    /// Compares with the leases that the daemon has just after a restart at `now`.
    pub fn compare(&mut self, now: Millis, margin: Millis, leases: &[String]) {
        let has = |held: &&Held| leases.contains(&held.lease);
        let lost = |what| Violation::new(Broken::Lost, what);
        let gone: Vec<Violation> = self
            .must_exist(now, margin)
            .into_iter()
            .filter(|held| !has(held))
            .map(|held| lost(format!("the acknowledged lease {} of VM {} was lost", held.lease, held.vm)))
            .collect();
        let undead: Vec<Violation> = self
            .held
            .values()
            .filter(|held| held.released && has(held))
            .map(|held| lost(format!("lease {} came back after its release was acknowledged", held.lease)))
            .collect();
        self.violations.extend(gone);
        self.violations.extend(undead);
    }

    /// Finds VMs that two clients certainly held at once, and fences that did not grow.
    #[must_use]
    pub fn overlaps(&self) -> Vec<Violation> {
        let mut by_vm: BTreeMap<&str, Vec<&Held>> = BTreeMap::new();
        // An answer that arrived after the lease's end gave its client nothing.
        for held in self.held.values().filter(|held| held.acquired < held.until()) {
            by_vm.entry(&held.vm).or_default().push(held);
        }
        let mut found = Vec::new();
        for (vm, mut leases) in by_vm {
            leases.sort_by_key(|held| held.acquired);
            for pair in leases.windows(2) {
                let [first, second] = pair else { continue };
                if second.acquired < first.until() {
                    let what = format!(
                        "VM {vm} was leased twice at once: {} from {} to {}, {} from {}",
                        first.lease,
                        first.acquired,
                        first.until(),
                        second.lease,
                        second.acquired
                    );
                    found.push(Violation::new(Broken::Twice, what));
                }
                if second.fence <= first.fence {
                    let what = format!("the fence of {} is not above that of {}", second.lease, first.lease);
                    found.push(Violation::new(Broken::Twice, what));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(lease: &str, vm: &str, fence: u64, acquired: Millis, expires: Millis) -> Held {
        let (lease, vm) = (lease.to_owned(), vm.to_owned());
        Held { lease, vm, fence, acquired, expires, ended: None, released: false }
    }

    fn whats(history: &History) -> Vec<&str> {
        history.violations.iter().map(|violation| violation.what.as_str()).collect()
    }

    #[test]
    fn two_leases_of_a_vm_at_once_are_found() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 1, 0, 100));
        history.acquired(held("b", "vm-1", 2, 99, 200));
        history.acquired(held("c", "vm-2", 3, 50, 200));
        assert_eq!(history.overlaps().len(), 1, "{:?}", history.overlaps());
    }

    #[test]
    fn a_release_that_was_asked_for_ends_what_the_client_holds() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 1, 0, 100));
        history.releasing("a", 40);
        history.acquired(held("b", "vm-1", 2, 41, 200));
        assert!(history.overlaps().is_empty(), "{:?}", history.overlaps());
    }

    #[test]
    fn an_answer_that_arrived_after_the_end_of_its_lease_is_no_overlap() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 1, 150, 100));
        history.acquired(held("b", "vm-1", 2, 110, 200));
        assert!(history.overlaps().is_empty(), "{:?}", history.overlaps());
    }

    #[test]
    fn a_fence_that_does_not_grow_is_found() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 7, 0, 10));
        history.acquired(held("b", "vm-1", 7, 20, 30));
        assert_eq!(history.overlaps().len(), 1);
    }

    #[test]
    fn a_lost_lease_is_found_and_an_expired_one_is_not_missed() {
        let mut history = History::default();
        history.acquired(held("kept", "vm-1", 1, 0, 1_000));
        history.acquired(held("lost", "vm-2", 2, 0, 1_000));
        history.acquired(held("expired", "vm-3", 3, 0, 100));
        history.compare(500, 50, &["kept".to_owned()]);
        assert_eq!(whats(&history), ["the acknowledged lease lost of VM vm-2 was lost"]);
    }

    #[test]
    fn a_renewal_moves_the_end() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 1, 0, 100));
        history.renewed("a", 1_000);
        history.compare(500, 50, &[]);
        assert_eq!(history.violations.len(), 1);
    }

    #[test]
    fn a_lease_that_comes_back_after_its_release_is_found() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 1, 0, 1_000));
        history.releasing("a", 10);
        history.released("a");
        history.compare(20, 0, &["a".to_owned()]);
        assert_eq!(whats(&history), ["lease a came back after its release was acknowledged"]);
    }

    #[test]
    fn the_same_lease_acknowledged_twice_is_one_lease() {
        let mut history = History::default();
        history.acquired(held("a", "vm-1", 1, 0, 100));
        history.acquired(held("a", "vm-1", 1, 50, 100));
        assert_eq!((history.held.len(), history.overlaps().len()), (1, 0));
    }
}
