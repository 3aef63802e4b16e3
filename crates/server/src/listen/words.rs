//! Refusals in words: of the daemon itself, and of the library that reads requests, which refuses without any.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use vmpool_api::{Problem, VERSION, code, routes, version};

/// How long is read on after a refusal, so that the other side reads it before the connection is closed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much is read on at most.
const MOST_UNREAD: usize = 1 << 20;

/// Returns a problem as a whole answer, after which the connection ends.
pub(super) fn answer(problem: &Problem) -> Vec<u8> {
    let body = serde_json::to_string(problem).unwrap_or_default();
    let reason = http_reason(problem.status);
    let retry = if problem.status == 503 { "retry-after: 1\r\n" } else { "" };
    format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\n{}: {VERSION}\r\n{retry}connection: close\r\ncontent-length: \
         {}\r\n\r\n{body}",
        problem.status,
        routes::PROBLEM_JSON,
        version::HEADER,
        body.len()
    )
    .into_bytes()
}

fn http_reason(status: u16) -> &'static str {
    let status = axum::http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("Refused")
}

/// Returns the problem for a head that the library wrote by itself; `None` if the head is one of our answers.
///
/// Ours have a version and an id; its own say nothing but that there is no body, the date, and that the connection ends.
fn refusal(head: &[u8]) -> Option<Problem> {
    let head = std::str::from_utf8(head).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let is_bare = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_str(), "content-length" | "date" | "connection")
    };
    if !lines.all(is_bare) {
        return None;
    }
    let (code, detail) = match status {
        "400" => (code::INVALID_REQUEST, "the head of the request is not one of HTTP/1.1"),
        "414" => (code::URI_TOO_LONG, "the path and query of the request are too long"),
        "431" => (code::HEAD_TOO_LARGE, "the head of the request is too large, or has too many fields"),
        _ => return None,
    };
    Some(Problem::new(code, detail))
}

/// A connection on which the library's bare refusals become problems.
#[derive(Debug)]
pub(super) struct Worded<S> {
    stream: S,
    /// What is still to be said instead of what the library said.
    instead: Vec<u8>,
    said: usize,
    /// Since a refusal was said: until when is read on, and how much more.
    last_words: Option<(Pin<Box<Sleep>>, usize)>,
    is_shut: bool,
}

impl<S> Worded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, instead: Vec::new(), said: 0, last_words: None, is_shut: false }
    }

    /// Takes what the library says; returns whether it is said in other words.
    fn takes(&mut self, bytes: &[u8]) -> bool {
        let Some(problem) = refusal(bytes) else { return false };
        tracing::debug!(
            status = problem.status,
            "a request was refused before it was read: {}",
            problem.detail
        );
        self.instead = answer(&problem);
        let until = sleep_until(Instant::now() + LAST_WORDS);
        self.last_words = Some((Box::pin(until), MOST_UNREAD));
        true
    }
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    /// Says what is to be said instead.
    fn poll_say(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.instead.get(self.said..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.said += written,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Worded<S> {
    /// Reads on after a refusal: a connection that is closed with something unread is reset, and the refusal lost.
    fn poll_last_words(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((until, most)) = &mut self.last_words else { return Poll::Ready(()) };
        let mut unread = [0; 4096];
        while 0 < *most && until.as_mut().poll(context).is_pending() {
            let mut unread = ReadBuf::new(&mut unread);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut unread)) {
                Ok(()) if !unread.filled().is_empty() => *most = most.saturating_sub(unread.filled().len()),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_say(context))?;
        match self.takes(bytes) {
            true => Poll::Ready(Ok(bytes.len())),
            false => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_say(context))?;
        let mut filled = parts.iter().filter(|part| !part.is_empty());
        if let (Some(only), None) = (filled.next(), filled.next())
            && self.takes(only)
        {
            return Poll::Ready(Ok(only.len()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_say(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_say(context))?;
        if !self.is_shut {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.is_shut = true;
        }
        ready!(self.poll_last_words(context));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_library_is_known_from_an_answer_of_ours() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        assert_eq!(refusal(bare.as_bytes()).unwrap().code, "head_too_large");
        let ours = Problem::new(code::INVALID_REQUEST, "no");
        assert_eq!(refusal(&answer(&ours)), None);
        for other in
            ["", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 400 Bad\r\nvmpool-api: 1\r\n\r\n"]
        {
            assert_eq!(refusal(other.as_bytes()), None, "{other}");
        }
    }
}
