//! Lines on a terminal that are written over and over, as one picture.

use console::Term;

use crate::report::printable;

/// A picture on standard output, if that is a terminal.
#[derive(Debug)]
pub(super) struct Board {
    term: Option<Term>,
    lines: Vec<String>,
    /// Columns of the lines on the screen now.
    shown: Vec<usize>,
}

impl Board {
    pub(super) fn new(wanted: bool) -> Self {
        let term = Term::stdout();
        let dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
        let lives = wanted && term.is_term() && !dumb;
        Self { term: lives.then_some(term), lines: Vec::new(), shown: Vec::new() }
    }

    /// Whether there is a terminal to show something on.
    pub(super) fn lives(&self) -> bool {
        self.term.is_some()
    }

    /// Puts these lines in place of those that are there.
    pub(super) fn show(&mut self, lines: Vec<String>) {
        self.lines = lines;
        self.redraw();
    }

    /// Draws the same again, as the terminal is now.
    pub(super) fn redraw(&mut self) {
        self.wipe();
        let Some(term) = &self.term else { return };
        let (height, width) = term.size();
        let lines = cut(&self.lines, height.into(), width.into());
        self.shown = lines.iter().map(|line| line.chars().count()).collect();
        // A terminal that has gone away shows nothing, and nobody is there to be told.
        let _ = term.write_str(&lines.iter().flat_map(|line| [line, "\n"]).collect::<String>());
    }

    /// Takes everything off the screen for good.
    pub(super) fn clear(&mut self) {
        self.wipe();
        self.lines.clear();
    }

    fn wipe(&mut self) {
        let Some(term) = &self.term else { return };
        if self.shown.is_empty() {
            return;
        }
        let width = term.size().1.into();
        let rows = self.shown.iter().map(|columns| rows(*columns, width)).sum();
        // What the terminal shows of a ^C stands below the lines.
        let _ = term.clear_line();
        let _ = term.clear_last_lines(rows);
        self.shown.clear();
    }
}

/// The lines as far as they go into so many rows and columns; the last row is the cursor's.
fn cut(lines: &[String], height: usize, width: usize) -> Vec<String> {
    let room = height.saturating_sub(1);
    let columns = width.saturating_sub(1);
    let fit = |line: &String| printable(line).chars().take(columns).collect::<String>();
    if lines.len() <= room {
        return lines.iter().map(fit).collect();
    }
    let kept = room.saturating_sub(1);
    let mut cut: Vec<String> = lines.iter().take(kept).map(fit).collect();
    let more = format!("... {} more lines, shown at the end", lines.len() - kept);
    cut.extend((room > 0).then(|| fit(&more)));
    cut
}

/// Rows that so many columns take; a terminal that became narrower has wrapped them.
fn rows(columns: usize, width: usize) -> usize {
    columns.div_ceil(width.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_terminal_shows_what_fits_and_says_how_much_does_not() {
        let lines: Vec<String> = ["one", "two\x1b", "three", "four"].map(String::from).into();
        assert_eq!(cut(&lines, 5, 80), ["one", "two\u{fffd}", "three", "four"]);
        assert_eq!(
            cut(&lines, 4, 80),
            ["one", "two\u{fffd}", "... 2 more lines, shown at the end"]
        );
        assert_eq!(cut(&lines, 9, 4), ["one", "two", "thr", "fou"]);
        assert!(cut(&lines, 1, 80).is_empty() && cut(&lines, 0, 0).is_empty());
    }

    #[test]
    fn a_line_wraps_when_the_terminal_becomes_narrower() {
        assert_eq!([rows(0, 80), rows(80, 80), rows(81, 80), rows(79, 20)], [1, 1, 2, 4]);
        assert_eq!(rows(3, 0), 3);
    }
}
