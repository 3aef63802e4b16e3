//! The driver listens to what a server says by itself: to a scripted publisher, and to libzmq if there is a Python with it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use vmpool_driver::{Driver, Hint};
use vmpool_model::{FailureKind, config::DriverOptions};
use vmpool_opennebula::{
    driver::{OpenNebulaDriver, OpenNebulaOptions, factory},
    events::VmEvents,
};
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimServer};

use crate::cloud::{client, plain_user};

/// The documents of the messages: one of vmpool's VMs, and one of somebody else's.
const OURS: &[u8] = b"PFZNPjxWTVBPT0xfVE9LRU4vPjwvVk0+";
const OTHERS: &[u8] = b"PFZNPjwvVk0+";

/// Connects a driver to a simulated server, and has it listen at an endpoint.
async fn driver(events: Option<&str>) -> (Arc<OpenNebulaDriver>, SimServer) {
    let server = OpenNebulaSim::new(SimConfig::default().with_user(plain_user())).unwrap();
    let server = server.start().await.unwrap();
    let mut options = OpenNebulaOptions::default();
    options.events = events.map(str::to_owned);
    let driver = OpenNebulaDriver::connect_with(client(&server.endpoint(), true), options).await;
    (Arc::new(driver.unwrap()), server)
}

/// Waits for a subscriber, and gets on with it as libzmq does.
async fn meet(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut greeting = [0; 64];
    stream.read_exact(&mut greeting).await.unwrap();
    greeting[11] = 1;
    stream.write_all(&greeting).await.unwrap();
    stream.write_all(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB").await.unwrap();
    let mut said = [0; 27 + 18];
    stream.read_exact(&mut said).await.unwrap();
    assert!(said.ends_with(b"\0\x10\x01EVENT STATE VM/"));
    stream
}

/// Publishes a message of two parts.
async fn publish(stream: &mut TcpStream, name: &str, body: &[u8]) {
    let part = |flags: u8, body: &[u8]| [&[flags, u8::try_from(body.len()).unwrap()], body].concat();
    stream.write_all(&[part(1, name.as_bytes()), part(0, body)].concat()).await.unwrap();
}

fn node(id: &str) -> Hint {
    Hint::Node(id.parse().unwrap())
}

#[tokio::test]
async fn a_change_of_a_vm_of_ours_is_a_hint_and_one_of_others_is_passed_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let (driver, _server) = driver(Some(&endpoint)).await;
    assert!(driver.capabilities().hints);
    let (hints, mut stream) = tokio::join!(driver.hints(), meet(&listener));
    let mut hints = hints.unwrap();
    publish(&mut stream, "EVENT STATE VM/ACTIVE/RUNNING/4 ", OTHERS).await;
    publish(&mut stream, "EVENT STATE VM/ACTIVE/RUNNING/17 ", OURS).await;
    publish(&mut stream, "EVENT STATE VM/DONE/LCM_INIT/5 ", b"not base64").await;
    publish(&mut stream, "EVENT STATE VM/in the year 3000", OURS).await;
    publish(&mut stream, "EVENT STATE VM/UNHEARD_OF/LCM_INIT/17 ", OURS).await;
    drop(stream);
    for hint in [node("17"), node("5"), Hint::Provider, node("17")] {
        assert_eq!(hints.next().await.unwrap(), hint);
    }
    let err = hints.next().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unavailable);
    assert!(err.to_string().contains(&endpoint), "{err}");
}

#[tokio::test]
async fn where_nobody_publishes_the_driver_says_so() {
    let (driver, server) = driver(Some("tcp://127.0.0.1:1")).await;
    let err = driver.hints().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unavailable);
    // A web server does not publish.
    let endpoint = server.endpoint().replace("http://", "tcp://").replace("/RPC2", "");
    let mut options = OpenNebulaOptions::default();
    options.events = Some(endpoint);
    let driver = OpenNebulaDriver::connect_with(driver.client().clone(), options).await.unwrap();
    let err = tokio::time::timeout(Duration::from_secs(5), driver.hints()).await;
    assert!(matches!(err, Err(_) | Ok(Err(_))), "{err:?}");
}

#[tokio::test]
async fn a_driver_that_is_not_told_where_does_not_listen() {
    let (driver, _server) = driver(None).await;
    assert!(!driver.capabilities().hints);
    assert_eq!(driver.hints().await.unwrap_err().kind(), FailureKind::Unsupported);
}

#[test]
fn an_option_that_is_no_endpoint_of_events_is_refused_by_name() {
    let options: DriverOptions = serde_json::from_str(r#"{"events": "http://one:2101"}"#).unwrap();
    let err = factory().check(&options).unwrap_err().to_string();
    assert_eq!(err, "option events: it is not tcp://HOST or tcp://HOST:PORT");
}

/// A publisher of libzmq: it tells its port, and publishes what it is told line by line, as `onehem` does.
const PUBLISHER: &str = "
import base64, sys, zmq
socket = zmq.Context().socket(zmq.PUB)
socket.setsockopt(zmq.HEARTBEAT_IVL, 50)
socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 1500)
socket.setsockopt(zmq.LINGER, 0)
print(socket.bind_to_random_port('tcp://127.0.0.1'), flush=True)
for line in sys.stdin:
    key, body = line.rstrip('\\n').split('|')
    socket.send_string(key, zmq.SNDMORE)
    socket.send(base64.b64encode(body.encode()))
";

/// The clients job of the CI names a Python with pyzmq; there is nothing to show without one.
#[tokio::test]
async fn libzmq_is_understood() {
    let Some(python) = std::env::var_os("VMPOOL_PYTHON_WITH_ZMQ") else { return };
    let mut command = Command::new(python);
    command.args(["-c", PUBLISHER]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut publisher = command.spawn().unwrap();
    let mut port = String::new();
    BufReader::new(publisher.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let mut orders = publisher.stdin.take().unwrap();
    let endpoint = format!("tcp://127.0.0.1:{}", port.trim()).parse().unwrap();
    let mut events = VmEvents::connect(&endpoint).await.unwrap();
    // The subscription takes its way; what is published before it has arrived goes to nobody.
    let large = "x".repeat(9_000);
    let heard = loop {
        writeln!(orders, "EVENT API one.vm.info 1|<CALL/>").unwrap();
        writeln!(orders, "EVENT STATE VM/ACTIVE/RUNNING/7 |<VM>{large}</VM>").unwrap();
        if let Ok(event) = tokio::time::timeout(Duration::from_millis(100), events.next()).await {
            break event.unwrap().unwrap();
        }
    };
    assert_eq!((heard.id, heard.state.as_str(), heard.lcm_state.as_str()), (7, "ACTIVE", "RUNNING"));
    assert_eq!(heard.document.unwrap().len(), 9_009);
    // Idle for so long that a subscriber who answers no heartbeat would be given up.
    let _ =
        tokio::time::timeout(Duration::from_secs(2), async { while events.next().await.is_ok() {} }).await;
    // A publisher drops what more than a thousand messages wait before.
    for hundred in 0..5 {
        let numbers = || hundred * 100..(hundred + 1) * 100;
        for number in numbers() {
            writeln!(orders, "EVENT STATE VM/DONE/LCM_INIT/{number} |<VM/>").unwrap();
        }
        for number in numbers() {
            let event = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
            assert_eq!(event.unwrap().unwrap().unwrap().id, number);
        }
    }
    drop(orders);
    let end = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
    end.unwrap().unwrap_err();
    publisher.wait().unwrap();
}
