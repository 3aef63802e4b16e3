//! Documents: the XML that OpenNebula sends inside the string of an answer.
//!
//! The document is escaped once more there, so an answer of a hundred megabytes holds a document of seventy.
//! [`Decoder`] reads both layers in one pass, piece by piece as the bytes come in, and keeps only what a [`Sink`] makes of
//! them: an [`Element`] tree for one VM, or small records for a listing of many.

mod decoder;
mod element;
mod reply;
mod scanner;
mod sink;
mod unescape;

pub use self::{
    decoder::{Decoder, Limits},
    element::{Element, ElementSink},
    reply::{Refusal, Reply},
    sink::Sink,
};
