//! The changefeed: what a data center says by itself about the machines of an account.

use std::{fmt, time::Duration};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use sha1::{Digest as _, Sha1};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Bytes, Message, protocol::WebSocketConfig},
};
use tungstenite::protocol::Role;
use vmpool_http::{Answer, Method, Upgrade, UpgradedStream};
use vmpool_model::{Certainty, FailureKind};

use super::{Call, CloudApiError, DataCenter};

/// What of a machine is watched: all that a node shows but its name and its tags.
const WATCHED: [&str; 3] = ["destroyed", "nics", "state"];

/// The largest message that is read: one holds one machine.
const LARGEST: usize = 4 << 20;

/// After how much silence the server is asked whether it is there; a proxy ends connections that are silent for about a minute.
/// If it says nothing for as long again, the connection counts as broken.
const SILENCE: Duration = Duration::from_secs(25);

/// What the standard of WebSockets adds to a key before it hashes it.
const SALT: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A change of a machine, as the server says it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MachineChange {
    /// The machine's id.
    pub id: String,
    /// What changed, such as `state`.
    pub changed: Vec<String>,
    /// The machine's state as the server keeps it, such as `running`; empty if it says none.
    pub state: String,
}

/// The stream of the changes of all machines of an account.
///
/// Changes may be lost, or come in another order than they happened, so they are a reason to look and no more.
///
/// # Examples
///
/// ```
/// use vmpool_cloudapi::{CloudApiError, DataCenter};
///
/// /// Says what happens.
/// async fn watch(datacenter: DataCenter) -> Result<(), CloudApiError> {
///     let mut feed = datacenter.changefeed().await?;
///     loop {
///         if let Some(change) = feed.next().await? {
///             println!("machine {} is {}", change.id, change.state);
///         }
///     }
/// }
/// # fn main() {}
/// ```
pub struct Changefeed {
    socket: WebSocketStream<UpgradedStream>,
    call: String,
    /// When the server is asked whether it is there, or given up if it was.
    quiet_until: Instant,
    asked: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    change_kind: Kind,
    changed_resource_id: String,
    #[serde(default)]
    resource_state: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Kind {
    sub_resources: Vec<String>,
}

impl DataCenter {
    /// Opens the changefeed of the account's machines.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the server has none, or a proxy before it lets none through; else as with any call.
    pub async fn changefeed(&self) -> Result<Changefeed, CloudApiError> {
        let call = Call::new(Method::Get, &["changefeed"]);
        let shown = self.shown(&call);
        let now = self.now();
        let key = key(&shown)?;
        let request = self
            .signed(&call, now)
            .await?
            .with_header("connection", "Upgrade")
            .with_header("upgrade", "websocket")
            .with_header("sec-websocket-version", "13")
            .with_header("sec-websocket-key", &key);
        let upgrade = self.http().upgrade(request).await;
        let stream = match upgrade.map_err(|err| CloudApiError::transport(shown.clone(), &err))? {
            Upgrade::Switched(answer, stream) if is_accepted(&answer, &key) => stream,
            Upgrade::Switched(..) => {
                return Err(broken(shown, FailureKind::Protocol, "what answers is no WebSocket"));
            }
            Upgrade::Refused(answer) => {
                let mut err = CloudApiError::refused(shown, &answer, now);
                if has_none(&answer) {
                    err.kind = FailureKind::Unsupported;
                }
                return Err(err);
            }
        };
        let limits = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(limits)).await;
        let wish = json!({ "resource": "vm", "subResources": WATCHED }).to_string();
        let sent = socket.send(Message::text(wish)).await;
        sent.map_err(|err| broken(shown.clone(), FailureKind::Unavailable, err))?;
        Ok(Changefeed { socket, call: shown, quiet_until: Instant::now() + SILENCE, asked: false })
    }
}

