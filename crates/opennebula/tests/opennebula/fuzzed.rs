//! What the fuzz targets check, over the recordings, over what is near them, and over what a fuzz run found once.

use std::{fs, path::PathBuf};

use crate::recordings::recordings;

#[path = "../../../../fuzz/checks/document.rs"]
mod document;
#[path = "../../../../fuzz/checks/rpc.rs"]
mod rpc;

/// How many texts near each recording are tried.
const NEAR: usize = 12;

/// What is put into texts.
const WORDS: [&str; 12] = [
    "&lt;",
    "&gt;",
    "&amp;",
    "&lt;/",
    "]]&gt;",
    "&lt;![CDATA[",
    "<",
    ">",
    "&",
    "ž",
    "&lt;VM&gt;",
    "&#x10ffff;",
];

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
        match self.below(5) {
            0 if !text.is_empty() => text[at] = self.below(256) as u8,
            1 => drop(text.drain(at..at + length)),
            2 => text.truncate(at),
            3 => {
                let again = text[at..at + length].to_vec();
                let place = self.below(text.len());
                drop(text.splice(place..place, again));
            }
            _ => drop(text.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
        }
    }
}

#[test]
fn what_the_fuzz_targets_check_holds_for_recordings_and_for_what_is_near_them() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for recording in recordings().iter().filter(|recording| !recording.is_long()) {
        for text in [recording.request(), recording.response()] {
            if 20_000 < text.len() {
                continue;
            }
            rpc::check(&text);
            document::check(&[&[0xfe, 7, 1, 0], text.as_slice()].concat());
            for _ in 0..NEAR {
                let mut near = text.clone();
                for _ in 0..=dice.below(3) {
                    dice.change(&mut near);
                }
                rpc::check(&near);
                let choices = [dice.below(256) as u8 & 0xfe, dice.below(256) as u8, 1, 0];
                document::check(&[&choices, near.as_slice()].concat());
            }
        }
    }
}

#[test]
fn what_a_fuzz_run_found_once_is_mended() {
    found("rpc").iter().for_each(|bytes| rpc::check(bytes));
    found("document").iter().for_each(|bytes| document::check(bytes));
}

fn found(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/found").join(target);
    fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}
