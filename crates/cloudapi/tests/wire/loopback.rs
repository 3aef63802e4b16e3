//! A server on loopback that answers each request by a function and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::exchange::{Asked, Said};

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a server; a function that returns nothing hangs up.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                // A call that is dropped may hang up at any time.
                let Some(request) = read(&mut stream).await else { continue };
                let said = answer(&request);
                log.lock().unwrap().push(request.clone());
                if let Some(said) = said {
                    write(&mut stream, &request, &said).await;
                }
            }
        });
        Self { url, asked }
    }

    /// Returns what the server was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Makes an answer.
pub(crate) fn say(status: u16, body: impl Into<String>) -> Option<Said> {
    Some(Said { status, headers: BTreeMap::new(), body: body.into() })
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end;
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count != 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut body = bytes.split_off(end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let header =
        |line: &str| line.split_once(": ").map(|(key, value)| (key.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count != 0)?;
        body.extend_from_slice(&buffer[..count]);
    }
    Some(Asked { method, path, headers, body: String::from_utf8(body).unwrap() })
}

async fn write(stream: &mut TcpStream, request: &Asked, said: &Said) {
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", said.status);
    for (key, value) in &said.headers {
        if key != "content-length" || request.method == "HEAD" {
            head.push_str(&format!("{key}: {value}\r\n"));
        }
    }
    if request.method != "HEAD" && said.status != 204 {
        head.push_str(&format!("content-length: {}\r\n", said.body.len()));
    }
    // The client may hang up early.
    drop(stream.write_all(format!("{head}\r\n{}", said.body).as_bytes()).await);
}
