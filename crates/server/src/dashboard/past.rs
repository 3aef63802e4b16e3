//! What happened before the daemon started, as far as the log still tells it.

use vmpool::{manager::ManagerHandle, store::Cursor};

use super::{Board, lives};

/// How many of the newest events are looked at.
const EVENTS: u64 = 20_000;

/// How many are read at once.
const PAGE: usize = 1_000;

/// Tells the board how its VMs lived before; without an answer of the store it only knows less.
pub(crate) async fn recall(manager: ManagerHandle, board: Board) {
    let newest = manager.watch_events().borrow().0;
    let mut after = Cursor(newest.saturating_sub(EVENTS));
    let mut past = Vec::new();
    while after.0 < newest {
        let page = match manager.events(after, PAGE).await {
            Ok(page) => page,
            Err(err) => {
                tracing::warn!("what happened before the start is not shown: {err}");
                return;
            }
        };
        let Some(last) = page.events.last() else { break };
        after = last.cursor;
        for stored in page.events {
            if let (Some(state), Some(vm)) = (lives::entered(&stored.event), stored.event.vm) {
                past.push((vm, state, stored.event.at));
            }
        }
    }
    board.remember(past.into_iter().rev());
}
