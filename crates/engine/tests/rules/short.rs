//! While there is no room for more records nothing is leased or made, and all that ends goes on (F11).

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{RecordState, config::OnRelease};

use crate::lab::{Lab, config, pool, seconds, wish};

fn short(lab: &mut Lab, is_short: bool) {
    assert_eq!(lab.step(Input::Short(is_short)), Answer::Nothing);
    assert_eq!(lab.engine.is_short(), is_short);
}

fn kind(lab: &Lab) -> Option<&'static str> {
    lab.engine.can_grow(&pool()).err().map(|limit| limit.kind())
}

#[test]
fn f11_without_room_nothing_is_leased_or_made_and_what_ends_goes_on() {
    let mut lab = Lab::ready(config(3));
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!((lab.creates(), lab.boot_all().len()), (0, 0));
    short(&mut lab, true);
    let refusal = lab.refused(Input::Acquire(Box::new(wish("r2", "ann").with_wait(seconds(60)))));
    assert_eq!(refusal, Refusal::StoreFull);
    let renew = Input::Renew { lease: lease.id.clone(), fence: None, ttl: None };
    assert!(matches!(lab.step(renew), Answer::Renewed(_)));
    lab.release(&lease);
    lab.destroyed(Ok(()));
    lab.list_until_looked_up(&[]);
    lab.pass(seconds(100));
    assert_eq!((lab.creates(), kind(&lab)), (0, Some("store_full")));
    short(&mut lab, false);
    assert_ne!(lab.creates(), 0);
}

#[test]
fn f11_who_waits_goes_on_waiting_and_is_served_when_there_is_room() {
    let mut reused = config(1);
    reused.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(reused);
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!(lab.acquire(wish("r2", "ann").with_wait(seconds(900))), Answer::Waiting);
    short(&mut lab, true);
    let since = lab.now;
    lab.pass(seconds(10));
    lab.release(&lease);
    assert_eq!((lab.counts([RecordState::Ready]), lab.decided.len()), ([1], 0));
    let explained = lab.engine.explain_all().remove(0);
    let limit = &explained.obstacles[0].limit;
    assert_eq!((limit.kind(), limit.since()), ("store_full", since));
    assert_eq!(lab.acquire(wish("r2", "ann").with_wait(seconds(900))), Answer::Waiting, "it is recorded");
    short(&mut lab, false);
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
    short(&mut lab, true);
    assert!(matches!(lab.acquire(wish("r2", "ann")), Answer::Granted(_)), "it was granted before");
}

#[test]
fn f11_being_told_the_same_again_changes_nothing() {
    let mut lab = Lab::ready(config(1));
    short(&mut lab, false);
    short(&mut lab, true);
    let since = lab.now;
    lab.pass(seconds(5));
    short(&mut lab, true);
    assert_eq!(lab.engine.can_grow(&pool()).unwrap_err().since(), since);
    lab.restart();
    assert!(!lab.engine.is_short());
}
