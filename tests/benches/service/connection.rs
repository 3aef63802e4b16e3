//! One connection to a server, kept open: less work than any HTTP client does, so that what is measured is the server.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that asks one thing after the other.
pub struct Connection {
    stream: TcpStream,
    host: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// An answer, as far as it matters.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a str,
}

impl Connection {
    /// Connects to `http://HOST:PORT`.
    pub async fn open(url: &str) -> Self {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, host, request: Vec::new(), answer: Vec::new() }
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer<'_> {
        self.request.clear();
        let Self { host, request, .. } = self;
        request.extend([method, " ", path, " HTTP/1.1\r\nhost: ", host, "\r\n"].concat().bytes());
        if !body.is_empty() {
            let length = body.len().to_string();
            request.extend(
                ["content-type: application/json\r\ncontent-length: ", &length, "\r\n"].concat().bytes(),
            );
        }
        request.extend(b"\r\n");
        request.extend(body.bytes());
        self.stream.write_all(&self.request).await.unwrap();
        self.answer.clear();
        let (status, begin, end) = loop {
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert!(0 < read, "the server closed the connection");
            if let Some((status, begin, length)) = head(&self.answer) {
                break (status, begin, begin + length);
            }
        };
        while self.answer.len() < end {
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert!(0 < read, "the server closed the connection");
        }
        Answer { status, body: std::str::from_utf8(&self.answer[begin..end]).unwrap() }
    }
}

/// Reads the head of an answer, if it is whole: its status, where the body begins, and how long that is.
fn head(answer: &[u8]) -> Option<(u16, usize, usize)> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
    });
    Some((status, end + 4, length.unwrap_or(0)))
}
