//! The terminal: taken for a while, and given back as it was.

use std::io::{self, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;
use vmpool_api::exit;

use crate::failure::Failure;

/// Another screen, without a cursor; and back.
const TAKE: &str = "\u{1b}[?1049h\u{1b}[?25l";
const GIVE_BACK: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// What somebody wants who presses a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Up,
    Down,
    Pause,
    Open,
    Back,
    Other,
}

/// A terminal that is ours; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    before: Termios,
    keys: mpsc::UnboundedReceiver<Key>,
}

impl Screen {
    /// Takes the terminal: keys come at once and are not shown. Ctrl-c is a signal as ever.
    pub(super) fn take() -> Result<Self, Failure> {
        let failed = |err: rustix::io::Errno| {
            Failure::new(exit::FAILURE, format!("failed to take the terminal: {err}"))
                .with_hint("`vmpool top | cat` prints once")
        };
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        let screen = Self { before, keys: keys() };
        write(TAKE)?;
        Ok(screen)
    }

    /// Draws what fits.
    pub(super) fn draw(&self, lines: impl FnOnce(usize, usize) -> Vec<String>) -> Result<(), Failure> {
        let (width, height) = tcgetwinsize(io::stdout())
            .map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        let (width, height) = if width == 0 || height == 0 { (80, 24) } else { (width, height) };
        let drawn: Vec<String> =
            lines(width, height).into_iter().take(height).map(|line| format!("{line}\u{1b}[K")).collect();
        write(&format!("\u{1b}[H{}\u{1b}[J", drawn.join("\r\n")))
    }

    /// Waits for a key; for ever if there are no more.
    ///
    /// Cancel safe.
    pub(super) async fn key(&mut self) -> Key {
        match self.keys.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Whoever took the terminal away needs neither.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
        let _ = write(GIVE_BACK);
    }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::from_output)
}

/// Reads keys on a thread of its own, which ends with the process.
fn keys() -> mpsc::UnboundedReceiver<Key> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 16];
        while let Ok(count) = io::stdin().lock().read(&mut bytes) {
            let is_over = count == 0 || sender.send(key(bytes.get(..count).unwrap_or_default())).is_err();
            if is_over {
                break;
            }
        }
    });
    receiver
}

/// Says what a key means, as terminals send it.
fn key(bytes: &[u8]) -> Key {
    match bytes {
        b"q" | b"Q" => Key::Quit,
        b"\x1b[A" | b"\x1bOA" | b"k" => Key::Up,
        b"\x1b[B" | b"\x1bOB" | b"j" => Key::Down,
        b"p" | b" " => Key::Pause,
        b"\n" | b"\r" | b"\x1b[C" | b"\x1bOC" => Key::Open,
        b"\x1b" | b"\x7f" | b"\x1b[D" | b"\x1bOD" => Key::Back,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_terminals_and_of_who_knows_vi() {
        let pressed = [&b"q"[..], b"\x1b[A", b"j", b" ", b"\r", b"\x1b", b"x"];
        let wanted = [Key::Quit, Key::Up, Key::Down, Key::Pause, Key::Open, Key::Back, Key::Other];
        assert_eq!(pressed.map(key), wanted);
    }
}
