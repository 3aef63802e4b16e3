//! The marks that vmpool leaves on a VM, in its user template.

use std::collections::BTreeMap;

use vmpool_model::Token;

use crate::template::{InvalidTemplate, Template};

/// The attribute that holds the token.
pub(super) const TOKEN: &str = "VMPOOL_TOKEN";

/// The attribute that holds a label, as `key=value`; there is one for each label.
///
/// The server writes the names of attributes in capitals and has its own idea of what a name is, so the key of a label cannot
/// be one.
pub(super) const LABEL: &str = "VMPOOL_LABEL";

/// What cannot be a mark.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidMark {
    #[error("label {0:?}: the key of a label has no = in it")]
    Key(String),
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
}

/// Adds the marks of a VM to a template.
pub(super) fn mark(
    mut template: Template,
    token: Option<&Token>,
    labels: &BTreeMap<String, String>,
) -> Result<Template, InvalidMark> {
    if let Some(token) = token {
        template = template.with(TOKEN, token.to_string())?;
    }
    for (key, value) in labels {
        if key.contains('=') {
            return Err(InvalidMark::Key(key.clone()));
        }
        template = template.with(LABEL, format!("{key}={value}"))?;
    }
    Ok(template)
}

/// What the attributes of a user template say.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) token: Option<Token>,
    pub(super) extra: BTreeMap<String, String>,
}

impl Marks {
    /// Takes one attribute.
    pub(super) fn take(&mut self, name: &str, text: &str) {
        match name {
            // A text that is no token is no reason to fail: the VM is then one that vmpool did not make.
            TOKEN => self.token = text.parse().ok(),
            LABEL => {
                if let Some((key, value)) = text.split_once('=') {
                    self.extra.insert(key.to_owned(), value.to_owned());
                }
            }
            // What the server says of the VM; a label of that name counts more.
            "ERROR" => self.say("error", text),
            "SCHED_MESSAGE" => self.say("sched_message", text),
            _ => {}
        }
    }

    fn say(&mut self, key: &str, text: &str) {
        if !self.extra.contains_key(key) {
            self.extra.insert(key.to_owned(), text.to_owned());
        }
    }
}
