//! How much memory is in use while an answer comes in.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vmpool_opennebula::{
    document::{Decoder, Reply, Sink},
    rpc::Problem,
    vm::{ListedVm, ListingSink},
};

use crate::answer::Answer;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What was in use, in bytes.
pub struct Use {
    /// At most, at the end of any element or any piece.
    pub most: usize,
    /// By the records that are left.
    pub records: usize,
}

/// Reads an answer in pieces and looks at the memory in use all the time.
pub fn while_it_comes_in(answer: &Answer) -> Use {
    let region = Region::new(ALLOCATOR);
    let mut decoder = Decoder::new(Watched { sink: ListingSink::default(), region: &region, most: 0 });
    for part in answer.parts() {
        decoder.feed(part).unwrap();
    }
    let Reply::Done((most, vms)) = decoder.finish().unwrap() else { panic!() };
    assert_eq!(vms.len(), answer.count());
    Use { most, records: lives(&region) }
}

fn lives(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

/// Looks at the memory in use whenever an element ends.
struct Watched<'a> {
    sink: ListingSink,
    region: &'a Region<'a, System>,
    most: usize,
}

impl Watched<'_> {
    fn look(&mut self) {
        self.most = self.most.max(lives(self.region));
    }
}

impl Sink for Watched<'_> {
    type Output = (usize, Vec<ListedVm>);

    fn enter(&mut self, name: &[u8]) -> bool {
        self.sink.enter(name)
    }

    fn leave(&mut self) {
        self.sink.leave();
        self.look();
    }

    fn wants(&self, name: &[u8]) -> bool {
        self.sink.wants(name)
    }

    fn leaf(&mut self, name: &[u8], text: &str) -> Result<(), Problem> {
        let result = self.sink.leaf(name, text);
        self.look();
        result
    }

    fn finish(self) -> Result<Self::Output, Problem> {
        Ok((self.most, self.sink.finish()?))
    }
}
