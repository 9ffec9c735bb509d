//! The machine's view of a download: one JSON object a line. `docs/events.md` is its contract.

mod line;
pub(crate) use line::{canonical, cause};

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use ccbt_peer::Event;

use crate::exit::{Exit, Failure};
use line::Line;

/// Writes events as they happen, each line complete before the next begins.
pub(crate) struct EventLog {
    out: Option<Box<dyn Write + Send>>,
    pieces: u32,
}

impl EventLog {
    /// A log to a file, to standard output for `-`, or to nowhere.
    ///
    /// # Errors
    /// The file cannot be created.
    pub(crate) fn open(path: Option<&Path>, pieces: u32) -> Result<Self, Failure> {
        let out: Option<Box<dyn Write + Send>> = match path {
            None => None,
            Some(path) if is_stdout(path) => Some(Box::new(io::stdout())),
            Some(path) => {
                let file =
                    File::create(path).map_err(Failure::of(Exit::Refused, path.display()))?;
                Some(Box::new(file))
            }
        };
        Ok(Self { out, pieces })
    }

    /// Writes one event. A reader that has gone away ends the log, and nothing else.
    ///
    /// # Errors
    /// The first time that writing fails for another reason; the log has ended then, too.
    pub(crate) fn write(&mut self, event: &Event) -> io::Result<()> {
        let (Some(out), Some(line)) = (&mut self.out, Line::new(event, self.pieces)) else {
            return Ok(());
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let written = out.write_all(&text).and_then(|()| out.flush());
        if written.is_err() {
            self.out = None;
        }
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether the events take standard output, so that the words for the person must go elsewhere.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use ccbt_peer::EventKind;
    use ccbt_peer::policy::Time;

    use super::*;

    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>, Option<io::ErrorKind>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.1 {
                Some(kind) => Err(kind.into()),
                None => self.0.lock().unwrap().write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(pipe: &Pipe) -> EventLog {
        EventLog { out: Some(Box::new(pipe.clone())), pieces: 4 }
    }

    fn finished() -> Event {
        Event { at: Time::from_millis(1_234), kind: EventKind::Finished }
    }

    #[test]
    fn each_event_is_a_line() {
        let pipe = Pipe::default();
        let mut log = log(&pipe);
        log.write(&finished()).unwrap();
        log.write(&finished()).unwrap();
        let line = "{\"time_ms\":1234,\"event\":\"finished\"}\n";
        assert_eq!(*pipe.0.lock().unwrap(), line.repeat(2).into_bytes());
    }

    #[test]
    fn a_reader_that_left_ends_the_log_quietly() {
        let mut log = log(&Pipe(Arc::default(), Some(io::ErrorKind::BrokenPipe)));
        assert!(log.write(&finished()).is_ok());
        assert!(log.out.is_none());
    }

    #[test]
    fn a_full_disk_is_told_once() {
        let mut log = log(&Pipe(Arc::default(), Some(io::ErrorKind::StorageFull)));
        assert!(log.write(&finished()).is_err());
        assert!(log.write(&finished()).is_ok());
    }
}
