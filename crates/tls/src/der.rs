//! Just enough of DER to find the names in a certificate whose signature is known to be good.

/// What comes next: its tag, what is in it, and what is behind it.
pub(crate) struct Item<'a> {
    pub(crate) tag: u8,
    pub(crate) inside: &'a [u8],
    rest: &'a [u8],
}

/// Reads one item; `None` if there is none, or it is longer than what holds it.
fn item(bytes: &[u8]) -> Option<Item<'_>> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Nothing in a certificate needs more than four bytes of length.
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (inside, rest) = rest.split_at_checked(length)?;
    Some(Item { tag, inside, rest })
}

/// Returns the items in a row, up to the first that is broken.
pub(crate) fn items(mut bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    std::iter::from_fn(move || {
        let found = item(bytes)?;
        bytes = found.rest;
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_what_holds_it_is_nothing() {
        let read = |bytes: &[u8]| items(bytes).map(|item| (item.tag, item.inside.len())).collect::<Vec<_>>();
        assert_eq!(read(&[2, 1, 7, 4, 0]), [(2, 1), (4, 0)]);
        assert_eq!(read(&[4, 0x81, 2, 0, 0]), [(4, 2)]);
        for broken in [
            &[4][..],
            &[4, 1],
            &[4, 0x80],
            &[4, 0x81],
            &[4, 0x85, 0, 0, 0, 0, 0],
            &[4, 0x84, 255, 255, 255, 255],
        ] {
            assert_eq!(read(broken), [], "{broken:?}");
        }
    }
}
