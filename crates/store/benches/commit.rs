//! How long a commit takes: of one change with its event, and of 64, in memory and on disk.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use vmpool_store::{Batch, MemoryStore, Revision, SledOptions, SledStore, Store};
use vmpool_testkit::store::sample;

fn commit(criterion: &mut Criterion) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let stores: [(&str, Arc<dyn Store>); 2] = [
        ("memory", Arc::new(MemoryStore::new())),
        ("sled", Arc::new(SledStore::open(SledOptions::new(dir.path())).unwrap())),
    ];
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("commit");
    for (name, store) in stores {
        for changes in [1, 64] {
            group.throughput(Throughput::Elements(u64::from(changes)));
            group.bench_function(BenchmarkId::new(name, changes), |bencher| {
                let batches = batches(changes);
                let claim = runtime.block_on(store.claim(&sample::domain("main").unwrap(), "bench")).unwrap();
                let mut expected = revision(&runtime, &*store);
                let mut turn = 0;
                bencher.iter(|| {
                    turn += 1;
                    let batch = Batch { expected, ..batches[turn % batches.len()].clone() };
                    expected = runtime.block_on(store.commit(&claim, batch)).unwrap().revision;
                });
            });
        }
    }
    group.finish();
}

/// Makes batches that go around over a thousand VMs, so that most writes replace a record.
fn batches(changes: u32) -> Vec<Batch> {
    let batch = |first: u32| Batch {
        changes: (first..first + changes).map(|number| sample::put_vm(number % 1000).unwrap()).collect(),
        events: (first..first + changes).map(sample::event).collect(),
        ..Batch::default()
    };
    (0..100).map(|turn| batch(turn * changes)).collect()
}

fn revision(runtime: &Runtime, store: &dyn Store) -> Revision {
    runtime.block_on(store.load(&sample::domain("main").unwrap())).unwrap().revision
}

criterion_group!(benches, commit);
criterion_main!(benches);
