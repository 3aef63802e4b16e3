//! Validated names that people choose: pools, providers, owners, installations.

use crate::text::text_type;

/// What a name must look like; part of every [`InvalidName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameRule {
    /// The text is empty.
    Empty,
    /// The text is longer than this many bytes.
    TooLong(usize),
    /// The text must be made of `a-z`, `0-9` and inner `-`.
    Label,
    /// The text must be made of ASCII letters, digits and `. _ : -`.
    Identifier,
    /// The text must be made of ASCII letters, digits and `. _ : - = / +`.
    Tag,
    /// The text holds a control character, or begins or ends with white space.
    Unprintable,
}

impl std::fmt::Display for NameRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong(max) => write!(f, "it is longer than {max} bytes"),
            Self::Label => f.write_str("only a-z, 0-9 and inner '-' are allowed"),
            Self::Identifier => f.write_str("only ASCII letters, digits and . _ : - are allowed"),
            Self::Tag => f.write_str("only ASCII letters, digits and . _ : - = / + are allowed"),
            Self::Unprintable => {
                f.write_str("it holds a control character, or begins or ends with white space")
            }
        }
    }
}

/// Says why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {rule}")]
pub struct InvalidName {
    what: &'static str,
    text: String,
    rule: NameRule,
}

impl InvalidName {
    pub(crate) fn new(what: &'static str, text: &str, rule: NameRule) -> Self {
        // The text came from outside and may be huge; its beginning is enough to find it.
        let text = text.chars().take(80).collect();
        Self { what, text, rule }
    }

    /// Returns the rule that the text breaks.
    #[must_use]
    pub fn rule(&self) -> NameRule {
        self.rule
    }
}

pub(crate) fn label(text: &str) -> Result<(), NameRule> {
    label_within(text, 40)
}

pub(crate) fn label_within(text: &str, max: usize) -> Result<(), NameRule> {
    within(text, max)?;
    let fits = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    match fits && !text.starts_with('-') && !text.ends_with('-') {
        true => Ok(()),
        false => Err(NameRule::Label),
    }
}

pub(crate) fn identifier(text: &str) -> Result<(), NameRule> {
    within(text, 128)?;
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte)) {
        true => Ok(()),
        false => Err(NameRule::Identifier),
    }
}

pub(crate) fn tag(text: &str) -> Result<(), NameRule> {
    within(text, 128)?;
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-=/+".contains(&byte)) {
        true => Ok(()),
        false => Err(NameRule::Tag),
    }
}

pub(crate) fn printable(text: &str) -> Result<(), NameRule> {
    within(text, 200)?;
    match text.chars().any(char::is_control) || text.trim() != text {
        true => Err(NameRule::Unprintable),
        false => Ok(()),
    }
}

pub(crate) fn within(text: &str, max: usize) -> Result<(), NameRule> {
    match text.len() {
        0 => Err(NameRule::Empty),
        len if max < len => Err(NameRule::TooLong(max)),
        _ => Ok(()),
    }
}

text_type! {
    /// Names a pool: a set of interchangeable VMs made from one template.
    ///
    /// At most 40 bytes of `a-z`, `0-9` and inner `-`, because VM names, and so host names, begin with it.
    ///
    /// ```
    /// use vmpool_model::PoolName;
    /// assert_eq!(PoolName::new("x86-small")?.as_str(), "x86-small");
    /// assert!(PoolName::new("Big Ones").is_err());
    /// # Ok::<(), vmpool_model::InvalidName>(())
    /// ```
    PoolName, "pool name", label
}

text_type! {
    /// Names a provider: one configured account on one cloud.
    ProviderName, "provider name", label
}

text_type! {
    /// Names a domain: the pools that share one owner process, one loop and their limits.
    DomainName, "domain name", label
}

text_type! {
    /// Identifies one deployment of vmpool; it marks every node that the deployment creates.
    ///
    /// Nodes that carry another installation's id are never touched.
    InstallationId, "installation id", label
}

text_type! {
    /// Names who a lease belongs to: a person, a project, a build system's user.
    ///
    /// An owner `team/project` is a sub-owner of `team`.
    Owner, "owner", printable
}

impl Owner {
    /// Returns the owner that a sub-owner belongs to; `None` if this is no sub-owner.
    ///
    /// ```
    /// use vmpool_model::Owner;
    /// assert_eq!(Owner::new("team/project")?.parent(), Some(Owner::new("team")?));
    /// assert_eq!(Owner::new("team")?.parent(), None);
    /// # Ok::<(), vmpool_model::InvalidName>(())
    /// ```
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.as_str().split_once('/')?;
        Self::new(parent).ok()
    }
}

text_type! {
    /// Says what a pool's VMs are good for, such as `arch=x86_64`: requests ask for labels in place of a pool.
    Label, "label", tag
}

text_type! {
    /// Names a sandbox: a used VM is given again only to the same owner *and* the same sandbox.
    ///
    /// Source: Copr's `VmManager.acquire_vm(…, sandbox, …)`.
    Sandbox, "sandbox", printable
}

text_type! {
    /// Names the piece of work that a lease is for, such as a build's id; free text for people and look-ups.
    TaskId, "task id", printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_lower_case_digits_and_inner_dashes_only() {
        assert!(PoolName::new("a-1").is_ok());
        for bad in ["", "-a", "a-", "A", "a_b", "a b", "ä", "../x", &"a".repeat(41)] {
            assert!(PoolName::new(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn an_owner_takes_any_printable_text() {
        assert!(Owner::new("Zoë @ build farm").is_ok());
        for bad in ["", " x", "x\n", "a\u{7}b"] {
            assert!(Owner::new(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn deserializing_checks_the_name() {
        let err = serde_json::from_str::<PoolName>("\"No\"").unwrap_err();
        assert!(err.to_string().contains("only a-z, 0-9"), "{err}");
    }
}
