//! The elements as nearly all of them are written, at a glance.

use std::ops::Range;

use super::{marks::Marks, view::Window};

/// What is whole and has nothing unusual about it.
pub(super) enum Glance<'a> {
    /// An element with text only.
    Leaf(Leaf<'a>),
    /// The beginning of an element that has elements in it.
    Open { name: &'a [u8], end: usize },
    /// The end of one.
    Close { name: &'a [u8], end: usize },
}

/// An element with text only.
pub(super) struct Leaf<'a> {
    pub(super) name: &'a [u8],
    /// Where its text is.
    pub(super) text: Range<usize>,
    /// Whether there are references in the text; they are those of the answer, and nothing else is one.
    pub(super) has_references: bool,
    /// Where it ends.
    pub(super) end: usize,
}

const OPEN: &[u8; 4] = b"&lt;";
const CLOSE: &[u8; 5] = b"&lt;/";
const GREATER: &[u8; 4] = b"&gt;";
/// With the end of the tag before it.
const CDATA: &[u8; 16] = b"&gt;&lt;![CDATA[";
const END_OF_CDATA: &[u8; 6] = b"]]&gt;";
/// With the end of the element, as it mostly comes: what comes together is looked for at once.
const END_OF_CDATA_AND_CLOSE: &[u8; 11] = b"]]&gt;&lt;/";

/// Returns what is at a place, if it is there whole and as it mostly is: `<NAME>text</NAME>`, such a thing with its text as
/// it is, `<NAME/>`, `<NAME>` before another element, or `</NAME>`.
///
/// Nothing says nothing: it may be cut off, or written in another way.
#[inline(always)]
pub(super) fn glance<'a>(window: &'a Window, marks: &Marks, at: usize) -> Option<Glance<'a>> {
    if !stands(window, at, OPEN) {
        return None;
    }
    let begin = at + OPEN.len();
    let end_of_name = marks.next(begin)?;
    let name = window.get(begin..end_of_name)?;
    let (text, has_references, again) = match stands(window, end_of_name, CDATA) {
        true => {
            let begin = end_of_name + CDATA.len();
            let mark = marks.next(begin)?;
            match stands(window, mark - "]]".len(), END_OF_CDATA_AND_CLOSE) && begin + "]]".len() <= mark {
                true => (begin..mark - "]]".len(), false, mark + GREATER.len() + CLOSE.len()),
                false => {
                    let end = end_of_cdata(window, marks, begin)?;
                    let closing = end + END_OF_CDATA.len();
                    if !stands(window, closing, CLOSE) {
                        return None;
                    }
                    (begin..end, true, closing + CLOSE.len())
                }
            }
        }
        false if !stands(window, end_of_name, GREATER) => return None,
        false => {
            let inner = end_of_name + GREATER.len();
            if let [b'/', name @ ..] = name {
                return Some(Glance::Close { name, end: inner });
            }
            if let [name @ .., b'/'] = name {
                let leaf = Leaf { name, text: inner..inner, has_references: false, end: inner };
                return is_name(window, begin, begin, name.len()).then_some(Glance::Leaf(leaf));
            }
            let end = marks.next(inner)?;
            if !stands(window, end, CLOSE) {
                let opens = end == inner && opens(window, inner) && is_name(window, begin, begin, name.len());
                return opens.then_some(Glance::Open { name, end: inner });
            }
            (inner..end, false, end + CLOSE.len())
        }
    };
    let end = again + name.len();
    if !stands(window, end, GREATER) || !is_name(window, begin, again, name.len()) {
        return None;
    }
    Some(Glance::Leaf(Leaf { name, text, has_references, end: end + GREATER.len() }))
}

/// Returns whether something stands at a place.
#[inline]
fn stands<const LENGTH: usize>(window: &Window, at: usize, what: &[u8; LENGTH]) -> bool {
    window.get(at..).and_then(<[u8]>::first_chunk::<LENGTH>) == Some(what)
}

/// Returns whether an element begins at a place.
#[inline]
fn opens(window: &Window, at: usize) -> bool {
    stands(window, at, OPEN)
        && window.get(at + OPEN.len()).is_some_and(|first| !matches!(first, b'/' | b'!' | b'?'))
}

/// Returns where a text that is written as it is ends.
fn end_of_cdata(window: &Window, marks: &Marks, begin: usize) -> Option<usize> {
    let mut at = begin;
    loop {
        at = marks.next(at)?;
        // What is marked is the `&` in it.
        let end = at - "]]".len();
        if stands(window, end, END_OF_CDATA) && begin <= end {
            return Some(end);
        }
        if window[at] != b'&' {
            return None;
        }
        at += 1;
    }
}

/// The longest name that is looked at here.
const LONGEST: usize = 32;

/// For each length of a name, which bytes are of it.
static OF_NAME: [[u8; LONGEST]; LONGEST + 1] = {
    let mut masks = [[0; LONGEST]; LONGEST + 1];
    let mut length = 0;
    while length <= LONGEST {
        let mut at = 0;
        while at < length {
            masks[length][at] = u8::MAX;
            at += 1;
        }
        length += 1;
    }
    masks
};

