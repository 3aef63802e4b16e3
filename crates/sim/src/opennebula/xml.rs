//! Small XML texts as trees, and what is written into XML.

use quick_xml::{Reader, escape::partial_escape, events::Event};

/// How deep elements may be nested.
const DEEPEST: usize = 64;

/// An element with all its text and all elements in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

/// What is wrong with a text, in the words of the parser that the real server uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It does not begin as XML does.
    Syntax,
    /// Something in it is no XML.
    NotWellFormed,
    /// It ends too early.
    NoElement,
}

impl Element {
    /// Reads a text that is one element.
    pub(crate) fn parse(text: &str) -> Result<Self, Broken> {
        if !text.trim_start().starts_with('<') {
            return Err(Broken::Syntax);
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Self> = Vec::new();
        loop {
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(quick_xml::Error::Syntax(_)) => return Err(Broken::NoElement),
                Err(_) => return Err(Broken::NotWellFormed),
            };
            match event {
                Event::Start(start) => {
                    if DEEPEST <= open.len() {
                        return Err(Broken::NotWellFormed);
                    }
                    open.push(Self { name: start.local_name().as_ref().to_owned(), ..Self::default() });
                }
                Event::End(_) => {
                    let Some(element) = open.pop() else { return Err(Broken::NotWellFormed) };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::Text(part) => add(&mut open, &part),
                Event::CData(part) => add(&mut open, &part),
                Event::GeneralRef(name) => match dereference(&name) {
                    Some(character) => add(&mut open, character.encode_utf8(&mut [0; 4])),
                    None => return Err(Broken::NotWellFormed),
                },
                Event::Eof => return Err(Broken::NoElement),
                Event::DocType(_) => return Err(Broken::NotWellFormed),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => {}
            }
        }
    }

    /// Returns the first element of a name in this one.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Returns the character that a reference stands for, without its `&` and `;`.
fn dereference(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|character| !character.is_control() || "\t\n\r".contains(*character))
        }
    }
}

/// Writes a text into XML.
pub(crate) fn escape(text: &str, out: &mut String) {
    out.push_str(&partial_escape(text));
}

/// Writes an element that holds plain text, which is how the server writes numbers and names.
pub(crate) fn plain(out: &mut String, name: &str, text: impl std::fmt::Display) {
    out.push_str(&format!("<{name}>"));
    escape(&text.to_string(), out);
    out.push_str(&format!("</{name}>"));
}

/// Writes an element that holds a text as CDATA, which is how the server writes attributes.
pub(crate) fn cdata(out: &mut String, name: &str, text: impl std::fmt::Display) {
    // What would end the CDATA goes on in another one.
    let text = text.to_string().replace("]]>", "]]]]><![CDATA[>");
    out.push_str(&format!("<{name}><![CDATA[{text}]]></{name}>"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_with_its_references_and_its_cdata() {
        let element = Element::parse("<?xml version='1.0'?><a> x &lt;&#65; <![CDATA[<b>]]><c/></a>").unwrap();
        assert_eq!(element.text, " x <A <b>");
        assert_eq!(element.child("c").map(|child| child.text.as_str()), Some(""));
    }

    #[test]
    fn what_is_written_can_be_read_whatever_it_is() {
        for text in ["a]]>b", "<&>", "\"'"] {
            for write in [plain, cdata] {
                let mut out = String::new();
                write(&mut out, "x", text);
                assert_eq!(Element::parse(&out).unwrap().text, text);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert_eq!(Element::parse("hello"), Err(Broken::Syntax));
        assert_eq!(Element::parse("<a><b>"), Err(Broken::NoElement));
        assert_eq!(Element::parse("<a>&nbsp;</a>"), Err(Broken::NotWellFormed));
        assert_eq!(Element::parse("<a>&#7;</a>"), Err(Broken::NotWellFormed));
        assert_eq!(Element::parse("<a></b>"), Err(Broken::NotWellFormed));
    }
}
