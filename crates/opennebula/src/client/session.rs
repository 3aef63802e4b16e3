//! Who calls, and with which password.

/// The first parameter of every call: a user and a password or a login token, as `user:password`.
///
/// It never shows what comes after the first colon.
///
/// ```
/// use vmpool_opennebula::client::Session;
/// let session = Session::new("ci:hunter:2\n");
/// assert_eq!(session.user(), "ci");
/// assert_eq!(format!("{session:?}"), "Session(ci:…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Session(String);

impl Session {
    /// Takes a session as it stands in `one_auth`; line ends at its end do not count.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        Self(text)
    }

    /// Makes a session of a user and a password or a token.
    #[must_use]
    pub fn of(user: &str, password: &str) -> Self {
        Self(format!("{user}:{password}"))
    }

    /// Returns the user; empty if there is no colon, since then all may be secret.
    #[must_use]
    pub fn user(&self) -> &str {
        self.0.split_once(':').map_or("", |(user, _)| user)
    }

    /// Returns the session as it goes into a call.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}:…)", self.user())
    }
}
