//! What the bytes of an answer become.

use crate::{
    document::{Decoder, Reply, Sink},
    rpc::{CodecError, Problem, Response, Value},
};

/// Takes the bytes of an answer as they come in.
pub(super) trait Receive: Send + 'static {
    /// What they become.
    type Output: Send + 'static;

    fn feed(&mut self, piece: &[u8]) -> Result<(), CodecError>;

    fn finish(self) -> Result<Self::Output, CodecError>;
}

impl<S> Receive for Decoder<S>
where
    S: Sink + Send + 'static,
    S::Output: Send + 'static,
{
    type Output = Reply<S::Output>;

    fn feed(&mut self, piece: &[u8]) -> Result<(), CodecError> {
        Self::feed(self, piece)
    }

    fn finish(self) -> Result<Self::Output, CodecError> {
        Self::finish(self)
    }
}

/// Keeps a short answer until it is whole.
pub(super) struct Whole {
    body: Vec<u8>,
    limit: usize,
}

impl Whole {
    pub(super) fn new(limit: usize) -> Self {
        Self { body: Vec::new(), limit }
    }
}

impl Receive for Whole {
    type Output = Reply<Value>;

    fn feed(&mut self, piece: &[u8]) -> Result<(), CodecError> {
        if self.limit < self.body.len() + piece.len() {
            return Err(CodecError::new(self.limit as u64, Problem::TooLong(self.limit as u64)));
        }
        self.body.extend_from_slice(piece);
        Ok(())
    }

    fn finish(self) -> Result<Reply<Value>, CodecError> {
        let response = Response::parse(&self.body, self.limit as u64)?;
        Reply::of(response)
            .map_err(|other| CodecError::unexpected(0, "an answer of OpenNebula", other.kind()))
    }
}
