//! Answers to standard output, the same on every system.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;

use crate::exit::{Exit, Failure};

/// Lines of text, ended by one.
///
/// # Errors
/// Standard output cannot be written; a reader that has gone away is no error.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    written(io::stdout().lock().write_all(text.as_bytes()))
}

/// One JSON object on a line.
///
/// # Errors
/// As [`text`].
pub(crate) fn json(answer: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(answer).map_err(Failure::of(Exit::Failed, "json"))?;
    text(&(line + "\n"))
}

/// A path of a torrent, the same on every system: with `/` between names.
pub(crate) fn slashed(path: &Path) -> String {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, format_args!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
