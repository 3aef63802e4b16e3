//! Keeping many leases by one request.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use vmpool_client::{Keeper, Kept, api::Lease};

use crate::peer::{answer, lease, peer, problem};

/// Two leases that are due every 10 ms.
fn two() -> [String; 2] {
    [lease("30ms"), lease("30ms").replace("1-2", "1-3").replace("small-7f3k", "small-9x2p")]
}

fn held() -> [Lease; 2] {
    two().map(|json| serde_json::from_str(&json).unwrap())
}

/// What the daemon says of the two leases: each is renewed, or it is said why not.
fn renewals(results: [Result<&str, &str>; 2]) -> String {
    let one = |(id, result): (&str, Result<&str, &str>)| match result {
        Ok(lease) => format!(r#"{{"id":"{id}","lease":{lease}}}"#),
        Err(code) => {
            format!(r#"{{"id":"{id}","problem":{{"status":404,"code":"{code}","detail":"so it is"}}}}"#)
        }
    };
    let all = ["1-2", "1-3"].into_iter().zip(results).map(one).collect::<Vec<_>>();
    answer(200, &format!(r#"{{"renewals":[{}]}}"#, all.join(",")))
}

#[tokio::test]
async fn one_request_renews_all_leases_and_tells_who_was_lost() {
    let [a, b] = two();
    let lost = renewals([Ok(&a), Err("unknown_lease")]);
    let (client, seen) = peer(vec![renewals([Ok(&a), Ok(&b)]), lost]).await;
    let mut keeper = Keeper::new(client);
    held().iter().for_each(|lease| keeper.add(lease));
    let Kept::Lost { lease, why } = keeper.next().await else { panic!() };
    assert_eq!((lease.vm.as_str(), why.problem().unwrap().code.as_str()), ("small-9x2p", "unknown_lease"));
    assert_eq!(keeper.leases(), [held()[0].clone()]);
    let seen = seen.lock().unwrap();
    for request in &seen[..2] {
        assert!(request.starts_with("POST /v1/renewals "), "{request}");
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, r#"{"leases":[{"id":"1-2","fence":7},{"id":"1-3","fence":7}]}"#);
    }
}

#[tokio::test]
async fn a_lease_that_could_not_be_renewed_is_lost_when_it_must_have_expired() {
    // Twice no answer, and then nobody is there.
    let (client, seen) = peer(vec![String::new(), problem(500, "store")]).await;
    let mut keeper = Keeper::new(client);
    keeper.add(&serde_json::from_str(&lease("300ms")).unwrap());
    let Kept::Lost { lease, .. } = keeper.next().await else { panic!() };
    assert_eq!(lease.id, "1-2");
    assert_eq!((keeper.leases(), seen.lock().unwrap().len()), (vec![], 2));
}

#[tokio::test]
async fn a_vm_that_is_doubted_is_told_of_once() {
    let [a, b] = two();
    let doubted = a.replacen('{', r#"{"suspect":"its node is gone","#, 1);
    let told = renewals([Ok(&doubted), Ok(&b)]);
    let (client, _) = peer(vec![told.clone(), told, renewals([Err("stale_fence"), Ok(&b)])]).await;
    let mut keeper = Keeper::new(client);
    held().iter().for_each(|lease| keeper.add(lease));
    let Kept::Changed(lease) = keeper.next().await else { panic!() };
    assert_eq!(lease.suspect.as_deref(), Some("its node is gone"));
    assert!(matches!(keeper.next().await, Kept::Lost { lease, .. } if lease.id == "1-2"));
}

#[tokio::test]
async fn what_is_taken_out_is_renewed_no_longer() {
    let [a, _] = two();
    let one = answer(200, &format!(r#"{{"renewals":[{{"id":"1-2","lease":{a}}}]}}"#));
    let (client, seen) = peer(vec![one, String::new()]).await;
    let keeper = Keeper::new(client);
    held().iter().for_each(|lease| keeper.add(lease));
    assert!(keeper.remove("1-3") && !keeper.remove("1-3"));
    while seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!seen.lock().unwrap()[0].contains("1-3"));
}
