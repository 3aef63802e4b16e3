//! As much of ZMTP 3.0, ZeroMQ's protocol, as a subscriber needs: <https://rfc.zeromq.org/spec/23/>.
//!
//! The library would bring a dozen crates, connect again by itself without a word, and keep what is not read without a bound.

use std::{io, time::Duration};

use rustix::net::sockopt;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::endpoint::EventsEndpoint;

/// The first ten bytes and the version of a greeting, the mechanism `NULL`, and that this side is no server.
const GREETING: usize = 64;

/// The largest frame that is read: an event holds one VM.
const LARGEST: u64 = 8 << 20;

/// How many parts of a message are kept; no event has more than two.
const PARTS: usize = 2;

/// When a connection over which nothing came is looked at, how often, and how many times before it is given up.
const IDLE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A connection to a publisher.
#[derive(Debug)]
pub(super) struct Subscriber {
    stream: TcpStream,
    /// What came and was not read yet.
    input: Vec<u8>,
    /// What is still to be sent.
    output: Vec<u8>,
    /// The parts of the message that is coming.
    parts: Vec<Vec<u8>>,
}

/// A part of a message, or a command.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    flags: u8,
    body: Vec<u8>,
}

impl Subscriber {
    /// Connects, and subscribes to the messages whose first part begins with `prefix`.
    pub(super) async fn connect(endpoint: &EventsEndpoint, prefix: &[u8]) -> io::Result<Self> {
        let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
        stream.set_nodelay(true)?;
        notice_the_end(&stream)?;
        let mut subscriber = Self { stream, input: Vec::new(), output: greeting(), parts: Vec::new() };
        subscriber.send().await?;
        check_greeting(&subscriber.take(GREETING).await?)?;
        subscriber.output = frame(COMMAND, b"\x05READY\x0bSocket-Type\0\0\0\x03SUB");
        subscriber.send().await?;
        check_ready(&subscriber.frame().await?)?;
        subscriber.output = frame(0, &[b"\x01", prefix].concat());
        subscriber.send().await?;
        Ok(subscriber)
    }

    /// Waits for the next message, of which it keeps the first parts.
    ///
    /// Dropping the future loses nothing: what is half read stays here.
    pub(super) async fn next(&mut self) -> io::Result<Vec<Vec<u8>>> {
        loop {
            self.send().await?;
            let Frame { flags, body } = self.frame().await?;
            if flags & COMMAND != 0 {
                self.obey(&body);
                continue;
            }
            if self.parts.len() < PARTS {
                self.parts.push(body);
            }
            if flags & MORE == 0 {
                return Ok(std::mem::take(&mut self.parts));
            }
        }
    }

    /// Answers whether this side is there; other commands ask for nothing.
    fn obey(&mut self, command: &[u8]) {
        // The time after which the other side gives up comes before what is to be said again.
        if let Some(context) = command.strip_prefix(b"\x04PING").and_then(|rest| rest.get(2..)) {
            self.output.extend(frame(COMMAND, &[b"\x04PONG", &context[..context.len().min(16)]].concat()));
        }
    }

    /// Sends what is to be sent; what was sent is forgotten at once, so nothing is sent twice.
    async fn send(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            let sent = self.stream.write(&self.output).await?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.output.drain(..sent);
        }
        Ok(())
    }

    /// Waits for so many bytes.
    async fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.input.len() < count {
            self.receive().await?;
        }
        Ok(self.input.drain(..count).collect())
    }

    /// Waits for a frame.
    async fn frame(&mut self) -> io::Result<Frame> {
        loop {
            if let Some((frame, length)) = read_frame(&self.input)? {
                self.input.drain(..length);
                return Ok(frame);
            }
            self.receive().await?;
        }
    }

    async fn receive(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the publisher closed the connection")),
            _ => Ok(()),
        }
    }
}

/// Has the system look whether the other side is still there: a tunnel can break without a word.
fn notice_the_end(stream: &TcpStream) -> io::Result<()> {
    let (idle, interval, times) = IDLE;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, idle)?;
    sockopt::set_tcp_keepintvl(stream, interval)?;
    sockopt::set_tcp_keepcnt(stream, times)?;
    Ok(())
}

fn greeting() -> Vec<u8> {
    let mut greeting = vec![0; GREETING];
    (greeting[0], greeting[9]) = (0xff, 0x7f);
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

fn check_greeting(greeting: &[u8]) -> io::Result<()> {
    let is_zmtp = greeting.first() == Some(&0xff) && greeting.get(9) == Some(&0x7f);
    if !is_zmtp || greeting.get(10).is_none_or(|version| *version < 3) {
        return Err(wrong("it does not speak ZeroMQ's protocol, version 3"));
    }
    match greeting.get(12..).is_some_and(|mechanism| mechanism.starts_with(b"NULL\0")) {
        true => Ok(()),
        false => Err(wrong("it wants to know who connects")),
    }
}

fn check_ready(frame: &Frame) -> io::Result<()> {
    let Some(properties) = frame.body.strip_prefix(b"\x05READY").filter(|_| frame.flags & COMMAND != 0)
    else {
        return Err(wrong("it is not ready"));
    };
    let types = [&b"\x0bSocket-Type\0\0\0\x03PUB"[..], b"\x0bSocket-Type\0\0\0\x04XPUB"];
    match types.iter().any(|socket| memchr::memmem::find(properties, socket).is_some()) {
        true => Ok(()),
        false => Err(wrong("it publishes nothing")),
    }
}

/// Reads a frame, if all of it is there, and returns how long it is.
fn read_frame(input: &[u8]) -> io::Result<Option<(Frame, usize)>> {
    let (flags, size, rest) = match input {
        [flags, rest @ ..] if flags & LONG != 0 => match rest.split_first_chunk() {
            Some((size, rest)) => (*flags, u64::from_be_bytes(*size), rest),
            None => return Ok(None),
        },
        [flags, size, rest @ ..] => (*flags, u64::from(*size), rest),
        _ => return Ok(None),
    };
    if flags & !(MORE | LONG | COMMAND) != 0 {
        return Err(wrong("a frame has flags that there are not"));
    }
    if LARGEST < size {
        return Err(wrong("a frame is larger than any event"));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let Some(body) = rest.get(..size) else { return Ok(None) };
    let length = input.len() - rest.len() + size;
    Ok(Some((Frame { flags, body: body.to_vec() }, length)))
}

fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let head = match u8::try_from(body.len()) {
        Ok(size) => vec![flags, size],
        Err(_) => [&[flags | LONG][..], &(body.len() as u64).to_be_bytes()].concat(),
    };
    [&head, body].concat()
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
