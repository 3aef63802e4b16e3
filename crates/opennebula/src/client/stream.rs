//! The connection, with TLS or without.

use std::{io, sync::Arc, time::Duration};

use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use super::endpoint::Endpoint;

/// How long the other side may take to close after we have; it has answered by then, so little can be missed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Connects; one address of the host after the other, never two at once.
pub(super) async fn connect(endpoint: &Endpoint) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    stream.set_nodelay(true)?;
    if !endpoint.is_tls {
        return Ok(Box::new(stream));
    }
    let config = ClientConfig::with_platform_verifier().map_err(io::Error::other)?;
    let name = ServerName::try_from(endpoint.host.clone()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
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
