//! What a document is read into.

use crate::rpc::Problem;

/// Takes what a document holds, in its order.
///
/// An element that has only text in it is a leaf, also if it is empty; every other one is entered and left.
/// Names are given as bytes, as they came: comparing them needs no check that they are text.
/// Text between the elements of an element has no meaning in OpenNebula's documents and is passed over.
pub trait Sink {
    /// What it makes of the document.
    type Output;

    /// Goes into an element; `false` passes over everything in it, and it is not left then.
    fn enter(&mut self, name: &[u8]) -> bool;

    /// Goes out of the element that was entered last.
    fn leave(&mut self);

    /// Returns whether the text of a leaf is wanted.
    fn wants(&self, name: &[u8]) -> bool;

    /// Takes the text of a leaf that is wanted.
    ///
    /// # Errors
    ///
    /// If the text is none that can stand there; reading ends then.
    fn leaf(&mut self, name: &[u8], text: &str) -> Result<(), Problem>;

    /// Returns what was made of the document.
    ///
    /// # Errors
    ///
    /// If something is missing.
    fn finish(self) -> Result<Self::Output, Problem>;
}
