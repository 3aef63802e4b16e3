//! What CloudAPI sends, and the keys and fingerprints that people give, from bytes that anybody may have sent.
#![no_main]

#[path = "../checks/cloudapi.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
