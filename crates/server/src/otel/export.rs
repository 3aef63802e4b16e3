//! Sending ended spans to the collector, some at a time.

use std::{sync::atomic::Ordering, time::Duration};

use reqwest::{Client, Url, header::HeaderMap};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::layer::LOST;

/// How many spans go in one request at most.
const MOST: usize = 512;

/// For how long spans are gathered.
const GATHER: Duration = Duration::from_secs(1);

/// How often it is told at most that the collector does not take them.
const TELL: Duration = Duration::from_secs(60);

/// How long the end of the daemon waits for the last spans.
const LAST: Duration = Duration::from_secs(3);

/// Sends spans to a collector, as JSON over HTTP; what it does not take is lost, and nobody waits for it.
#[derive(Debug)]
pub struct Exporter {
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    resource: Vec<Value>,
    spans: mpsc::Receiver<Value>,
}

/// An exporter at work.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Sends what ended until now, and stops; waits for a moment at most.
    pub async fn stop(self) {
        // It has ended already if it does not listen.
        let _ = self.stop.send(());
        let _ = timeout(LAST, self.task).await;
    }
}

impl Exporter {
    pub(super) fn new(
        url: Url,
        headers: HeaderMap,
        timeout: Duration,
        resource: Vec<Value>,
        spans: mpsc::Receiver<Value>,
    ) -> Self {
        Self { url, headers, timeout, resource, spans }
    }

    /// Returns where the spans are sent.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Begins to export; call it within a runtime.
    #[must_use]
    pub fn start(self) -> Running {
        let (stop, stopped) = oneshot::channel();
        Running { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let builder = Client::builder().no_proxy().timeout(self.timeout);
        let Ok(client) = builder.default_headers(self.headers.clone()).build() else {
            tracing::warn!("traces are not exported: no client can be made for them");
            return;
        };
        let mut told: Option<Instant> = None;
        let mut is_over = false;
        while !is_over {
            let mut spans = Vec::new();
            tokio::select! {
                count = self.spans.recv_many(&mut spans, MOST) => is_over = count == 0,
                _ = &mut stopped => is_over = true,
            }
            if !is_over && spans.len() < MOST {
                tokio::select! {
                    () = pause(GATHER) => {}
                    _ = &mut stopped => is_over = true,
                }
            }
            while spans.len() < MOST
                && let Ok(span) = self.spans.try_recv()
            {
                spans.push(span);
            }
            if spans.is_empty() {
                continue;
            }
            let lost = LOST.swap(0, Ordering::Relaxed);
            let sent = self.send(&client, spans).await;
            let why = match (&sent, lost) {
                (Ok(()), 0) => None,
                (Ok(()), lost) => {
                    Some(format!("{lost} spans are lost: they ended faster than they are taken"))
                }
                (Err(why), _) => Some(why.clone()),
            };
            if let Some(why) = why.filter(|_| told.is_none_or(|told| TELL <= told.elapsed())) {
                tracing::warn!(collector = %self.url, "traces are lost: {why}");
                told = Some(Instant::now());
            }
        }
    }

    async fn send(&self, client: &Client, spans: Vec<Value>) -> Result<(), String> {
        let scope = json!({"name": "vmpool", "version": env!("CARGO_PKG_VERSION")});
        let body = json!({"resourceSpans": [{
            "resource": {"attributes": self.resource},
            "scopeSpans": [{"scope": scope, "spans": spans}],
        }]});
        let answer = client.post(self.url.clone()).json(&body).send().await;
        let answer = answer.map_err(|err| {
            let source = std::error::Error::source(&err).map(ToString::to_string);
            format!("{}{}", err.without_url(), source.map(|why| format!(": {why}")).unwrap_or_default())
        })?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("the collector answered {}", answer.status())),
        }
    }
}

/// Waits.
async fn pause(time: Duration) {
    let _ = timeout(time, std::future::pending::<()>()).await;
}
