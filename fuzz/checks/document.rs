//! What holds for all bytes that are read as an answer with a document; the fuzz target and a test among the others check it.

use vmpool_opennebula::{
    document::{Decoder, Element, ElementSink, Reply, Sink},
    rpc::{CodecError, Response, Value},
    vm::ListingSink,
};

/// How many bytes choose what is done with the others.
const CHOICES: usize = 4;

/// Reads the bytes behind the first four as an answer, or as a document that is put into one.
///
/// Nothing panics, and an error names a place in the answer. It makes no difference in which pieces the answer comes, or what
/// the processor has; and what is read in one pass is the same as in two.
pub(crate) fn check(bytes: &[u8]) {
    let Some((choices, rest)) = bytes.split_first_chunk::<CHOICES>() else { return };
    let choices = u32::from_le_bytes(*choices);
    let answer = match choices & 1 {
        0 => rest.to_vec(),
        _ => wrapped(&String::from_utf8_lossy(rest)),
    };
    let whole = decode(&answer, ElementSink::default(), false, usize::MAX, 0);
    let portable = decode(&answer, ElementSink::default(), true, usize::MAX, 0);
    assert_eq!(whole, portable, "the processor makes a difference");
    let largest = 1 << (choices >> 1 & 15);
    for is_portable in [false, true] {
        let pieces = decode(&answer, ElementSink::default(), is_portable, largest, choices);
        same(&whole, &pieces, "an element");
    }
    let listing = decode(&answer, ListingSink::default(), false, usize::MAX, 0);
    same(&listing, &decode(&answer, ListingSink::default(), false, largest, choices), "a listing");
    match &whole {
        Err(err) => assert!(err.offset <= answer.len() as u64, "{err} of {}", answer.len()),
        Ok(reply) => same_in_two_passes(&answer, reply),
    }
}

/// Checks that what was read in pieces is what was read as a whole.
fn same<T>(whole: &Result<Reply<T>, CodecError>, pieces: &Result<Reply<T>, CodecError>, what: &str)
where
    T: PartialEq + std::fmt::Debug,
{
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces, "{what}: pieces make a difference"),
        (Err(_), Err(_)) => {}
        _ => panic!("{what}: as a whole {whole:?}, in pieces {pieces:?}"),
    }
}

/// Checks that a reader of the answer and one of its text find the same, if both find something.
fn same_in_two_passes(answer: &[u8], reply: &Reply<Element>) {
    let Ok(response) = Response::parse(answer, u64::MAX) else { return };
    if let (Ok(Reply::Done(Value::Text(text))), Reply::Done(element)) = (Reply::of(response), reply)
        && let Ok(second) = Element::parse(&text)
    {
        assert_eq!(*element, second, "two passes make a difference");
    }
}

fn decode<S: Sink>(
    answer: &[u8],
    sink: S,
    is_portable: bool,
    largest: usize,
    seed: u32,
) -> Result<Reply<S::Output>, CodecError> {
    let mut decoder = Decoder::new(sink);
    if is_portable {
        decoder = decoder.with_portable_scan();
    }
    let mut dice = seed | 1;
    let mut rest = answer;
    while !rest.is_empty() {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        let length = (dice as usize % largest + 1).min(rest.len());
        let (piece, later) = rest.split_at(if largest == usize::MAX { rest.len() } else { length });
        decoder.feed(piece)?;
        rest = later;
    }
    decoder.finish()
}

/// Puts a document into an answer.
fn wrapped(document: &str) -> Vec<u8> {
    Response::Value(Value::Array(vec![true.into(), document.into(), 0.into()])).to_xml().into_bytes()
}
