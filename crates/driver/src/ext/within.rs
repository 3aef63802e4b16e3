//! A limit on the time of anything, by a wait that is lent.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use crate::Pause;

/// Does the work, or returns nothing if it is not done when the pause is over; the work is dropped then.
pub(super) async fn within<T>(pause: &Pause, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // Work that is done at once needs no timer.
    let mut timer = None;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => timer.get_or_insert_with(|| pause(limit)).as_mut().poll(context).map(|()| None),
    })
    .await
}
