//! A walk through a small XML text, one token at a time.

use quick_xml::{Reader, errors::SyntaxError, events::Event};

use super::{CodecError, Problem, text::dereference};

/// How deep the values of an answer may be nested.
const DEEPEST: usize = 32;

/// A step of the walk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An element begins.
    Open(String),
    /// The innermost element ends.
    Close,
    /// Text, its references resolved; never two in a row.
    Text(String),
}

/// Walks through the tokens of a text.
pub(super) struct Cursor<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    ahead: Option<Token>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(body: &'a [u8], longest: u64) -> Result<Self, CodecError> {
        if longest < body.len() as u64 {
            return Err(CodecError::new(longest, Problem::TooLong(longest)));
        }
        let text = std::str::from_utf8(body)
            .map_err(|err| CodecError::new(err.valid_up_to() as u64, Problem::NotUtf8))?;
        if is_web_page(text) {
            return Err(CodecError::new(0, Problem::WebPage));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, depth: 0, ahead: None })
    }

    pub(super) fn offset(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// Returns the next token; the end of the text is an error, since no caller expects it.
    pub(super) fn next(&mut self) -> Result<Token, CodecError> {
        if let Some(token) = self.ahead.take() {
            return Ok(token);
        }
        let mut text = String::new();
        loop {
            let token = match self.event()? {
                Event::Start(start) => {
                    self.depth += 1;
                    if DEEPEST < self.depth {
                        return Err(self.error(Problem::TooDeep(DEEPEST)));
                    }
                    Token::Open(start.local_name().as_ref().to_owned())
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Token::Close
                }
                Event::Text(part) => {
                    text.push_str(&part);
                    continue;
                }
                Event::CData(part) => {
                    text.push_str(&part);
                    continue;
                }
                Event::GeneralRef(name) => {
                    match dereference(&name) {
                        Some(character) => text.push(character),
                        None => {
                            return Err(CodecError::unexpected(self.offset(), "a reference of XML", &name));
                        }
                    }
                    continue;
                }
                Event::DocType(_) => return Err(self.error(Problem::Refused("a document type"))),
                Event::Eof => return Err(self.error(Problem::Truncated)),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => continue,
            };
            if text.is_empty() {
                return Ok(token);
            }
            self.ahead = Some(token);
            return Ok(Token::Text(text));
        }
    }

    /// Returns the name of the element that begins next, or nothing if the one around it ends.
    pub(super) fn child(&mut self) -> Result<Option<String>, CodecError> {
        loop {
            match self.next()? {
                Token::Open(name) => return Ok(Some(name)),
                Token::Close => return Ok(None),
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(text) => return Err(self.unexpected("an element", text.trim())),
            }
        }
    }

    /// Goes into an element of this name.
    pub(super) fn open(&mut self, name: &'static str) -> Result<(), CodecError> {
        match self.child()? {
            Some(found) if found == name => Ok(()),
            Some(found) => Err(self.unexpected(name, &found)),
            None => Err(self.unexpected(name, "the end of the element around it")),
        }
    }

    /// Goes out of an element that has nothing more in it.
    pub(super) fn close(&mut self) -> Result<(), CodecError> {
        match self.child()? {
            None => Ok(()),
            Some(found) => Err(self.unexpected("the end of an element", &found)),
        }
    }

    /// Returns the text of an element that has nothing else in it, and goes out of it.
    pub(super) fn text(&mut self) -> Result<String, CodecError> {
        let text = match self.next()? {
            Token::Close => return Ok(String::new()),
            Token::Open(found) => return Err(self.unexpected("text", &found)),
            Token::Text(text) => text,
        };
        self.close()?;
        Ok(text)
    }

    /// Insists that nothing follows but white space and comments.
    pub(super) fn end(&mut self) -> Result<(), CodecError> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.trim().is_empty() => {}
                other => return Err(CodecError::unexpected(self.offset(), "the end of the text", &other)),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, CodecError> {
        match self.reader.read_event() {
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Syntax(err)) if err != SyntaxError::InvalidBangMarkup => {
                Err(self.error(Problem::Truncated))
            }
            Err(err) => {
                let offset = self.reader.error_position();
                Err(CodecError::new(offset, Problem::Malformed(err.to_string())))
            }
        }
    }

    pub(super) fn error(&self, problem: Problem) -> CodecError {
        CodecError::new(self.offset(), problem)
    }

    pub(super) fn unexpected(&self, expected: &'static str, found: &str) -> CodecError {
        CodecError::unexpected(self.offset(), expected, found)
    }
}

/// Returns whether a text is a web page, such as a wrong address or a proxy answers with.
pub(super) fn is_web_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(14).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with("<html") || start.starts_with("<!doctype html")
}
