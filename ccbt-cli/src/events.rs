//! The machine's view of a download: one JSON object a line. `docs/events.md` is its contract.

mod line;
pub(crate) use line::{canonical, cause, direction_name, source_name};

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ccbt_peer::Event;
use ccbt_peer::wire::{InfoHash, Metainfo};

use crate::exit::{Exit, Failure};
use line::Line;

/// The torrent that an event is about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) pieces: u32,
    /// Told where there can be others.
    pub(crate) info_hash: Option<InfoHash>,
    /// Told where there are others.
    pub(crate) name: Option<String>,
}

impl About {
    /// The only torrent of this run.
    pub(crate) fn only(metainfo: &Metainfo) -> Self {
        Self { pieces: metainfo.piece_count(), info_hash: None, name: None }
    }

    /// The only torrent of this run, of which nothing is known yet.
    pub(crate) fn unknown() -> Self {
        Self { pieces: 0, info_hash: None, name: None }
    }

    /// One of several torrents, of which no more is known than its link says.
    pub(crate) fn link(info_hash: Option<InfoHash>, title: String) -> Self {
        Self { pieces: 0, info_hash, name: Some(title) }
    }

    /// It is known now what the link leads to.
    pub(crate) fn learn(&mut self, metainfo: &Metainfo) {
        self.pieces = metainfo.piece_count();
        if let Some(name) = &mut self.name {
            metainfo.name().clone_into(name);
        }
    }

    /// One of so many torrents.
    pub(crate) fn one_of(torrents: usize, metainfo: &Metainfo) -> Self {
        Self {
            pieces: metainfo.piece_count(),
            info_hash: Some(metainfo.info_hash()),
            name: (torrents > 1).then(|| metainfo.name().to_owned()),
        }
    }
}

/// Writes events as they happen, each line complete before the next begins. Clones write to the same place.
#[derive(Clone)]
pub(crate) struct EventLog {
    out: Arc<Mutex<Option<Out>>>,
}

type Out = Box<dyn Write + Send>;

impl EventLog {
    /// A log to a file, to standard output for `-`, or to nowhere.
    ///
    /// # Errors
    /// The file cannot be created.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let out: Option<Out> = match path {
            None => None,
            Some(path) if is_stdout(path) => Some(Box::new(io::stdout())),
            Some(path) => {
                let file =
                    File::create(path).map_err(Failure::of(Exit::Refused, path.display()))?;
                Some(Box::new(file))
            }
        };
        Ok(Self { out: Arc::new(Mutex::new(out)) })
    }

    /// Writes one event. A reader that has gone away ends the log, and nothing else.
    ///
    /// # Errors
    /// The first time that writing fails for another reason; the log has ended then, too.
    pub(crate) fn write(&mut self, about: &About, event: &Event) -> io::Result<()> {
        let mut log = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(out), Some(line)) = (&mut *log, Line::new(about, event)) else {
            return Ok(());
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let written = out.write_all(&text).and_then(|()| out.flush());
        if written.is_err() {
            *log = None;
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

    const ABOUT: About = About { pieces: 4, info_hash: None, name: None };

    fn log(pipe: &Pipe) -> EventLog {
        EventLog { out: Arc::new(Mutex::new(Some(Box::new(pipe.clone())))) }
    }

    fn finished() -> Event {
        Event { at: Time::from_millis(1_234), kind: EventKind::Finished }
    }

    #[test]
    fn each_event_is_a_line() {
        let pipe = Pipe::default();
        let mut log = log(&pipe);
        log.write(&ABOUT, &finished()).unwrap();
        log.write(&ABOUT, &finished()).unwrap();
        let line = "{\"time_ms\":1234,\"event\":\"finished\"}\n";
        assert_eq!(*pipe.0.lock().unwrap(), line.repeat(2).into_bytes());
    }

    #[test]
    fn a_reader_that_left_ends_the_log_quietly() {
        let mut log = log(&Pipe(Arc::default(), Some(io::ErrorKind::BrokenPipe)));
        assert!(log.write(&ABOUT, &finished()).is_ok());
        assert!(log.out.lock().unwrap().is_none());
    }

    #[test]
    fn a_full_disk_is_told_once() {
        let mut log = log(&Pipe(Arc::default(), Some(io::ErrorKind::StorageFull)));
        assert!(log.write(&ABOUT, &finished()).is_err());
        assert!(log.write(&ABOUT, &finished()).is_ok());
    }
}
