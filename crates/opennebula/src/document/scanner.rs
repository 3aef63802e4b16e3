//! The scan over the escaped document, a piece at a time.

mod content;
mod glance;
mod marks;
mod markup;
mod view;

use super::sink::Sink;
use crate::rpc::{CodecError, Problem};

use self::{
    content::{Content, Piece, utf8},
    glance::{Glance, Leaf, glance},
    markup::{Markup, Tag, closes, markup},
    view::{Place, View},
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

/// Scans a document, and remembers where in it the scan is.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    view: View,
    state: State,
}

impl Stop {
    /// Makes a place of a part of the piece, which begins here, one of the piece.
    fn behind(self, begin: usize) -> Self {
        match self {
            Self::More => Self::More,
            Self::Wrong(place, problem) => Self::Wrong(begin + place, problem),
        }
    }
}

/// Remembers where in the document a scan is.
#[derive(Debug, Default)]
struct State {
    /// The names of the elements around the place, one after the other.
    names: Vec<u8>,
    /// Where each name begins.
    starts: Vec<usize>,
    /// The number of elements around the one that is passed over, if one is.
    skipping: Option<usize>,
    /// Whether the outermost element has ended.
    complete: bool,
    content: Content,
}

impl Scanner {
    /// Makes a scanner that uses only what every processor has.
    pub(super) fn portable() -> Self {
        Self { view: View::portable(), state: State::default() }
    }

    /// Scans a piece of the answer, which begins at byte `base` of it.
    pub(super) fn scan<S: Sink>(
        &mut self,
        piece: &[u8],
        base: u64,
        sink: &mut S,
    ) -> Result<Progress, CodecError> {
        if piece.is_empty() {
            // There would be nothing to look at but what another piece left.
            return Ok(Progress::Needs(0));
        }
        let mut at = 0;
        self.view.clear();
        loop {
            let next = match self.state.is_inside() {
                true => {
                    let place = self.view.look(piece, at);
                    self.state.usual(place, sink).and_then(|next| {
                        at = place.begin + next;
                        self.state.step(piece, at, sink)
                    })
                }
                false => self.state.step(piece, at, sink),
            };
            match next {
                Ok(Some(next)) => at = next,
                Ok(None) => return Ok(Progress::Ended(at)),
                Err(Stop::More) => return Ok(Progress::Needs(at)),
                Err(Stop::Wrong(place, problem)) => {
                    return Err(CodecError::new(base + place as u64, problem));
                }
            }
        }
    }
}

impl State {
    /// Returns whether an element is around the place.
    #[inline]
    fn is_inside(&self) -> bool {
        !self.starts.is_empty()
    }

    /// Reads the elements from a place on as long as they are usual, which most of every document is, and returns where the
    /// last one ends.
    #[inline(never)]
    fn usual<S: Sink>(&mut self, place: Place<'_>, sink: &mut S) -> Result<usize, Stop> {
        let Place { window, marks, begin, mut at } = place;
        while self.is_inside()
            && let Some(found) = glance(window, marks, at)
        {
            at = match found {
                Glance::Leaf(leaf) => {
                    if self.skipping.is_none() && sink.wants(leaf.name) {
                        self.wanted(window, &leaf, sink).map_err(|stop| stop.behind(begin))?;
                    }
                    leaf.end
                }
                Glance::Open { name, end } if self.starts.len() < DEEPEST => {
                    self.enter(name, sink);
                    end
                }
                Glance::Close { name, end } if self.innermost() == name => {
                    self.leave(sink);
                    end
                }
                Glance::Open { .. } | Glance::Close { .. } => break,
            };
        }
        Ok(at)
    }

    #[inline(never)]
    fn wanted<S: Sink>(&mut self, window: &[u8], leaf: &Leaf<'_>, sink: &mut S) -> Result<(), Stop> {
        let place = leaf.text.start;
        let text = match leaf.has_references {
            false => utf8(window, leaf.text.clone())?,
            true => self.content.raw(window, leaf.text.clone())?,
        };
        sink.leaf(leaf.name, text).map_err(|problem| Stop::Wrong(place, problem))
    }

    /// Does what is next, and returns where that ends; nothing at the end of the string.
    #[inline]
    fn step<S: Sink>(&mut self, piece: &[u8], at: usize, sink: &mut S) -> Result<Option<usize>, Stop> {
        match markup(piece, at)? {
            Markup::Open(tag) if !self.complete => self.open(piece, at, tag, sink).map(Some),
            Markup::Close => self.close(piece, at, sink).map(Some),
            Markup::CData { end, .. } | Markup::Aside { end } if self.is_inside() => Ok(Some(end)),
            Markup::Aside { end } => Ok(Some(end)),
            Markup::Text { end, blank } if blank || self.is_inside() => Ok(Some(end)),
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
            self.content.clear();
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
                self.enter(name, sink);
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
        self.complete = !self.is_inside();
        Ok(())
    }

    #[inline]
    fn close<S: Sink>(&mut self, piece: &[u8], at: usize, sink: &mut S) -> Result<usize, Stop> {
        if !self.is_inside() {
            return Err(Stop::Wrong(at, Problem::Malformed("an element ends that has not begun".into())));
        }
        let end = closes(piece, at, self.innermost())?;
        self.leave(sink);
        Ok(end)
    }

    /// Returns the name of the innermost element around the place.
    #[inline]
    fn innermost(&self) -> &[u8] {
        self.starts.last().map_or(&[], |start| &self.names[*start..])
    }

    #[inline]
    fn enter<S: Sink>(&mut self, name: &[u8], sink: &mut S) {
        if self.skipping.is_none() && !sink.enter(name) {
            self.skipping = Some(self.starts.len());
        }
        self.starts.push(self.names.len());
        self.names.extend_from_slice(name);
    }

    #[inline]
    fn leave<S: Sink>(&mut self, sink: &mut S) {
        if let Some(start) = self.starts.pop() {
            self.names.truncate(start);
        }
        match self.skipping {
            None => sink.leave(),
            Some(depth) if depth == self.starts.len() => self.skipping = None,
            Some(_) => {}
        }
        self.complete = !self.is_inside();
    }
}
