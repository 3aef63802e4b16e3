//! What goes over the socket for a call, and what comes of what comes back.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{net::TcpListener, sync::Notify};
use vmpool_model::{Certainty, FailureKind};
use vmpool_opennebula::{
    client::{CallFailure, Client, ClientConfig, RefusalKind, Session},
    document::ElementSink,
    rpc::{Call, Problem, Response, Value},
};

use crate::{
    recordings::{recording, recordings},
    server::{Act, Server, done, http, refused},
};

fn info() -> Call {
    Call::new("one.vm.info").with(7)
}

#[tokio::test]
async fn a_call_is_one_request_on_a_connection_of_its_own() {
    let server = Server::start(|_| done(7)).await;
    assert_eq!(server.client().call(info()).await.unwrap(), Value::Int(7));
    let seen = server.ended(1).await;
    let head = seen[0].head.to_ascii_lowercase();
    assert!(head.starts_with("post /rpc2 http/1.1\r\n"), "{head}");
    for line in ["content-type: text/xml", "connection: close", "content-length: "] {
        assert!(head.contains(line), "{head}");
    }
    let expected = Call::new("one.vm.info").with("ci:hunter2").with(7);
    assert_eq!(seen[0].call, Some(expected));
    assert!(seen[0].ended_well);
}

#[tokio::test]
async fn the_version_is_asked_for_once() {
    let server = Server::start(|_| done("6.10.0")).await;
    let client = server.client();
    for _ in 0..3 {
        assert_eq!(client.version().await.unwrap().to_string(), "6.10.0");
    }
    assert_eq!(client.clone().version().await.unwrap().to_string(), "6.10.0");
    assert_eq!(server.ended(1).await.len(), 1);
}

#[tokio::test]
async fn at_most_eight_calls_are_on_their_way_to_one_server_whoever_makes_them() {
    let gate = Arc::new(Notify::new());
    let wait = Arc::clone(&gate);
    let server = Server::start(move |_| [vec![Act::Wait(Arc::clone(&wait))], done(7)].concat()).await;
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let session = Session::of(&format!("user{number}"), "x");
            let client = Client::new(ClientConfig::new(server.endpoint.clone(), session)).unwrap();
            tokio::spawn(async move { client.call(info()).await })
        })
        .collect();
    for call in calls {
        while !call.is_finished() {
            gate.notify_waiters();
            tokio::task::yield_now().await;
        }
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.most_open(), 8);
}

/// Polls a call once, and drops it.
async fn touch(client: &Client) {
    let mut call = pin!(client.call(info()));
    poll_fn(|context| {
        assert!(call.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_is_sent_is_never_sent_and_its_connection_ends_well() {
    let server = Server::start(|_| done(7)).await;
    touch(&server.client()).await;
    let seen = server.ended(1).await;
    assert_eq!((seen[0].head.as_str(), &seen[0].call), ("", &None));
    assert!(seen[0].ended_well);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_for_an_answer_ends_well() {
    let (came, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&came), Arc::clone(&go));
    let server = Server::start(move |_| {
        tell.notify_one();
        [vec![Act::Wait(Arc::clone(&wait))], done("x".repeat(1 << 20))].concat()
    })
    .await;
    let client = server.client();
    tokio::select! {
        answer = client.call(info()) => panic!("{answer:?}"),
        () = came.notified() => {}
    }
    go.notify_one();
    let seen = server.ended(1).await;
    assert!(seen[0].call.is_some() && seen[0].ended_well);
}

#[tokio::test]
async fn a_call_that_is_dropped_in_the_middle_of_its_answer_ends_well() {
    let (came, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&came), Arc::clone(&go));
    let server = Server::start(move |_| {
        let Some(Act::Send(bytes)) = done("x".repeat(1 << 20)).pop() else { panic!() };
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        tell.notify_one();
        vec![Act::Send(first.to_vec()), Act::Wait(Arc::clone(&wait)), Act::Send(rest.to_vec())]
    })
    .await;
    let client = server.client();
    tokio::select! {
        answer = client.call(info()) => panic!("{answer:?}"),
        () = came.notified() => {}
    }
    go.notify_one();
    assert!(server.ended(1).await[0].ended_well);
}

#[tokio::test]
async fn a_call_that_times_out_says_that_it_was_sent_and_ends_well() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let server = Server::start(move |_| [vec![Act::Wait(Arc::clone(&wait))], done(7)].concat()).await;
    let client = server.client_with(|config| config.with_timeout(Duration::from_millis(100)));
    let err = client.call(info()).await.unwrap_err();
    assert!(matches!(*err.failure, CallFailure::Timeout { sent: true, .. }), "{err}");
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Timeout, Certainty::Unknown));
    go.notify_one();
    assert!(server.ended(1).await[0].ended_well);
}

