//! The check by a TCP connection.

use std::net::SocketAddr;

use tokio::{net::TcpStream, task::JoinSet};
use vmpool_engine::CheckReport;

use crate::CheckTarget;

/// Connects to all addresses at once, because one that swallows packets would use up the time of the others; one that
/// answers is enough.
pub(super) async fn check(target: &CheckTarget, port: u16) -> Result<CheckReport, String> {
    let mut attempts = JoinSet::new();
    for address in target.node.addresses.iter().map(|ip| SocketAddr::new(*ip, port)) {
        attempts.spawn(async move {
            TcpStream::connect(address).await.map_err(|err| format!("{address}: {err}"))
        });
    }
    let mut problems = Vec::new();
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(_connection)) => return Ok(CheckReport::default()),
            Ok(Err(problem)) => problems.push(problem),
            Err(err) => problems.push(err.to_string()),
        }
    }
    problems.sort();
    match problems.is_empty() {
        true => Err("the node has no address".to_owned()),
        false => Err(problems.join("; ")),
    }
}
