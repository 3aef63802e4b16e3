//! A document as a tree that keeps everything.

use std::str::FromStr;

use super::sink::Sink;
use crate::rpc::Problem;

/// An element of a document with everything in it.
///
/// OpenNebula's attributes repeat, come in any order and are joined by new ones in every version; so nothing is dropped,
/// and what is not there reads as empty.
///
/// ```
/// use vmpool_opennebula::document::Element;
/// let vm = Element::parse("<VM><ID>7</ID><TEMPLATE><NIC><IP>10.0.0.4</IP></NIC></TEMPLATE></VM>")?;
/// assert_eq!(vm.number::<i32>("ID"), Some(7));
/// assert_eq!(vm.find("TEMPLATE/NIC").map(|nic| nic.text_of("IP")), Some("10.0.0.4"));
/// # Ok::<(), vmpool_opennebula::rpc::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The name.
    pub name: String,
    /// The text, if it has no elements in it.
    pub text: String,
    /// The elements in it, in their order.
    pub children: Vec<Self>,
}

impl Element {
    /// Reads a document that is not inside an answer.
    ///
    /// # Errors
    ///
    /// If it is not well-formed; the place is that in the document as it stands inside an answer.
    pub fn parse(document: &str) -> Result<Self, crate::rpc::CodecError> {
        super::decoder::read_plain(document, ElementSink::default())
    }

    /// Returns the first element of a name in this one.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns all elements of a name in this one.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the first element at a path of names, such as `TEMPLATE/NIC/IP`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// Returns the text of the first element at a path; empty if there is none.
    #[must_use]
    pub fn text_of(&self, path: &str) -> &str {
        self.find(path).map_or("", |element| element.text.as_str())
    }

    /// Returns the number in the first element at a path, if there is one that is a number.
    #[must_use]
    pub fn number<T: FromStr>(&self, path: &str) -> Option<T> {
        self.text_of(path).trim().parse().ok()
    }
}

/// Makes an [`Element`] of a document.
#[derive(Debug, Default)]
pub struct ElementSink {
    open: Vec<Element>,
    root: Option<Element>,
}

impl ElementSink {
    fn add(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }
}

impl Sink for ElementSink {
    type Output = Element;

    fn enter(&mut self, name: &[u8]) -> bool {
        self.open.push(Element { name: text(name), ..Element::default() });
        true
    }

    fn leave(&mut self) {
        if let Some(element) = self.open.pop() {
            self.add(element);
        }
    }

    fn wants(&self, _: &[u8]) -> bool {
        true
    }

    fn leaf(&mut self, name: &[u8], value: &str) -> Result<(), Problem> {
        self.add(Element { name: text(name), text: value.to_owned(), children: Vec::new() });
        Ok(())
    }

    fn finish(self) -> Result<Element, Problem> {
        self.root.ok_or(Problem::Truncated)
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
