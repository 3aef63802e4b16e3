//! What the daemon shows, and what it says about what there is not.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use vmpool::store::MemoryStore;
use vmpool_client::api::{Problem, VmFilter, exit};

use crate::world::{ONE_VM, World, config, ready, wish};

#[tokio::test]
async fn health_says_which_daemon_it_is() {
    let world = World::ready().await;
    let health = world.client.health().await.unwrap();
    assert_eq!((health.status.as_str(), health.api), ("ok", 1));
    assert_eq!(health.pools, ["small"]);
    assert!(0 < health.cursor);
    assert_eq!(health.state_dir, None);
}

#[tokio::test]
async fn a_pool_shows_its_configuration_and_its_counts() {
    let world = World::ready().await;
    let pool = world.client.pool("small").await.unwrap();
    assert_eq!(
        (pool.provider.as_str(), pool.template.as_str(), pool.size, pool.max_total),
        ("lab", "small", 1, 1)
    );
    assert_eq!((pool.count("ready"), pool.total(), pool.waiting), (1, 1, 0));
    assert_eq!(world.client.pools().await.unwrap(), [pool]);
}

#[tokio::test]
async fn a_provider_shows_its_driver() {
    let world = World::ready().await;
    let providers = world.client.providers().await.unwrap();
    assert_eq!((providers[0].name.as_str(), providers[0].driver.as_str()), ("lab", "dummy"));
}

#[tokio::test]
async fn vms_are_filtered_by_pool_and_state() {
    let world = World::ready().await;
    let of_small = |state: &str| VmFilter::default().with_pool("small").with_states([state]);
    assert_eq!(world.client.vms(&of_small("ready")).await.unwrap().len(), 1);
    assert_eq!(world.client.vms(&of_small("in_use")).await.unwrap(), []);
    let several = VmFilter::default().with_states(["in_use", "ready"]);
    assert_eq!(world.client.vms(&several).await.unwrap().len(), 1);
    for state in ["reddy", "ready,reddy", "ready,"] {
        let err = world.client.vms(&VmFilter::default().with_states([state])).await.unwrap_err();
        assert!(err.to_string().contains("the states are spawning"), "{err}");
    }
}

#[tokio::test]
async fn vms_are_found_by_name_address_owner_and_task() {
    let world = World::ready().await;
    let asked = wish("r1").with_task(Some("build 17".to_owned()));
    let lease = world.client.acquire(&asked).await.unwrap();
    let any = VmFilter::default;
    for (fits, does_not) in [
        (any().with_name(&lease.vm), any().with_name("small-0")),
        (any().with_address("127.0.0.1"), any().with_address("127.0.0.2")),
        (any().with_owner("ada"), any().with_owner("bob")),
        (any().with_task("build 17"), any().with_task("build 1")),
    ] {
        let found = world.client.vms(&fits).await.unwrap();
        assert_eq!((found[0].name.as_str(), found[0].task.as_deref()), (lease.vm.as_str(), Some("build 17")));
        assert_eq!(world.client.vms(&does_not).await.unwrap(), []);
    }
    let err = world.client.vms(&any().with_address("localhost")).await.unwrap_err();
    assert!(err.to_string().contains("the query does not fit at `address`: invalid IP address"), "{err}");
}

#[tokio::test]
async fn what_there_is_not_is_named() {
    let world = World::ready().await;
    let unknown = [
        (world.client.pool("big").await.unwrap_err(), "unknown_pool", "the pools are small"),
        (
            world.client.vms(&VmFilter::default().with_pool("Big One")).await.unwrap_err(),
            "unknown_pool",
            "the pools are small",
        ),
        (world.client.vm("../x").await.unwrap_err(), "unknown_vm", "../x"),
        (world.client.drain("Big One", None).await.unwrap_err(), "unknown_pool", "the pools are small"),
        (world.client.undrain("Big One").await.unwrap_err(), "unknown_pool", "the pools are small"),
        (world.client.provider("lap").await.unwrap_err(), "unknown_provider", "the providers are lab"),
        (world.client.accept_loss("La P").await.unwrap_err(), "unknown_provider", "the providers are lab"),
        (world.client.lease("7").await.unwrap_err(), "unknown_lease", "7"),
        (world.client.request("7").await.unwrap_err(), "unknown_request", "7"),
        (world.client.terminate("small-0", None).await.unwrap_err(), "unknown_vm", "small-0"),
    ];
    for (err, code, wanted) in unknown {
        assert_eq!(err.exit_code(), exit::NOT_FOUND, "{err}");
        assert_eq!(err.problem().unwrap().code, code);
        assert!(err.to_string().contains(wanted), "{err}");
    }
}

