//! A look at a part of a piece, with what means something in it marked.

use super::marks::Marks;

/// How much is looked at together: little enough to stay next to the processor while it is read.
///
/// That it is always as much makes most checks of places cheap.
pub(super) const WINDOW: usize = 32 << 10;

/// What is looked at.
pub(super) type Window = [u8; WINDOW];

/// How much of a window may be left at its end; it is looked at again in the next one.
const REST: usize = 1 << 10;

/// What follows the end of a piece in its last window: a text that is no name, no tag, no end of anything.
const BEHIND: [u8; 64] = [b'/'; 64];

/// Looks at a piece, one window after the other.
#[derive(Debug)]
pub(super) struct View {
    /// Where the window begins in the piece, and how much of the piece it has.
    begin: usize,
    length: usize,
    marks: Marks,
    /// The last window of a piece, which would reach beyond it.
    last: Box<Window>,
}

/// A place in a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) window: &'a Window,
    pub(super) marks: &'a Marks,
    /// Where the window begins in the piece.
    pub(super) begin: usize,
    /// The place in the window.
    pub(super) at: usize,
}

impl Default for View {
    fn default() -> Self {
        Self { begin: 0, length: 0, marks: Marks::default(), last: Box::new([0; WINDOW]) }
    }
}

impl View {
    /// Makes a view that uses only what every processor has.
    pub(super) fn portable() -> Self {
        Self { marks: Marks::portable(), ..Self::default() }
    }

    /// Forgets the piece.
    pub(super) fn clear(&mut self) {
        self.begin = 0;
        self.length = 0;
    }

    /// Looks at a place of the piece.
    #[inline]
    pub(super) fn look<'a>(&'a mut self, piece: &'a [u8], at: usize) -> Place<'a> {
        let end = self.begin + self.length;
        if end < piece.len().min(at + REST) {
            self.shift(piece, at);
        }
        let window = piece[self.begin..].first_chunk().unwrap_or(&self.last);
        Place { window, marks: &self.marks, begin: self.begin, at: at - self.begin }
    }

    fn shift(&mut self, piece: &[u8], begin: usize) {
        let rest = &piece[begin..];
        self.begin = begin;
        self.length = rest.len().min(WINDOW);
        let window = match rest.first_chunk() {
            Some(window) => window,
            None => {
                let (now, later) = self.last.split_at_mut(rest.len());
                now.copy_from_slice(rest);
                let behind = later.len().min(BEHIND.len());
                later[..behind].copy_from_slice(&BEHIND[..behind]);
                &*self.last
            }
        };
        self.marks.set(window, self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_piece_is_seen_with_its_marks() {
        for length in [0, 1, 63, 1000, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW + 77] {
            let piece: Vec<u8> = (0..length).map(|at| if at % 7 == 0 { b'&' } else { b'x' }).collect();
            let mut view = View::default();
            for at in (0..length).step_by(5) {
                let place = view.look(&piece, at);
                assert_eq!(place.begin + place.at, at);
                assert_eq!(place.window[place.at], piece[at], "{at} of {length}");
                let next = at.next_multiple_of(7);
                let seen = place.marks.next(place.at).map(|next| place.begin + next);
                assert_eq!(seen, Some(next).filter(|next| *next < length), "{at} of {length}");
            }
        }
    }

    #[test]
    fn nothing_of_another_piece_is_seen_behind_the_end() {
        let mut view = View::default();
        view.look(&[b'<'; 1000], 0);
        view.clear();
        let place = view.look(b"&lt;", 0);
        assert_eq!(place.window[4..68], BEHIND);
        assert_eq!(place.marks.next(1), None);
    }
}
