//! The event stream, once or for ever.

use std::{collections::VecDeque, time::Duration};

use reqwest::{Method, Response, header::ACCEPT};
use vmpool_api::{Event, routes};

use crate::{
    Client, ClientError,
    backoff::Backoff,
    client::failed,
    sse::{Frame, Parser},
};

/// A stream without even a comment for this long is taken for broken; the daemon sends one every 15 s.
const SILENCE: Duration = Duration::from_secs(45);

/// Events as they happen, over one connection.
#[derive(Debug)]
pub struct EventStream {
    client: Client,
    response: Response,
    parser: Parser,
    frames: VecDeque<Frame>,
}

impl Client {
    /// Opens a stream of the events after a cursor; with `None`, of those that happen from now on.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn event_stream(&self, after: Option<u64>) -> Result<EventStream, ClientError> {
        let query: Vec<_> = after.map(|after| ("after", after)).into_iter().collect();
        let call = self.call(Method::GET, routes::EVENTS_STREAM);
        let call = call.with(|builder| builder.query(&query).header(ACCEPT, routes::EVENT_STREAM));
        let answer = match tokio::time::timeout(self.timeout(), call.send_within(self.timeout())).await {
            Ok(answer) => answer?,
            Err(_) => return Err(self.silent(self.timeout())),
        };
        Ok(EventStream {
            client: self.clone(),
            response: answer.response,
            parser: Parser::default(),
            frames: VecDeque::new(),
        })
    }

    /// Follows the events after a cursor for ever, over lost connections and restarts of the daemon; none is missed and
    /// none comes twice.
    ///
    /// With `None` it begins with the events that happen once it is connected.
    #[must_use]
    pub fn follow(&self, after: Option<u64>) -> Follow {
        Follow { client: self.clone(), after, stream: None, backoff: Backoff::default() }
    }

    fn silent(&self, after: Duration) -> ClientError {
        ClientError::Timeout { url: self.base_url().to_owned(), after, may_have_happened: false }
    }
}

impl EventStream {
    /// Returns the next event, or `None` when the daemon ends the stream.
    ///
    /// # Errors
    ///
    /// If the connection breaks or stays silent, or an event cannot be understood; the stream is of no more use then.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                let event =
                    serde_json::from_str(&frame.data).map_err(|err| self.protocol(err.to_string()))?;
                return Ok(Some(event));
            }
            let chunk = match tokio::time::timeout(SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(err)) => return Err(failed(&self.client, err, false, SILENCE)),
                Err(_) => return Err(self.client.silent(SILENCE)),
            };
            let fed = self.parser.feed(&chunk, &mut self.frames);
            fed.map_err(|err| self.protocol(err.to_string()))?;
        }
    }

    fn protocol(&self, reason: String) -> ClientError {
        ClientError::Protocol {
            url: self.client.base_url().to_owned(),
            call: format!("GET {}", routes::EVENTS_STREAM),
            reason,
            may_have_happened: false,
        }
    }
}

/// Events as they happen, over as many connections as it takes; made by [`Client::follow`].
#[derive(Debug)]
pub struct Follow {
    client: Client,
    after: Option<u64>,
    stream: Option<EventStream>,
    backoff: Backoff,
}

impl Follow {
    /// Returns the next event; waits while the daemon is away.
    ///
    /// # Errors
    ///
    /// Only what another attempt would not mend, such as a daemon of another version.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            match self.try_next().await {
                Ok(Some(event)) => {
                    self.after = Some(event.cursor);
                    self.backoff.reset();
                    return Ok(event);
                }
                Ok(None) => self.stream = None,
                Err(err) if err.is_temporary() => self.stream = None,
                Err(err) => return Err(err),
            }
            self.backoff.pause().await;
        }
    }

    async fn try_next(&mut self) -> Result<Option<Event>, ClientError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                if self.after.is_none() {
                    // Without a cursor, what happens between two connections would be missed.
                    self.after = Some(self.client.health().await?.cursor);
                }
                self.stream.insert(self.client.event_stream(self.after).await?)
            }
        };
        stream.next().await
    }
}
