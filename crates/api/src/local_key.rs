//! Where a daemon leaves the key by which clients of the same user on the same host find it.
//!
//! A daemon that listens on loopback makes a key at each start, keeps it in memory, and writes it to a file that only its
//! own user can read. Who can read the file is that user, or root, and so may do everything. The key ends with the daemon.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

/// Returns the files that may hold the key of the daemon at an address, as the environment says; the daemon writes all of
/// them, and a client reads the newest.
///
/// # Examples
///
/// ```
/// use std::{ffi::OsString, path::PathBuf};
///
/// let environment = |name: &str| (name == "HOME").then(|| OsString::from("/home/ada"));
/// let files = vmpool_api::local_key::files("127.0.0.1:7717".parse()?, environment);
/// assert_eq!(files, [PathBuf::from("/home/ada/.local/state/vmpool/keys/127.0.0.1_7717")]);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn files(address: SocketAddr, environment: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let folder = |name: &str, inside: &str| {
        let path = PathBuf::from(environment(name).filter(|value| !value.is_empty())?);
        // What is relative would be elsewhere for each process.
        path.is_absolute().then(|| path.join(inside))
    };
    // A path has no place for the colons and brackets of an address.
    let host = address.ip().to_string().replace(':', "-");
    let name = format!("{host}_{}", address.port());
    let folders = [folder("XDG_RUNTIME_DIR", "vmpool/keys"), folder("HOME", ".local/state/vmpool/keys")];
    folders.into_iter().flatten().map(|folder| folder.join(&name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_place_for_the_user_there_is_no_file() {
        let address = "[::1]:7717".parse().unwrap();
        assert!(files(address, |_| None).is_empty());
        assert!(files(address, |_| Some("relative".into())).is_empty());
        assert!(files(address, |_| Some("/run/1".into()))[0].ends_with("vmpool/keys/--1_7717"));
    }
}
