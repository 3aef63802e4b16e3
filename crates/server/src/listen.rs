//! Listening and serving: connections over TCP, with TLS or without, and the Unix socket, each bounded in time and number.

mod connection;
mod crowd;
mod guarded;
mod handshake;
mod socket;
mod words;

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};

use self::{connection::Connections, crowd::Crowd, handshake::Handshakes};
use crate::{access::Peer, tls::Tls};

pub(crate) use self::socket::Socket;

/// How long nothing is accepted after the system refused to: it has no file to spare, most likely.
const REFUSED_PAUSE: Duration = Duration::from_millis(200);

/// What the daemon listens on.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) tcp: TcpListener,
    /// What is spoken over TCP, if it is not in clear.
    pub(crate) tls: Option<Tls>,
    pub(crate) socket: Option<Socket>,
    /// How many connections there may be at once.
    pub(crate) max_connections: usize,
}

impl Listeners {
    /// Serves until the daemon stops and all connections have ended; dropping the future cuts them off.
    pub(crate) async fn serve(self, router: Router, mut stopping: watch::Receiver<bool>) {
        let Self { tcp, tls, socket, max_connections } = self;
        let crowd = Arc::new(Crowd::new(max_connections));
        let serve = Connections::new(router, stopping.clone());
        let handshakes = tls.map(|tls| Handshakes::new(tls, stopping.clone()));
        let mut connections = JoinSet::new();
        let nobody: Arc<[String]> = Arc::new([]);
        loop {
            let accepted = tokio::select! {
                () = connection::until(&mut stopping) => break,
                accepted = tcp.accept() => accepted.map(|(stream, address)| {
                    // Answers are small and must not wait for each other's acknowledgement; a failure only makes them slower.
                    drop(stream.set_nodelay(true));
                    let address = address.ip();
                    let Some(handshakes) = &handshakes else {
                        let peer = Peer::Network { address, certificate: Arc::clone(&nobody) };
                        connections.spawn(serve.run(stream, peer, crowd.enter()));
                        return;
                    };
                    let (shaken, serve, crowd) = (handshakes.shake(stream), serve.clone(), Arc::clone(&crowd));
                    connections.spawn(async move {
                        // Who has not shaken hands takes no place of those who have.
                        let Some((stream, certificate)) = shaken.await else { return };
                        serve.run(stream, Peer::Network { address, certificate }, crowd.enter()).await;
                    });
                }),
                accepted = Socket::accept(socket.as_ref()) => accepted.map(|(stream, uid)| {
                    connections.spawn(serve.run(stream, Peer::Local { uid }, crowd.enter()));
                }),
                // What ended is forgotten.
                Some(_) = connections.join_next() => Ok(()),
            };
            if let Err(err) = accepted
                && is_of_the_system(&err)
            {
                crowd.make_room();
                tracing::warn!("a connection cannot be accepted: {err}");
                // A wait that nothing ends early.
                let _ = timeout(REFUSED_PAUSE, std::future::pending::<()>()).await;
            }
        }
        drop((tcp, socket));
        while connections.join_next().await.is_some() {}
    }
}

/// Returns whether it is the system that cannot accept, rather than a client that is gone again.
fn is_of_the_system(err: &io::Error) -> bool {
    !matches!(
        err.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}
