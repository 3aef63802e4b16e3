//! What sled has no use for any more, given free as fast as it comes about.

/// How many rows a round is made for.
const ROWS: usize = 32;

/// Gives free what `rows` written rows have replaced.
///
/// sled leaves old versions of pages, and room in its file, to crossbeam-epoch, which gives a few hundred things free at every
/// 128th use of a tree by a thread. A batch is one use, and leaves several things behind for each row: without this, memory and
/// file grow with every batch and never shrink while the store is busy.
pub(super) fn collect(rows: usize) {
    // What was replaced is free two epochs later; each round takes one step, and gives up to 512 things free.
    for _ in 0..rows.div_ceil(ROWS) + 2 {
        crossbeam_epoch::pin().flush();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn all_that_one_use_left_behind_is_given_free() {
        let freed = Arc::new(AtomicUsize::new(0));
        let guard = crossbeam_epoch::pin();
        for _ in 0..8000 {
            let freed = Arc::clone(&freed);
            guard.defer(move || freed.fetch_add(1, Ordering::Relaxed));
        }
        drop(guard);
        collect(1000);
        assert_eq!(freed.load(Ordering::Relaxed), 8000);
    }
}