#[tokio::test]
async fn an_answer_that_cannot_be_understood_is_read_to_its_end_all_the_same() {
    let body = [b"<methodResponse>\xff".as_slice(), &[b'x'; 1 << 20]].concat();
    let server = Server::start(move |_| vec![Act::Send(http(&body))]).await;
    let err = server.client().document(info(), ElementSink::default()).await.unwrap_err();
    assert!(
        matches!(&*err.failure, CallFailure::Unreadable(err) if err.problem == Problem::NotUtf8),
        "{err}"
    );
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Protocol, Certainty::Unknown));
    assert!(server.ended(1).await[0].ended_well);
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_of_its_answer_is_told_apart_from_a_short_one() {
    let server = Server::start(|_| {
        let Some(Act::Send(bytes)) = done("x".repeat(1000)).pop() else { panic!() };
        vec![Act::Send(bytes[..bytes.len() / 2].to_vec())]
    })
    .await;
    let err = server.client().call(info()).await.unwrap_err();
    assert!(matches!(*err.failure, CallFailure::BrokenOff(_)), "{err}");
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::Unknown));
}

#[tokio::test]
async fn a_web_page_is_no_answer_whatever_its_status() {
    let page = recording("proto.http-post-root").response();
    let as_200 = http(&page);
    let server = Server::start(move |_| vec![Act::Send(as_200.clone())]).await;
    let err = server.client().call(info()).await.unwrap_err();
    assert!(err.to_string().contains("check the endpoint"), "{err}");
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Protocol, Certainty::NotApplied));

    let statuses = [
        (404, FailureKind::Protocol, Certainty::NotApplied, "/RPC2"),
        (302, FailureKind::Protocol, Certainty::NotApplied, "leads elsewhere"),
        (403, FailureKind::Permission, Certainty::NotApplied, "a proxy refuses"),
        (502, FailureKind::Unavailable, Certainty::Unknown, "a proxy does not reach"),
    ];
    for (status, kind, certainty, word) in statuses {
        let page = String::from_utf8(http(&page)).unwrap().replace("200 OK", &format!("{status} X"));
        let server = Server::start(move |_| vec![Act::Send(page.clone().into_bytes())]).await;
        let err = server.client().call(info()).await.unwrap_err();
        assert_eq!((err.kind(), err.certainty()), (kind, certainty), "{status}");
        assert!(err.to_string().contains(word), "{err}");
        assert!(server.ended(1).await[0].ended_well);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_got_nothing() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = ClientConfig::new(format!("http://{address}"), Session::of("ci", "hunter2"));
    let err = Client::new(config).unwrap().call(info()).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::NotApplied));
    assert!(!format!("{err} {err:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_server_without_tls_is_no_server_with_tls_and_got_nothing() {
    let server = Server::start(|_| done(7)).await;
    let endpoint = server.endpoint.replace("http:", "https:");
    let client = Client::new(ClientConfig::new(endpoint, Session::of("ci", "x"))).unwrap();
    let waiting = tokio::spawn(async move { client.call(info()).await });
    let err = waiting.await.unwrap().unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::NotApplied), "{err}");
}

