//! The format of server-sent events.
//!
//! Source: the HTML standard, "Server-sent events", section "Parsing an event stream".

/// One event as the stream carries it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frame {
    /// The name of the event; empty if it has none.
    pub(crate) event: String,
    /// The lines of data, joined by line feeds.
    pub(crate) data: String,
}

/// Says that a line of the stream is longer than any event can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the event stream is longer than {} bytes", MAX_LINE)]
pub(crate) struct LineTooLong;

const MAX_LINE: usize = 1024 * 1024;

/// Takes the bytes of a stream as they come, and gives its frames.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    frame: Frame,
    has_data: bool,
    after_cr: bool,
}

impl Parser {
    /// Takes some bytes and adds the frames that they complete to `frames`.
    pub(crate) fn feed(&mut self, bytes: &[u8], frames: &mut impl Extend<Frame>) -> Result<(), LineTooLong> {
        for &byte in bytes {
            let skip = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if skip => {}
                b'\n' | b'\r' => frames.extend(self.end_line()),
                _ if MAX_LINE <= self.line.len() => return Err(LineTooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Option<Frame> {
        let bytes = std::mem::take(&mut self.line);
        if bytes.is_empty() {
            let frame = std::mem::take(&mut self.frame);
            return std::mem::take(&mut self.has_data).then_some(frame);
        }
        let line = String::from_utf8_lossy(&bytes);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.frame.event),
            // A comment has an empty field; `id` is in the data, too, and `retry` is the client's own affair.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&str]) -> Vec<(String, String)> {
        let mut frames = Vec::new();
        let mut parser = Parser::default();
        for chunk in chunks {
            parser.feed(chunk.as_bytes(), &mut frames).unwrap();
        }
        frames.into_iter().map(|frame: Frame| (frame.event, frame.data)).collect()
    }

    fn frame(event: &str, data: &str) -> (String, String) {
        (event.to_owned(), data.to_owned())
    }

    #[test]
    fn an_empty_line_ends_a_frame() {
        assert_eq!(parse(&["id: 1\ndata: a\ndata: b\n\ndata:c\n\n"]), [frame("", "a\nb"), frame("", "c")]);
    }

    #[test]
    fn a_frame_may_come_in_pieces() {
        assert_eq!(
            parse(&["da", "ta: a\r", "\n\r\nevent: x\ndata\n", "\n"]),
            [frame("", "a"), frame("x", "")]
        );
    }

    #[test]
    fn comments_and_frames_without_data_are_skipped() {
        assert_eq!(parse(&[": still here\n\nevent: x\n\ndata: a\n\n"]), [frame("", "a")]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut frames: Vec<Frame> = Vec::new();
        let bytes = vec![b'a'; MAX_LINE + 1];
        assert_eq!(Parser::default().feed(&bytes, &mut frames), Err(LineTooLong));
    }
}
