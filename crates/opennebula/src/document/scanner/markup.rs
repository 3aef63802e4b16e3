//! The markup of the document as it is written in the answer: `&lt;NAME&gt;` and so on.

use std::ops::Range;

use super::Stop;
use crate::rpc::Problem;

/// The longest name of an element.
const LONGEST_NAME: usize = 256;

/// What begins at a place of the document.
#[derive(Debug)]
pub(super) enum Markup {
    /// An element.
    Open(Tag),
    /// The end of an element.
    Close,
    /// A part of its text that is written as it is.
    CData { text: Range<usize>, end: usize },
    /// A comment, or an instruction to some program.
    Aside { end: usize },
    /// Text.
    Text { end: usize, blank: bool },
    /// The end of the string that holds the document.
    EndOfString,
}

/// The beginning of an element.
#[derive(Debug)]
pub(super) struct Tag {
    /// Where its name is.
    pub(super) name: Range<usize>,
    /// Where the tag ends.
    pub(super) end: usize,
    /// Whether the element ends with it.
    pub(super) is_empty: bool,
}

/// Looks at what begins at a place.
#[inline]
pub(super) fn markup(piece: &[u8], at: usize) -> Result<Markup, Stop> {
    match piece.get(at) {
        None => Err(Stop::More),
        Some(b'<') => Ok(Markup::EndOfString),
        Some(b'&') if is_markup(piece, at)? => match piece.get(at + 4) {
            None => Err(Stop::More),
            Some(b'/') => Ok(Markup::Close),
            Some(b'!') => declared(piece, at),
            Some(b'?') => Ok(Markup::Aside { end: after(piece, at + 5, b"?")? }),
            Some(_) => tag(piece, at).map(Markup::Open),
        },
        Some(_) => {
            let end = text_end(piece, at)?;
            let blank = piece[at..end].iter().all(u8::is_ascii_whitespace);
            Ok(Markup::Text { end, blank })
        }
    }
}

/// Returns whether the reference at a place is that of `<`.
#[inline]
pub(super) fn is_markup(piece: &[u8], at: usize) -> Result<bool, Stop> {
    begins(piece, at, b"&lt;")
}

/// Returns whether something stands at a place; needs more bytes if it may.
#[inline]
fn begins(piece: &[u8], at: usize, what: &[u8]) -> Result<bool, Stop> {
    let rest = &piece[at..];
    if rest.len() < what.len() {
        return if what.starts_with(rest) { Err(Stop::More) } else { Ok(false) };
    }
    Ok(rest.starts_with(what))
}

/// Returns where `&gt;`, or `>`, at a place ends, if it stands there.
#[inline]
fn greater(piece: &[u8], at: usize) -> Result<Option<usize>, Stop> {
    match piece.get(at) {
        Some(b'>') => Ok(Some(at + 1)),
        _ => Ok(begins(piece, at, b"&gt;")?.then_some(at + 4)),
    }
}

/// Returns where the text that begins at a place ends.
#[inline]
pub(super) fn text_end(piece: &[u8], at: usize) -> Result<usize, Stop> {
    let mut from = at;
    loop {
        match memchr::memchr2(b'&', b'<', &piece[from..]) {
            None => return Err(Stop::More),
            Some(found) if piece[from + found] == b'<' => return Ok(from + found),
            Some(found) if is_markup(piece, from + found)? => return Ok(from + found),
            Some(found) => from += found + 1,
        }
    }
}

/// Reads the beginning of an element.
#[inline]
fn tag(piece: &[u8], at: usize) -> Result<Tag, Stop> {
    let begin = at + 4;
    let limit = piece.len().min(begin + LONGEST_NAME);
    let ends = |byte: &u8| matches!(byte, b'&' | b'>' | b'/' | b'<' | b' ' | b'\t' | b'\r' | b'\n');
    let Some(length) = piece[begin..limit].iter().position(ends) else {
        return Err(match limit == piece.len() {
            true => Stop::More,
            false => wrong(at, "the name of an element is too long"),
        });
    };
    if length == 0 {
        return Err(wrong(at, "an element without a name"));
    }
    let name = begin..begin + length;
    let is_empty = piece[name.end] == b'/';
    if let Some(end) = greater(piece, name.end + usize::from(is_empty))? {
        return Ok(Tag { name, end, is_empty });
    }
    if !piece[name.end].is_ascii_whitespace() {
        return Err(wrong(at, "the tag of an element does not end"));
    }
    // Attributes: OpenNebula has none that mean anything.
    let end = after(piece, name.end, b"")?;
    let last = piece[..end].strip_suffix(b"&gt;").or_else(|| piece[..end].strip_suffix(b">"));
    let is_empty = last.is_some_and(|tag| tag.ends_with(b"/"));
    Ok(Tag { name, end, is_empty })
}

/// Reads what begins with `<!`.
fn declared(piece: &[u8], at: usize) -> Result<Markup, Stop> {
    if begins(piece, at, b"&lt;![CDATA[")? {
        let begin = at + 12;
        let end = after(piece, begin, b"]]")?;
        let closing = if piece[end - 1] == b';' { 6 } else { 3 };
        return Ok(Markup::CData { text: begin..end - closing, end });
    }
    if begins(piece, at, b"&lt;!--")? {
        return Ok(Markup::Aside { end: after(piece, at + 7, b"--")? });
    }
    Err(Stop::Wrong(at, Problem::Refused("a document type")))
}

/// Returns where `mark&gt;`, or `mark>`, ends that comes next; the string may not end before it.
#[inline]
fn after(piece: &[u8], at: usize, mark: &[u8]) -> Result<usize, Stop> {
    let first = mark.first().copied().unwrap_or(b'&');
    let mut from = at;
    loop {
        let Some(found) = memchr::memchr2(first, b'<', &piece[from..]) else { return Err(Stop::More) };
        let place = from + found;
        if piece[place] == b'<' {
            return Err(Stop::Wrong(place, Problem::Truncated));
        }
        if begins(piece, place, mark)?
            && let Some(end) = greater(piece, place + mark.len())?
        {
            return Ok(end);
        }
        from = place + 1;
    }
}

/// Returns where the end of an element of this name, which begins at a place, ends.
#[inline]
pub(super) fn closes(piece: &[u8], at: usize, name: &[u8]) -> Result<usize, Stop> {
    let begin = at + 5;
    if !begins(piece, begin.min(piece.len()), name)? {
        return Err(wrong(at, &format!("not the element {} ends here", String::from_utf8_lossy(name))));
    }
    match greater(piece, begin + name.len())? {
        Some(end) => Ok(end),
        None => Err(wrong(at, &format!("not the element {} ends here", String::from_utf8_lossy(name)))),
    }
}

fn wrong(at: usize, what: &str) -> Stop {
    Stop::Wrong(at, Problem::Malformed(what.to_owned()))
}
