//! Reading an answer as it comes in.

use super::{
    reply::Reply,
    scanner::{Progress, Scanner},
    sink::Sink,
};
use crate::rpc::{CodecError, Problem, Response, Value, document_start, escape};

/// How much of an answer there may be before its document, and after it.
const LONGEST_EDGE: usize = 64 << 10;

/// How much an answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The whole answer, in bytes. Default: 4 GiB.
    pub answer: u64,
    /// An answer that is no document, and one text of a document, in bytes. Default: 16 MiB.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { answer: 4 << 30, text: 16 << 20 }
    }
}

/// Reads an answer whose value is a document, piece by piece, into what a [`Sink`] makes of the document.
///
/// It keeps the beginning of an element whose end has not come yet, and nothing else of the answer.
///
/// ```
/// use vmpool_opennebula::document::{Decoder, ElementSink, Reply};
/// use vmpool_opennebula::rpc::{Response, Value};
///
/// let answer = Value::Array(vec![true.into(), "<VM><ID>7</ID></VM>".into(), 0.into()]);
/// let mut decoder = Decoder::new(ElementSink::default());
/// for piece in Response::Value(answer).to_xml().as_bytes().chunks(5) {
///     decoder.feed(piece)?;
/// }
/// let Reply::Done(vm) = decoder.finish()? else { panic!() };
/// assert_eq!(vm.text_of("ID"), "7");
/// # Ok::<(), vmpool_opennebula::rpc::CodecError>(())
/// ```
#[derive(Debug)]
pub struct Decoder<S> {
    limits: Limits,
    sink: S,
    stage: Stage,
    /// How many bytes were done with before those that are held.
    done: u64,
    /// What cannot be read before more comes.
    held: Vec<u8>,
    /// How much has to be held before it is worth another look.
    enough: usize,
    /// The answer before the document.
    head: Vec<u8>,
    scanner: Scanner,
}

/// What is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// What comes before a document.
    Head,
    /// The document.
    Document,
    /// What comes after the document, which began and ended at these bytes.
    Tail { began: u64, ended: u64 },
    /// An answer without a document.
    Plain,
}

impl<S: Sink> Decoder<S> {
    /// Reads into a sink.
    #[must_use]
    pub fn new(sink: S) -> Self {
        Self {
            limits: Limits::default(),
            sink,
            stage: Stage::Head,
            done: 0,
            held: Vec::new(),
            enough: 0,
            head: Vec::new(),
            scanner: Scanner::default(),
        }
    }

    /// Sets how much the answer may hold.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Uses only what every processor has, to see what more is worth: what is read is the same.
    #[must_use]
    pub fn with_portable_scan(self) -> Self {
        Self { scanner: Scanner::portable(), ..self }
    }

