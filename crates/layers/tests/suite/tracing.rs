//! What a trace shows, and what it must not show.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;
use vmpool_driver::{Auth, CreateRequest, Driver, LayerExt};
use vmpool_layers::TracingLayer;
use vmpool_model::{FailureKind, ProviderName};

use crate::script::{Act, Script, id};

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Makes calls to a traced driver and returns what was logged.
async fn logged(acts: impl IntoIterator<Item = Act>, calls: impl AsyncFnOnce(Arc<dyn Driver>)) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(::tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(log.clone())
        .finish();
    let _guard = ::tracing::subscriber::set_default(subscriber);
    let driver: Arc<dyn Driver> = Script::new(acts);
    calls(driver.layer(&TracingLayer::new(ProviderName::new("lab").unwrap()))).await;
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_works_is_one_line_with_its_duration() {
    let log = logged([Act::WorkAfter(Duration::from_millis(30))], async |driver| {
        driver.get(&id()).await.unwrap();
    })
    .await;
    let expected = "DEBUG provider call{provider=lab driver=\"script\" operation=\"get\" node=\"0\"}: \
                    vmpool::provider: provider answered outcome=\"ok\" duration_ms=30\n";
    assert_eq!(log.trim_start(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_a_warning_that_names_the_kind() {
    let log = logged([Act::Fail(FailureKind::Unavailable)], async |driver| {
        driver.list().await.unwrap_err();
    })
    .await;
    assert!(log.trim_start().starts_with("WARN provider call{provider=lab"), "{log}");
    assert!(
        log.contains("outcome=\"unavailable\"") && log.contains("error=list failed: unavailable"),
        "{log}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_there_is_no_warning() {
    let log = logged([Act::Fail(FailureKind::NotFound)], async |driver| {
        driver.get(&id()).await.unwrap_err();
    })
    .await;
    assert!(log.trim_start().starts_with("DEBUG") && log.contains("outcome=\"not_found\""), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_is_seen() {
    let log = logged([Act::WorkAfter(Duration::from_secs(3600))], async |driver| {
        let call = tokio::time::timeout(Duration::from_secs(2), driver.list());
        call.await.unwrap_err();
    })
    .await;
    assert!(log.contains("outcome=\"canceled\" duration_ms=2000"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_password_is_never_traced() {
    let log = logged([Act::Work, Act::Fail(FailureKind::Timeout)], async |driver| {
        let request =
            CreateRequest::new("small").with_name("web-1").with_auth(Auth::Password("hunter2".to_owned()));
        driver.create(&request).await.unwrap();
        driver.create(&request).await.unwrap_err();
    })
    .await;
    assert!(log.contains("node=\"web-1\""), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}
