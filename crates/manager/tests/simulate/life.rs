//! One life: trouble, then calm.

use std::sync::Arc;

use fastrand::Rng;
use tokio::{runtime::Builder, task::JoinSet};

use crate::{
    calm, client, cloud, crowd, disaster, failover,
    journal::Journal,
    operator, reload,
    scenario::{Scenario, seconds},
    world::{World, pass},
};

/// How a life went.
#[derive(Debug)]
pub(crate) struct Life {
    /// The first rule that was broken.
    pub(crate) broken: Option<String>,
    /// What happened; empty unless it was to be told.
    pub(crate) story: Vec<String>,
}

/// Lives through one seed.
pub(crate) fn live(seed: u64, is_told: bool) -> Life {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let journal = Journal::new(is_told);
        let broken = tokio::select! {
            biased;
            broken = journal.violated() => Some(broken),
            end = tokio::spawn(all(seed, journal.clone())) => match end {
                Ok(end) => end.err(),
                Err(err) => Some(reason(err)),
            },
        };
        Life { broken, story: journal.story() }
    })
}

/// Lets everybody do what they do, then brings calm.
async fn all(seed: u64, journal: Journal) -> Result<(), String> {
    let scenario = Scenario::new(seed);
    journal.note(|| format!("{scenario:#?}"));
    let mut rng = Rng::with_seed(seed ^ 0x5eed);
    let world = Arc::new(World::new(scenario, journal, &mut rng));
    disaster::start(&world, &mut rng).await;

    let mut people = JoinSet::new();
    for number in 0..world.scenario.clients {
        people.spawn(client::live(Arc::clone(&world), number, rng.fork()));
    }
    for cloud in world.clouds.values() {
        people.spawn(cloud::weather(Arc::clone(&world), Arc::clone(cloud), rng.fork()));
    }
    people.spawn(operator::work(Arc::clone(&world), rng.fork()));
    people.spawn(reload::edit(Arc::clone(&world), Rng::with_seed(seed ^ 0xed17)));
    people.spawn(disaster::strike(Arc::clone(&world), rng.fork()));
    let mut caretaker = JoinSet::new();
    caretaker.spawn(disaster::care(Arc::clone(&world), rng.fork()));
    pass(world.scenario.trouble).await;
    world.calm();
    let ended = async {
        while let Some(end) = people.join_next().await {
            end.map_err(reason)?;
        }
        Ok::<(), String>(())
    };
    match tokio::time::timeout(seconds(calm::LIMIT), ended).await {
        Ok(ended) => ended?,
        Err(_) => return Err(calm::stuck(&world)),
    }
    failover::prove(&world).await?;
    calm::come(&world).await?;
    crowd::prove(&world, Rng::with_seed(seed ^ 0xc40d)).await?;
    calm::rest(&world).await
}

fn reason(err: tokio::task::JoinError) -> String {
    match err.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("a panic: {}", text.unwrap_or_default())
        }
        Err(err) => err.to_string(),
    }
}