/// Returns whether a name is at a place, with no attributes after it and no slash, and the same at another place.
///
/// Long names and those with rare characters, such as a hyphen, are left to others, too; and so are those at the end of a
/// window, since as many bytes are looked at whatever the length: compilers do that in a few instructions.
#[inline(always)]
fn is_name(window: &Window, begin: usize, again: usize, length: usize) -> bool {
    let name = window.get(begin..).and_then(<[u8]>::first_chunk::<LONGEST>);
    let other = window.get(again..).and_then(<[u8]>::first_chunk::<LONGEST>);
    let (Some(name), Some(other), Some(of_name)) = (name, other, OF_NAME.get(length)) else { return false };
    let mut wrong = 0;
    for at in 0..LONGEST {
        // White space, slashes and most other marks are below `0`.
        let is_mark = u8::from(name[at] < b'0').wrapping_neg();
        wrong |= ((name[at] ^ other[at]) | is_mark) & of_name[at];
    }
    wrong == 0 && 0 < length && name[0] != b'?'
}

#[cfg(test)]
mod tests {
    use super::{super::view::View, *};

    /// Returns the name, the text, whether it has references, and the end.
    fn leaf(text: &str) -> Option<(String, &str, bool, usize)> {
        let mut view = View::default();
        let place = view.look(text.as_bytes(), 0);
        match glance(place.window, place.marks, 0)? {
            Glance::Leaf(leaf) => {
                let name = String::from_utf8(leaf.name.to_vec()).unwrap();
                Some((name, &text[leaf.text], leaf.has_references, leaf.end))
            }
            Glance::Open { .. } | Glance::Close { .. } => None,
        }
    }

    #[test]
    fn leaves_are_read_and_anything_else_is_left_to_others() {
        for name in ["A", "ID", "CPU", "NAME", "STATE", "MEMORY", "A_NAME_OF_SOME_LENGTH", "ů"] {
            for text in ["", "7", "a long text that is longer than one word of marks is by far, as keys are"]
            {
                let plain = format!("&lt;{name}&gt;{text}&lt;/{name}&gt;");
                let raw = format!("&lt;{name}&gt;&lt;![CDATA[{text}]]&gt;&lt;/{name}&gt;");
                for written in [plain, raw] {
                    assert_eq!(leaf(&written).unwrap(), (name.to_owned(), text, false, written.len()));
                }
            }
        }
        assert_eq!(leaf("&lt;ID/&gt;").unwrap(), ("ID".to_owned(), "", false, 11));
        let raw = "&lt;A&gt;&lt;![CDATA[a]]b&amp;]]&gt;&lt;/A&gt;";
        assert_eq!(leaf(raw).unwrap(), ("A".to_owned(), "a]]b&amp;", true, raw.len()));
        for other in [
            "",
            "&lt;/ID&gt;",
            "&lt;ID&gt;7&lt;/I",
            "&lt;ID&gt;7&lt;/IE&gt;",
            "&lt;ID&gt;7&lt;/IDE&gt;",
            "&lt;IDEA_NUMBER&gt;7&lt;/IDEO_NUMBER&gt;",
            "&lt;/&gt;",
            "&lt;I/D/&gt;",
            "&lt;ID&gt;a&amp;lt;b&lt;/ID&gt;",
            "&lt;A&gt;&lt;![CDATA[a<]]&gt;&lt;/A&gt;",
            "&lt;A&gt;&lt;![CDATA[a]]>b]]&gt;&lt;/A&gt;",
            "&lt;A&gt;&lt;![CDATA[]&gt;&lt;/A&gt;",
            "&lt;A&gt;&lt;B&gt;7&lt;/B&gt;&lt;/A&gt;",
            "&lt;&gt;7&lt;/&gt;",
            "&lt;A b&gt;7&lt;/A b&gt;",
            "&lt;A b23456789&gt;7&lt;/A b23456789&gt;",
            "&lt;!A&gt;7&lt;/!A&gt;",
            "&lt;?A&gt;7&lt;/?A&gt;",
        ] {
            assert_eq!(leaf(other), None, "{other}");
        }
        let long = "A".repeat(LONGEST + 1);
        assert_eq!(leaf(&format!("&lt;{long}&gt;7&lt;/{long}&gt;")), None);
    }

    #[test]
    fn what_has_elements_in_it_is_seen_to_begin_and_to_end() {
        let of = |text: &str| {
            let mut view = View::default();
            let place = view.look(text.as_bytes(), 0);
            match glance(place.window, place.marks, 0)? {
                Glance::Open { name, end } => Some((true, String::from_utf8(name.to_vec()).unwrap(), end)),
                Glance::Close { name, end } => Some((false, String::from_utf8(name.to_vec()).unwrap(), end)),
                Glance::Leaf(_) => None,
            }
        };
        assert_eq!(of("&lt;NIC&gt;&lt;IP&gt;"), Some((true, "NIC".to_owned(), 11)));
        assert_eq!(of("&lt;/NIC&gt;&lt;"), Some((false, "NIC".to_owned(), 12)));
        for other in [
            "&lt;NIC&gt; &lt;IP&gt;",
            "&lt;NIC&gt;&lt;!-- --&gt;&lt;IP&gt;",
            "&lt;NIC&gt;&lt;?a?&gt;&lt;IP&gt;",
            "&lt;NIC/&gt;&lt;IP&gt;",
            "&lt;NIC a&gt;&lt;IP&gt;",
            "&lt;!NIC&gt;&lt;IP&gt;",
            "&lt;?NIC&gt;&lt;IP&gt;",
            "&lt;NIC&gt;&lt;",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
