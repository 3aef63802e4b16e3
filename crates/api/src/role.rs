//! What who speaks to the daemon may do.

use serde::{Deserialize, Serialize};

/// What who speaks to the daemon may do.
///
/// # Examples
///
/// ```
/// use vmpool_api::{Need, Role};
///
/// let role: Role = "operator".parse()?;
/// assert!(role.may(Need::Operate) && !role.may(Need::Administer));
/// assert!("king".parse::<Role>().is_err());
/// # Ok::<(), vmpool_api::UnknownRole>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Sees everything and changes nothing.
    Reader,
    /// Acquires, renews and releases for one owner and its sub-owners, and sees what is theirs.
    User,
    /// Sees everything, acts for any owner, and does all that is done to VMs, pools and providers.
    Operator,
    /// Does everything, tokens included.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Reader, Self::User, Self::Operator, Self::Admin];

    /// Returns the role as text, such as `operator`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::User => "user",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Returns whether the role is enough for what is needed.
    #[must_use]
    pub fn may(self, need: Need) -> bool {
        match (need, self) {
            (Need::Nothing | Need::Own, _) => true,
            (Need::Look, Self::User) => false,
            (Need::Look, _) => true,
            (Need::Use, Self::Reader) => false,
            (Need::Use, _) => true,
            (Need::Operate, role) => matches!(role, Self::Operator | Self::Admin),
            (Need::Administer, role) => role == Self::Admin,
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Says that a text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: write reader, user, operator or admin")]
pub struct UnknownRole(String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.chars().take(40).collect()))
    }
}

/// What an operation of the API needs from who asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Nothing: everybody may.
    Nothing,
    /// Any role; a [`Role::User`] sees only what is its own.
    Own,
    /// A role that sees everything.
    Look,
    /// A role that leases; a [`Role::User`] only for itself.
    Use,
    /// A role that acts on VMs, pools and providers.
    Operate,
    /// A role that acts on tokens.
    Administer,
}

impl Need {
    /// Returns the names of the roles that are enough.
    #[must_use]
    pub fn roles(self) -> Vec<&'static str> {
        Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_its_words_say_and_no_more() {
        assert_eq!(Need::Own.roles(), ["reader", "user", "operator", "admin"]);
        assert_eq!(Need::Look.roles(), ["reader", "operator", "admin"]);
        assert_eq!(Need::Use.roles(), ["user", "operator", "admin"]);
        assert_eq!(Need::Operate.roles(), ["operator", "admin"]);
        assert_eq!(Need::Administer.roles(), ["admin"]);
    }

    #[test]
    fn a_role_survives_its_text() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }
}
