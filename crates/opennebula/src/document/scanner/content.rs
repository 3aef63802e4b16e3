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

    /// Returns a text that is in one part, its references resolved if it has any, which are those of the answer then.
    #[inline]
    pub(super) fn simple<'a>(
        &'a mut self,
        piece: &'a [u8],
        range: Range<usize>,
        has_references: bool,
    ) -> Result<(usize, &'a str), Stop> {
        let part = Part { begin: range.start, end: range.end, is_raw: true };
        if !has_references {
            return Ok((part.begin, utf8(piece, part)?));
        }
        self.parts.clear();
        self.parts.push(part);
        self.text(piece)
    }

    /// Returns the text that was read, all references resolved, and where it begins.
    #[inline]
    pub(super) fn text<'a>(&'a mut self, piece: &'a [u8]) -> Result<(usize, &'a str), Stop> {
        let place = self.parts.first().map_or(0, |part| part.begin);
        if let [part] = self.parts[..] {
            let text = utf8(piece, part)?;
            if memchr::memchr(b'&', text.as_bytes()).is_none() {
                return Ok((place, text));
            }
        }
        self.joined.clear();
        for part in &self.parts {
            let text = utf8(piece, *part)?;
            let wrong =
                |_| Stop::Wrong(part.begin, Problem::Malformed("a reference that is not XML's".into()));
            let document = unescape(text).map_err(wrong)?;
            let text = match part.is_raw {
                true => document,
                false => match unescape(&document).map_err(wrong)? {
                    Cow::Borrowed(_) => document,
                    Cow::Owned(text) => Cow::Owned(text),
                },
            };
            self.joined.push_str(&text);
        }
        Ok((place, &self.joined))
    }
}

fn utf8(piece: &[u8], part: Part) -> Result<&str, Stop> {
    std::str::from_utf8(&piece[part.begin..part.end])
        .map_err(|err| Stop::Wrong(part.begin + err.valid_up_to(), Problem::NotUtf8))
}
