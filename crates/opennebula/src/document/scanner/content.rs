//! The text of a leaf, which may come in several parts.

use std::{borrow::Cow, ops::Range};

use super::{
    Stop,
    markup::{Markup, markup},
};
use crate::{document::unescape::unescape, rpc::Problem};

/// What an element turned out to be.
#[derive(Debug)]
pub(super) enum Piece {
    /// It has text only, and its end begins here.
    Leaf { end: usize },
    /// It has an element in it, which begins here.
    Container { end: usize },
}

/// A part of a text: where it is, and whether its references are the document's, too.
#[derive(Debug, Clone, Copy)]
struct Part {
    begin: usize,
    end: usize,
    is_raw: bool,
}

/// Collects the text of a leaf.
#[derive(Debug, Default)]
pub(super) struct Content {
    parts: Vec<Part>,
    joined: String,
}

impl Content {
    /// Reads from the end of the tag of an element to its end, or to the first element in it.
    #[inline]
    pub(super) fn read(&mut self, piece: &[u8], from: usize) -> Result<Piece, Stop> {
        self.parts.clear();
        let mut at = from;
        loop {
            at = match markup(piece, at)? {
                Markup::Close => return Ok(Piece::Leaf { end: at }),
                Markup::Open(_) => {
                    self.parts.clear();
                    return Ok(Piece::Container { end: at });
                }
                Markup::EndOfString => return Err(Stop::Wrong(at, Problem::Truncated)),
                Markup::Aside { end } => end,
                Markup::Text { end, .. } => {
                    self.parts.push(Part { begin: at, end, is_raw: false });
                    end
                }
                Markup::CData { text, end } => {
                    self.parts.push(Part { begin: text.start, end: text.end, is_raw: true });
                    end
                }
            };
        }
    }

    /// Forgets what was read.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.parts.clear();
    }

    /// Returns a text that is in one part and whose references are those of the answer, all resolved.
    pub(super) fn raw<'a>(&'a mut self, piece: &[u8], range: Range<usize>) -> Result<&'a str, Stop> {
        self.joined.clear();
        let text = resolved(piece, Part { begin: range.start, end: range.end, is_raw: true })?;
        self.joined.push_str(&text);
        Ok(&self.joined)
    }

    /// Returns the text that was read, all references resolved, and where it begins.
    #[inline]
    pub(super) fn text<'a>(&'a mut self, piece: &'a [u8]) -> Result<(usize, &'a str), Stop> {
        let place = self.parts.first().map_or(0, |part| part.begin);
        if let [part] = self.parts[..] {
            let text = utf8(piece, part.begin..part.end)?;
            if memchr::memchr(b'&', text.as_bytes()).is_none() {
                return Ok((place, text));
            }
        }
        self.joined.clear();
        for part in &self.parts {
            self.joined.push_str(&resolved(piece, *part)?);
        }
        Ok((place, &self.joined))
    }
}

/// Returns the text of a part, its references resolved.
fn resolved(piece: &[u8], part: Part) -> Result<Cow<'_, str>, Stop> {
    let wrong = |_| Stop::Wrong(part.begin, Problem::Malformed("a reference that is not XML's".into()));
    let document = unescape(utf8(piece, part.begin..part.end)?).map_err(wrong)?;
    if part.is_raw {
        return Ok(document);
    }
    match unescape(&document).map_err(wrong)? {
        Cow::Borrowed(_) => Ok(document),
        Cow::Owned(text) => Ok(Cow::Owned(text)),
    }
}

/// Returns a text as it is.
#[inline]
pub(super) fn utf8(piece: &[u8], range: Range<usize>) -> Result<&str, Stop> {
    let begin = range.start;
    std::str::from_utf8(&piece[range]).map_err(|err| Stop::Wrong(begin + err.valid_up_to(), Problem::NotUtf8))
}
