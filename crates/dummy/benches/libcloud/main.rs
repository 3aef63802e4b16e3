//! The dummy cloud beside the dummy driver of apache-libcloud: list, get, create and destroy.
//!
//! `cargo bench -p vmpool-dummy --bench libcloud` prints a table; with `-- --peers` apache-libcloud joins, which is installed
//! from PyPI. `cargo xtask bench libcloud` writes that into docs/benchmarks.md.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use tokio::runtime::Builder;
use vmpool_driver::{CreateRequest, Driver, DriverExt};
use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};

/// How many nodes the clouds have.
const SIZES: [usize; 3] = [2, 100, 1_000];

/// How often each is done.
const ROUNDS: usize = 200;

fn main() {
    let is_with_peers = std::env::args().any(|argument| argument == "--peers");
    println!("Median of {ROUNDS} rounds, in µs:\n");
    println!("| driver | nodes | list | get | create and destroy |\n|---|---|---|---|---|");
    for size in SIZES {
        let runtime = Builder::new_current_thread().build().unwrap();
        let [list, get, create] = runtime.block_on(measure(size));
        println!("| the dummy cloud | {size} | {list:.1} | {get:.1} | {create:.1} |");
    }
    if is_with_peers {
        peers();
    }
}

async fn measure(size: usize) -> [f64; 3] {
    let driver = DummyDriver::new(DummyCloud::in_memory(DummyConfig::default()).unwrap());
    let mut last = None;
    for _ in 0..size {
        last = Some(driver.create(&CreateRequest::default()).await.unwrap().id);
    }
    let last = last.unwrap();
    let mut times = [(); 3].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        let began = now();
        assert_eq!(driver.list_all().await.unwrap().len(), size);
        times[0].push(began.elapsed());
        let began = now();
        assert_eq!(driver.get(&last).await.unwrap().id, last);
        times[1].push(began.elapsed());
        let began = now();
        let node = driver.create(&CreateRequest::default()).await.unwrap();
        driver.destroy(&node.id).await.unwrap();
        times[2].push(began.elapsed());
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64() * 1e6
    })
}

/// Lets apache-libcloud do the same, as a process of its own.
fn peers() {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/libcloud/peer.py");
    let sizes = SIZES.map(|size| size.to_string());
    let mut command = Command::new("python3");
    command.arg(script).arg(ROUNDS.to_string()).args(sizes).stderr(Stdio::inherit());
    let output = command.output().unwrap();
    assert!(output.status.success(), "apache-libcloud failed");
    print!("{}", String::from_utf8(output.stdout).unwrap());
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn now() -> Instant {
    Instant::now()
}
