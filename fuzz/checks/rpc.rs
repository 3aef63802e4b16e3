//! What holds for all bytes that are read as XML-RPC; the fuzz target and a test among the others check it.

use vmpool_opennebula::rpc::{Call, Response};

/// How long a text may be.
const LIMIT: u64 = 1 << 20;

/// Reads the bytes as an answer and as a call.
///
/// Nothing panics, an error names a place in the bytes, and what was read and written is read again as the same.
pub(crate) fn check(bytes: &[u8]) {
    let end = bytes.len() as u64;
    match Response::parse(bytes, LIMIT) {
        Err(err) => assert!(err.offset <= end, "{err} of {end}"),
        Ok(response) => {
            let written = response.to_xml();
            let again = Response::parse(written.as_bytes(), u64::MAX).map(|response| response.to_xml());
            assert_eq!(again.as_ref(), Ok(&written));
        }
    }
    match Call::parse(bytes, LIMIT) {
        Err(err) => assert!(err.offset <= end, "{err} of {end}"),
        Ok(call) => {
            let written = call.to_xml();
            let again = Call::parse(written.as_bytes(), u64::MAX).map(|call| call.to_xml());
            assert_eq!(again.as_ref(), Ok(&written));
            // No text that passes this makes the server refuse the request.
            let _ = call.check();
        }
    }
}
