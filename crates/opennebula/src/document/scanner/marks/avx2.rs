//! Marking thirty-two bytes at a time, on processors that have AVX2.
//!
//! This is the only file of the workspace with unsafe code: a single call, that of a function which needs such a processor.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
};

use super::{Block, Word};

/// Marks blocks and returns true, or does nothing if the processor is none for it.
#[expect(unsafe_code, reason = "a function that needs AVX2 can be called in no other way")]
pub(super) fn mark(blocks: &[Block], words: &mut [Word]) -> bool {
    let can = std::arch::is_x86_feature_detected!("avx2");
    if can {
        // SAFETY: the function is safe but for one thing: the processor must have AVX2, and it has.
        unsafe { mark_blocks(blocks, words) };
    }
    can
}

#[target_feature(enable = "avx2")]
fn mark_blocks(blocks: &[Block], words: &mut [Word]) {
    for (block, word) in blocks.iter().zip(words) {
        let [low, high] = block.as_chunks::<32>().0 else { continue };
        let (low, high) = (u64::from(marked(low)), u64::from(marked(high)));
        *word = (low | high << 32).to_le_bytes();
    }
}

#[target_feature(enable = "avx2")]
fn marked(bytes: &[u8; 32]) -> u32 {
    let bytes = load(bytes);
    let ampersand = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'&'.cast_signed()));
    // The bit that is set here is what sets `<` and `>` apart.
    let either = _mm256_or_si256(bytes, _mm256_set1_epi8(2));
    let bracket = _mm256_cmpeq_epi8(either, _mm256_set1_epi8(b'>'.cast_signed()));
    _mm256_movemask_epi8(_mm256_or_si256(ampersand, bracket)).cast_unsigned()
}

/// Loads the bytes; compilers make one instruction of it.
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    let mut words = bytes.as_chunks::<8>().0.iter().map(|word| i64::from_le_bytes(*word));
    let mut next = || words.next().unwrap_or(0);
    let (first, second, third, fourth) = (next(), next(), next(), next());
    _mm256_set_epi64x(fourth, third, second, first)
}
