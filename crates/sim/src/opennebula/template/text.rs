//! The text form of a template: `NAME="text"` and `NAME=[PART="text",…]`.

use super::{Attributes, Content, Parts};

/// Says why a template cannot be read; its text is the server's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    /// It holds what ends CDATA.
    #[error("Parse error.")]
    Cdata,
    /// It is no XML.
    #[error("Error parsing XML template")]
    Xml,
    /// Something else is expected at a place.
    #[error("Parse error: syntax error, unexpected {found}, expecting {expected} at line 1, columns {at}:{}", .at + 1)]
    Syntax {
        /// What the parser calls what it found.
        found: &'static str,
        /// What the parser calls what it can take.
        expected: &'static str,
        /// Where, in bytes.
        at: usize,
    },
}

/// Reads the text form.
pub(super) fn parse(text: &str) -> Result<Attributes, ParseError> {
    if text.contains("]]>") {
        return Err(ParseError::Cdata);
    }
    let text = text.replace("\r\n", "\n");
    let mut reader = Reader { text: &text, at: 0 };
    let mut attributes = Attributes::default();
    loop {
        reader.skip_blanks();
        if reader.rest().is_empty() {
            return Ok(attributes);
        }
        let name = reader.name()?.to_uppercase();
        let content = match reader.eat('[') {
            true => Content::Parts(reader.parts()?),
            false => Content::Text(reader.value("OBRACKET or CCDATA or STRING")?),
        };
        attributes.add(&name, content);
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips white space and lines that are comments.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;
            if !self.rest().starts_with('#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// Reads a name and the sign after it.
    fn name(&mut self) -> Result<&'a str, ParseError> {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 {
            return Err(self.unexpected("VARIABLE"));
        }
        self.at += end;
        match self.eat('=') {
            true => Ok(&rest[..end]),
            false => Err(self.unexpected("EQUAL or EQUAL_EMPTY")),
        }
    }

    fn parts(&mut self) -> Result<Parts, ParseError> {
        let mut parts = Parts::default();
        loop {
            let name = self.name()?.to_uppercase();
            parts.set(&name, self.value("STRING")?);
            if self.eat(']') {
                return Ok(parts);
            }
            if !self.eat(',') {
                return Err(self.unexpected("COMMA or CBRACKET"));
            }
        }
    }

    /// Reads a text in quotes, or a bare word. A quote that is not closed is part of a bare word.
    fn value(&mut self, expected: &'static str) -> Result<String, ParseError> {
        self.skip_blanks();
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"')
            && let Some(end) = end_of_quoted(quoted)
        {
            self.at += end + 2;
            return Ok(quoted[..end].replace("\\\"", "\""));
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']')).unwrap_or(rest.len());
        if end == 0 || rest.starts_with('\'') {
            return Err(self.unexpected(expected));
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        let found = match self.rest().chars().next() {
            None => "$end",
            Some('=') => "EQUAL",
            Some(',') => "COMMA",
            Some('[') => "OBRACKET",
            Some(']') => "CBRACKET",
            Some('"') => "STRING",
            Some(c) if c.is_ascii_alphanumeric() || c == '_' => "VARIABLE",
            Some(_) => "$undefined",
        };
        ParseError::Syntax { found, expected, at: self.at }
    }
}

/// Returns where a quoted text ends: at the first quote that has no backslash before it.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\';
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str, name: &str) -> Option<String> {
        Attributes::parse(template).unwrap().text(name).map(str::to_owned)
    }

    #[test]
    fn values_are_what_the_real_server_makes_of_them() {
        assert_eq!(text("U=\"say \\\"hi\\\" one\\two\"", "U").unwrap(), "say \"hi\" one\\two");
        assert_eq!(text("U=\"line1\r\nline2\ttab\"", "U").unwrap(), "line1\nline2\ttab");
        assert_eq!(text("9NUM=\"x\"", "ONE_9NUM").unwrap(), "x");
        assert_eq!(text("u_lower=\"lower\" B=1", "U_LOWER").unwrap(), "lower");
        assert_eq!(text("POOLKEY=\"k-3", "POOLKEY").unwrap(), "\"k-3");
        assert_eq!(text("E=\"\"", "E").unwrap(), "");
        assert_eq!(text("<T><E></E><F>1</F></T>", "E"), None);
        assert_eq!(text("<T><N>  x </N></T>", "N").unwrap(), "  x ");
    }

    #[test]
    fn parts_are_read_in_both_forms() {
        let parsed = Attributes::parse("NIC=[network_id=0, MAC=\"a,b\"]\nNIC=[X=\"]\"]").unwrap();
        let nics: Vec<_> = parsed.parts("NIC").collect();
        assert_eq!(
            (nics[0].get("NETWORK_ID"), nics[0].get("MAC"), nics[1].get("X")),
            (Some("0"), Some("a,b"), Some("]"))
        );
        let parsed = Attributes::parse("<T><V><k>1</k><D><E>2</E></D></V></T>").unwrap();
        assert_eq!(parsed.parts("V").next().unwrap().iter().collect::<Vec<_>>(), [("k", "1")]);
    }

    #[test]
    fn what_the_real_server_does_not_read_is_refused() {
        let error = |template: &str| Attributes::parse(template).unwrap_err().to_string();
        assert_eq!(
            error("NAME=\"x\nCPU="),
            "Parse error: syntax error, unexpected $end, expecting OBRACKET or CCDATA or STRING at line 1, columns 12:13"
        );
        assert_eq!(error("U=\"x]]>y\""), "Parse error.");
        for bad in ["U=bare word", "A-B=1", "U='x'", "V=[A=1", "V=[]"] {
            assert!(error(bad).starts_with("Parse error: syntax error, unexpected "), "{bad}");
        }
    }
}
