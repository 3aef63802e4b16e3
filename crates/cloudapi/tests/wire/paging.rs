//! Pages while the listing changes.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::{
    loopback::{Server, say},
    open,
};

/// A listing that changes before each page by a function of how many pages there were.
async fn listing(
    ids: impl IntoIterator<Item = u32>,
    change: impl Fn(usize, &mut Vec<u32>) + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<u32>>>) {
    let ids: Arc<Mutex<Vec<u32>>> = Arc::new(Mutex::new(ids.into_iter().collect()));
    let shared = ids.clone();
    let pages = Mutex::new(0);
    let server = Server::start(move |asked| {
        let mut pages = pages.lock().unwrap();
        let mut ids = shared.lock().unwrap();
        change(*pages, &mut ids);
        *pages += 1;
        ids.sort_unstable_by(|left, right| right.cmp(left));
        let query = asked.query();
        let number =
            |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value.parse().unwrap());
        let (limit, offset) = (number("limit").unwrap_or(1000), number("offset").unwrap_or(0));
        let page = ids.iter().skip(offset).take(limit).map(|id| json!({"id": format!("{id:08}")}));
        say(200, serde_json::Value::Array(page.collect()).to_string())
    })
    .await;
    (server, ids)
}

/// Lists by pages of ten and returns the ids.
async fn list(server: &Server) -> Vec<u32> {
    let machines = open(&server.url).await.machines_by_pages(&Default::default(), 10).await.unwrap();
    machines.iter().map(|machine| machine.id.parse().unwrap()).collect()
}

/// Insists on each of some ids once, and on none twice.
fn check(listed: &[u32], lasting: impl IntoIterator<Item = u32>) {
    let mut sorted = listed.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), listed.len(), "a machine is listed twice");
    let missing: Vec<u32> = lasting.into_iter().filter(|id| !listed.contains(id)).collect();
    assert_eq!(missing, [0; 0], "machines are lost");
}

#[tokio::test]
async fn a_listing_that_stands_still_is_whole() {
    for count in [0, 1, 9, 10, 11, 19, 20, 100] {
        let (server, _) = listing(0..count, |_, _| {}).await;
        let listed = list(&server).await;
        assert_eq!(listed.len(), count as usize);
        check(&listed, 0..count);
    }
}

#[tokio::test]
async fn a_machine_that_vanishes_before_the_page_hides_no_other() {
    let (server, ids) = listing(0..50, |page, ids| {
        if page == 1 {
            // Three of the first page; the second page begins three further on.
            ids.retain(|id| ![49, 47, 40].contains(id));
        }
    })
    .await;
    let listed = list(&server).await;
    check(&listed, ids.lock().unwrap().clone());
}

#[tokio::test]
async fn the_whole_first_page_may_vanish() {
    let (server, ids) = listing(0..50, |page, ids| {
        if page == 1 {
            ids.retain(|id| *id < 40);
        }
    })
    .await;
    let listed = list(&server).await;
    check(&listed, ids.lock().unwrap().clone());
}

#[tokio::test]
async fn a_listing_that_shrinks_below_the_offset_is_whole() {
    let (server, ids) = listing(0..50, |page, ids| {
        if page == 3 {
            ids.retain(|id| id % 10 == 0);
        }
    })
    .await;
    let listed = list(&server).await;
    check(&listed, ids.lock().unwrap().clone());
}

#[tokio::test]
async fn machines_that_appear_make_none_appear_twice() {
    let (server, _) = listing(0..50, |page, ids| {
        if 0 < page {
            ids.extend([1000 + u32::try_from(page).unwrap(), 2000 + u32::try_from(page).unwrap()]);
        }
    })
    .await;
    check(&list(&server).await, 0..50);
}

#[tokio::test]
async fn coming_and_going_all_the_time_loses_and_repeats_none_that_stays() {
    // Even ones stay; odd ones come and go at random, from one seed per round.
    for seed in 1..20_u64 {
        let (server, _) = listing((0..200).map(|id| id * 2), move |page, ids| {
            let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(page as u64);
            for _ in 0..6 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let odd = u32::try_from(dice >> 33).unwrap() % 200 * 2 + 1;
                match ids.iter().position(|id| *id == odd) {
                    Some(index) => drop(ids.remove(index)),
                    None => ids.push(odd),
                }
            }
        })
        .await;
        check(&list(&server).await, (0..200).map(|id| id * 2));
    }
}

#[tokio::test]
async fn a_thousand_machines_take_two_requests_and_fewer_take_one() {
    for (count, requests) in [(999, 1), (1000, 2), (1500, 2)] {
        let (server, _) = listing(0..count, |_, _| {}).await;
        let machines = open(&server.url).await.all_machines(&Default::default()).await.unwrap();
        assert_eq!((machines.len(), server.asked().len()), (count as usize, requests));
    }
}

#[tokio::test]
async fn a_page_that_fails_is_no_end_of_the_listing() {
    let pages = Mutex::new(0);
    let server = Server::start(move |_| {
        let mut pages = pages.lock().unwrap();
        *pages += 1;
        let page: Vec<_> = (0..10).map(|id| json!({"id": format!("{id}")})).collect();
        if *pages == 1 { say(200, serde_json::Value::Array(page).to_string()) } else { say(500, "") }
    })
    .await;
    assert!(open(&server.url).await.machines_by_pages(&Default::default(), 10).await.is_err());
}