#[tokio::test]
async fn an_unknown_pool_cannot_be_acquired_from() {
    let world = World::ready().await;
    for pool in ["big", "Big One"] {
        let mut asked = wish("r1");
        asked.pool = Some(pool.to_owned());
        assert_eq!(world.client.acquire(&asked).await.unwrap_err().exit_code(), exit::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_vm_is_terminated_with_a_reason() {
    let world = World::ready().await;
    let vm = world.client.vms(&ready()).await.unwrap().remove(0);
    world.client.terminate(&vm.name, Some("smells of smoke")).await.unwrap();
    let events = world.client.events(0, 1000).await.unwrap().events;
    let told = events
        .iter()
        .find(|event| event.kind == "vm_terminating" && event.detail.contains("smells of smoke"));
    assert_eq!(told.unwrap().vm, Some(vm.name));
}

#[tokio::test]
async fn every_answer_carries_the_version() {
    let world = World::ready().await;
    let all =
        [(Method::GET, "/v1/pools", 200), (Method::GET, "/nowhere", 404), (Method::PUT, "/v1/pools", 405)];
    for (method, path, status) in all {
        let response = world.raw(method, path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["vmpool-api"], "1");
    }
}

#[tokio::test]
async fn a_client_of_another_version_is_refused() {
    let world = World::ready().await;
    let response = world.raw(Method::GET, "/v1/pools").header("vmpool-api", "2").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.exit_code(), exit::VERSION);
    assert!(problem.detail.contains("upgrade this side"), "{problem}");
}

#[tokio::test]
async fn a_web_page_with_a_name_of_its_own_is_refused() {
    let world = World::ready().await;
    let response = world.raw(Method::GET, "/v1/pools").header("host", "evil.example").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.code, "wrong_host");
}

#[tokio::test]
async fn a_path_that_there_is_not_is_a_problem_with_a_hint() {
    let world = World::ready().await;
    let response = world.raw(Method::GET, "/v2/pools").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.to_string(), "there is nothing at /v2/pools; the API begins at /v1/health");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_it_takes() {
    let world = World::ready().await;
    let response = world.raw(Method::PATCH, "/v1/leases/7").send().await.unwrap();
    let allowed = response.headers()["allow"].to_str().unwrap();
    assert!(allowed.contains("GET") && allowed.contains("DELETE"), "{allowed}");
    assert_eq!(response.json::<Problem>().await.unwrap().code, "method_not_allowed");
}

#[tokio::test]
async fn a_pool_shows_what_it_keeps_ready_and_why() {
    let more = "size = 1\nmax_total = 4\nmin_ready = 1\ndemand = { quantile = 0.9, half_life = \"5m\", max_ready = 3 }\n\
                schedule = [{ days = [\"mon\", \"sun\"], from = \"07:30\", to = \"18:00\", min_ready = 2 }]";
    let world = World::start(config(&ONE_VM.replace("size = 1", more)), Arc::new(MemoryStore::new())).await;
    world.until_ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let stock = world.client.pool("small").await.unwrap().stock.unwrap();
    let schedule = &stock.schedule[0];
    assert_eq!(
        (schedule.days.join(","), schedule.from.as_str(), schedule.to.as_str()),
        ("mon,sun".to_owned(), "07:30", "18:00")
    );
    assert!(stock.changes_at.is_some());
    let demand = stock.demand.unwrap();
    assert_eq!((demand.quantile, demand.half_life.as_secs(), demand.max_ready), (0.9, 300, Some(3)));
    assert!(0.0 < stock.arrivals_per_hour && stock.boot_time.is_some());
    let wanted = stock.scheduled.max(stock.likely.unwrap()).max(1);
    assert_eq!(stock.target, wanted, "{}", stock.why);
    assert!(
        ["min_ready", "schedule", "demand: "].iter().any(|why| stock.why.starts_with(why)),
        "{}",
        stock.why
    );
}
