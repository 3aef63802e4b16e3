//! Leaving HTTP: a connection that goes on with another protocol.

use std::fmt;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Answer, HttpClient, HttpError, Request};

/// What became of a wish to go on with another protocol.
#[derive(Debug)]
pub enum Upgrade {
    /// The server goes on with it: its answer, with the status 101, and the connection.
    Switched(Answer, UpgradedStream),
    /// The server answered something else.
    Refused(Answer),
}

/// A connection that was one of HTTP.
pub type UpgradedStream = Box<dyn Connection>;

/// What a connection can do.
pub trait Connection: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin + 'static> Connection for T {}

impl HttpClient {
    /// Sends a request once that asks for another protocol, as its headers `connection` and `upgrade` say.
    ///
    /// The time limit is for the answer; what comes over the connection afterwards has none.
    ///
    /// # Errors
    ///
    /// [`HttpError`] if there is no answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the answer, not the request.
    pub async fn upgrade(&self, request: Request) -> Result<Upgrade, HttpError> {
        let shown = format!("{request:?}");
        let failed = |err| self.failed(err, &shown);
        let mut response = self.prepare(request, &shown)?.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        tracing::debug!(request = shown, status);
        if status != 101 {
            return self.read(response, &shown).await.map(Upgrade::Refused);
        }
        let headers = std::mem::take(response.headers_mut());
        let stream = response.upgrade().await.map_err(failed)?;
        Ok(Upgrade::Switched(Answer::new(status, headers, Bytes::new()), Box::new(stream)))
    }
}
