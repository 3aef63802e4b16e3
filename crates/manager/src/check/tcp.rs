//! The check by a TCP connection.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use vmpool_engine::CheckReport;

/// Connects to an address.
pub(super) async fn check(address: SocketAddr) -> Result<CheckReport, String> {
    match TcpStream::connect(address).await {
        Ok(_connection) => Ok(CheckReport::default()),
        Err(err) => Err(format!("{address}: {err}")),
    }
}
