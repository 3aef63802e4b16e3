//! What goes over the socket when a call is dropped before, while and after it is sent; [`calls`](crate::calls) has the later
//! stages, when it waits for its answer, is in the middle of it, or takes too long.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use vmpool_opennebula::{
    client::{CallError, Client, ClientConfig, Session},
    rpc::{Call, Value},
};

use crate::server::{Act, Server, done};

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_for_a_place_opens_no_connection() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let (tell, mut came) = mpsc::unbounded_channel();
    let server = Server::start(move |_| {
        let _ = tell.send(());
        [vec![Act::Wait(Arc::clone(&wait))], done(7)].concat()
    })
    .await;
    let client = server.client();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(Call::new("one.vm.info").with(7)).await })
        })
        .collect();
    for _ in 0..8 {
        came.recv().await.unwrap();
    }
    {
        let mut ninth = pin!(client.call(Call::new("one.vm.action").with("terminate-hard").with(7)));
        for _ in 0..10 {
            let poll = poll_fn(|context| Poll::Ready(ninth.as_mut().poll(context)));
            assert!(poll.await.is_pending());
            tokio::task::yield_now().await;
        }
    }
    for call in calls {
        finish(call, &go).await;
    }
    // One more call, so that whatever was sent before it would have come.
    finish(tokio::spawn(async move { client.call(Call::new("one.vm.info").with(7)).await }), &go).await;
    let seen = server.ended(9).await;
    assert_eq!(seen.len(), 9);
    assert!(seen.iter().all(|seen| seen.ended_well && seen.call.as_ref().unwrap().method == "one.vm.info"));
}

/// Lets the server answer until a call has its answer.
async fn finish(call: JoinHandle<Result<Value, CallError>>, go: &Notify) {
    while !call.is_finished() {
        go.notify_waiters();
        tokio::task::yield_now().await;
    }
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_is_being_sent_is_sent_whole_and_ends_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/RPC2", listener.local_addr().unwrap());
    let client = Client::new(ClientConfig::new(endpoint, Session::of("ci", "x"))).unwrap();
    // More than fits between the two, and nobody reads yet.
    let template = "x".repeat(12 << 20);
    let call = client.call(Call::new("one.vm.allocate").with(template.as_str()).with(true));
    let mut stream = tokio::select! {
        answer = call => panic!("{answer:?}"),
        stream = begins(&listener) => stream,
    };
    let mut request = Vec::new();
    while !request.ends_with(b"</methodCall>") && !request.ends_with(b"</methodCall>\n") {
        let read = stream.read_buf(&mut request).await.unwrap();
        assert!(0 < read, "the connection has ended after {} bytes", request.len());
    }
    assert!(template.len() < request.len());
    // It is closed in good order once the answer has come.
    let Some(Act::Send(answer)) = done(7).pop() else { panic!() };
    tokio::io::AsyncWriteExt::write_all(&mut stream, &answer).await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
    assert_eq!(stream.read_to_end(&mut request).await.unwrap(), 0);
}

/// Takes a connection on which a request has begun.
async fn begins(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"P");
    stream
}
