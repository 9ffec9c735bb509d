//! The person's view of a download: a line that lives on a terminal, plain lines elsewhere, and at
//! the end who was dropped and why.

mod departures;
mod line;
mod meter;
mod pace;
mod paint;
mod screen;
mod sharing;
mod tally;
pub(crate) mod units;
mod words;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Write};

use ccbt_peer::policy::Evidence;
use ccbt_peer::{Event, EventKind, Progress};
use console::Term;

use crate::events::cause;
pub(crate) use departures::{Departures, list};
pub(crate) use meter::Meter;
use pace::Pace;
use paint::Paint;
pub(crate) use paint::printable;
use screen::Screen;
pub(crate) use sharing::Sharing;
use sharing::SharingPace;
use tally::Tally;
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
    stream: Stream,
    detail: Detail,
    screen: Option<Screen>,
    paint: Paint,
    latest: Option<Latest>,
    /// Who is closed from now on is closed because there is nothing left to do.
    finished: bool,
    pace: Pace,
    /// Set while nothing is downloaded, and all is given.
    sharing: Option<SharingPace>,
    tally: Tally,
    gone: Departures,
    /// Whom rules on trial would have dropped.
    spared: Departures,
    /// Lines that are told once and were, such as troubles with sources.
    heard: BTreeSet<String>,
}

/// So many different troubles are told; a tracker may think of new words each time.
const TROUBLES: usize = 50;

impl Report {
    /// A report on a stream. On a terminal of its own one line of it lives.
    pub(crate) fn new(stream: Stream, detail: Detail) -> Self {
        let term = match stream {
            Stream::Stdout => Term::stdout(),
            Stream::BesideAnswer | Stream::BesideEvents => Term::stderr(),
        };
        let kind = std::env::var_os("TERM").unwrap_or_default();
        let alive = term.is_term() && lives(stream, detail, &kind);
        let screen = alive.then(|| Screen::new(term));
        let paint = if screen.is_some() { Paint::of_terminal() } else { Paint::PLAIN };
        Self {
            stream,
            detail,
            screen,
            paint,
            latest: None,
            finished: false,
            pace: Pace::new(&Progress::default()),
            sharing: None,
            tally: Tally::default(),
            gone: Departures::default(),
            spared: Departures::default(),
            heard: BTreeSet::new(),
        }
    }

    /// A line that stays.
    pub(crate) fn say(&mut self, text: &str) {
        if self.detail > Detail::Quiet {
            self.hide();
            let _ = match self.stream {
                Stream::Stdout => writeln!(io::stdout(), "{}", printable(text)),
                _ => writeln!(io::stderr(), "{}", printable(text)),
            };
            self.draw();
        }
    }

    /// A line for those who want to know everything.
    pub(crate) fn note(&mut self, text: &str) {
        if self.detail == Detail::Verbose {
            self.say(text);
        }
    }

    /// A line that stays, the first time: several torrents may have the same to say.
    pub(crate) fn once(&mut self, text: &str) {
        if self.heard.len() < TROUBLES && self.heard.insert(text.to_owned()) {
            self.say(text);
        }
    }

    /// Takes the living line off the screen for good.
    pub(crate) fn clear(&mut self) {
        self.latest = None;
        self.hide();
    }

    /// Takes the living line off the screen until it is drawn again.
    pub(crate) fn hide(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.clear();
        }
    }

    /// The download begins here.
    pub(crate) fn begin(&mut self, verified: u64, total: u64) {
        self.clear();
        let mut now = Progress::default();
        (now.verified, now.total) = (verified, total);
        self.pace = Pace::new(&now);
        self.latest = Some(Latest::Download(now));
        self.draw();
    }

    /// Draws the living line again, in the width that the terminal has now.
    pub(crate) fn draw(&mut self) {
        let Some(now) = &self.latest else { return };
        if let Some(screen) = &mut self.screen {
            let width = screen.width();
            let columns = now.line(width, Paint::PLAIN).chars().count();
            screen.draw(&now.line(width, self.paint), columns);
        }
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
            EventKind::Progress(now) if self.screen.is_none() => {
                if self.pace.due(event.at, now) {
                    self.say(&line::plain(now));
                }
            }
            EventKind::Progress(now) => {
                self.latest = Some(Latest::Download(*now));
                self.draw();
            }
            EventKind::PeerClosed { peer, reason, connected, .. } => {
                if let (Some(evidence), Some(cause), false) =
                    (reason.evidence(), cause(reason), self.finished)
                    && !self.is_served(evidence)
                {
                    self.tally.add(*peer, cause, evidence, *connected);
                }
                self.told(torrent, event);
            }
            EventKind::Finished => self.finished = true,
            _ => self.told(torrent, event),
        }
    }

    /// How far the metadata is: on the line that lives, or in a line when it is here.
    fn metadata(&mut self, have: u32, size: u32, peers: u32) {
        self.latest = Some(Latest::Metadata(have, size, peers));
        if self.screen.is_some() {
            self.draw();
        } else if size > 0 && have == size {
            self.say(&line::metadata(have, size, peers));
        }
    }

    /// Keeps count of who has gone. Who goes behind the end of a download goes because of that.
    fn count(&mut self, torrent: Option<&str>, kind: &EventKind) {
        match kind {
            _ if self.finished && self.sharing.is_none() => {}
            EventKind::PeerClosed { reason, .. } => self.gone.add(reason),
            EventKind::Progress(now) => self.gone.blocked(torrent, now.blocked),
            EventKind::EvictShadow { reason, .. } => self.spared.count(reason),
            _ => {}
        }
    }

    /// A peer that leaves a seed because it is complete has got what it came for.
    fn is_served(&self, evidence: &Evidence) -> bool {
        self.sharing.is_some() && evidence.policy == REDUNDANT
    }

    /// At the end: who was dropped and why, and how many have gone for all reasons there are.
    pub(crate) fn dropped(&mut self) {
        let gone = self.gone.line("gone");
        let spared = self.spared.line("would have been dropped");
        for text in self.tally.lines().into_iter().chain(gone).chain(spared) {
            self.say(&text);
        }
    }

    fn told(&mut self, torrent: Option<&str>, event: &Event) {
        if self.detail == Detail::Verbose
            && let Some(text) = words(&event.kind)
        {
            let torrent = torrent.map(|name| format!("{name}: ")).unwrap_or_default();
            self.say(&format!("{:>9}  {torrent}{text}", stamp(event.at)));
        } else if let Some(text) = trouble(&event.kind) {
            self.once(&text);
        }
    }
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
