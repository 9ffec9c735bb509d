//! What the reports of one command share: the terminal with its living line, and what is told at the end.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ccbt_peer::Progress;
use console::Term;

use super::departures::Departures;
use super::paint::{Paint, printable};
use super::screen::Screen;
use super::tally::Tally;
use super::{Detail, Latest, Sharing, Stream, lives};

/// So many different troubles are told; a tracker may think of new words each time.
const TROUBLES: usize = 50;

/// One line for all torrents.
#[derive(Debug)]
pub(super) struct Desk {
    stream: Stream,
    pub(super) detail: Detail,
    pub(super) screen: Option<Screen>,
    pub(super) paint: Paint,
    /// The state of each torrent, as far as there is one.
    latest: Vec<Option<Latest>>,
    pub(super) tally: Tally,
    pub(super) gone: Departures,
    /// Whom rules on trial would have dropped.
    pub(super) spared: Departures,
    /// Lines that are told once and were, such as troubles with sources.
    heard: BTreeSet<String>,
}

impl Desk {
    pub(super) fn new(stream: Stream, detail: Detail) -> Self {
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
            latest: Vec::new(),
            tally: Tally::default(),
            gone: Departures::default(),
            spared: Departures::default(),
            heard: BTreeSet::new(),
        }
    }

    /// A place for one more torrent.
    pub(super) fn seat(&mut self) -> usize {
        self.latest.push(None);
        self.latest.len() - 1
    }

    pub(super) fn say(&mut self, text: &str) {
        if self.detail > Detail::Quiet {
            self.hide();
            let _ = match self.stream {
                Stream::Stdout => writeln!(io::stdout(), "{}", printable(text)),
                _ => writeln!(io::stderr(), "{}", printable(text)),
            };
            self.draw();
        }
    }

    /// An error is told whatever the detail is.
    pub(super) fn complain(&mut self, text: &str) {
        self.hide();
        let _ = writeln!(io::stderr(), "ccbt: {}", printable(text));
        self.draw();
    }

    /// Whether a line is heard for the first time.
    pub(super) fn is_new(&mut self, text: &str) -> bool {
        self.heard.len() < TROUBLES && self.heard.insert(text.to_owned())
    }

    pub(super) fn hide(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.latest.fill(None);
        self.hide();
    }

    pub(super) fn draw(&mut self) {
        let Some(now) = sum(&self.latest) else { return };
        if let Some(screen) = &mut self.screen {
            let width = screen.width();
            let columns = now.line(width, Paint::PLAIN).chars().count();
            screen.draw(&now.line(width, self.paint), columns);
        }
    }

    /// The line of work without a torrent's state, as long as no torrent has one.
    pub(super) fn meter(&mut self, line: impl Fn(usize, Paint) -> String) {
        if self.sum().is_none()
            && let Some(screen) = &mut self.screen
        {
            let width = screen.width();
            let columns = line(width, Paint::PLAIN).chars().count();
            screen.draw(&line(width, self.paint), columns);
        }
    }

    pub(super) fn set(&mut self, seat: usize, latest: Option<Latest>) {
        self.latest[seat] = latest;
    }

    /// A torrent's last state stays in the sum, but nothing moves there any more.
    pub(super) fn end(&mut self, seat: usize) {
        match &mut self.latest[seat] {
            Some(Latest::Download(now)) => {
                (now.download_rate, now.upload_rate) = (0, 0);
                (now.peers, now.useful, now.choking) = (0, 0, 0);
            }
            Some(Latest::Sharing(now)) => *now = now.ended(),
            Some(Latest::Metadata(..)) => self.latest[seat] = None,
            None => {}
        }
    }

    /// All torrents together.
    pub(super) fn sum(&self) -> Option<Latest> {
        sum(&self.latest)
    }

    /// Where no line lives, the first that is at work speaks for all.
    pub(super) fn speaks(&self, seat: usize) -> bool {
        let is_at_work = |latest: &Option<Latest>| match (latest, self.sum()) {
            (Some(Latest::Download(now)), _) => now.verified < now.total,
            (Some(Latest::Sharing(_)), Some(Latest::Sharing(_))) => true,
            _ => false,
        };
        self.latest.iter().position(is_at_work) == Some(seat)
    }
}

