//! The thread that alone writes to the database.

use std::{collections::VecDeque, sync::mpsc};

use super::{
    SledOptions,
    ages::Ages,
    body,
    database::guarded,
    fault::{Fault, io_error},
    garbage,
    head::Head,
    job::{Job, Reply, reply},
    meta::StoreMeta,
    open::{self, Opened},
    place::Place,
    read,
    reader::Readable,
    reserve::Reserve,
    staged::{Keep, Staged},
};
use crate::{StoreError, change, fail_point};

/// The most jobs that share one write and one sync.
const MOST: usize = 256;

/// Does the jobs one after the other, and syncs once for all that waited.
///
/// After a failed write nothing in memory is believed: the database is opened again, which tells
/// whether the write happened. After a failed sync that would tell nothing, because the system may
/// show what the disk does not have; then every job is refused until the store itself is opened again.
#[derive(Debug)]
pub(super) struct Committer {
    /// The database; `None` after a failure that opening it again did not heal.
    opened: Option<Opened>,
    /// The sequence of the last write that is durable.
    acknowledged: u64,
    /// Why the disk is not trusted any more.
    distrust: Option<String>,
    /// How many rows were written since what they replaced was given free.
    garbage: usize,
    readable: Readable,
    ages: Ages,
    head: Head,
    reserve: Reserve,
    options: SledOptions,
    /// Dropped last, as it holds the lock.
    place: Place,
}

impl Committer {
    pub(super) fn new(
        place: Place,
        reserve: Reserve,
        options: SledOptions,
        opened: Opened,
        head: Head,
        readable: Readable,
    ) -> Self {
        readable.show(&opened.database, &opened.domains);
        let acknowledged = opened.sequence;
        let (distrust, garbage, ages) = (None, 0, Ages::default());
        Self {
            opened: Some(opened),
            acknowledged,
            distrust,
            garbage,
            readable,
            ages,
            head,
            reserve,
            options,
            place,
        }
    }

