//! What the fuzz targets check, over the recordings, over what is near them, and over what a fuzz run found once.

use std::{fs, path::PathBuf};

use crate::recordings::recordings;

#[path = "../../../../fuzz/checks/document.rs"]
mod document;
#[path = "../../../../fuzz/checks/near.rs"]
mod near;
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

#[test]
fn what_the_fuzz_targets_check_holds_for_recordings_and_for_what_is_near_them() {
    let mut dice = near::Dice::new();
    for recording in recordings().iter().filter(|recording| !recording.is_long()) {
        for text in [recording.request(), recording.response()] {
            if 20_000 < text.len() {
                continue;
            }
            rpc::check(&text);
            document::check(&[&[0xfe, 7, 1, 0], text.as_slice()].concat());
            for _ in 0..NEAR {
                let near = dice.near(&text, &WORDS);
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
