//! A line at the bottom of a terminal that is written over and over, and text above it.

use console::Term;

/// Columns that stay free, so that no terminal wraps, not even when it shows `^C` behind the line.
const FREE: usize = 3;

/// The line on the screen.
#[derive(Debug)]
pub(crate) struct Screen {
    term: Term,
    /// Columns that the line has on the screen now.
    shown: usize,
}

impl Screen {
    pub(crate) fn new(term: Term) -> Self {
        Self { term, shown: 0 }
    }

    /// Columns that a line may have.
    pub(crate) fn width(&self) -> usize {
        room(self.columns())
    }

    fn columns(&self) -> usize {
        self.term.size().1.into()
    }

    /// Puts `line`, which has `columns` columns, in place of the one on the screen.
    pub(crate) fn draw(&mut self, line: &str, columns: usize) {
        self.clear();
        self.shown = columns;
        // A terminal that has gone away shows nothing, and nobody is there to be told.
        let _ = self.term.write_str(line);
    }

    /// Takes the line off the screen.
    pub(crate) fn clear(&mut self) {
        if self.shown == 0 {
            return;
        }
        // A terminal that became narrower has wrapped the line over several rows.
        let above = wrapped(self.shown, self.columns());
        let _ = self.term.clear_line();
        let _ = self.term.clear_last_lines(above);
        self.shown = 0;
    }
}

/// Columns of a line in so many of the terminal.
fn room(columns: usize) -> usize {
    columns.saturating_sub(FREE)
}

/// Rows above the last that `columns` columns take at this width.
fn wrapped(columns: usize, width: usize) -> usize {
    columns.saturating_sub(1) / width.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_wraps_when_the_terminal_becomes_narrower() {
        assert_eq!(wrapped(79, 80), 0);
        assert_eq!(wrapped(80, 80), 0);
        assert_eq!(wrapped(81, 80), 1);
        assert_eq!(wrapped(79, 20), 3);
        assert_eq!(wrapped(0, 0), 0);
    }

    #[test]
    fn an_interrupt_that_is_shown_behind_the_line_does_not_wrap_it() {
        assert!(room(80) + "^C".len() < 80);
        assert_eq!(room(2), 0);
    }
}
