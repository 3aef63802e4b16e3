//! A server that has its answers ready, so that what is measured is its clients; it looks at no signature.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use serde_json::json;

/// How far the pages of the client are apart: each begins with the last machine of the one before.
const STEP: usize = 999;

/// Returns the pages of so many machines.
pub(super) fn pages(machines: usize) -> Vec<String> {
    let machines: Vec<String> = (0..machines).rev().map(machine).collect();
    let page = |from: usize| machines.iter().skip(from).take(1000).cloned().collect::<Vec<_>>().join(",");
    (0..machines.len()).step_by(STEP).map(|from| format!("[{}]", page(from))).collect()
}

/// Writes a machine as the real server does.
fn machine(number: usize) -> String {
    let id = format!("{number:08x}-1e43-4c6f-9a53-2b7d4f0c8e11");
    let ip = format!("10.88.{}.{}", number / 250, number % 250 + 1);
    json!({
        "id": id, "name": format!("vm-{number:05}"), "type": "smartmachine", "brand": "joyent", "state": "running",
        "image": "2b683a82-a066-11e3-97ab-2faa44701c5a", "ips": [ip], "memory": 128, "disk": 10240,
        "deletion_protection": false,
        "metadata": {"user-script": "#!/bin/sh\necho hi\n", "root_authorized_keys": "k".repeat(700)},
        "tags": {"pool": "bench", "n": number, "vmpool-token": format!("lab/base/base-{number}")},
        "created": "2026-11-21T08:36:16.360Z", "updated": "2026-11-21T08:36:20.425Z",
        "networks": ["f1e6dd77-3f6d-4b8b-9c0c-2a1f0c5d6a01"],
        "nics": [{"mac": "90:b8:d0:33:fd:f7", "ip": ip, "primary": true, "gateway": "10.88.0.1", "netmask": "255.255.0.0",
            "network": "f1e6dd77-3f6d-4b8b-9c0c-2a1f0c5d6a01"}],
        "primaryIp": ip, "firewall_enabled": false, "compute_node": "44454c4c-5400-1034-8053-b7c04f383432",
        "package": "sample-128M",
    })
    .to_string()
}

/// Serves the pages from threads of its own, and an empty list for all else; returns where.
pub(super) fn serve(pages: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let pages = Arc::new(pages);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, pages) = (stream.unwrap(), Arc::clone(&pages));
            std::thread::spawn(move || answer_all(stream, &pages));
        }
    });
    url
}

/// Fetches a page and looks at nothing of it; returns how many bytes came.
pub(super) fn fetch(url: &str, page: usize) -> usize {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /ops/machines?offset={} HTTP/1.1\r\nhost: {address}\r\n\r\n", page * STEP).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap()
}

fn answer_all(stream: TcpStream, pages: &[String]) {
    // A short body must not wait until its head is acknowledged, which takes a client 40 ms.
    stream.set_nodelay(true).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut asked = String::new();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        if asked.is_empty() {
            asked = line;
        } else if line.is_empty() {
            let body = answer(&asked, pages);
            let count = if body == "[]" { 0 } else { 1000 };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 x-query-limit: 1000\r\nx-resource-count: {count}\r\n\r\n",
                body.len()
            );
            // A client may have what it wants and hang up.
            let _ = writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body.as_bytes()));
            asked.clear();
        }
    }
}

fn answer<'a>(asked: &str, pages: &'a [String]) -> &'a str {
    if !asked.contains("/machines") {
        return "[]";
    }
    let offset = asked.split("offset=").nth(1).map_or(0, |rest| {
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap()
    });
    // Triton's client asks for what follows a full page, and the client for what begins with its last machine.
    match offset % STEP {
        0 => &pages[offset / STEP],
        _ => "[]",
    }
}
