//! The bodies that CloudAPI sends, from bytes that anybody may have sent.
#![no_main]

#[path = "../checks/cloudapi.rs"]
#[expect(dead_code, reason = "the other target of CloudAPI uses the rest")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::json(data));
