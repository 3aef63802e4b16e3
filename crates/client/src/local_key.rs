//! The key that a daemon on this host left for its own user.

use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use vmpool_api::local_key;

/// Returns the address in a URL, if it is one of loopback.
pub(crate) fn address(url: &str) -> Option<SocketAddr> {
    let plain = url.strip_prefix("http://").map(|rest| (rest, 80));
    let (rest, port) = plain.or_else(|| url.strip_prefix("https://").map(|rest| (rest, 443)))?;
    let authority = rest.split('/').next()?;
    let authority = match authority.strip_prefix("localhost") {
        Some(port) => format!("{}{port}", Ipv4Addr::LOCALHOST),
        None => authority.to_owned(),
    };
    let without_port = || Some(SocketAddr::new(authority.parse::<IpAddr>().ok()?, port));
    let address = authority.parse::<SocketAddr>().ok().or_else(without_port)?;
    address.ip().is_loopback().then_some(address)
}

/// Reads the key for an address anew, because each start of a daemon makes another; of several files the newest counts.
pub(crate) fn read(address: SocketAddr) -> Option<String> {
    let files = local_key::files(address, |name| env::var_os(name));
    let dated = files.into_iter().filter_map(|file| Some((fs::metadata(&file).ok()?.modified().ok()?, file)));
    let (_, newest) = dated.max()?;
    fs::read_to_string(newest).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_on_loopback_alone() {
        for (url, wanted) in [
            ("http://127.0.0.1:7717", Some("127.0.0.1:7717")),
            ("http://localhost:7717/prefix", Some("127.0.0.1:7717")),
            ("http://[::1]:7717", Some("[::1]:7717")),
            ("http://127.0.0.1", Some("127.0.0.1:80")),
            ("https://127.0.0.1", Some("127.0.0.1:443")),
            ("http://10.0.0.1:7717", None),
            ("http://127.0.0.1.evil.example:7717", None),
            ("http://localhost.evil.example:7717", None),
            ("http://evil@127.0.0.1:7717", None),
            ("unix:///run/vmpool.sock", None),
        ] {
            assert_eq!(address(url).map(|address| address.to_string()).as_deref(), wanted, "{url}");
        }
    }
}
