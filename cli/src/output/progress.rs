//! Where bars and spinners are drawn: on standard error, a little narrower than the terminal.

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};
use std::io;

/// Columns that stay free: a bar fills its line, and the `^C` that a terminal writes behind it would begin another line,
/// which is then wiped out in the place of the bar.
const FREE: u16 = 5;
/// Times a second.
const REFRESHED: u8 = 20;

pub fn target() -> ProgressDrawTarget {
    match ProgressDrawTarget::stderr().is_hidden() {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::term_like_with_hz(Box::new(Narrow(Term::buffered_stderr())), REFRESHED),
    }
}

#[derive(Debug)]
struct Narrow(Term);

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(FREE).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
