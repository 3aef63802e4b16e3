//! The end of what a command prints.

use super::KEPT;

/// The end of what a command prints.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    kept: Vec<u8>,
    /// Whether something before it was dropped.
    cut: bool,
}

impl Tail {
    /// Takes what comes next.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        let excess = self.kept.len().saturating_sub(KEPT);
        if 0 < excess {
            self.cut = true;
            self.kept.drain(..excess);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns all that was printed; `None` if that was too much to keep.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        (!self.cut).then_some(&self.kept)
    }

    /// Returns it as text without white space around it; three dots stand for what was dropped.
    pub(crate) fn text(&self) -> String {
        // A character that was cut in two is dropped whole.
        let broken = self.kept.iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
        let kept = &self.kept[if self.cut { broken } else { 0 }..];
        let text = String::from_utf8_lossy(kept);
        match self.cut {
            true => format!("…{}", text.trim_end()),
            false => text.trim().to_owned(),
        }
    }

    /// Returns its last line that is not blank.
    pub(crate) fn last_line(&self) -> String {
        let text = self.text();
        text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str) -> Tail {
        let mut tail = Tail::default();
        tail.push(text.as_bytes());
        tail
    }

    #[test]
    fn little_is_kept_whole() {
        assert_eq!(tail(" one\ntwo \n\n").text(), "one\ntwo");
        assert_eq!(tail("one\ntwo \n\n").last_line(), "two");
        assert_eq!((tail("").text(), tail("\n").last_line()), (String::new(), String::new()));
    }

    #[test]
    fn of_much_the_last_4_kib_are_kept_and_no_half_character() {
        let mut tail = tail(&"ä".repeat(3000));
        tail.push(b"x");
        assert_eq!(tail.text(), format!("…{}x", "ä".repeat(2047)));
    }

    #[test]
    fn what_is_no_text_is_shown_all_the_same() {
        let mut tail = tail("a");
        tail.push(&[0xff, b'b']);
        assert_eq!(tail.text(), "a\u{fffd}b");
    }
}
