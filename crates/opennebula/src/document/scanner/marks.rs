//! Where the bytes are that mean something.

/// How many bytes share one word of marks.
const BLOCK: usize = 64;

/// Marks `&`, `<` and `>` in a piece: one bit for each byte.
#[derive(Debug, Default)]
pub(super) struct Marks {
    words: Vec<u64>,
}

impl Marks {
    #[cfg(test)]
    pub(super) fn of(piece: &[u8]) -> Self {
        let mut marks = Self::default();
        marks.set(piece);
        marks
    }

    /// Marks another piece; the end of it that fills no block is left out.
    pub(super) fn set(&mut self, piece: &[u8]) {
        self.words.clear();
        self.words.extend(piece.as_chunks::<BLOCK>().0.iter().map(marked));
    }

    /// Returns the first place from this one on that is marked, if there is one.
    #[inline]
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let mut index = from / BLOCK;
        let mut word = self.words.get(index)? >> (from % BLOCK);
        if word != 0 {
            return Some(from + word.trailing_zeros() as usize);
        }
        loop {
            index += 1;
            word = *self.words.get(index)?;
            if word != 0 {
                return Some(index * BLOCK + word.trailing_zeros() as usize);
            }
        }
    }
}

/// Marks a block.
fn marked(block: &[u8; BLOCK]) -> u64 {
    // One bit per byte, first each in a byte of its own: a loop that compilers do many bytes at a time.
    let mut bytes = [0; BLOCK];
    for (byte, mark) in block.iter().zip(&mut bytes) {
        // The bit that is set here is what sets `<` and `>` apart.
        *mark = u8::from(*byte == b'&') | u8::from(*byte | 2 == b'>');
    }
    let mut word = 0;
    for (index, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        // Moves the lowest bits of eight bytes into the highest byte.
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= gathered << (8 * index);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_that_means_something_is_found_and_no_other() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 13).collect();
        let marks = Marks::of(&bytes);
        for from in 0..bytes.len() {
            let next = (from..bytes.len()).find(|at| matches!(bytes[*at], b'&' | b'<' | b'>'));
            assert_eq!(marks.next(from), next, "{from}");
        }
    }
}
