//! The version of a server, and what follows from it.

use std::fmt;

/// The version of a server.
///
/// ```
/// use vmpool_opennebula::client::Version;
/// let version = Version::parse("6.10.0").unwrap();
/// assert!(Version::new(6, 2) <= version && version < Version::new(7, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Version {
    /// Names a release by its first two numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// Reads what the server calls itself; what follows the numbers does not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(|part| {
            let digits = part.find(|byte: char| !byte.is_ascii_digit()).map_or(part, |end| &part[..end]);
            digits.parse().ok()
        });
        let major = numbers.next()??;
        let minor = numbers.next().flatten().unwrap_or(0);
        let patch = numbers.next().flatten().unwrap_or(0);
        Some(Self { major, minor, patch })
    }

    /// Returns whether the server ends VMs by itself when it is told to with a call: since 6.2.
    #[must_use]
    pub fn has_scheduled_actions(self) -> bool {
        Self::new(6, 2) <= self
    }

    /// Returns whether listings can hold whole user templates: since 5.8.
    #[must_use]
    pub fn has_extended_listings(self) -> bool {
        Self::new(5, 8) <= self
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_whatever_follows_the_numbers() {
        let read = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(read("6.10.0").as_deref(), Some("6.10.0"));
        assert_eq!(read("7.0.1-rc1").as_deref(), Some("7.0.1"));
        assert_eq!(read("5.12").as_deref(), Some("5.12.0"));
        assert_eq!(read("hello"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn ten_comes_after_eight() {
        assert!(Version::new(6, 8) < Version::new(6, 10));
        assert!(!Version::new(6, 0).has_scheduled_actions());
        assert!(Version::new(6, 10).has_scheduled_actions());
    }
}
