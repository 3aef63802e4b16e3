//! The leaf as nearly all of them are written, at a glance.

use std::ops::Range;

use super::marks::Marks;

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

const OPEN: &[u8; 4] = b"&lt;";
const CLOSE: &[u8; 5] = b"&lt;/";
const GREATER: &[u8; 4] = b"&gt;";
const CDATA: &[u8; 12] = b"&lt;![CDATA[";
const END_OF_CDATA: &[u8; 6] = b"]]&gt;";

/// Returns the leaf at a place, if one is there whole and as leaves mostly are: `<NAME>text</NAME>`, or with its text as it
/// is.
///
/// Nothing says nothing: the leaf may be cut off, or written in another way, or there is none.
#[inline]
pub(super) fn leaf_at<'a>(piece: &'a [u8], marks: &Marks, at: usize) -> Option<Leaf<'a>> {
    if !stands(piece, at, OPEN) {
        return None;
    }
    let begin = at + OPEN.len();
    let end_of_name = marks.next(begin)?;
    let name = piece.get(begin..end_of_name)?;
    if !stands(piece, end_of_name, GREATER) {
        return None;
    }
    let inner = end_of_name + GREATER.len();
    let (text, is_raw, closing) = match stands(piece, inner, CDATA) {
        true => {
            let begin = inner + CDATA.len();
            let end = end_of_cdata(piece, marks, begin)?;
            (begin..end, true, end + END_OF_CDATA.len())
        }
        false => {
            let end = marks.next(inner)?;
            (inner..end, false, end)
        }
    };
    if !stands(piece, closing, CLOSE) {
        return None;
    }
    let again = closing + CLOSE.len();
    let end = again + name.len();
    if piece.get(again..end)? != name || !stands(piece, end, GREATER) || !is_name(name) {
        return None;
    }
    Some(Leaf { name, text, is_raw, end: end + GREATER.len() })
}

/// Returns whether something stands at a place.
#[inline]
fn stands<const LENGTH: usize>(piece: &[u8], at: usize, what: &[u8; LENGTH]) -> bool {
    piece.get(at..).and_then(<[u8]>::first_chunk::<LENGTH>) == Some(what)
}

/// Returns where a text that is written as it is ends.
#[inline]
fn end_of_cdata(piece: &[u8], marks: &Marks, begin: usize) -> Option<usize> {
    let mut at = begin;
    loop {
        at = marks.next(at)?;
        // What is marked is the `&` in it.
        let end = at - "]]".len();
        if stands(piece, end, END_OF_CDATA) && begin <= end {
            return Some(end);
        }
        if piece[at] == b'<' {
            return None;
        }
        at += 1;
    }
}

/// How many bytes of a name are looked at together.
const WORD: usize = 8;

/// Returns whether a name is one: no attributes after it, no slash.
#[inline]
fn is_name(name: &[u8]) -> bool {
    let (words, rest) = name.as_chunks::<WORD>();
    let last = match name.last_chunk::<WORD>() {
        Some(last) => no_name(u64::from_le_bytes(*last)),
        None => rest.iter().fold(0, |wrong, byte| wrong | u64::from(*byte < b'!' || *byte == b'/')),
    };
    let wrong = words.iter().fold(last, |wrong, word| wrong | no_name(u64::from_le_bytes(*word)));
    wrong == 0 && !matches!(name.first(), None | Some(b'!' | b'?'))
}

/// Sets a bit if a byte is a slash or below `!`, as white space is.
#[inline]
const fn no_name(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    let slash = word ^ (ONES * b'/' as u64);
    ((word.wrapping_sub(ONES * b'!' as u64) & !word) | (slash.wrapping_sub(ONES) & !slash)) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(&str, &str, bool, usize)> {
        // Marks are made of whole blocks.
        let piece = [text.as_bytes(), &[b'<'; 64]].concat();
        let Leaf { text: range, is_raw, end, name } = leaf_at(&piece, &Marks::of(&piece), 0)?;
        let name =
            text.find(std::str::from_utf8(name).unwrap()).map(|begin| &text[begin..begin + name.len()]);
        Some((name.unwrap(), &text[range], is_raw, end))
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
            "&lt;A b&gt;7&lt;/A b&gt;",
            "&lt;A23456789/&gt;7&lt;/A23456789/&gt;",
            "&lt;!A&gt;7&lt;/!A&gt;",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
