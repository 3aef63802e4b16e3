//! What a server says by itself: the event stream of its hook manager, over ZeroMQ.
//!
//! `onehem`, a part of every server since OpenNebula 5.10, publishes each change of a VM's state on a socket of its own, by
//! default on port 2101 of the server's loopback interface. It asks nobody who they are, encrypts nothing and sends nothing
//! twice: reach it on the server itself or through a tunnel. What it says may be lost, or come in another order than it
//! happened, so it is a reason to look and no more.

mod endpoint;
mod message;
mod zmtp;

use std::io;

pub use self::{endpoint::EventsEndpoint, message::VmEvent};
use self::{message::PREFIX, zmtp::Subscriber};

/// The stream of the changes of all VMs of a server.
///
/// # Examples
///
/// ```
/// use vmpool_opennebula::events::VmEvents;
///
/// /// Says what happens.
/// async fn watch() -> Result<(), Box<dyn std::error::Error>> {
///     let mut events = VmEvents::connect(&"tcp://127.0.0.1:2101".parse()?).await?;
///     loop {
///         if let Some(event) = events.next().await? {
///             println!("VM {} is {} {}", event.id, event.state, event.lcm_state);
///         }
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct VmEvents {
    subscriber: Subscriber,
}

impl VmEvents {
    /// Connects and subscribes; whatever the server publishes after that comes.
    ///
    /// # Errors
    ///
    /// If nothing answers there, or something that does not publish over ZeroMQ.
    pub async fn connect(endpoint: &EventsEndpoint) -> io::Result<Self> {
        Ok(Self { subscriber: Subscriber::connect(endpoint, PREFIX).await? })
    }

    /// Waits for the next event; `None` is one that cannot be understood.
    ///
    /// # Errors
    ///
    /// If the connection ends or breaks; the stream is of no use then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> io::Result<Option<VmEvent>> {
        let parts = self.subscriber.next().await?;
        Ok(VmEvent::parse(&parts))
    }
}
