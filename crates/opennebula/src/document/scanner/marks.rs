//! Where the bytes are that mean something.

#[cfg(target_arch = "x86_64")]
mod avx2;

use super::view::{WINDOW, Window};

/// How many bytes are marked together.
const BLOCK: usize = 64;

/// How many bytes hold the marks of a block.
const WORD: usize = BLOCK / 8;

/// A block, and its marks.
type Block = [u8; BLOCK];
type Word = [u8; WORD];

/// Marks `&`, `<` and `>` in a window: one bit for each byte.
#[derive(Debug)]
pub(super) struct Marks {
    /// The marks, and one word without any behind them, so that a word can be read at each of them.
    bits: Box<[u8; WINDOW / 8 + WORD]>,
    /// What marks blocks.
    mark: fn(&[Block], &mut [Word]),
}

impl Default for Marks {
    fn default() -> Self {
        Self { bits: Box::new([0; WINDOW / 8 + WORD]), mark }
    }
}

impl Marks {
    /// Makes marks that are set with what every processor has.
    pub(super) fn portable() -> Self {
        Self { mark: mark_anywhere, ..Self::default() }
    }

    /// Marks the beginning of another window, at least so many bytes of it; what follows is not marked.
    pub(super) fn set(&mut self, window: &Window, length: usize) {
        let (blocks, _) = window.as_chunks::<BLOCK>();
        let (words, _) = self.bits.as_chunks_mut::<WORD>();
        let count = length.div_ceil(BLOCK).min(blocks.len());
        let (marked, rest) = words.split_at_mut(count);
        (self.mark)(&blocks[..count], marked);
        rest.fill([0; WORD]);
    }

    /// Returns the first place from this one on that is marked, if there is one.
    #[inline]
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        // Whole bytes come first: where a block ends makes no difference then, which no processor could foresee.
        let word = self.word(from / 8)? >> (from % 8);
        match word {
            0 => self.next_word(from / 8 + WORD),
            _ => Some(from + word.trailing_zeros() as usize),
        }
    }

    #[cold]
    fn next_word(&self, from: usize) -> Option<usize> {
        let mut from = from;
        loop {
            match self.word(from)? {
                0 => from += WORD,
                word => return Some(from * 8 + word.trailing_zeros() as usize),
            }
        }
    }

    #[inline]
    fn word(&self, at: usize) -> Option<u64> {
        self.bits.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
    }
}

/// Marks blocks as fast as the processor can.
fn mark(blocks: &[Block], words: &mut [Word]) {
    #[cfg(target_arch = "x86_64")]
    if avx2::mark(blocks, words) {
        return;
    }
    mark_anywhere(blocks, words);
}

/// Marks blocks on any processor.
fn mark_anywhere(blocks: &[Block], words: &mut [Word]) {
    for (block, word) in blocks.iter().zip(words) {
        *word = marked(block);
    }
}

/// Marks a block.
fn marked(block: &Block) -> Word {
    // One bit per byte, first each in a byte of its own: a loop that compilers do many bytes at a time.
    let mut bytes = [0; BLOCK];
    for (byte, mark) in block.iter().zip(&mut bytes) {
        // The bit that is set here is what sets `<` and `>` apart.
        *mark = u8::from(*byte == b'&') | u8::from(*byte | 2 == b'>');
    }
    let mut word = [0; WORD];
    for (eight, gathered) in bytes.as_chunks::<8>().0.iter().zip(&mut word) {
        // Moves the lowest bits of eight bytes into the highest byte.
        *gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080).to_le_bytes()[7];
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn window(bytes: &[u8]) -> Box<Window> {
        let mut window = Box::new([b'<'; WINDOW]);
        window[..bytes.len()].copy_from_slice(bytes);
        window
    }

    #[test]
    fn each_byte_that_means_something_is_found_and_no_other() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 13).collect();
        let mut marks = Marks::default();
        marks.set(&window(&[b'<'; WINDOW]), WINDOW);
        marks.set(&window(&bytes), bytes.len());
        for from in 0..WINDOW + 200 {
            let next = (from..bytes.len()).find(|at| matches!(bytes[*at], b'&' | b'<' | b'>'));
            assert_eq!(marks.next(from), next, "{from}");
        }
    }

    proptest! {
        #[test]
        fn every_processor_marks_the_same_bytes(
            bytes in vec(prop_oneof![any::<u8>(), Just(b'&'), Just(b'<'), Just(b'>')], 0..64 * 5)
        ) {
            let (mut here, mut anywhere) = (Marks::default(), Marks::portable());
            here.set(&window(&bytes), bytes.len());
            anywhere.set(&window(&bytes), bytes.len());
            prop_assert_eq!(&here.bits, &anywhere.bits);
            for (at, byte) in bytes.iter().enumerate() {
                let is_marked = here.bits[at / 8] >> (at % 8) & 1 == 1;
                prop_assert_eq!(is_marked, matches!(byte, b'&' | b'<' | b'>'), "{}", at);
            }
        }
    }
}
