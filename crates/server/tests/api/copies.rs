//! What is asked for often copies no more than it shows.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

use crate::world::{World, ready, wish};

/// Counts how often everything is copied.
#[derive(Debug, Clone, Default)]
struct Copies(Arc<AtomicU64>);

impl Subscriber for Copies {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "view"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.0.fetch_add(1, Ordering::Relaxed);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn health_lists_and_looks_at_single_things_copy_no_other_record() {
    let world = World::ready().await;
    let client = &world.client;
    let vm = client.vms(&ready()).await.unwrap().remove(0);
    let lease = client.acquire(&wish("r1")).await.unwrap();
    let copies = Copies::default();
    let _guard = tracing::subscriber::set_default(copies.clone());
    client.health().await.unwrap();
    assert_eq!(client.vm(&vm.name).await.unwrap().lease.as_deref(), Some(lease.id.as_str()));
    assert_eq!(client.lease(&lease.id).await.unwrap().addresses, lease.addresses);
    assert_eq!(client.request("r1").await.unwrap().leases, std::slice::from_ref(&lease.id));
    assert_eq!(client.explain("r1").await.unwrap().request.id, "r1");
    assert_eq!(client.pool("small").await.unwrap().offers[0].total, 1);
    assert_eq!(client.provider("lab").await.unwrap().name, "lab");
    assert_eq!((client.pools().await.unwrap().len(), client.providers().await.unwrap().len()), (1, 1));
    client.owner("ada", Some("small")).await.unwrap();
    client.renew(&lease.id, None).await.unwrap();
    client.vm("small-nobody").await.unwrap_err();
    client.pool("large").await.unwrap_err();
    // Lists copy what they list.
    assert_eq!((client.leases().await.unwrap().len(), client.requests().await.unwrap().len()), (1, 1));
    client.renew_all(&[(&lease).into()], None).await.unwrap();
    assert_eq!(copies.0.load(Ordering::Relaxed), 0);
    world.manager.view().await.unwrap();
    assert_eq!(copies.0.load(Ordering::Relaxed), 1, "a look at everything is seen");
}
