//! The header that proves who sends a request.

use base64::{Engine, engine::general_purpose::STANDARD};
use vmpool_http::Method;

use super::{KeyError, Signer};

/// Who sends requests: an account, or a user below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The login of the account.
    pub account: String,
    /// The login of the user below the account, if it is not the account itself.
    pub user: Option<String>,
}

impl Identity {
    /// The account itself.
    #[must_use]
    pub fn account(account: impl Into<String>) -> Self {
        Self { account: account.into(), user: None }
    }

    /// A user below an account; CloudAPI knows them since its version 7.2.
    #[must_use]
    pub fn user(account: impl Into<String>, user: impl Into<String>) -> Self {
        Self { account: account.into(), user: Some(user.into()) }
    }

    /// Returns what the header calls a key: its owner, and its fingerprint or its name at CloudAPI.
    #[must_use]
    pub fn key_id(&self, key: &str) -> String {
        match &self.user {
            None => format!("/{}/keys/{key}", self.account),
            Some(user) => format!("/{}/users/{user}/keys/{key}", self.account),
        }
    }
}

/// A part of a request that a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// Method, path and query.
    RequestTarget,
    /// The header `Date`; CloudAPI insists on it.
    Date,
}

impl Component {
    fn as_str(self) -> &'static str {
        match self {
            Self::RequestTarget => "(request-target)",
            Self::Date => "date",
        }
    }
}

/// Returns what is signed: one line for each part, in the given order.
///
/// `target` is path and query exactly as they are sent.
///
/// ```
/// use vmpool_cloudapi::sign::{Component, signing_string};
/// use vmpool_http::Method;
/// let parts = [Component::RequestTarget, Component::Date];
/// let text = signing_string(&parts, Method::Get, "/my/machines?limit=1", "Tue, 21 Oct 2025 07:28:00 GMT");
/// assert_eq!(text, "(request-target): get /my/machines?limit=1\ndate: Tue, 21 Oct 2025 07:28:00 GMT");
/// ```
#[must_use]
pub fn signing_string(parts: &[Component], method: Method, target: &str, date: &str) -> String {
    let line = |part: &Component| match part {
        Component::RequestTarget => {
            format!("(request-target): {} {target}", method.as_str().to_ascii_lowercase())
        }
        Component::Date => format!("date: {date}"),
    };
    parts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the value of the header `Authorization` for a request.
///
/// `key` is what CloudAPI calls the key: its bare MD5 fingerprint, or its name.
///
/// # Errors
///
/// [`KeyError`] if the key does not sign.
pub async fn authorization(
    signer: &dyn Signer,
    key_id: &str,
    parts: &[Component],
    (method, target, date): (Method, &str, &str),
) -> Result<String, KeyError> {
    let text = signing_string(parts, method, target, date);
    let signature = STANDARD.encode(signer.sign(text.as_bytes()).await?);
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    let algorithm = signer.algorithm();
    let parts = parts.join(" ");
    Ok(format!(
        r#"Signature keyId="{key_id}",algorithm="{algorithm}",headers="{parts}",signature="{signature}""#
    ))
}
