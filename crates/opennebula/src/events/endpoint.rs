//! Where events are published.

use std::{fmt, str::FromStr};

/// The port of `onehem`.
const PORT: u16 = 2101;

/// Where events are published, such as `tcp://127.0.0.1:2101`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsEndpoint {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Says why a text is not where events are published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not tcp://HOST or tcp://HOST:PORT")]
pub struct InvalidEventsEndpoint;

impl FromStr for EventsEndpoint {
    type Err = InvalidEventsEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEventsEndpoint> {
        let place = text.trim().strip_prefix("tcp://").ok_or(InvalidEventsEndpoint)?;
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, PORT),
            Some((host, port)) => (host, read(port.strip_prefix(':').ok_or(InvalidEventsEndpoint)?)?),
            None => match place.split_once(':') {
                Some((host, port)) => (host, read(port)?),
                None => (place, PORT),
            },
        };
        let is_host = |text: &str| !text.is_empty() && !text.contains(['/', '@', '[', ']', ' ']);
        match is_host(host) {
            true => Ok(Self { host: host.to_owned(), port }),
            false => Err(InvalidEventsEndpoint),
        }
    }
}

fn read(port: &str) -> Result<u16, InvalidEventsEndpoint> {
    match port.parse() {
        Ok(0) | Err(_) => Err(InvalidEventsEndpoint),
        Ok(port) => Ok(port),
    }
}

impl fmt::Display for EventsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "tcp://[{}]:{}", self.host, self.port),
            false => write!(f, "tcp://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_need_not_be_told() {
        let read = |text: &str| text.parse::<EventsEndpoint>().unwrap().to_string();
        assert_eq!(read("tcp://one.example"), "tcp://one.example:2101");
        assert_eq!(read(" tcp://127.0.0.1:2199/ "), "tcp://127.0.0.1:2199");
        assert_eq!(read("tcp://[::1]"), "tcp://[::1]:2101");
        assert_eq!(read("tcp://[::1]:7"), "tcp://[::1]:7");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for wrong in [
            "",
            "127.0.0.1:2101",
            "http://one",
            "tcp://",
            "tcp://:1",
            "tcp://a:b",
            "tcp://a:0",
            "tcp://a:70000",
        ] {
            assert_eq!(wrong.parse::<EventsEndpoint>(), Err(InvalidEventsEndpoint), "{wrong}");
        }
        for wrong in ["tcp://[::1", "tcp://[::1]7", "tcp://::1", "tcp://u:p@host:1", "tcp://host/path"] {
            assert_eq!(wrong.parse::<EventsEndpoint>(), Err(InvalidEventsEndpoint), "{wrong}");
        }
    }
}
