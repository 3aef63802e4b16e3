//! The leaf as nearly all of them are written, at a glance.

use std::ops::Range;

/// A leaf that is whole and has nothing unusual about it.
pub(super) struct Leaf<'a> {
    pub(super) name: &'a [u8],
    /// Where its text is.
    pub(super) text: Range<usize>,
    /// Whether the references of the text are the document's, too.
    pub(super) is_raw: bool,
    /// Where it ends.
    pub(super) end: usize,
}

/// The bytes that end a name, or cannot be in one.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let bytes = b"&></! ?\t\r\n";
    let mut index = 0;
    while index < bytes.len() {
        ends[bytes[index] as usize] = true;
        index += 1;
    }
    ends
};

const OPEN: &[u8] = b"&lt;";
const CLOSE: &[u8] = b"&lt;/";
const GREATER: &[u8] = b"&gt;";
const CDATA: &[u8] = b"&lt;![CDATA[";
const END_OF_CDATA: &[u8] = b"]]&gt;";

/// Returns the leaf at a place, if one is there whole and as leaves mostly are: `<NAME>text</NAME>`, or with its text as it
/// is.
///
/// Nothing says nothing: the leaf may be cut off, or written in another way, or there is none.
#[inline]
pub(super) fn leaf_at(piece: &[u8], at: usize) -> Option<Leaf<'_>> {
    let rest = piece.get(at..)?.strip_prefix(OPEN)?;
    let length = rest.iter().position(|byte| ENDS[usize::from(*byte)])?;
    let (name, rest) = rest.split_at(length);
    let rest = rest.strip_prefix(GREATER)?;
    let begin = at + OPEN.len() + length + GREATER.len();
    let (text, is_raw, after) = match rest.strip_prefix(CDATA) {
        Some(raw) => {
            let text = end_of_cdata(raw)?;
            (begin + CDATA.len()..begin + CDATA.len() + text, true, &raw[text + END_OF_CDATA.len()..])
        }
        None => {
            let text = find(b'&', rest)?;
            (begin..begin + text, false, &rest[text..])
        }
    };
    if name.is_empty() {
        return None;
    }
    let tail = after.strip_prefix(CLOSE)?.strip_prefix(name)?.strip_prefix(GREATER)?;
    Some(Leaf { name, text, is_raw, end: piece.len() - tail.len() })
}

/// How much of a text is looked at byte by byte: most texts are so short that a faster search begins too late.
const SHORT: usize = 16;

/// Finds a byte, or the `<` that must not come before it.
#[inline]
fn find(byte: u8, text: &[u8]) -> Option<usize> {
    let (short, long) = text.split_at(text.len().min(SHORT));
    match short.iter().position(|found| *found == byte || *found == b'<') {
        Some(found) => Some(found),
        None => Some(SHORT + memchr::memchr2(byte, b'<', long)?),
    }
}

/// Returns where a text that is written as it is ends.
#[inline]
fn end_of_cdata(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + find(b']', &text[from..])?;
        if text[found..].starts_with(END_OF_CDATA) {
            return Some(found);
        }
        if text[found] == b'<' {
            return None;
        }
        from = found + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(&str, &str, bool, usize)> {
        let leaf = leaf_at(text.as_bytes(), 0)?;
        Some((std::str::from_utf8(leaf.name).unwrap(), &text[leaf.text], leaf.is_raw, leaf.end))
    }

    #[test]
    fn leaves_are_read_and_anything_else_is_left_to_others() {
        assert_eq!(read("&lt;ID&gt;7&lt;/ID&gt;&lt;"), Some(("ID", "7", false, 22)));
        assert_eq!(read("&lt;ID&gt;&lt;/ID&gt;"), Some(("ID", "", false, 21)));
        let raw = "&lt;A&gt;&lt;![CDATA[a]]b]]&gt;&lt;/A&gt;";
        assert_eq!(read(raw), Some(("A", "a]]b", true, raw.len())));
        for other in [
            "",
            "&lt;/ID&gt;",
            "&lt;ID&gt;7&lt;/I",
            "&lt;ID&gt;7&lt;/IE&gt;",
            "&lt;ID&gt;7&lt;/IDE&gt;",
            "&lt;ID/&gt;",
            "&lt;ID&gt;a&amp;lt;b&lt;/ID&gt;",
            "&lt;A&gt;&lt;![CDATA[a<]]&gt;&lt;/A&gt;",
            "&lt;A&gt;&lt;B&gt;7&lt;/B&gt;&lt;/A&gt;",
            "&lt;&gt;7&lt;/&gt;",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