/// As long as anything is downloaded it is a download; what is shared already is a part of it that is done.
fn sum(all: &[Option<Latest>]) -> Option<Latest> {
    all.iter().flatten().copied().reduce(|one, other| match (one, other) {
        (Latest::Metadata(a, b, c), Latest::Metadata(d, e, f)) => {
            Latest::Metadata(a.saturating_add(d), b.saturating_add(e), c.saturating_add(f))
        }
        (Latest::Metadata(..), known) | (known, Latest::Metadata(..)) => known,
        (Latest::Sharing(one), Latest::Sharing(other)) => Latest::Sharing(one.and(other)),
        (one, other) => Latest::Download(both(&one.as_download(), &other.as_download())),
    })
}

fn both(one: &Progress, other: &Progress) -> Progress {
    let mut sum = *one;
    sum.verified = sum.verified.saturating_add(other.verified);
    sum.total = sum.total.saturating_add(other.total);
    sum.have = sum.have.saturating_add(other.have);
    sum.need = sum.need.saturating_add(other.need);
    sum.pieces = sum.pieces.saturating_add(other.pieces);
    sum.download_rate = sum.download_rate.saturating_add(other.download_rate);
    sum.upload_rate = sum.upload_rate.saturating_add(other.upload_rate);
    sum.peers = sum.peers.saturating_add(other.peers);
    sum.useful = sum.useful.saturating_add(other.useful);
    sum.choking = sum.choking.saturating_add(other.choking);
    sum.dropped = sum.dropped.saturating_add(other.dropped);
    sum
}

impl Latest {
    fn as_download(self) -> Progress {
        match self {
            Self::Download(now) => now,
            Self::Sharing(now) => now.as_download(),
            Self::Metadata(..) => Progress::default(),
        }
    }
}

impl Sharing {
    /// Torrents that are done, among others that are not.
    fn as_download(self) -> Progress {
        let mut now = Progress::default();
        (now.verified, now.total) = (self.size, self.size);
        now.peers = u32::try_from(self.peers).unwrap_or(u32::MAX);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(verified: u64, total: u64) -> Option<Latest> {
        let mut now = Progress::default();
        (now.verified, now.total, now.download_rate, now.peers) = (verified, total, 1 << 20, 2);
        Some(Latest::Download(now))
    }

    fn line(all: &[Option<Latest>]) -> Option<String> {
        Some(sum(all)?.line(60, Paint::PLAIN))
    }

    #[test]
    fn several_downloads_are_one_line_and_one_alone_is_as_it_was() {
        let [half, none] = [download(1 << 20, 2 << 20), download(0, 2 << 20)];
        assert_eq!(line(&[None, half]), line(&[half]));
        let both = line(&[half, None, none]).unwrap();
        assert!(both.starts_with("25.0% "), "{both}");
        assert!(both.contains("2.00 MiB/s  2s left  4 peers"), "{both}");
        assert_eq!(line(&[None]), None);
    }

    #[test]
    fn what_is_shared_counts_as_done_until_all_is_shared() {
        let mut now = Progress::default();
        (now.total, now.uploaded, now.peers) = (1 << 20, 1 << 20, 3);
        let shared = Some(Latest::Sharing(Sharing::of(&now)));
        let mixed = line(&[download(0, 1 << 20), shared]).unwrap();
        assert!(mixed.starts_with("50.0% "), "{mixed}");
        assert!(line(&[shared, shared]).unwrap().starts_with("seeding 2 torrents"));
        let looking = Some(Latest::Metadata(0, 0, 1));
        assert!(line(&[looking, looking]).unwrap().contains("2 peers with it"));
        assert_eq!(line(&[looking, shared]), line(&[shared]));
    }

    #[test]
    fn the_first_that_is_at_work_speaks() {
        let mut desk = Desk::new(Stream::Stdout, Detail::Quiet);
        let seats = [desk.seat(), desk.seat(), desk.seat()];
        desk.set(1, download(1, 2));
        desk.set(2, download(1, 2));
        assert_eq!(seats.map(|seat| desk.speaks(seat)), [false, true, false]);
        desk.set(1, download(2, 2));
        desk.end(1);
        assert_eq!(seats.map(|seat| desk.speaks(seat)), [false, false, true]);
        assert!(matches!(desk.sum(), Some(Latest::Download(now)) if now.peers == 2));
    }
}
