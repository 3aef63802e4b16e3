//! The scan over the escaped document, a piece at a time.

mod content;
mod leaf;
mod marks;
mod markup;

use super::sink::Sink;
use crate::rpc::{CodecError, Problem};

use self::{
    content::{Content, Piece},
    leaf::{Leaf, leaf_at},
    marks::Marks,
    markup::{Markup, Tag, closes, markup},
};

/// How deep elements may be nested.
const DEEPEST: usize = 64;

/// How far a scan came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// So many bytes are done with; what follows is the beginning of something.
    Needs(usize),
    /// The string of the answer ended after so many bytes.
    Ended(usize),
}

/// Why a scan stops.
#[derive(Debug)]
pub(super) enum Stop {
    /// More bytes are needed to tell.
    More,
    /// Something is wrong at this place of the piece.
    Wrong(usize, Problem),
}

/// Remembers where in the document the scan is.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// The names of the elements around the place, one after the other.
    names: Vec<u8>,
    /// Where each name begins.
    starts: Vec<usize>,
    /// The number of elements around the one that is passed over, if one is.
    skipping: Option<usize>,
    /// Whether the outermost element has ended.
    complete: bool,
    content: Content,
    marks: Marks,
}

impl Scanner {
    /// Scans a piece of the answer, which begins at byte `base` of it.
    pub(super) fn scan<S: Sink>(
        &mut self,
        piece: &[u8],
        base: u64,
        sink: &mut S,
    ) -> Result<Progress, CodecError> {
        let mut at = 0;
        self.marks.set(piece);
        loop {
            // Most of every document.
            if !self.starts.is_empty() {
                at = self.leaves(piece, at, base, sink)?;
            }
            match self.step(piece, at, sink) {
                Ok(Some(next)) => at = next,
                Ok(None) => return Ok(Progress::Ended(at)),
                Err(Stop::More) => return Ok(Progress::Needs(at)),
                Err(Stop::Wrong(place, problem)) => {
                    return Err(CodecError::new(base + place as u64, problem));
                }
            }
        }
    }

    /// Reads the leaves that begin at a place one after the other, and returns where the last one ends.
    #[inline]
    fn leaves<S: Sink>(
        &mut self,
        piece: &[u8],
        from: usize,
        base: u64,
        sink: &mut S,
    ) -> Result<usize, CodecError> {
        let mut at = from;
        if self.skipping.is_some() {
            while let Some(leaf) = leaf_at(piece, &self.marks, at) {
                at = leaf.end;
            }
            return Ok(at);
        }
        while let Some(leaf) = leaf_at(piece, &self.marks, at) {
            if sink.wants(leaf.name) {
                self.wanted(piece, &leaf, sink).map_err(|stop| match stop {
                    Stop::Wrong(place, problem) => CodecError::new(base + place as u64, problem),
                    Stop::More => CodecError::new(base + at as u64, Problem::Truncated),
                })?;
            }
            at = leaf.end;
        }
        Ok(at)
    }

    fn wanted<S: Sink>(&mut self, piece: &[u8], leaf: &Leaf<'_>, sink: &mut S) -> Result<(), Stop> {
        let (place, text) = self.content.simple(piece, leaf.text.clone(), leaf.is_raw)?;
        sink.leaf(leaf.name, text).map_err(|problem| Stop::Wrong(place, problem))?;
        self.content.clear();
        Ok(())
    }

    /// Does what is next, and returns where that ends; nothing at the end of the string.
    #[inline]
    fn step<S: Sink>(&mut self, piece: &[u8], at: usize, sink: &mut S) -> Result<Option<usize>, Stop> {
        match markup(piece, at)? {
            Markup::Open(tag) if !self.complete => self.open(piece, at, tag, sink).map(Some),
            Markup::Close => self.close(piece, at, sink).map(Some),
            Markup::CData { end, .. } | Markup::Aside { end } if !self.starts.is_empty() => Ok(Some(end)),
            Markup::Aside { end } => Ok(Some(end)),
            Markup::Text { end, blank } if blank || !self.starts.is_empty() => Ok(Some(end)),
            Markup::Text { .. } | Markup::CData { .. } | Markup::Open(_) => Err(Stop::Wrong(
                at,
                Problem::Malformed("there is something beside the outermost element".into()),
            )),
            Markup::EndOfString if self.complete => Ok(None),
            Markup::EndOfString => Err(Stop::Wrong(at, Problem::Truncated)),
        }
    }

    #[inline]
    fn open<S: Sink>(&mut self, piece: &[u8], at: usize, tag: Tag, sink: &mut S) -> Result<usize, Stop> {
        let name = &piece[tag.name.clone()];
        if tag.is_empty {
            return self.leaf(name, piece, sink).map(|()| tag.end);
        }
        match self.content.read(piece, tag.end)? {
            Piece::Leaf { end } => {
                let end = closes(piece, end, name)?;
                self.leaf(name, piece, sink)?;
                Ok(end)
            }
            Piece::Container { end } => {
                if DEEPEST <= self.starts.len() {
                    return Err(Stop::Wrong(at, Problem::TooDeep(DEEPEST)));
                }
                if self.skipping.is_none() && !sink.enter(name) {
                    self.skipping = Some(self.starts.len());
                }
                self.starts.push(self.names.len());
                self.names.extend_from_slice(name);
                Ok(end)
            }
        }
    }

    #[inline]
    fn leaf<S: Sink>(&mut self, name: &[u8], piece: &[u8], sink: &mut S) -> Result<(), Stop> {
        if self.skipping.is_none() && sink.wants(name) {
            let (place, text) = self.content.text(piece)?;
            sink.leaf(name, text).map_err(|problem| Stop::Wrong(place, problem))?;
        }
        self.content.clear();
        self.complete = self.starts.is_empty();
        Ok(())
    }

    #[inline]
    fn close<S: Sink>(&mut self, piece: &[u8], at: usize, sink: &mut S) -> Result<usize, Stop> {
        let Some(start) = self.starts.last().copied() else {
            return Err(Stop::Wrong(at, Problem::Malformed("an element ends that has not begun".into())));
        };
        let end = closes(piece, at, &self.names[start..])?;
        self.starts.pop();
        self.names.truncate(start);
        match self.skipping {
            None => sink.leave(),
            Some(depth) if depth == self.starts.len() => self.skipping = None,
            Some(_) => {}
        }
        self.complete = self.starts.is_empty();
        Ok(end)
    }
}
