//! How long the disk takes to make something durable, with nothing around it.

use std::{fs::File, os::unix::fs::FileExt, time::Duration};

use crate::quantile::{Quantiles, now};

/// Writes a page and syncs it for a while, over and over in a file that is as long before.
pub fn sync(time: Duration) -> Quantiles {
    const PAGE: usize = 4096;
    const PAGES: u64 = 1024;
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = File::create(dir.path().join("file")).unwrap();
    file.write_all_at(&vec![1; PAGE * PAGES as usize], 0).unwrap();
    file.sync_all().unwrap();
    let page = [2; PAGE];
    let mut took = Quantiles::default();
    let began = now();
    for number in 0.. {
        let one = now();
        file.write_all_at(&page, number % PAGES * PAGE as u64).unwrap();
        file.sync_data().unwrap();
        took.add(one.elapsed());
        if time <= began.elapsed() {
            break;
        }
    }
    took
}
