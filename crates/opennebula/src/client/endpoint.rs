//! The address of a server.

use hyper::Uri;

use super::ConfigError;

/// The address of a server, checked.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    text: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// The host and the port as the request names them.
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) is_tls: bool,
}

impl Endpoint {
    /// Checks an address; one without a path gets `/RPC2`.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |reason: &str| ConfigError::Endpoint { reason: reason.to_owned() };
        let uri: Uri = text.trim().parse().map_err(|_| wrong("it is no URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it begins neither with http:// nor with https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it has credentials in it; give them as the session"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let path = match uri.path_and_query().map(|path| path.as_str()) {
            None | Some("/" | "") => "/RPC2",
            Some(path) => path,
        };
        let scheme = if is_tls { "https" } else { "http" };
        Ok(Self {
            text: format!("{scheme}://{}{path}", authority.as_str()),
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
            is_tls,
        })
    }

    /// Returns the address.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns what two addresses of one server have in common.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host.to_ascii_lowercase(), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_the_usual_one() {
        let endpoint = Endpoint::parse(" http://one.example:2633 ").unwrap();
        assert_eq!(endpoint.as_str(), "http://one.example:2633/RPC2");
        assert_eq!((endpoint.port, endpoint.is_tls), (2633, false));
        let proxied = Endpoint::parse("https://one.example/cloud/RPC2").unwrap();
        assert_eq!((proxied.path.as_str(), proxied.port, proxied.is_tls), ("/cloud/RPC2", 443, true));
    }

    #[test]
    fn two_addresses_of_one_server_are_one_server() {
        let server = |text| Endpoint::parse(text).unwrap().server();
        assert_eq!(server("http://One.example/RPC2"), server("http://one.example:80/"));
        assert_eq!(Endpoint::parse("http://[::1]:2633/RPC2").unwrap().host, "::1");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for wrong in ["", "one.example:2633", "ftp://one.example", "http://", "http://u:p@one.example/"] {
            let shown = Endpoint::parse(wrong).unwrap_err().to_string();
            assert!(!shown.contains("u:p"), "{shown}");
        }
    }
}
