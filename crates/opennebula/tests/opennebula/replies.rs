//! What every recorded answer says: done, refused with which code, or a fault.

use vmpool_opennebula::{
    document::{Decoder, ElementSink, Reply},
    rpc::{Response, Value},
};

use crate::recordings::{Recording, recording, recordings};

/// Writes what an answer came to in the words of the list of recordings.
fn outcome(reply: &Reply<Value>) -> String {
    match reply {
        Reply::Done(Value::Text(text)) => format!("ok {text}"),
        Reply::Done(value) => format!("ok {}", value.as_integer().unwrap_or_default()),
        Reply::Refused(refusal) => format!("err {} {}", refusal.code, refusal.text),
        Reply::Fault(fault) => format!("fault {}", fault.code),
    }
}

fn reply(recording: &Recording) -> Reply<Value> {
    Reply::of(Response::parse(&recording.response(), 64 << 20).unwrap()).unwrap()
}

#[test]
fn every_recorded_answer_comes_to_what_was_noted_about_it() {
    for recording in recordings().iter().filter(|recording| recording.is_answer() && !recording.is_long()) {
        let noted = recording.outcome.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        // The note is cut off, maybe in the middle of a reference.
        let noted = noted.split('&').next().unwrap_or_default();
        let noted: String = noted.chars().take(60).collect();
        let found = outcome(&reply(recording));
        let plain = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace('\n', " ");
        assert!(plain.starts_with(noted.trim_end()), "{}: {found:.80} instead of {noted}", recording.name);
    }
}

#[test]
fn an_object_that_is_missing_is_named_in_the_refusal() {
    let Reply::Refused(refusal) = reply(&recording("one.vm.migrate.badhost")) else { panic!() };
    assert_eq!((refusal.code, refusal.object), (1024, Some(55)));
}

#[test]
fn the_decoder_of_documents_reads_refusals_and_faults_as_well() {
    for recording in recordings().iter().filter(|recording| recording.is_answer()) {
        if recording.outcome.starts_with("ok") {
            continue;
        }
        let mut decoder = Decoder::new(ElementSink::default());
        for piece in recording.response().chunks(100) {
            decoder.feed(piece).unwrap();
        }
        let same = match (decoder.finish().unwrap(), reply(recording)) {
            (Reply::Refused(one), Reply::Refused(other)) => one == other,
            (Reply::Fault(one), Reply::Fault(other)) => one == other,
            _ => false,
        };
        assert!(same, "{}", recording.name);
    }
}
