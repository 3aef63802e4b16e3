//! What the client takes for 10,000 machines over all pages, beside `serde_json` into the same structs.

use std::{hint::black_box, path::PathBuf, time::Instant};

use serde_json::Value;
use vmpool_cloudapi::{CloudApiConfig, DataCenter, KeySource, MachineFilter, types::MachineData};

use super::{least, median, milliseconds, server};

const MACHINES: usize = 10_000;
const ROUNDS: usize = 15;

pub(super) async fn table() {
    let pages = server::pages(MACHINES);
    let url = server::serve(pages.clone());
    let key = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/ed25519.openssh");
    let key = KeySource::File { path: key, passphrase: None };
    let datacenter =
        DataCenter::open(CloudApiConfig::new(url.as_str(), "ops", key).with_insecure(true)).await.unwrap();
    let length: usize = pages.iter().map(String::len).sum();
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        // Whoever lists machines has all of them in the end.
        let began = Instant::now();
        let read = |page: &String| serde_json::from_slice::<Vec<MachineData>>(page.as_bytes()).unwrap();
        let kept: Vec<Vec<MachineData>> = pages.iter().map(read).collect();
        times[0].push(milliseconds(began));
        drop(black_box(kept));
        let began = Instant::now();
        let read = |page: &String| serde_json::from_slice::<Value>(page.as_bytes()).unwrap();
        let kept: Vec<Value> = pages.iter().map(read).collect();
        times[1].push(milliseconds(began));
        drop(black_box(kept));
        let began = Instant::now();
        let fetched: usize = pages.iter().enumerate().map(|(page, _)| server::fetch(&url, page)).sum();
        times[2].push(milliseconds(began));
        assert!(length < fetched);
        let began = Instant::now();
        let listed = datacenter.all_machines(&MachineFilter::default()).await.unwrap();
        times[3].push(milliseconds(began));
        assert_eq!(listed.len(), MACHINES);
    }
    println!(
        "\n{MACHINES} machines in {} pages, {:.1} MB, {ROUNDS} rounds:\n",
        pages.len(),
        length as f64 / 1e6
    );
    println!(
        "| reader | ms, median | least | times serde_json into the same structs, median of the rounds | least by least |"
    );
    println!("|---|---|---|---|---|");
    let names = [
        "serde_json into the same structs, the pages in memory",
        "serde_json into values, the pages in memory",
        "the pages over a socket, read and not looked at",
        "the client: signed requests over a socket, decoded, each machine once",
    ];
    for (name, of_reader) in names.iter().zip(&times) {
        let factors: Vec<f64> = of_reader.iter().zip(&times[0]).map(|(time, plain)| time / plain).collect();
        let by_least = least(of_reader) / least(&times[0]);
        let (time, least) = (median(of_reader), least(of_reader));
        println!("| {name} | {time:.1} | {least:.1} | {:.2} | {by_least:.2} |", median(&factors));
    }
}
