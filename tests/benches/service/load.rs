//! Clients that acquire and release, one round trip after the other, and what that took.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use crate::{
    connection::Connection,
    quantile::{Quantiles, now},
};

/// The pool that all use.
pub const POOL: &str = "builders";

/// What clients did together.
#[derive(Debug, Default)]
pub struct Done {
    /// How long it took altogether, in seconds.
    pub seconds: f64,
    /// How long round trips took.
    pub round_trips: Quantiles,
    /// How long the acquires of them took.
    pub acquires: Quantiles,
    /// How long freed VMs took to whoever waited for them.
    pub hand_overs: Quantiles,
}

impl Done {
    /// Returns how many round trips were made in a second.
    pub fn rate(&self) -> f64 {
        self.round_trips.len() as f64 / self.seconds
    }
}

/// What all clients of a run share.
#[derive(Default)]
struct Shared {
    done: RefCell<Done>,
    /// Since when VMs are being given back, by their names.
    freed: RefCell<HashMap<String, Instant>>,
    counts: Cell<bool>,
    over: Cell<bool>,
}

/// Lets clients acquire and release for a while, after a shorter one that does not count.
pub async fn acquire_and_release(url: &str, clients: usize, time: Duration) -> Done {
    run(clients, time, |client, shared| {
        let url = url.to_owned();
        async move {
            let mut connection = Connection::open(&url).await;
            for number in 0_u64.. {
                if shared.over.get() {
                    return;
                }
                round_trip(&mut connection, &format!("{client}-{number}-{}", unique()), &shared).await;
            }
        }
    })
    .await
}

/// Lets clients ask a server that does nothing for a while; each request counts as a round trip.
pub async fn ask(url: &str, clients: usize, time: Duration) -> Done {
    run(clients, time, |_, shared| {
        let url = url.to_owned();
        async move {
            let mut connection = Connection::open(&url).await;
            while !shared.over.get() {
                let began = now();
                let answer = connection.ask("POST", "/v1/leases", &wish("nothing", 0)).await;
                assert_eq!(answer.status, 200);
                if shared.counts.get() {
                    shared.done.borrow_mut().round_trips.add(began.elapsed());
                }
            }
        }
    })
    .await
}

/// Leases VMs for good.
pub async fn hold(url: &str, count: u32) {
    const AT_ONCE: u32 = 100;
    let mut connection = Connection::open(url).await;
    let mut left = count;
    while 0 < left {
        let now = left.min(AT_ONCE);
        let answer =
            connection.ask("POST", "/v1/leases", &wish(&format!("hold-{left}-{}", unique()), now)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        left -= now;
    }
}

/// Acquires once.
pub async fn acquire_one(url: &str) {
    hold(url, 1).await;
}

async fn run<F: Future<Output = ()> + 'static>(
    clients: usize,
    time: Duration,
    client: impl Fn(usize, Rc<Shared>) -> F,
) -> Done {
    let shared = Rc::new(Shared::default());
    let tasks = LocalSet::new();
    for number in 0..clients {
        tasks.spawn_local(client(number, Rc::clone(&shared)));
    }
    let clock = Rc::clone(&shared);
    tasks.spawn_local(async move {
        pass(time / 4).await;
        clock.counts.set(true);
        let began = now();
        pass(time).await;
        clock.counts.set(false);
        clock.done.borrow_mut().seconds = began.elapsed().as_secs_f64();
        clock.over.set(true);
    });
    tasks.await;
    shared.done.take()
}

async fn round_trip(connection: &mut Connection, request: &str, shared: &Shared) {
    let began = now();
    let answer = connection.ask("POST", "/v1/leases", &wish(request, 1)).await;
    let acquired = now();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (lease, vm) = (value(answer.body, "id"), value(answer.body, "vm"));
    let freed = shared.freed.borrow_mut().remove(vm);
    let vm = vm.to_owned();
    let path = format!("/v1/leases/{lease}");
    shared.freed.borrow_mut().insert(vm, now());
    let answer = connection.ask("DELETE", &path, "").await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    if shared.counts.get() {
        let mut done = shared.done.borrow_mut();
        done.round_trips.add(began.elapsed());
        done.acquires.add(acquired - began);
        // Else it was free before anybody asked.
        if let Some(freed) = freed.filter(|freed| began < *freed) {
            done.hand_overs.add(acquired - freed);
        }
    }
}

/// Writes what a client wants; all are the same owner, so that any VM fits anybody.
fn wish(request: &str, count: u32) -> String {
    let count = if count == 1 { String::new() } else { format!(r#","count":{count},"ttl":"12h""#) };
    format!(r#"{{"request":"{request}","pool":"{POOL}","owner":"farm","wait":"60s"{count}}}"#)
}

/// Finds a value of the first lease in an answer.
fn value<'a>(body: &'a str, key: &str) -> &'a str {
    let (_, lease) = body.split_once("\"lease\":{").unwrap();
    let (_, value) = lease.split_once(&format!("\"{key}\":\"")).unwrap();
    value.split_once('"').unwrap().0
}

/// Returns what no earlier request of this process has in its name.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[expect(clippy::disallowed_methods, reason = "a load lasts for a while")]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
