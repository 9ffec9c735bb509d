//! The living line of a seed: how fast, what ratio, who, how much.

use std::time::Duration;

use ccbt_peer::Progress;
use ccbt_peer::policy::Time;

use super::paint::Paint;
use super::{Latest, Report, units};

/// Between plain lines while something is sent.
const PAUSE: Duration = Duration::from_secs(60);
/// Between plain lines when nothing was sent for long.
const LONGEST: Duration = Duration::from_secs(960);

/// What is given away, of one torrent or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// Torrents that are seeded.
    pub(crate) torrents: usize,
    /// Bytes of these torrents.
    pub(crate) size: u64,
    /// Bytes of payload that were sent.
    pub(crate) sent: u64,
    /// Bytes a second.
    rate: u64,
    pub(super) peers: usize,
}

impl Sharing {
    /// Of one torrent.
    pub(crate) fn of(now: &Progress) -> Self {
        Self {
            torrents: 1,
            size: now.total,
            sent: now.uploaded,
            rate: now.upload_rate,
            peers: now.peers as usize,
        }
    }

    /// Of both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            torrents: self.torrents + other.torrents,
            size: self.size.saturating_add(other.size),
            sent: self.sent.saturating_add(other.sent),
            rate: self.rate.saturating_add(other.rate),
            peers: self.peers + other.peers,
        }
    }

    /// What is left of it when its torrent is no longer seeded.
    pub(crate) fn ended(self) -> Self {
        Self { rate: 0, peers: 0, ..self }
    }

    /// What was sent, and the ratio.
    pub(crate) fn sum(&self) -> String {
        format!("{} sent, {}", units::bytes(self.sent), self.ratio())
    }

    /// Payload sent for each byte of the torrents.
    fn ratio(&self) -> String {
        let hundredths = u128::from(self.sent) * 100 / u128::from(self.size.max(1));
        format!("ratio {}.{:02}", hundredths / 100, hundredths % 100)
    }

    /// The state in at most `width` columns; what comes last goes first.
    pub(super) fn line(&self, width: usize, paint: Paint) -> String {
        let [head, parts @ ..] = self.parts();
        let mut tail = String::new();
        for part in parts {
            if head.len() + tail.len() + part.len() + 2 > width {
                break;
            }
            tail = format!("{tail}  {part}");
        }
        let head: String = head.chars().take(width).collect();
        format!("{}{tail}", paint.bold(&head))
    }

    fn plain(&self) -> String {
        self.parts().join("  ")
    }

    fn parts(&self) -> [String; 5] {
        let torrents = match self.torrents {
            1 => "seeding".to_owned(),
            several => format!("seeding {several} torrents"),
        };
        let rate = format!("{} up", units::rate(self.rate));
        let peers = units::count(self.peers, "peer", "peers");
        [torrents, rate, self.ratio(), peers, format!("{} sent", units::bytes(self.sent))]
    }
}

/// When a plain line is due.
#[derive(Debug)]
pub(super) struct SharingPace {
    last_at: Time,
    sent: u64,
    pause: Duration,
}

impl SharingPace {
    pub(super) fn new(at: Time, sent: u64) -> Self {
        Self { last_at: at, sent, pause: PAUSE }
    }

    /// Every minute while something is sent, and less and less often while nothing is.
    fn due(&mut self, at: Time, sent: u64) -> bool {
        let pause = if sent > self.sent { PAUSE } else { self.pause };
        let due = at.saturating_since(self.last_at) >= pause;
        if due {
            let pause = if sent > self.sent { PAUSE } else { LONGEST.min(pause * 2) };
            *self = Self { last_at: at, sent, pause };
        }
        due
    }
}

impl Report {
    /// From here on nothing is downloaded, and the living line is about what is sent.
    pub(crate) fn begin_sharing(&mut self, at: Time, now: &Sharing) {
        self.sharing = Some(SharingPace::new(at, now.sent));
        self.clear();
        self.show(Latest::Sharing(*now));
    }

    /// How the seeding goes.
    pub(crate) fn share(&mut self, at: Time, now: &Sharing) {
        self.show(Latest::Sharing(*now));
        if self.is_alive() || !self.desk().speaks(self.seat) {
            return;
        }
        let sum = self.desk().sum();
        if let (Some(Latest::Sharing(sum)), Some(pace)) = (sum, &mut self.sharing)
            && pace.due(at, sum.sent)
        {
            self.say(&sum.plain());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Sharing {
        Sharing { torrents: 1, size: 4 << 20, sent: 3 << 20, rate: 512 << 10, peers: 3 }
    }

    #[test]
    fn the_line_loses_its_last_words_first() {
        let shown = |width| now().line(width, Paint::PLAIN);
        assert_eq!(shown(80), "seeding  512 KiB/s up  ratio 0.75  3 peers  3.00 MiB sent");
        assert_eq!(shown(45), "seeding  512 KiB/s up  ratio 0.75  3 peers");
        assert_eq!(shown(24), "seeding  512 KiB/s up");
        assert_eq!(shown(5), "seedi");
        for width in 0..100 {
            assert!(shown(width).chars().count() <= width, "{width}");
        }
    }

    #[test]
    fn several_torrents_are_one_sum() {
        let both = now().and(now().ended());
        assert_eq!(
            both.plain(),
            "seeding 2 torrents  512 KiB/s up  ratio 0.75  3 peers  6.00 MiB sent"
        );
    }

    #[test]
    fn a_plain_line_comes_every_minute_or_seldom() {
        let mut pace = SharingPace::new(Time::ZERO, 0);
        let due: Vec<u64> = (1..1_000).filter(|&at| pace.due(Time::from_secs(at), 0)).collect();
        assert_eq!(due, [60, 180, 420, 900]);
        assert!(pace.due(Time::from_secs(1_000), 1), "something was sent");
    }
}
