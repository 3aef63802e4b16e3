//! What can be wrong with a text that should be XML-RPC.

/// Says what is wrong with a received text, and where.
///
/// ```
/// use vmpool_opennebula::rpc::{Problem, Response};
/// let err = Response::parse(b"<methodResponse><params>", 1 << 20).unwrap_err();
/// assert_eq!(err.problem, Problem::Truncated);
/// assert_eq!(err.to_string(), "byte 24: the text ends too early");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {problem}")]
pub struct CodecError {
    /// The place, in bytes from the beginning of the received text.
    pub offset: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a received text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text ends before it is complete, as after a lost connection.
    #[error("the text ends too early")]
    Truncated,
    /// It is a web page: most often the address is not that of OpenNebula's XML-RPC, or a proxy speaks for it.
    #[error("this is a web page, not an answer of OpenNebula; check the endpoint")]
    WebPage,
    /// It is not well-formed XML.
    #[error("this is not well-formed: {0}")]
    Malformed(String),
    /// It is well-formed and not what was expected.
    #[error("{expected} is expected, not {found}")]
    Unexpected {
        /// What should be there.
        expected: &'static str,
        /// What is there, cut off if it is long.
        found: String,
    },
    /// A number does not fit its type, or is none.
    #[error("{text:?} is no {kind}")]
    Number {
        /// The type.
        kind: &'static str,
        /// The text, cut off if it is long.
        text: String,
    },
    /// Elements are nested deeper than any answer of OpenNebula is.
    #[error("elements are nested deeper than {0} levels")]
    TooDeep(usize),
    /// A text, or the whole of it, is longer than may be.
    #[error("this is longer than {0} bytes")]
    TooLong(u64),
    /// Bytes that are not UTF-8.
    #[error("this is not UTF-8")]
    NotUtf8,
    /// Something of XML that answers never have and that is not followed for safety's sake, such as a document type.
    #[error("{0} is not accepted")]
    Refused(&'static str),
}

impl CodecError {
    /// Says what is wrong at a place.
    #[must_use]
    pub fn new(offset: u64, problem: Problem) -> Self {
        Self { offset, problem }
    }

    /// Says what was found in place of what should be there.
    pub(crate) fn unexpected(offset: u64, expected: &'static str, found: &str) -> Self {
        Self::new(offset, Problem::Unexpected { expected, found: shortened(found) })
    }
}

/// Cuts a text off, so that an error stays readable.
pub(crate) fn shortened(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
