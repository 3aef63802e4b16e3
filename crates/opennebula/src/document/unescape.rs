//! Taking the references out of a text, for one layer at a time.

use std::borrow::Cow;

use crate::rpc::dereference;

/// The longest reference that is looked at: `&#x10ffff;` and some zeros.
const LONGEST: usize = 16;

/// Resolves the references of one layer; gives the place of one that is not XML's.
pub(super) fn unescape(text: &str) -> Result<Cow<'_, str>, usize> {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else { return Ok(Cow::Borrowed(text)) };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut at = first;
    loop {
        let name = &text.as_bytes()[at + 1..text.len().min(at + 1 + LONGEST)];
        let Some(length) = memchr::memchr(b';', name) else { return Err(at) };
        let Some(character) = dereference(&text[at + 1..at + 1 + length]) else { return Err(at) };
        out.push(character);
        let rest = at + length + 2;
        match memchr::memchr(b'&', &text.as_bytes()[rest..]) {
            None => {
                out.push_str(&text[rest..]);
                return Ok(Cow::Owned(out));
            }
            Some(next) => {
                out.push_str(&text[rest..rest + next]);
                at = rest + next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_is_taken_off_at_a_time() {
        assert_eq!(unescape("a&amp;lt;b&#x20;&quot;&#106;").unwrap(), "a&lt;b \"j");
    }

    #[test]
    fn a_reference_that_is_not_xmls_is_named_by_its_place() {
        for bad in ["ab&nbsp;", "ab&", "ab&amp", "ab&;", "ab&amp amp;", "ab&éééééééééééé;"] {
            assert_eq!(unescape(bad), Err(2), "{bad:?}");
        }
    }
}
