//! What the fuzz target checks, over the recordings, over what is near them, and over what a fuzz run found once.

use std::{fs, path::PathBuf};

use crate::exchange::all;

#[path = "../../../../fuzz/checks/cloudapi.rs"]
mod checks;

/// How many texts near each recording are tried.
const NEAR: usize = 12;

/// What is put into texts.
const WORDS: [&str; 10] =
    ["null", "{", "[", "\"", "-1e999", "\\ud800", "18446744073709551616", "hunter2", "\u{1F680}", "\n"];

/// Dice of their own, so that each run tries the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    fn change(&mut self, text: &mut Vec<u8>) {
        let at = self.below(text.len());
        let length = self.below(40).min(text.len() - at);
        match self.below(4) {
            0 if !text.is_empty() => text[at] = self.below(256) as u8,
            1 => drop(text.drain(at..at + length)),
            2 => text.truncate(at),
            _ => drop(text.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
        }
    }
}

/// Returns what a run begins with: the recorded bodies, refusals with their headers, and the files of keys.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for exchange in all() {
        let said = &exchange.response;
        let header = |name: &str| said.headers.get(name).cloned().unwrap_or_default();
        seeds.push([&[0], said.body.as_bytes()].concat());
        let status = said.status.to_be_bytes();
        let lines = format!("{}\n{}\n{}", header("date"), header("retry-after"), said.body);
        seeds.push([&[1], status.as_slice(), lines.as_bytes()].concat());
        seeds.push([&[2], header("date").as_bytes()].concat());
    }
    let keys = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
    for entry in fs::read_dir(keys).unwrap() {
        seeds.push([&[2], fs::read(entry.unwrap().path()).unwrap().as_slice()].concat());
    }
    seeds.push(b"\x0252:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe".to_vec());
    seeds.push(b"\x02SHA256:Kw4LWmCb4LRCKh25fYMhMWCbs+hEK5+PKn9Tst/qsYM".to_vec());
    seeds
}

#[test]
fn what_the_fuzz_target_checks_holds_for_recordings_and_for_what_is_near_them() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for seed in seeds() {
        checks::check(&seed);
        for _ in 0..NEAR {
            let mut near = seed[1..].to_vec();
            for _ in 0..=dice.below(3) {
                dice.change(&mut near);
            }
            checks::check(&[&seed[..1], near.as_slice()].concat());
        }
    }
}

#[test]
fn what_a_fuzz_run_found_once_is_mended() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/found/cloudapi");
    for entry in fs::read_dir(folder).into_iter().flatten() {
        checks::check(&fs::read(entry.unwrap().path()).unwrap());
    }
}
