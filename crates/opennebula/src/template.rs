//! Templates: what VMs are made of, written so that the server reads what was meant.

use std::borrow::Cow;

use crate::rpc::{ForbiddenCharacter, escape, forbidden_character};

/// Builds a template out of attributes.
///
/// It is written as XML, since in OpenNebula's own form a text that ends in a backslash cannot be written at all.
/// What the server would refuse, drop or choke on later is refused here: `]]>`, control characters and characters beyond the
/// Basic Multilingual Plane.
///
/// ```
/// use vmpool_opennebula::template::Template;
/// let template = Template::new()
///     .with("CPU", "0.5")?
///     .with("MEMORY", "512")?
///     .with_vector("NIC", [("NETWORK", "lab & co")])?;
/// assert_eq!(
///     template.to_xml(),
///     "<TEMPLATE><CPU>0.5</CPU><MEMORY>512</MEMORY><NIC><NETWORK>lab &amp; co</NETWORK></NIC></TEMPLATE>"
/// );
/// # Ok::<(), vmpool_opennebula::template::InvalidTemplate>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    attributes: Vec<(String, Attribute)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Attribute {
    Single(String),
    Vector(Vec<(String, String)>),
}

/// Says what cannot be in a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTemplate {
    /// The name of an attribute has something else in it than letters, digits and `_`, or does not begin with a letter.
    #[error("{0:?} is no name of an attribute: letters, digits and _ are, and a letter comes first")]
    Name(String),
    /// The text has a character that the server does not take.
    #[error("attribute {name}: {source}")]
    Character {
        /// The attribute.
        name: String,
        /// The character.
        source: ForbiddenCharacter,
    },
    /// The text ends in a backslash, which the server's own form cannot hold.
    #[error(
        "attribute {0}: the text ends in a backslash, which OpenNebula's own form of templates cannot hold"
    )]
    EndsInBackslash(String),
    /// The text has `]]>` in it, which the server loses without a word.
    #[error("attribute {0}: the text has ]]> in it, which OpenNebula cannot keep")]
    EndOfCData(String),
}

impl Template {
    /// Begins without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute; one of the same name is kept beside it, as in a list.
    ///
    /// An attribute without text is not kept by the server.
    ///
    /// # Errors
    ///
    /// If the server would not keep it as it is.
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Result<Self, InvalidTemplate> {
        let text = text.into();
        check(name, &text)?;
        self.attributes.push((name.to_ascii_uppercase(), Attribute::Single(text)));
        Ok(self)
    }

    /// Adds an attribute that has attributes itself, such as a disk.
    ///
    /// # Errors
    ///
    /// If the server would not keep it as it is.
    pub fn with_vector<'a, N, T>(
        mut self,
        name: &str,
        parts: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, InvalidTemplate>
    where
        N: Into<Cow<'a, str>>,
        T: Into<String>,
    {
        check(name, "")?;
        let mut vector = Vec::new();
        for (part, text) in parts {
            let (part, text) = (part.into(), text.into());
            check(&part, &text)?;
            vector.push((part.to_ascii_uppercase(), text));
        }
        self.attributes.push((name.to_ascii_uppercase(), Attribute::Vector(vector)));
        Ok(self)
    }

    /// Returns whether it has no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Writes the template as XML, which every method that takes a template takes.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<TEMPLATE>");
        for (name, attribute) in &self.attributes {
            match attribute {
                Attribute::Single(text) => write(name, text, &mut xml),
                Attribute::Vector(parts) => {
                    xml.push_str(&format!("<{name}>"));
                    parts.iter().for_each(|(part, text)| write(part, text, &mut xml));
                    xml.push_str(&format!("</{name}>"));
                }
            }
        }
        xml.push_str("</TEMPLATE>");
        xml
    }

    /// Writes the template in the server's own form, so that it can stand behind one that is written so.
    ///
    /// # Errors
    ///
    /// If a text ends in a backslash.
    pub fn to_text(&self) -> Result<String, InvalidTemplate> {
        let mut text = String::new();
        for (name, attribute) in &self.attributes {
            text.push_str(name);
            text.push('=');
            match attribute {
                Attribute::Single(value) => quote(name, value, &mut text)?,
                Attribute::Vector(parts) => {
                    text.push('[');
                    for (number, (part, value)) in parts.iter().enumerate() {
                        text.push_str(if number == 0 { "" } else { "," });
                        text.push_str(part);
                        text.push('=');
                        quote(part, value, &mut text)?;
                    }
                    text.push(']');
                }
            }
            text.push('\n');
        }
        Ok(text)
    }
}

/// Only the quotation mark is escaped there: a backslash stands for itself.
fn quote(name: &str, value: &str, text: &mut String) -> Result<(), InvalidTemplate> {
    if value.ends_with('\\') {
        return Err(InvalidTemplate::EndsInBackslash(name.to_owned()));
    }
    text.push('"');
    text.push_str(&value.replace('"', "\\\""));
    text.push('"');
    Ok(())
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_xml()
    }
}

fn write(name: &str, text: &str, xml: &mut String) {
    xml.push_str(&format!("<{name}>"));
    escape(text, xml);
    xml.push_str(&format!("</{name}>"));
}

fn check(name: &str, text: &str) -> Result<(), InvalidTemplate> {
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(InvalidTemplate::Name(name.to_owned()));
    }
    if text.contains("]]>") {
        return Err(InvalidTemplate::EndOfCData(name.to_owned()));
    }
    forbidden_character(text).map_err(|source| InvalidTemplate::Character { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_would_lose_or_choke_on_is_refused() {
        let refused = |name: &str, text: &str| Template::new().with(name, text).unwrap_err();
        assert_eq!(refused("A", "a ]]> b"), InvalidTemplate::EndOfCData("A".into()));
        assert!(matches!(refused("A", "🚀"), InvalidTemplate::Character { .. }));
        assert!(matches!(refused("A", "\u{7}"), InvalidTemplate::Character { .. }));
        for name in ["", "9X", "A-B", "A B", "É", "A>"] {
            assert_eq!(refused(name, ""), InvalidTemplate::Name(name.into()));
        }
        let vector = Template::new().with_vector("NIC", [("IP", "]]>")]);
        assert_eq!(vector, Err(InvalidTemplate::EndOfCData("IP".into())));
    }

    #[test]
    fn texts_that_its_own_form_cannot_hold_are_written_all_the_same() {
        let template = Template::new().with("A", "C:\\").unwrap().with("a", "x \"y\" <z>\n").unwrap();
        assert_eq!(template.to_xml(), "<TEMPLATE><A>C:\\</A><A>x \"y\" &lt;z&gt;\n</A></TEMPLATE>");
    }

    #[test]
    fn the_servers_own_form_escapes_quotation_marks_alone() {
        let template = Template::new()
            .with("A", "say \"hi\" one\\two")
            .unwrap()
            .with_vector("NIC", [("NETWORK", "net"), ("IP", "10.0.0.4")])
            .unwrap();
        let expected = "A=\"say \\\"hi\\\" one\\two\"\nNIC=[NETWORK=\"net\",IP=\"10.0.0.4\"]\n";
        assert_eq!(template.to_text().unwrap(), expected);
        let ends = Template::new().with("A", "C:\\").unwrap().to_text();
        assert_eq!(ends, Err(InvalidTemplate::EndsInBackslash("A".into())));
    }
}
