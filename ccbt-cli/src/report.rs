//! The person's view of a download: a line that lives on a terminal, plain lines elsewhere, and at
//! the end who was dropped and why.

mod departures;
mod desk;
mod line;
mod meter;
mod pace;
mod paint;
mod screen;
mod sharing;
mod tally;
pub(crate) mod units;
mod words;

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccbt_peer::policy::{Evidence, Time};
use ccbt_peer::{CloseReason, Event, EventKind, Progress};

pub(crate) use departures::{Departures, list};
use desk::Desk;
pub(crate) use meter::Meter;
use pace::Pace;
use paint::Paint;
pub(crate) use paint::printable;
pub(crate) use sharing::Sharing;
use sharing::SharingPace;
pub(crate) use words::by_its_option;
use words::{stamp, trouble, words};

/// The rule that closes connections between two complete peers.
const REDUNDANT: &str = "redundant";

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Errors only; others print these.
    Quiet,
    /// Progress, and the end.
    Normal,
    /// Also peers as they come and go, and what sources say.
    Verbose,
}

impl Detail {
    /// For commands that have `--quiet` alone.
    pub(crate) fn unless(quiet: bool) -> Self {
        if quiet { Self::Quiet } else { Self::Normal }
    }
}

/// Where the words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    /// Standard error, because standard output gets one answer at the end.
    BesideAnswer,
    /// Standard error, because standard output gets the events. They may come to the same terminal in the
    /// end, and would be written into a line that lives.
    BesideEvents,
}

/// What the living line shows.
#[derive(Clone, Copy, Debug)]
enum Latest {
    /// Of the metadata: bytes that are here, of how many, and peers that have it.
    Metadata(u32, u32, u32),
    Download(Progress),
    Sharing(Sharing),
}

impl Latest {
    fn line(&self, width: usize, paint: Paint) -> String {
        match self {
            Self::Metadata(have, size, peers) => {
                line::metadata(*have, *size, *peers).chars().take(width).collect()
            }
            Self::Download(now) => line::line(now, width, paint),
            Self::Sharing(now) => now.line(width, paint),
        }
    }
}

/// Tells a person what happens. Output that nobody takes any more is no error.
#[derive(Debug)]
pub(crate) struct Report {
    desk: Arc<Mutex<Desk>>,
    /// Its place at the desk.
    seat: usize,
    /// Its torrent, where there are several.
    name: Option<String>,
    /// Who is closed from now on is closed because there is nothing left to do.
    finished: bool,
    pace: Pace,
    /// Set while nothing is downloaded, and all is given.
    sharing: Option<SharingPace>,
}

impl Report {
    /// A report on a stream. On a terminal of its own one line of it lives.
    pub(crate) fn new(stream: Stream, detail: Detail) -> Self {
        Self::at(Arc::new(Mutex::new(Desk::new(stream, detail))), None)
    }

    /// The report of one of several torrents; all of them share the line that lives.
    pub(crate) fn of_torrent(&self, name: String) -> Self {
        Self::at(Arc::clone(&self.desk), Some(name))
    }

    fn at(desk: Arc<Mutex<Desk>>, name: Option<String>) -> Self {
        let seat = lock(&desk).seat();
        let pace = Pace::new(&Progress::default());
        Self { desk, seat, name, finished: false, pace, sharing: None }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }

    /// A line that stays.
    pub(crate) fn say(&mut self, text: &str) {
        self.desk().say(text);
    }

    /// The same about the torrent, which is named if there are several.
    pub(crate) fn tell(&mut self, text: &str) {
        let name = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        self.say(&format!("{name}{text}"));
    }

    /// An error, for standard error.
    pub(crate) fn complain(&mut self, text: &str) {
        self.desk().complain(text);
    }

    /// The same, once.
    pub(crate) fn warn(&mut self, text: &str) {
        let mut desk = self.desk();
        if desk.is_new(text) {
            desk.complain(text);
        }
    }

    /// An error about the torrent, unless it names that itself.
    pub(crate) fn accuse(&mut self, text: &str) {
        match &self.name {
            Some(name) if !words::names(text, name) => {
                let text = format!("{name}: {text}");
                self.complain(&text);
            }
            _ => self.complain(text),
        }
    }

    /// It is known now what the torrent calls itself.
    pub(crate) fn rename(&mut self, name: &str) {
        if let Some(known) = &mut self.name {
            name.clone_into(known);
        }
    }

    /// A line for those who want to know everything.
    pub(crate) fn note(&mut self, text: &str) {
        if self.desk().detail == Detail::Verbose {
            self.say(text);
        }
    }

    /// A line that stays, the first time: several torrents may have the same to say.
    pub(crate) fn once(&mut self, text: &str) {
        let is_new = self.desk().is_new(text);
        if is_new {
            self.say(text);
        }
    }

    /// Takes what it has on the living line off the screen for good.
    pub(crate) fn clear(&mut self) {
        let mut desk = self.desk();
        desk.set(self.seat, None);
        desk.hide();
        desk.draw();
    }

    /// Takes the living line of all torrents off the screen for good.
    pub(crate) fn clear_all(&mut self) {
        self.desk().clear();
    }

    /// Takes the living line off the screen until it is drawn again.
    pub(crate) fn hide(&mut self) {
        self.desk().hide();
    }

