//! What failures mean.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vmpool_cloudapi::{CloudApiError, DataCenter, types::CreateMachine};
use vmpool_driver::Operation;
use vmpool_http::HttpConfig;
use vmpool_model::{Certainty, FailureKind, Timestamp};

use crate::{
    config,
    exchange::{Said, one},
    loopback::{Server, say},
    open,
};

/// Lets a create fail as a recording shows.
async fn refused(id: &str) -> CloudApiError {
    let said = one(id).response;
    let server = Server::start(move |_| Some(said.clone())).await;
    let request = CreateMachine::new("p", "i");
    open(&server.url).await.create_machine(&request).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_create_says_what_to_do_about_it() {
    for (id, kind) in [
        ("055-create-dup-name", FailureKind::AlreadyExists),
        ("072-create-no-package", FailureKind::InvalidRequest),
        ("074-create-bad-package", FailureKind::InvalidRequest),
        ("075-create-bad-package-uuid", FailureKind::InvalidRequest),
        ("077-create-bad-image", FailureKind::InvalidRequest),
        ("080-create-bad-name", FailureKind::InvalidRequest),
        ("089-create-nocapacity", FailureKind::Capacity),
        ("090-create-unapproved", FailureKind::Permission),
        ("004-bad-signature", FailureKind::Authentication),
        ("014-disabled-account", FailureKind::Permission),
        ("005-skewed-date", FailureKind::Authentication),
        ("027-version-6", FailureKind::Unsupported),
        ("300-throttled", FailureKind::RateLimited),
        ("053-stop-while-provisioning", FailureKind::InvalidState),
        ("147-delete-protected", FailureKind::InvalidState),
        ("201-disk-create-running", FailureKind::InvalidState),
        ("049-create-key-dup", FailureKind::AlreadyExists),
        ("205-migrate-estimate", FailureKind::InvalidState),
    ] {
        let err = refused(id).await;
        assert_eq!((err.kind, err.certainty), (kind, Certainty::NotApplied), "{id}: {err}");
    }
    assert!(refused("055-create-dup-name").await.is_duplicate_name());
}

#[tokio::test]
async fn a_server_that_came_to_grief_may_have_made_the_machine() {
    let err = refused("083-create-nonuuid-network").await;
    assert_eq!((err.kind, err.certainty, err.code.as_str()), (FailureKind::Other, Certainty::Unknown, ""));
    assert_eq!(err.to_string(), "POST /test/machines: status 500: netUuid (uuid) is required");
}

#[tokio::test]
async fn an_answer_that_never_comes_may_have_made_the_machine_and_no_server_has_not() {
    let server = Server::start(|_| None).await;
    let err = open(&server.url).await.create_machine(&CreateMachine::new("p", "i")).await.unwrap_err();
    assert_eq!(err.into_driver_error(Operation::Create).certainty(), Certainty::Unknown);
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let err = open(&format!("http://{nobody}")).await.create_machine(&CreateMachine::new("p", "i")).await;
    let err = err.unwrap_err().into_driver_error(Operation::Create);
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::NotApplied));
}

#[tokio::test]
async fn a_machine_that_was_made_and_cannot_be_understood_may_exist() {
    let server = Server::start(|_| say(201, r#"{"id": 7, "metadata": {"user-script": "hunter2"}}"#)).await;
    let err = open(&server.url).await.create_machine(&CreateMachine::new("p", "i")).await.unwrap_err();
    assert_eq!((err.kind, err.certainty), (FailureKind::Protocol, Certainty::Unknown));
    assert!(err.to_string().contains("line 1") && !err.to_string().contains("hunter2"), "{err}");
}

#[tokio::test]
async fn an_html_page_is_shown_by_its_title() {
    let page = "<html><head><title>502 Bad Gateway</title></head><body>hunter2</body></html>";
    for status in [502, 200] {
        let server = Server::start(move |_| say(status, page)).await;
        let err = open(&server.url).await.machines_page(&Default::default(), None, None).await.unwrap_err();
        assert!(!err.to_string().contains("hunter2"), "{err}");
        match status {
            502 => assert_eq!(err.to_string(), "GET /test/machines: status 502: 502 Bad Gateway"),
            _ => assert_eq!(err.kind, FailureKind::Protocol),
        }
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_passed_on_whether_it_is_a_number_a_date_or_nothing() {
    for (status, header, expected) in [
        (429, None, None),
        (429, Some("7"), Some(7)),
        (503, Some("Sat, 21 Nov 2026 08:36:45 GMT"), Some(30)),
        (503, None, None),
    ] {
        let server = Server::start(move |_| {
            let mut headers =
                BTreeMap::from([("date".to_owned(), "Sat, 21 Nov 2026 08:36:15 GMT".to_owned())]);
            headers.extend(header.map(|header| ("retry-after".to_owned(), header.to_owned())));
            Some(Said { status, headers, body: String::new() })
        })
        .await;
        let err = open(&server.url).await.machines_page(&Default::default(), None, None).await.unwrap_err();
        assert_eq!(err.retry_after, expected.map(Duration::from_secs), "{status} {header:?}");
        assert!(err.into_driver_error(Operation::List).is_retryable(), "{status} {header:?}");
    }
}

/// Asks with a clock against a server that says no at 08:36:15.
async fn with_clock(now: &str, status: u16) -> String {
    let server = Server::start(move |_| {
        let headers = BTreeMap::from([("date".to_owned(), "Sat, 21 Nov 2026 08:36:15 GMT".to_owned())]);
        Some(Said { status, headers, body: String::new() })
    })
    .await;
    let now: Timestamp = now.parse().unwrap();
    let datacenter = open(&server.url).await.with_clock(Arc::new(move || now));
    datacenter.machines_page(&Default::default(), None, None).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    let behind = with_clock("2026-11-21T08:26:15Z", 400).await;
    assert!(behind.ends_with("the clock here is 10m behind the server's: set it right"), "{behind}");
    let ahead = with_clock("2026-11-21T08:46:15Z", 401).await;
    assert!(ahead.ends_with("the clock here is 10m ahead of the server's: set it right"), "{ahead}");
    for (now, status) in [("2026-11-21T08:41:15Z", 401), ("2026-11-21T08:46:15Z", 403)] {
        let silent = with_clock(now, status).await;
        assert!(!silent.contains("clock"), "{silent}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_given_up() {
    let server = Server::start(|_| say(200, format!("[{}]", " ".repeat(10_000)))).await;
    let config = config(&server.url).with_http(HttpConfig::default().with_max_body(1000));
    let datacenter = DataCenter::open(config).await.unwrap();
    let err = datacenter.machines_page(&Default::default(), None, None).await.unwrap_err();
    assert_eq!(err.kind, FailureKind::Protocol);
}
