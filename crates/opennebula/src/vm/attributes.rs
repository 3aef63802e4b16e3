//! Names and texts, many of them, in little room.

use std::fmt;

/// Attributes in their order: names and texts; names may repeat.
///
/// Listings hold thousands of them, so they share one text instead of having one each.
///
/// ```
/// use vmpool_opennebula::vm::Attributes;
/// let mut attributes = Attributes::default();
/// attributes.push("ROLE", "web");
/// attributes.push("ROLE", "db");
/// assert_eq!(attributes.get("ROLE"), Some("web"));
/// assert_eq!(attributes.iter().last(), Some(("ROLE", "db")));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    text: String,
    /// Where the name and the text of each attribute end.
    ends: Vec<(usize, usize)>,
}

impl Attributes {
    /// Adds an attribute.
    pub fn push(&mut self, name: &str, text: &str) {
        self.text.push_str(name);
        let end_of_name = self.text.len();
        self.text.push_str(text);
        self.ends.push((end_of_name, self.text.len()));
    }

    /// Returns the text of the first attribute of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| *found == name).map(|(_, text)| text)
    }

    /// Returns all names and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let mut begin = 0;
        self.ends.iter().map(move |(name, text)| {
            let attribute = (&self.text[begin..*name], &self.text[*name..*text]);
            begin = *text;
            attribute
        })
    }

    /// Takes a copy that has no room to spare, and forgets all.
    pub(super) fn take(&mut self) -> Self {
        let copy = Self { text: self.text.as_str().to_owned(), ends: self.ends.as_slice().to_vec() };
        self.text.clear();
        self.ends.clear();
        copy
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