    /// Answers jobs until nobody can send any more.
    pub(super) fn serve(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let group = std::iter::once(first).chain(jobs.try_iter()).take(MOST).collect();
            self.serve_group(group);
        }
        self.readable.hide();
    }

    fn serve_group(&mut self, mut group: VecDeque<Job>) {
        fail_point::reach("store.write.taken");
        let Some(mut opened) = self.opened.take().or_else(|| self.reopen(&mut group)) else {
            return;
        };
        let mut replies = Vec::with_capacity(group.len());
        let failure = match guarded(|| self.write(&mut opened, &mut group, &mut replies)) {
            Ok(Ok(())) => self.finish(opened),
            Ok(Err(fault)) => self.recover(opened, &fault),
            // The work may have broken off before it was handed to the database, so that finding there
            // all that was handed over says nothing: nobody is told that it was written.
            Err(panic) => Some(self.recover(opened, &panic).unwrap_or((panic, true))),
        };
        let place = self.place.dir();
        for reply in replies {
            reply(failure.as_ref().map(|(fault, unknown)| fault.while_writing(place, *unknown)));
        }
        // Nobody waits for this.
        garbage::collect(std::mem::take(&mut self.garbage));
        // There are some only if the work on an earlier one broke off.
        for job in group {
            let earlier = "the work on an earlier job broke off";
            job.refuse(io_error(place.display().to_string(), "writing", false, earlier));
        }
    }

    /// Does the jobs up to, but without, the sync; whoever was served is in `replies` then.
    fn write(
        &mut self,
        opened: &mut Opened,
        group: &mut VecDeque<Job>,
        replies: &mut Vec<Reply>,
    ) -> Result<(), Fault> {
        let mut staged = Staged::default();
        let place = self.place.dir().to_owned();
        let place = place.as_path();
        while let Some(job) = group.pop_front() {
            let domains = &mut opened.domains;
            replies.push(match job {
                Job::Claim { domain, holder, answer } => {
                    let claim = staged.claim(domains, &domain, &holder);
                    reply(answer, claim.map_err(|err| body::not_encoded(place, err)))
                }
                Job::Commit { claim, batch, answer } => {
                    let meta = domains.get(&claim.domain).cloned().unwrap_or_default();
                    let turn = change::check_turn(claim.fence, meta.fence, batch.expected, meta.revision);
                    let committed = turn.and_then(|()| {
                        let SledOptions { keep_events, keep_events_for, .. } = self.options;
                        let (database, domain) = (&opened.database, &claim.domain);
                        let expired = self.ages.expired(database, domain, &meta, &batch, keep_events_for);
                        let keep = Keep { events: keep_events, expired };
                        let committed = staged.commit(domains, &claim.domain, batch, keep);
                        committed.map_err(|err| body::not_encoded(place, err))
                    });
                    reply(answer, committed)
                }
                Job::Load { domain, answer } => {
                    self.apply(opened, &mut staged)?;
                    let meta = opened.domains.get(&domain).cloned().unwrap_or_default();
                    reply(answer, read::load(&opened.database, &domain, &meta))
                }
            });
        }
        self.apply(opened, &mut staged)?;
        match opened.sequence == self.acknowledged {
            true => Ok(()),
            false => opened.database.flush(),
        }
    }

    fn apply(&mut self, opened: &mut Opened, staged: &mut Staged) -> Result<(), Fault> {
        if staged.rows == 0 {
            return Ok(());
        }
        self.garbage += staged.rows;
        opened.sequence += 1;
        self.readable.forget_oldest(&opened.domains);
        let store = body::encode("store", &StoreMeta { sequence: opened.sequence });
        let batch = staged.take(store.map_err(std::io::Error::from)?);
        fail_point::reach("store.write.staged");
        opened.database.tree().apply_batch(batch)?;
        fail_point::reach("store.write.applied");
        Ok(())
    }

    /// Makes what was written durable and shows it; returns why it could not, and whether the writes
    /// may have happened.
    fn finish(&mut self, opened: Opened) -> Option<(Fault, bool)> {
        if opened.sequence != self.acknowledged {
            fail_point::reach("store.write.flushed");
            if let Err(fault) = opened.database.sync() {
                return Some(self.distrust(fault));
            }
            fail_point::reach("store.write.synced");
            self.acknowledged = opened.sequence;
            // If this fails, less is detected when the store is opened next; nothing is lost.
            let _ = self.head.write(self.acknowledged);
            fail_point::reach("store.write.counted");
            if self.reserve.is_short() {
                self.reserve.set_aside();
            }
            self.readable.show(&opened.database, &opened.domains);
            fail_point::reach("store.write.shown");
        }
        self.opened = Some(opened);
        None
    }

    /// Finds out what a failed write did, by opening the database again.
    fn recover(&mut self, failed: Opened, fault: &Fault) -> Option<(Fault, bool)> {
        let fault = fault.again();
        self.readable.hide();
        let intended = failed.sequence;
        // Only this file descriptor is told for certain of what the disk refused.
        if let Err(fault) = failed.database.sync() {
            return Some(self.distrust(fault));
        }
        drop(failed);
        if fault.is_full() {
            self.reserve.give();
        }
        let Ok(opened) = self.attach() else {
            return Some((fault, true));
        };
        let found = opened.sequence;
        let before = self.acknowledged;
        if let Some(failure) = self.finish(opened) {
            return Some(failure);
        }
        match found {
            _ if found == intended => None,
            _ => Some((fault, found != before)),
        }
    }

    /// Opens the database again after a failure; if that fails, too, all jobs are refused.
    fn reopen(&mut self, group: &mut VecDeque<Job>) -> Option<Opened> {
        let place = self.place.dir().display().to_string();
        let refusal = match &self.distrust {
            Some(reason) => reason.clone(),
            None => match self.attach() {
                Ok(opened) => return Some(opened),
                Err(StoreError::Full { .. }) if self.reserve.give() => return self.reopen(group),
                Err(StoreError::Full { .. }) => {
                    let full = || StoreError::Full { place: place.clone() };
                    group.drain(..).for_each(|job| job.refuse(full()));
                    return None;
                }
                Err(err) => format!("an earlier write failed, and since then: {err}"),
            },
        };
        for job in group.drain(..) {
            job.refuse(io_error(place.clone(), "opening it again", false, refusal.clone()));
        }
        None
    }

    fn attach(&self) -> Result<Opened, StoreError> {
        let opened = open::attach(&self.place, &self.options, self.acknowledged)?;
        self.readable.show(&opened.database, &opened.domains);
        Ok(opened)
    }

    fn distrust(&mut self, fault: Fault) -> (Fault, bool) {
        self.readable.hide();
        self.distrust = Some(format!(
            "the disk did not make an earlier write durable ({fault}); check the disk, then open the store again"
        ));
        (fault, true)
    }
}
