//! Documents inside answers, from bytes that anybody may have sent, in pieces of any size.
#![no_main]

#[path = "../checks/document.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
