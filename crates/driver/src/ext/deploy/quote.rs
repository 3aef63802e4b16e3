//! Texts as single words of a shell.

/// Quotes a text so that a POSIX shell takes it as one word and as nothing else.
///
/// ```
/// use vmpool_driver::quote;
/// assert_eq!(quote("it's; rm -rf $HOME"), r"'it'\''s; rm -rf $HOME'");
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
