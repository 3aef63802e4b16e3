//! Templates: attributes with a text or with parts, in OpenNebula's two forms.

mod text;

use super::xml::{Element, cdata};

pub(crate) use self::text::ParseError;

/// Attributes, in the order of their names; a name can come several times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attributes(Vec<(String, Content)>);

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A text.
    Text(String),
    /// Named texts.
    Parts(Parts),
}

/// Named texts, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parts(Vec<(String, String)>);

impl Attributes {
    /// Reads a template in either form; an empty text has no attributes.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        match text.trim_start().starts_with('<') {
            true => Self::from_xml(text),
            false => text::parse(text),
        }
    }

    fn from_xml(text: &str) -> Result<Self, ParseError> {
        let root = Element::parse(&text.replace("\r\n", "\n")).map_err(|_| ParseError::Xml)?;
        let mut attributes = Self::default();
        for child in root.children {
            let name = child.name.to_uppercase();
            if !child.children.is_empty() {
                // What is nested deeper than one level is dropped.
                let parts = child.children.into_iter().filter(|part| part.children.is_empty());
                let parts = parts.filter(|part| !part.text.is_empty()).map(|part| (part.name, part.text));
                attributes.add(&name, Content::Parts(parts.collect()));
            } else if !child.text.is_empty() {
                attributes.add(&name, Content::Text(child.text));
            }
        }
        Ok(attributes)
    }

    /// Returns whether some text would end the CDATA that it is written into, which the real server cannot bear.
    pub(crate) fn breaks_cdata(&self) -> bool {
        self.0.iter().any(|(_, content)| match content {
            Content::Text(text) => text.contains("]]>"),
            Content::Parts(parts) => parts.0.iter().any(|(_, text)| text.contains("]]>")),
        })
    }

    /// Adds an attribute beside those of the same name.
    pub(crate) fn add(&mut self, name: &str, content: Content) {
        // An element's name cannot begin with a digit.
        let name = match name.starts_with(|first: char| first.is_ascii_digit()) {
            true => format!("ONE_{name}"),
            false => name.to_owned(),
        };
        let at = self.0.partition_point(|(other, _)| *other <= name);
        self.0.insert(at, (name, content));
    }

    /// Sets the text of an attribute in place of all of that name.
    pub(crate) fn set(&mut self, name: &str, text: impl ToString) {
        self.remove(name);
        self.add(name, Content::Text(text.to_string()));
    }

    /// Removes all attributes of a name, and returns them.
    pub(crate) fn remove(&mut self, name: &str) -> Vec<Content> {
        let (removed, kept) = std::mem::take(&mut self.0).into_iter().partition(|(other, _)| other == name);
        self.0 = kept;
        let removed: Vec<(String, Content)> = removed;
        removed.into_iter().map(|(_, content)| content).collect()
    }

    /// Puts the attributes of another template in place of those of the same names.
    pub(crate) fn merge(&mut self, other: Self) {
        for (name, _) in &other.0 {
            self.remove(name);
        }
        for (name, content) in other.0 {
            self.add(&name, content);
        }
    }

    /// Returns the text of the first attribute of a name that has one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(other, content)| match content {
            Content::Text(text) if other == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// Returns the parts of all attributes of a name that have some.
    pub(crate) fn parts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Parts> {
        self.0.iter().filter_map(move |(other, content)| match content {
            Content::Parts(parts) if other == name => Some(parts),
            _ => None,
        })
    }

    /// Returns the parts of all attributes of a name that have some, to change them.
    pub(crate) fn parts_mut<'a>(&'a mut self, name: &'a str) -> impl Iterator<Item = &'a mut Parts> {
        self.0.iter_mut().filter_map(move |(other, content)| match content {
            Content::Parts(parts) if other == name => Some(parts),
            _ => None,
        })
    }

    /// Keeps the attributes that a question about name and parts answers with yes.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str, &Content) -> bool) {
        self.0.retain(|(name, content)| keep(name, content));
    }

    /// Takes out the attributes whose names a question answers with yes.
    pub(crate) fn split(&mut self, takes: impl Fn(&str) -> bool) -> Self {
        let (taken, kept) = std::mem::take(&mut self.0).into_iter().partition(|(name, _)| takes(name));
        self.0 = kept;
        Self(taken)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Content)> {
        self.0.iter().map(|(name, content)| (name.as_str(), content))
    }

    /// Writes the attributes into XML.
    pub(crate) fn write(&self, out: &mut String) {
        self.0.iter().for_each(|(name, content)| content.write(name, out));
    }
}

impl Content {
    /// Writes the attribute into XML.
    pub(crate) fn write(&self, name: &str, out: &mut String) {
        match self {
            Self::Text(text) => cdata(out, name, text),
            Self::Parts(parts) => {
                out.push_str(&format!("<{name}>"));
                parts.0.iter().for_each(|(name, text)| cdata(out, name, text));
                out.push_str(&format!("</{name}>"));
            }
        }
    }

    pub(crate) fn as_parts(&self) -> Option<&Parts> {
        match self {
            Self::Parts(parts) => Some(parts),
            Self::Text(_) => None,
        }
    }
}

impl Parts {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, text)| text.as_str())
    }

    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        self.get(name)?.trim().parse().ok()
    }

    pub(crate) fn set(&mut self, name: &str, text: impl ToString) {
        let text = text.to_string();
        match self.0.binary_search_by(|(other, _)| other.as_str().cmp(name)) {
            Ok(at) => self.0[at].1 = text,
            Err(at) => self.0.insert(at, (name.to_owned(), text)),
        }
    }

    /// Sets a part unless there is one of that name.
    pub(crate) fn set_default(&mut self, name: &str, text: impl ToString) {
        if self.get(name).is_none() {
            self.set(name, text);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl FromIterator<(String, String)> for Parts {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(parts: T) -> Self {
        let mut all = Self::default();
        parts.into_iter().for_each(|(name, text)| all.set(&name, text));
        all
    }
}
