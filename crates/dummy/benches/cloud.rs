//! How long the calls of a cloud with 10,000 nodes take, in memory and in a file.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot begin has nothing to report")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use vmpool_driver::{CreateRequest, Driver};
use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};

const NODES: usize = 10_000;

fn full(config: DummyConfig, runtime: &Runtime) -> DummyDriver {
    let driver = DummyDriver::new(DummyCloud::open(config).unwrap());
    runtime.block_on(async {
        for _ in 0..NODES {
            driver.create(&request()).await.unwrap();
        }
    });
    driver
}

fn request() -> CreateRequest {
    CreateRequest::new("small").with_token("lab/small/small-7f3k".parse().unwrap()).with_label("role", "web")
}

fn calls(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let in_memory = full(DummyConfig::default(), &runtime);
    let in_file = full(DummyConfig::default().with_path(dir.path().join("cloud")), &runtime);
    let middle = in_memory.cloud().nodes()[NODES / 2].id.clone();
    criterion.bench_function("list 10,000 nodes", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(in_memory.list()).unwrap()));
    });
    criterion.bench_function("get one of 10,000 nodes", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(in_memory.get(&middle)).unwrap()));
    });
    for (place, driver) in [("in memory", &in_memory), ("in a file", &in_file)] {
        criterion.bench_function(&format!("create and destroy beside 10,000 nodes, {place}"), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let node = driver.create(&request()).await.unwrap();
                    driver.destroy(&node.id).await.unwrap();
                });
            });
        });
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
