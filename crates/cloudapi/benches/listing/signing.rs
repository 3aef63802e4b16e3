//! What a signature costs, by the kind of the key.

use std::{hint::black_box, path::PathBuf, time::Instant};

use vmpool_cloudapi::sign::{Component, PrivateKey, authorization};
use vmpool_http::Method;

use super::{median, milliseconds};

/// How many signatures a round has, and how many rounds there are.
const SIGNATURES: u32 = 100;
const ROUNDS: usize = 15;

pub(super) async fn table() {
    println!("What the header of one request costs, {ROUNDS} rounds of {SIGNATURES}:\n");
    println!("| key | algorithm | µs, median | signatures a second |\n|---|---|---|---|");
    for kind in ["rsa", "ecdsa", "ecdsa384", "ecdsa521", "ed25519"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/keys/{kind}.openssh"));
        let key = PrivateKey::from_file(&path, None).unwrap();
        let parts = [Component::RequestTarget, Component::Date];
        let request = (Method::Get, "/my/machines?limit=1000", "Tue, 21 Oct 2025 07:28:00 GMT");
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            for _ in 0..SIGNATURES {
                black_box(authorization(&key, "/ops/keys/x", &parts, request).await.unwrap());
            }
            times.push(milliseconds(began) * 1e3 / f64::from(SIGNATURES));
        }
        let each = median(&times);
        let algorithm = vmpool_cloudapi::sign::Signer::algorithm(&key);
        println!("| {kind} | {algorithm} | {each:.0} | {:.0} |", 1e6 / each);
    }
}
