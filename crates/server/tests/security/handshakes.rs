//! Handshakes of TLS that come slowly, in great number, or not at all.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, interval},
};
use tokio_rustls::{TlsConnector, rustls};

use crate::pki::Files;

#[tokio::test(start_paused = true)]
async fn a_handshake_that_comes_byte_by_byte_ends_its_connection() {
    let world = Files::new().start("", "").await;
    let (mut read, mut write) = TcpStream::connect(world.address).await.unwrap().into_split();
    let slow = tokio::spawn(async move {
        let mut due = interval(Duration::from_secs(3));
        // The head of a record that says hello.
        for byte in [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].into_iter().chain([0; 100]) {
            due.tick().await;
            if write.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    });
    let (began, mut answer) = (Instant::now(), Vec::new());
    let _ = read.read_to_end(&mut answer).await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    slow.abort();
    world.goes_on().await;
}

#[tokio::test]
async fn handshakes_that_nobody_ends_keep_nobody_out_and_are_bounded() {
    let world = Files::new().start("", "").await;
    let mut begun = Vec::new();
    for _ in 0..700 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(&[0x16]).await.unwrap();
        begun.push(stream);
    }
    world.goes_on().await;
    let mut first = begun.swap_remove(0);
    assert_eq!(first.read(&mut [0]).await.unwrap_or_default(), 0, "the oldest made room");
    drop(begun);
    world.goes_on().await;
}

/// Shakes hands as a client that speaks these versions and protocols; returns what came of it.
async fn shake(
    world: &crate::world::World,
    files: &Files,
    versions: &[&'static rustls::SupportedProtocolVersion],
    alpn: &[&str],
) -> std::io::Result<(Option<rustls::ProtocolVersion>, Option<Vec<u8>>)> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in vmpool_tls::certificates(&files.path("authority.pem")).unwrap() {
        roots.add(certificate).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(world.address).await?;
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (_, session) = stream.get_ref();
    Ok((session.protocol_version(), session.alpn_protocol().map(<[u8]>::to_vec)))
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_http_1_1_alone_over_them() {
    let files = Files::new();
    let world = files.start("", "").await;
    let (tls12, tls13) = (&rustls::version::TLS12, &rustls::version::TLS13);
    let (version, alpn) = shake(&world, &files, &[tls12], &["h2", "http/1.1"]).await.unwrap();
    assert_eq!((version, alpn.as_deref()), (Some(rustls::ProtocolVersion::TLSv1_2), Some(&b"http/1.1"[..])));
    let (version, alpn) = shake(&world, &files, &[tls12, tls13], &[]).await.unwrap();
    assert_eq!((version, alpn), (Some(rustls::ProtocolVersion::TLSv1_3), None));
    assert!(shake(&world, &files, &[tls13], &["h2"]).await.is_err());
    world.goes_on().await;
}

#[tokio::test]
async fn a_stream_over_tls_that_nobody_reads_and_a_daemon_that_stops_end_in_time() {
    let files = Files::new();
    let world = files.start("", "").await;
    let idle = TcpStream::connect(world.address).await.unwrap();
    let mut events = world.admin.follow(Some(0));
    events.next().await.unwrap();
    let began = Instant::now();
    world.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    drop((idle, events));
}
