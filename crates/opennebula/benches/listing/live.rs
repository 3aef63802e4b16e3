//! A listing through the client from a server on this machine, beside `curl` that fetches the same bytes.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use vmpool_opennebula::{
    api::{Filter, Range, StateFilter, VirtualMachinePool},
    client::{Client, ClientConfig, Session},
};

use crate::{answer::Answer, timed};

/// How fast a server sends.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// As fast as it can, which keeps a processor busy that the reader would like to have.
    Full,
    /// As many bytes in a second.
    Bytes(f64),
}

/// Returns how long both took, in milliseconds, side by side; nothing if there is no `curl`.
pub fn listings(answer: &Answer, pace: Pace, rounds: usize) -> Option<Vec<[f64; 2]>> {
    let endpoint = serve(answer.whole(), pace);
    let client = Client::new(ClientConfig::new(endpoint.as_str(), Session::of("ci", "hunter2"))).unwrap();
    let pool = VirtualMachinePool::new(&client);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    (0..rounds)
        .map(|_| {
            let curl = curl(&endpoint)?;
            let (vms, listing) = timed(|| {
                let listing = pool.info_extended(Filter::All, Range::All, StateFilter::NotDone);
                runtime.block_on(listing).unwrap()
            });
            assert_eq!(vms.len(), answer.count());
            Some([curl, listing])
        })
        .collect()
}

/// Answers every request with the same bytes, as OpenNebula does: one request for each connection.
fn serve(body: Vec<u8>, pace: Pace) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/RPC2", listener.local_addr().unwrap());
    let body = Arc::new(body);
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Who goes away early is no reason to end.
            let _ = answer(stream.unwrap(), &body, pace);
        }
    });
    endpoint
}

fn answer(mut stream: TcpStream, body: &[u8], pace: Pace) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !request.ends_with(b"</methodCall>\n") && !request.ends_with(b"</methodCall>") {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&piece[..length]),
        }
    }
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-type: text/xml; charset=utf-8";
    write!(stream, "{head}\r\nContent-length: {length}\r\n\r\n")?;
    match pace {
        Pace::Full => stream.write_all(body),
        Pace::Bytes(in_a_second) => trickle(stream, body, in_a_second),
    }
}

/// Sends a piece whenever it is due.
#[expect(clippy::disallowed_methods, reason = "the server keeps its pace by the clock")]
fn trickle(mut stream: TcpStream, body: &[u8], in_a_second: f64) -> std::io::Result<()> {
    let began = Instant::now();
    let mut sent = 0;
    for piece in body.chunks(256 << 10) {
        let due = Duration::from_secs_f64(sent as f64 / in_a_second);
        thread::sleep(due.saturating_sub(began.elapsed()));
        stream.write_all(piece)?;
        sent += piece.len();
    }
    Ok(())
}

/// Returns how long `curl` says that it took; that it has to be started is not in it.
fn curl(endpoint: &str) -> Option<f64> {
    let call = "<methodCall><methodName>one.vmpool.infoextended</methodName></methodCall>";
    let args =
        ["--silent", "--output", "/dev/null", "--write-out", "%{time_total}", "--data", call, endpoint];
    let output = Command::new("curl").args(args).output().ok()?;
    String::from_utf8(output.stdout).ok()?.parse::<f64>().ok().map(|seconds| seconds * 1e3)
}