#[tokio::test]
async fn a_text_that_the_server_cannot_bear_is_not_sent() {
    let server = Server::start(|_| done(7)).await;
    let err = server.client().call(Call::new("one.vm.rename").with(7).with("🚀")).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::InvalidRequest, Certainty::NotApplied));
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn an_answer_in_chunks_from_a_proxy_is_read() {
    let body = Response::Value(Value::Array(vec![true.into(), "6.10.0".into(), 0.into()])).to_xml();
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in body.as_bytes().chunks(50) {
        bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let server = Server::start(move |_| vec![Act::Send(bytes.clone())]).await;
    assert_eq!(server.client().version().await.unwrap().to_string(), "6.10.0");
    assert!(server.ended(1).await[0].ended_well);
}

#[tokio::test]
async fn every_recorded_refusal_has_its_kind() {
    use RefusalKind as Kind;
    let kind = |name: &str, outcome: &str| match outcome {
        outcome if outcome.starts_with("err 256") => Kind::Authentication,
        outcome if outcome.starts_with("err 1024") && outcome.contains("virtual machine [") => Kind::NoSuchVm,
        outcome if outcome.starts_with("err 1024") => Kind::NoSuchObject,
        outcome if outcome.starts_with("err 4096") => Kind::Invalid,
        outcome if outcome.starts_with("err 16384") => Kind::NameTaken,
        _ if name.contains("quota") => Kind::Quota,
        _ if name.contains("restricted") => Kind::Restricted,
        _ if name.ends_with(".locked") => Kind::Locked,
        outcome if outcome.starts_with("err 512") => Kind::Permission,
        outcome if outcome.contains("is not supported") => Kind::Unsupported,
        outcome if outcome.contains("[one.vm.allocate]") || outcome.contains("[one.template.allocate]") => {
            Kind::Invalid
        }
        _ if name.contains(".rename.") || name.contains("updateconf") => Kind::Invalid,
        _ if name.contains(".bad") || name.starts_with("one.vm.recover.6") => Kind::Invalid,
        _ => Kind::WrongState,
    };
    let refusals: Vec<_> =
        recordings().into_iter().filter(|recording| recording.outcome.starts_with("err")).collect();
    assert!(60 < refusals.len());
    for recording in refusals {
        let body = recording.response();
        let server = Server::start(move |_| vec![Act::Send(http(&body))]).await;
        let method = Call::parse(&recording.request(), 1 << 20).unwrap().method;
        let err = server.client().call(Call::new(method)).await.unwrap_err();
        assert_eq!(
            err.refusal(),
            Some(kind(&recording.name, &recording.outcome)),
            "{}: {err}",
            recording.name
        );
        assert_eq!(err.certainty(), Certainty::NotApplied, "{}", recording.name);
    }
}

#[tokio::test]
async fn a_cluster_without_a_leader_is_unavailable_and_may_have_done_it() {
    let server = Server::start(|_| refused(8192, "Cannot process request, no leader found")).await;
    let err = server.client().call(info()).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::Unknown));
}

#[tokio::test]
async fn faults_say_whether_the_method_ran() {
    let cases = [
        ("poison.vm.info", FailureKind::Protocol, Certainty::Unknown),
        ("proto.too-few", FailureKind::InvalidRequest, Certainty::NotApplied),
        ("proto.unknown-method", FailureKind::Unsupported, Certainty::NotApplied),
        ("proto.not-xml", FailureKind::InvalidRequest, Certainty::NotApplied),
    ];
    for (name, kind, certainty) in cases {
        let body = recording(name).response();
        let server = Server::start(move |_| vec![Act::Send(http(&body))]).await;
        let err = server.client().call(info()).await.unwrap_err();
        assert_eq!((err.kind(), err.certainty()), (kind, certainty), "{name}: {err}");
        assert_eq!(err.is_breakdown(), name == "poison.vm.info");
    }
}
