//! Which events are too old to be kept.

use std::{collections::BTreeMap, time::Duration};

use vmpool_model::{DomainName, Timestamp};

use super::{database::Database, meta::DomainMeta, read};
use crate::{Batch, Cursor};

/// How many of the newest events are kept however old they are: the clock may have been set a year forth.
const KEPT: u64 = 1000;

/// How many events are removed by one commit at most because of their age.
const MOST: u64 = 1024;

/// Remembers how old the oldest event of each domain is, so that most commits read none.
#[derive(Debug, Default)]
pub(super) struct Ages {
    oldest: BTreeMap<DomainName, (Cursor, Timestamp)>,
}

impl Ages {
    /// Returns how many of the oldest events a commit is to remove because they are older than `keep_for`, counted from the
    /// newest event that it adds.
    pub(super) fn expired(
        &mut self,
        database: &Database,
        domain: &DomainName,
        meta: &DomainMeta,
        batch: &Batch,
        keep_for: Duration,
    ) -> u64 {
        let Some(now) = batch.events.last().map(|event| event.at) else { return 0 };
        let kept = meta.cursor.0 + 1 - meta.oldest.0;
        let most = kept.saturating_sub(KEPT).min(MOST);
        for count in 0..most {
            let cursor = Cursor(meta.oldest.0 + count);
            let at = match self.oldest.get(domain) {
                Some((known, at)) if *known == cursor => *at,
                // One that cannot be read is as old as those beside it; one that is not written yet is young.
                _ => match read::event_time(database, domain, cursor) {
                    Some(at) => at.unwrap_or_default(),
                    None => return count,
                },
            };
            if now.since(at) <= keep_for {
                self.oldest.insert(domain.clone(), (cursor, at));
                return count;
            }
        }
        most
    }
}
