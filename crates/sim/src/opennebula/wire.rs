//! XML-RPC as the real server reads and writes it.

mod call;
mod params;
mod response;

pub(crate) use self::{
    call::Call,
    params::Params,
    response::{fault, respond},
};

/// A value of XML-RPC, as far as the server takes or sends it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `<int>` or `<i4>`.
    Int(i32),
    /// `<boolean>`.
    Bool(bool),
    /// `<string>`, or no type at all.
    Text(String),
    /// `<array>`.
    Array(Vec<Self>),
    /// Any other type: no method takes it.
    Other,
}

/// Says that a call did not reach its method, or that its answer could not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(code: i32, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// What a method answers.
pub(crate) type Answer = Result<Value, Failure>;

/// Why a method does not answer with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It refuses, with a code, a text and the id of what is missing.
    Refused {
        /// One of the codes below.
        code: i32,
        /// What is wrong, without the name of the method.
        text: String,
        /// The id of what does not exist, -1 in all other cases.
        id: i32,
    },
    /// Its parameters are not what it takes.
    Fault(Fault),
}

/// The user is not who they say.
pub(crate) const AUTHENTICATION: i32 = 0x100;
/// The user may not do that; also quota, restricted attributes and locks.
pub(crate) const AUTHORIZATION: i32 = 0x200;
/// There is no such object.
pub(crate) const NO_EXISTS: i32 = 0x400;
/// The state does not allow that, or the object cannot take it.
pub(crate) const ACTION: i32 = 0x800;
/// A parameter has a value that the method does not know.
pub(crate) const XML_RPC_API: i32 = 0x1000;
/// Everything else, a template that cannot be used among it.
pub(crate) const INTERNAL: i32 = 0x2000;
/// An object could not be made.
pub(crate) const ALLOCATE: i32 = 0x4000;

/// Refuses with a code that is not about something that is missing.
pub(crate) fn refuse<T>(code: i32, text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Refused { code, text: text.into(), id: -1 })
}

/// Refuses because something does not exist; a negative id means the pool of all.
pub(crate) fn no_such<T>(what: &str, id: i32) -> Result<T, Failure> {
    let text = match id {
        ..0 => format!("Error getting {what} Pool."),
        id => format!("Error getting {what} [{id}]."),
    };
    Err(Failure::Refused { code: NO_EXISTS, text, id: id.max(-1) })
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
