//! XML-RPC as text, from bytes that anybody may have sent.
#![no_main]

#[path = "../checks/rpc.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