    /// One of several torrents has ended: what it has on the living line moves no more.
    pub(crate) fn end(&mut self) {
        let mut desk = self.desk();
        desk.end(self.seat);
        desk.draw();
    }

    /// Whether everything that is wanted was verified.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The download begins here.
    pub(crate) fn begin(&mut self, verified: u64, total: u64) {
        self.clear();
        let mut now = Progress::default();
        (now.verified, now.total) = (verified, total);
        self.pace = Pace::new(&now);
        self.show(Latest::Download(now));
    }

    /// Draws the living line again, in the width that the terminal has now.
    pub(crate) fn draw(&mut self) {
        self.desk().draw();
    }

    fn show(&mut self, latest: Latest) {
        let mut desk = self.desk();
        desk.set(self.seat, Some(latest));
        desk.draw();
    }

    fn is_alive(&self) -> bool {
        self.desk().screen.is_some()
    }

    /// Tells about an event what belongs to the level of detail, and keeps count of the dropped. The
    /// torrent is named where there are several.
    pub(crate) fn event(&mut self, torrent: Option<&str>, event: &Event) {
        self.count(torrent, &event.kind);
        match &event.kind {
            // Whoever shares tells of the sum.
            EventKind::Progress(_) if self.sharing.is_some() => {}
            // It told before where it listens, for all torrents.
            EventKind::Started { .. } if self.sharing.is_some() => {}
            // There is nothing to be measured yet.
            EventKind::Progress(now) if now.pieces == 0 => {}
            EventKind::MetadataProgress { have, size, peers } => {
                self.metadata(*have, *size, *peers);
            }
            EventKind::Progress(now) => self.progress(event.at, now),
            EventKind::PeerClosed { peer, reason, connected, .. } => {
                if !self.finished && reason.is_of_the_peer() && !self.is_served(reason) {
                    self.desk().tally.add(*peer, reason, *connected);
                }
                self.told(torrent, event);
            }
            EventKind::Finished => self.finished = true,
            _ => self.told(torrent, event),
        }
    }

    /// How far the download is: on the line that lives, or in a line now and then.
    fn progress(&mut self, at: Time, now: &Progress) {
        self.show(Latest::Download(*now));
        if self.is_alive() || !self.desk().speaks(self.seat) {
            return;
        }
        let sum = self.desk().sum();
        if let Some(Latest::Download(sum)) = sum
            && self.pace.due(at, &sum)
        {
            self.say(&line::plain(&sum));
        }
    }

    /// How far the metadata is: on the line that lives, or in a line when it is here.
    fn metadata(&mut self, have: u32, size: u32, peers: u32) {
        self.show(Latest::Metadata(have, size, peers));
        if !self.is_alive() && size > 0 && have == size {
            self.tell(&line::metadata(have, size, peers));
        }
    }

    /// Keeps count of who has gone. Who goes behind the end of a download goes because of that.
    fn count(&mut self, torrent: Option<&str>, kind: &EventKind) {
        match kind {
            _ if self.finished && self.sharing.is_none() => {}
            EventKind::PeerClosed { reason, .. } => self.desk().gone.add(reason),
            EventKind::Progress(now) => self.desk().gone.blocked(torrent, now.blocked),
            EventKind::EvictShadow { reason, .. } => self.desk().spared.count(reason),
            _ => {}
        }
    }

    /// A peer that leaves a seed because it is complete has got what it came for.
    fn is_served(&self, reason: &CloseReason) -> bool {
        let redundant = |evidence: &Evidence| evidence.policy == REDUNDANT;
        self.sharing.is_some() && reason.evidence().is_some_and(redundant)
    }

    /// At the end: who was dropped and why, and how many have gone for all reasons there are.
    pub(crate) fn dropped(&mut self) {
        let desk = self.desk();
        let gone = desk.gone.line("gone");
        let spared = desk.spared.line("would have been dropped");
        let dropped = desk.tally.lines();
        drop(desk);
        for text in dropped.into_iter().chain(gone).chain(spared) {
            self.say(&text);
        }
    }

    fn told(&mut self, torrent: Option<&str>, event: &Event) {
        let is_verbose = self.desk().detail == Detail::Verbose;
        if is_verbose && let Some(text) = words(&event.kind) {
            let torrent = torrent.map(|name| format!("{name}: ")).unwrap_or_default();
            self.say(&format!("{:>9}  {torrent}{text}", stamp(event.at)));
        } else if let Some(text) = trouble(&event.kind) {
            self.once(&text);
        }
    }
}

/// What one who panicked has written is as good as before.
fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a line may live on the terminal of this stream, which is of the kind that `TERM` names.
fn lives(stream: Stream, detail: Detail, kind: &OsStr) -> bool {
    detail > Detail::Quiet && stream != Stream::BesideEvents && kind != "dumb"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_lives_beside_events_in_silence_or_on_a_dumb_terminal() {
        let lives = |stream, detail, kind: &str| lives(stream, detail, kind.as_ref());
        assert!(lives(Stream::Stdout, Detail::Normal, "xterm"));
        assert!(lives(Stream::BesideAnswer, Detail::Verbose, ""));
        assert!(!lives(Stream::BesideEvents, Detail::Verbose, "xterm"));
        assert!(!lives(Stream::Stdout, Detail::Quiet, "xterm"));
        assert!(!lives(Stream::Stdout, Detail::Normal, "dumb"));
    }
}
