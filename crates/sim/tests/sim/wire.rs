//! What goes over the socket.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vmpool_dummy::FaultConfig;
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimServer};

const VERSION: &str = "<methodCall><methodName>one.system.version</methodName><params><param>\
    <value>oneadmin:opennebula</value></param></params></methodCall>";

const ALLOCATE: &str = "<methodCall><methodName>one.vm.allocate</methodName><params><param>\
    <value>oneadmin:opennebula</value></param><param><value>CPU=1 MEMORY=64</value></param></params></methodCall>";

async fn start(config: SimConfig) -> (OpenNebulaSim, SimServer) {
    let sim = OpenNebulaSim::new(config).unwrap();
    (sim.clone(), sim.start().await.unwrap())
}

/// Sends bytes, and returns all that comes back until the server ends the connection.
async fn talk(server: &SimServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_call_is_answered_and_the_connection_ends() {
    let (_, server) = start(SimConfig::default()).await;
    let answer = talk(&server, &post("/RPC2", VERSION)).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for line in
        ["Content-Type: text/xml; charset=utf-8", "Connection: close", "Server: Xmlrpc-c_Abyss/1.33.14"]
    {
        assert!(head.lines().any(|other| other == line), "{line} is not in {head}");
    }
    assert!(body.contains("<value><string>6.10.0</string></value>"), "{body}");
}

#[tokio::test]
async fn what_is_no_call_gets_the_page_that_the_real_server_sends() {
    let (_, server) = start(SimConfig::default()).await;
    let cases = [
        (post("/", VERSION), "HTTP/1.1 404 Not Found", "it's not the one you requested: '/'"),
        ("GET /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "HTTP/1.1 405 ", "POST is the only HTTP method"),
        (post("/RPC2", ""), "HTTP/1.1 400 Bad Request", "your request is empty (zero length)"),
        (
            "POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            "HTTP/1.1 411 ",
            "",
        ),
        ("OPTIONS /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "HTTP/1.1 200 OK", "Allow: POST"),
    ];
    for (request, status, text) in cases {
        let answer = talk(&server, &request).await;
        assert!(answer.starts_with(status) && answer.contains(text), "{request}: {answer}");
    }
}

#[tokio::test]
async fn a_slow_call_has_its_effect_at_the_end_of_its_time() {
    let (sim, server) = start(SimConfig::default().with_latency(Duration::from_secs(3600))).await;
    let request = post("/RPC2", ALLOCATE);
    let mut call = std::pin::pin!(talk(&server, &request));
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut call).await.is_err());
    assert!(sim.state(0).is_none());
    sim.reconfigure(|config| config.latency = Duration::ZERO);
    assert!(talk(&server, &request).await.contains("<i4>0</i4>"));
    assert!(sim.state(0).is_some());
}

#[tokio::test]
async fn a_lost_answer_is_one_that_had_its_effect_and_a_lost_request_is_not() {
    let mut faults = FaultConfig::default();
    faults.lost_answers = 1.0;
    let (sim, server) = start(SimConfig::default().with_faults(faults)).await;
    assert_eq!(talk(&server, &post("/RPC2", ALLOCATE)).await, "");
    assert!(sim.state(0).is_some());
    // What changes nothing is never lost.
    assert!(talk(&server, &post("/RPC2", VERSION)).await.contains("6.10.0"));

    sim.reconfigure(|config| (config.faults.lost_requests, config.faults.lost_answers) = (1.0, 0.0));
    assert_eq!(talk(&server, &post("/RPC2", ALLOCATE)).await, "");
    assert!(sim.state(1).is_none());
}
