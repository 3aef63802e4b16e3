//! The connection, with TLS or without.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{CallFailure, endpoint::Endpoint, trust};

/// How long the other side may take to close after we have; it has answered by then, so little can be missed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Connects; one address of the host after the other, never two at once.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&TlsConnector>,
) -> Result<Box<dyn Stream>, CallFailure> {
    let stream = reach(endpoint).await.map_err(CallFailure::Unreachable)?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(endpoint.host.clone());
    let name = name.map_err(|err| CallFailure::Unreachable(io::Error::other(err)))?;
    match tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(source) => Err(CallFailure::Tls { hint: trust::hint(&source), source }),
    }
}

async fn reach(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Ends a connection in good order: says that nothing more will be sent, and reads what still comes.
///
/// A socket that is closed while there is something to read in it is reset.
pub(super) async fn close(mut stream: impl Stream) {
    let read_on = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut buffer = vec![0; 16 << 10];
        while matches!(stream.read(&mut buffer).await, Ok(read) if 0 < read) {}
    };
    let _ = timeout(LAST_WORDS, read_on).await;
}
