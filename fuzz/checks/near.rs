//! Texts near a text: what a test tries in a moment, where libFuzzer takes an hour.

/// Dice of their own, so that each run tries the same.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    /// Returns the text with up to three changes: another byte, a part left out or said twice, an early end, or one of the words.
    pub(crate) fn near(&mut self, text: &[u8], words: &[&str]) -> Vec<u8> {
        let mut near = text.to_vec();
        for _ in 0..=self.below(3) {
            self.change(&mut near, words);
        }
        near
    }

    fn change(&mut self, text: &mut Vec<u8>, words: &[&str]) {
        let at = self.below(text.len());
        let length = self.below(40).min(text.len() - at);
        match self.below(5) {
            0 if !text.is_empty() => text[at] = self.below(256) as u8,
            1 => drop(text.drain(at..at + length)),
            2 => text.truncate(at),
            3 => {
                let again = text[at..at + length].to_vec();
                let place = self.below(text.len());
                drop(text.splice(place..place, again));
            }
            _ => drop(text.splice(at..at, words[self.below(words.len())].bytes())),
        }
    }
}