    /// Takes the next bytes of the answer.
    ///
    /// # Errors
    ///
    /// If they cannot be part of an answer; nothing more should be fed then.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), CodecError> {
        if self.limits.answer < self.done + (self.held.len() + piece.len()) as u64 {
            return Err(CodecError::new(self.limits.answer, Problem::TooLong(self.limits.answer)));
        }
        let mut piece = piece;
        while !piece.is_empty() {
            piece = match self.stage {
                Stage::Document if self.held.is_empty() => self.document(piece)?,
                Stage::Document => self.held_document(piece)?,
                Stage::Head => self.head(piece)?,
                Stage::Tail { .. } => self.hold(piece, LONGEST_EDGE)?,
                Stage::Plain => self.hold(piece, self.limits.text)?,
            };
        }
        Ok(())
    }

    /// Returns what the answer says, now that no more of it comes.
    ///
    /// # Errors
    ///
    /// If the answer is not complete, or none of OpenNebula.
    pub fn finish(mut self) -> Result<Reply<S::Output>, CodecError> {
        // What is held may have become whole without having been worth another look.
        if self.stage == Stage::Document
            && let Some(rest) = self.scan_held()?
        {
            self.held = rest;
        }
        let end = self.done + self.held.len() as u64;
        match self.stage {
            Stage::Document => Err(CodecError::new(end, Problem::Truncated)),
            Stage::Head | Stage::Plain => plain(&self.held, self.sink, self.limits.text as u64),
            Stage::Tail { began, ended } => {
                let mut frame = self.head;
                frame.extend_from_slice(&self.held);
                // The frame lacks the document, so what is wrong after it is further on.
                let response =
                    Response::parse(&frame, u64::MAX).map_err(|err| match began <= err.offset {
                        true => CodecError { offset: err.offset + (ended - began), ..err },
                        false => err,
                    })?;
                let sink = self.sink;
                match reply(response)? {
                    Reply::Done(_) => {
                        sink.finish().map(Reply::Done).map_err(|problem| CodecError::new(ended, problem))
                    }
                    Reply::Refused(refusal) => Ok(Reply::Refused(refusal)),
                    Reply::Fault(fault) => Ok(Reply::Fault(fault)),
                }
            }
        }
    }

    /// Looks for the beginning of a document.
    fn head<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], CodecError> {
        // What follows a short head is the document; it is not copied more than need be.
        let (now, later) = piece.split_at(piece.len().min(1 << 10));
        self.held.extend_from_slice(now);
        match document_start(&self.held)? {
            Some(Ok(start)) => {
                let document = self.held.split_off(start);
                self.head = std::mem::replace(&mut self.held, document);
                self.done = start as u64;
                self.stage = Stage::Document;
                self.enough = 0;
                if let Some(rest) = self.scan_held()? {
                    self.held = rest;
                }
            }
            Some(Err(())) => self.stage = Stage::Plain,
            None if LONGEST_EDGE < self.held.len() => {
                return Err(CodecError::new(self.held.len() as u64, Problem::TooLong(LONGEST_EDGE as u64)));
            }
            None => {}
        }
        Ok(later)
    }

    /// Reads the document straight from what came, and holds what cannot be read yet.
    fn document<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], CodecError> {
        match self.scanner.scan(piece, self.done, &mut self.sink)? {
            Progress::Ended(at) => {
                self.end_document(at);
                Ok(&piece[at..])
            }
            Progress::Needs(at) => {
                self.done += at as u64;
                self.held.extend_from_slice(&piece[at..]);
                self.enough = 0;
                Ok(&[])
            }
        }
    }

    /// Completes what is held with as little of what came as possible, so that little is copied.
    fn held_document<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], CodecError> {
        let before = self.held.len();
        let wanted = self.enough.max(before + (1 << 10)) - before;
        let (now, later) = piece.split_at(piece.len().min(wanted));
        self.held.extend_from_slice(now);
        if self.held.len() < self.enough {
            return Ok(later);
        }
        match self.scanner.scan(&self.held, self.done, &mut self.sink)? {
            Progress::Ended(at) => {
                self.end_document(at);
                let rest = self.held.split_off(at);
                self.held = rest;
                Ok(later)
            }
            // Nothing could be read: look again when there is twice as much, so that the cost stays linear.
            Progress::Needs(0) => {
                self.enough = self.held.len() * 2;
                self.check_held(self.limits.text)?;
                Ok(later)
            }
            Progress::Needs(at) if before <= at => {
                // All that was held is done with; go on without copying.
                self.done += at as u64;
                self.held.clear();
                Ok(&piece[at - before..])
            }
            Progress::Needs(at) => {
                self.done += at as u64;
                self.held.drain(..at);
                self.enough = 0;
                Ok(later)
            }
        }
    }

    fn scan_held(&mut self) -> Result<Option<Vec<u8>>, CodecError> {
        let at = match self.scanner.scan(&self.held, self.done, &mut self.sink)? {
            Progress::Ended(at) => {
                self.end_document(at);
                at
            }
            Progress::Needs(at) => {
                self.done += at as u64;
                at
            }
        };
        Ok(Some(self.held.split_off(at)))
    }

    fn end_document(&mut self, at: usize) {
        self.done += at as u64;
        self.stage = Stage::Tail { began: self.head.len() as u64, ended: self.done };
    }

    fn hold<'a>(&mut self, piece: &[u8], limit: usize) -> Result<&'a [u8], CodecError> {
        self.held.extend_from_slice(piece);
        self.check_held(limit)?;
        Ok(&[])
    }

    fn check_held(&self, limit: usize) -> Result<(), CodecError> {
        match limit < self.held.len() {
            true => Err(CodecError::new(self.done + limit as u64, Problem::TooLong(limit as u64))),
            false => Ok(()),
        }
    }
}

/// Reads an answer whose document was not found while it came in, such as one of a server that does not say `<string>`.
fn plain<S: Sink>(body: &[u8], sink: S, longest: u64) -> Result<Reply<S::Output>, CodecError> {
    match reply(Response::parse(body, longest)?)? {
        Reply::Done(Value::Text(document)) => read_plain(&document, sink).map(Reply::Done),
        Reply::Done(other) => Err(CodecError::unexpected(0, "a document", other.kind())),
        Reply::Refused(refusal) => Ok(Reply::Refused(refusal)),
        Reply::Fault(fault) => Ok(Reply::Fault(fault)),
    }
}

fn reply(response: Response) -> Result<Reply<Value>, CodecError> {
    Reply::of(response).map_err(|other| CodecError::unexpected(0, "an answer of OpenNebula", other.kind()))
}

/// Reads a document that is not inside an answer.
pub(super) fn read_plain<S: Sink>(document: &str, mut sink: S) -> Result<S::Output, CodecError> {
    let mut escaped = String::with_capacity(document.len() * 2);
    escape(document, &mut escaped);
    // The end of the string that would hold it.
    escaped.push('<');
    let end = escaped.len() as u64 - 1;
    match Scanner::default().scan(escaped.as_bytes(), 0, &mut sink)? {
        Progress::Ended(_) => sink.finish().map_err(|problem| CodecError::new(end, problem)),
        Progress::Needs(_) => Err(CodecError::new(end, Problem::Truncated)),
    }
}
