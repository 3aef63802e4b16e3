//! XML-RPC as text, both ways, without any input or output of its own.
//!
//! Requests are written as Python's `xmlrpc.client` writes them and answers as OpenNebula's server writes them; both are
//! read whoever wrote them.
//! Answers that hold a document of megabytes are better read by [`Decoder`](crate::document::Decoder).

mod call;
mod cursor;
mod error;
mod head;
mod response;
mod text;
mod value;

pub use self::{
    call::Call,
    error::{CodecError, Problem},
    response::{Fault, Response},
    text::ForbiddenCharacter,
    value::Value,
};
pub(crate) use self::{
    head::document_start,
    text::{dereference, escape, forbidden_character},
};