impl Changefeed {
    /// Waits for the next change; `None` is a message that cannot be understood.
    ///
    /// # Errors
    ///
    /// If the connection ends or breaks, as it does whenever the server's own feed does; the feed is of no use then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no change.
    pub async fn next(&mut self) -> Result<Option<MachineChange>, CloudApiError> {
        loop {
            let Ok(message) = timeout_at(self.quiet_until, self.socket.next()).await else {
                self.ask().await?;
                continue;
            };
            (self.quiet_until, self.asked) = (Instant::now() + SILENCE, false);
            match message {
                Some(Ok(Message::Text(text))) => return Ok(read(text.as_bytes())),
                Some(Ok(Message::Binary(bytes))) => return Ok(read(&bytes)),
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => {
                    return Err(self.broken("the server closed the changefeed"));
                }
                Some(Err(err)) => return Err(self.broken(err)),
            }
        }
    }

    /// Asks the server whether it is there, or gives it up if it did not answer that.
    async fn ask(&mut self) -> Result<(), CloudApiError> {
        if std::mem::replace(&mut self.asked, true) {
            return Err(self.broken("the server says nothing any more"));
        }
        self.quiet_until = Instant::now() + SILENCE;
        // What is not sent because the wait was given up is sent with the next one.
        match self.socket.send(Message::Ping(Bytes::new())).await {
            Ok(()) => Ok(()),
            Err(err) => Err(self.broken(err)),
        }
    }

    fn broken(&self, why: impl fmt::Display) -> CloudApiError {
        broken(self.call.clone(), FailureKind::Unavailable, why)
    }
}

impl fmt::Debug for Changefeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changefeed").field("call", &self.call).finish_non_exhaustive()
    }
}

/// Reads a message, of which only the machine must be known.
fn read(message: &[u8]) -> Option<MachineChange> {
    let body: Body = serde_json::from_slice(message).ok()?;
    Some(MachineChange {
        id: body.changed_resource_id,
        changed: body.change_kind.sub_resources,
        state: body.resource_state.unwrap_or_default(),
    })
}

/// Makes a key that no other connection has.
fn key(call: &str) -> Result<String, CloudApiError> {
    let mut bytes = [0; 16];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(STANDARD.encode(bytes)),
        Err(_) => Err(broken(call.to_owned(), FailureKind::Other, "the system has no random numbers")),
    }
}

/// Returns whether the server took the key for that of a WebSocket.
fn is_accepted(answer: &Answer, key: &str) -> bool {
    let hash = Sha1::new().chain_update(key.as_bytes()).chain_update(SALT).finalize();
    answer.header("sec-websocket-accept") == Some(STANDARD.encode(hash).as_str())
}

/// Returns whether the server has no changefeed, or does not see that one is wanted because a proxy took the wish away.
fn has_none(answer: &Answer) -> bool {
    let says_upgrade = || answer.body.windows(7).any(|word| word.eq_ignore_ascii_case(b"upgrade"));
    match answer.status {
        200..=299 | 404 | 405 | 426 | 501 => true,
        400 | 500 => says_upgrade(),
        _ => false,
    }
}

fn broken(call: String, kind: FailureKind, why: impl fmt::Display) -> CloudApiError {
    CloudApiError::new(call, kind, Certainty::NotApplied, why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_needs_no_more_than_the_machine() {
        let text = br#"{"changeKind":{"resource":"vm","subResources":["state"]},"changedResourceId":"a-1",
            "published":"1","resourceState":"running","resourceObject":{"id":"a-1"},"new":[1]}"#;
        let change = read(text).unwrap();
        assert_eq!((change.id.as_str(), change.changed.len(), change.state.as_str()), ("a-1", 1, "running"));
        assert_eq!(read(br#"{"changedResourceId":"a-1","resourceState":null}"#).unwrap().state, "");
        for other in [&b"{}"[..], b"", b"[]", br#"{"changedResourceId":7}"#, b"\xff"] {
            assert_eq!(read(other), None);
        }
    }
}
