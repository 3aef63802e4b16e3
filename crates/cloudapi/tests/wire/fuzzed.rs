//! What the fuzz targets check, over the recordings, over what is near them, and over what a fuzz run found once.

use std::{fs, path::PathBuf};

use crate::exchange::all;

#[path = "../../../../fuzz/checks/cloudapi.rs"]
mod checks;
#[path = "../../../../fuzz/checks/near.rs"]
mod near;

/// How many texts near each recording are tried.
const NEAR: usize = 12;

/// What is put into texts.
const WORDS: [&str; 10] =
    ["null", "{", "[", "\"", "-1e999", "\\ud800", "18446744073709551616", "hunter2", "\u{1F680}", "\n"];

/// Returns the recorded bodies.
fn bodies() -> Vec<Vec<u8>> {
    all().iter().map(|exchange| exchange.response.body.as_bytes().to_vec()).collect()
}

/// Returns refusals with their headers, headers alone, and the files of keys.
fn headers() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for exchange in all() {
        let said = &exchange.response;
        let header = |name: &str| said.headers.get(name).cloned().unwrap_or_default();
        let status = said.status.to_be_bytes();
        let lines = format!("{}\n{}\n{}", header("date"), header("retry-after"), said.body);
        seeds.push([&[0], status.as_slice(), lines.as_bytes()].concat());
        seeds.push([&[1], header("date").as_bytes()].concat());
    }
    let keys = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
    for entry in fs::read_dir(keys).unwrap() {
        seeds.push([&[1], fs::read(entry.unwrap().path()).unwrap().as_slice()].concat());
    }
    seeds.push(b"\x0152:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe".to_vec());
    seeds.push(b"\x01SHA256:Kw4LWmCb4LRCKh25fYMhMWCbs+hEK5+PKn9Tst/qsYM".to_vec());
    seeds
}

#[test]
fn what_the_fuzz_targets_check_holds_for_recordings_and_for_what_is_near_them() {
    let mut dice = near::Dice::new();
    for body in bodies() {
        checks::json(&body);
        (0..NEAR).for_each(|_| checks::json(&dice.near(&body, &WORDS)));
    }
    for seed in headers() {
        checks::headers(&seed);
        for _ in 0..NEAR {
            let near = dice.near(&seed[1..], &WORDS);
            checks::headers(&[&seed[..1], near.as_slice()].concat());
        }
    }
}

#[test]
fn what_a_fuzz_run_found_once_is_mended() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/found");
    let found = |target: &str| fs::read_dir(folder.join(target)).into_iter().flatten();
    found("cloudapi_json").for_each(|entry| checks::json(&fs::read(entry.unwrap().path()).unwrap()));
    found("cloudapi_headers").for_each(|entry| checks::headers(&fs::read(entry.unwrap().path()).unwrap()));
}
