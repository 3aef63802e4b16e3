//! Rules of several domains in one store.

use vmpool_model::Change;
use vmpool_store::{Batch, Cursor, Revision};

use crate::store::{
    RuleResult, StoreHarness,
    sample::{self, first},
};

/// Domains of similar names hold their own records and events, under the same ids.
pub async fn domains_do_not_mix(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    // Each is the beginning of another.
    let names = ["a", "a-b", "ab", "a0"];
    for (number, name) in (1..).zip(names) {
        let claim = store.claim(&sample::domain(name)?, "test").await?;
        let mut vm = sample::vm(1)?;
        vm.uses = number;
        let changes =
            vec![Change::PutVm(Box::new(vm)), Change::PutInstallation(sample::installation(number)?)];
        let events = vec![sample::event(number)];
        store.commit(&claim, Batch { changes, events, ..Batch::default() }).await?;
    }
    drop(store);
    let store = harness.open().await?;
    for (number, name) in (1..).zip(names) {
        let domain = sample::domain(name)?;
        let snapshot = store.load(&domain).await?;
        assert_eq!(snapshot.vms.iter().map(|vm| vm.uses).collect::<Vec<_>>(), [number], "{name}");
        assert_eq!(snapshot.installation, Some(sample::installation(number)?), "{name}");
        let page = store.events(&domain, Cursor(0), 100).await?;
        let events: Vec<_> = page.events.into_iter().map(|stored| stored.event).collect();
        assert_eq!(events, [sample::event(number)], "{name}");
    }
    Ok(())
}

/// Claiming or writing one domain neither fences nor conflicts with the others.
pub async fn a_claim_of_one_domain_leaves_the_others_alone(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let one = store.claim(&sample::domain("one")?, "test").await?;
    let two = store.claim(&sample::domain("two")?, "test").await?;
    store.claim(&two.domain, "again").await?;
    let done = store.commit(&one, first(vec![sample::put_vm(1)?])).await?;
    assert_eq!(store.load(&two.domain).await?.revision, Revision(0));
    let two = store.claim(&two.domain, "and again").await?;
    store.commit(&two, first(vec![sample::put_vm(2)?])).await?;
    store.commit(&one, Batch { expected: done.revision, ..Batch::default() }).await?;
    Ok(())
}
