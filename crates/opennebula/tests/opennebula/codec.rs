//! XML-RPC as text: what a real server and its clients wrote is read, and written again byte for byte.

use proptest::{collection::vec, prelude::*};
use vmpool_opennebula::rpc::{Call, CodecError, Problem, Response, Value};

use crate::recordings::{recording, recordings};

const LIMIT: u64 = 64 << 20;

#[test]
fn every_recorded_answer_is_read_and_written_again_byte_for_byte() {
    let mut read = 0;
    for recording in recordings().iter().filter(|recording| recording.is_answer()) {
        let body = recording.response();
        let answer = Response::parse(&body, LIMIT).unwrap_or_else(|err| panic!("{}: {err}", recording.name));
        let name = &recording.name;
        assert!(answer.to_xml().as_bytes() == body, "{name} is written differently");
        read += 1;
    }
    assert!(320 < read, "only {read} answers were read");
}

#[test]
fn every_recorded_call_of_a_client_is_read_and_written_again_byte_for_byte() {
    // The others were written by hand, to see what the server does with them.
    let of_a_client = |name: &str| !name.starts_with("proto.");
    for recording in recordings().iter().filter(|recording| of_a_client(&recording.name)) {
        let body = recording.request();
        let call = Call::parse(&body, LIMIT).unwrap_or_else(|err| panic!("{}: {err}", recording.name));
        assert_eq!(call.to_xml(), String::from_utf8(body).unwrap(), "{}", recording.name);
    }
}

#[test]
fn calls_that_were_written_in_another_way_are_read_too() {
    for name in ["proto.i4", "proto.i8", "proto.no-xml-decl", "proto.http-no-ctype", "proto.too-many"] {
        let call = Call::parse(&recording(name).request(), LIMIT);
        assert!(call.is_ok_and(|call| call.method.starts_with("one.")), "{name}");
    }
}

#[test]
fn an_untyped_value_is_a_text() {
    let body = "<methodCall><methodName>m</methodName><params><param><value>a &amp; b</value></param>\
                <param><value/></param></params></methodCall>";
    let call = Call::parse(body.as_bytes(), LIMIT).unwrap();
    assert_eq!(call.params, ["a & b".into(), "".into()]);
}

#[test]
fn the_session_does_not_show() {
    let shown = format!("{:?}", Call::new("one.vm.info").with("oneadmin:hunter2").with(7));
    assert_eq!(shown, "one.vm.info(string, int)");
}

#[test]
fn a_web_page_is_named_as_such() {
    for name in ["proto.http-get", "proto.empty-body", "proto.http-post-root"] {
        let err = Response::parse(&recording(name).response(), LIMIT).unwrap_err();
        assert_eq!(err.problem, Problem::WebPage, "{name}");
    }
}

/// A text, and whether what is found to be wrong with it is right.
type Case<'a> = (&'a str, fn(&Problem) -> bool);

#[test]
fn what_is_hostile_is_refused_with_its_place() {
    let doctype = "<!DOCTYPE a [<!ENTITY x \"aaaaaaaa\">]><methodResponse>&x;</methodResponse>";
    let deep = format!("<methodResponse><params><param>{}", "<value><array><data>".repeat(1000));
    let cases: [Case<'_>; 5] = [
        (doctype, |problem| matches!(problem, Problem::Refused(_))),
        (&deep, |problem| matches!(problem, Problem::TooDeep(_))),
        ("<methodResponse><a></b>", |problem| matches!(problem, Problem::Unexpected { .. })),
        ("<methodResponse><params></b>", |problem| matches!(problem, Problem::Malformed(_))),
        ("<methodResponse><params><param><value><i4>1&nbsp;", |problem| {
            matches!(problem, Problem::Unexpected { .. })
        }),
    ];
    for (body, is_expected) in cases {
        let err = Response::parse(body.as_bytes(), LIMIT).unwrap_err();
        assert!(is_expected(&err.problem), "{body:.60}: {err}");
        assert!(err.offset <= body.len() as u64, "{err}");
    }
}

#[test]
fn an_answer_that_is_too_long_is_refused() {
    let body = Response::Value("x".repeat(100).into()).to_xml();
    let err = Response::parse(body.as_bytes(), 50).unwrap_err();
    assert_eq!(err, CodecError::new(50, Problem::TooLong(50)));
}

#[test]
fn bytes_that_are_no_text_are_named_by_their_place() {
    let err = Response::parse(b"<methodResponse>\xff", LIMIT).unwrap_err();
    assert_eq!(err, CodecError::new(16, Problem::NotUtf8));
}

#[test]
fn a_number_that_does_not_fit_is_no_panic() {
    let body = "<methodResponse><params><param><value><i4>99999999999</i4></value></param></params></methodResponse>";
    let err = Response::parse(body.as_bytes(), LIMIT).unwrap_err();
    assert!(matches!(err.problem, Problem::Number { .. }), "{err}");
}

fn value() -> impl Strategy<Value = Value> {
    // White space is what XML may change.
    let text = "[a-zA-Zž日<>&\"'\\]][a-z <>&;#\\]!\\[日]{0,12}";
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Long),
        any::<bool>().prop_map(Value::Bool),
        text.prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((text, inner), 0..4).prop_map(Value::Struct),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(params in vec(value(), 0..4), method in "[a-z.]{1,20}") {
        let call = Call { method, params };
        prop_assert_eq!(&Call::parse(call.to_xml().as_bytes(), LIMIT).unwrap(), &call);
        for value in call.params {
            let answer = Response::Value(value);
            prop_assert_eq!(Response::parse(answer.to_xml().as_bytes(), LIMIT).unwrap(), answer);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[<>/&;a-z!\\[\\]?-]{0,60}", noise in vec(any::<u8>(), 0..60)) {
        let _ = Response::parse(text.as_bytes(), LIMIT);
        let _ = Call::parse(&noise, LIMIT);
    }
}
