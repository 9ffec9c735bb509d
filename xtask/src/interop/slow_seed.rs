//! Three leechers and a seed that stands still: they have the same pieces then and nothing for each
//! other, but they will have, so none of them may close another.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::assertions::same_bytes;
use super::download::{Download, Get};
use super::events::Event;
use super::late::in_time;
use super::peers::{Pace, Peer};
use super::place::{Place, free_port};
use super::torrent::{BLOCK, Content};

/// How long the seed gives nothing, twice, and how many pieces it gives before each time.
const STANDSTILL: Duration = Duration::from_secs(24);
const PIECES_BETWEEN: usize = 3;
const LEECHERS: u8 = 3;
/// How far apart two ends may log the same thing.
const LOG_SKEW: Duration = Duration::from_secs(1);

pub(super) fn scenario() -> Scenario {
    Scenario::new("patience/slow-seed", run).waiting(120)
}

struct Leecher {
    listens: SocketAddr,
    download: Download,
    events: Vec<Event>,
}

impl Leecher {
    fn at(&self, event: &Event) -> Instant {
        self.download.started + Duration::from_millis(event.time_ms)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.name == name)
    }

    fn is_done(&self, at: Instant) -> bool {
        self.all("finished").any(|event| self.at(event) <= at + LOG_SKEW)
    }
}

fn run(place: &Place) -> Result<()> {
    // One block a piece, so that the seed counts pieces.
    let content = Content::new(place, 16 * BLOCK, BLOCK)?;
    let pace: Pace = Arc::new(|elapsed| match elapsed.as_secs() / STANDSTILL.as_secs() {
        0 => PIECES_BETWEEN,
        1 => 2 * PIECES_BETWEEN,
        _ => usize::MAX,
    });
    let (since, sent) = (Instant::now(), Arc::new(Mutex::new(0)));
    let seed = Peer::listening(place.host(1), &content, move |link| {
        link.keep_pace(Arc::clone(&pace), since, Arc::clone(&sent));
        link.announce(|_| true)?;
        link.serve()
    })?;
    let mut leechers: Vec<Leecher> = Vec::new();
    for number in 0..LEECHERS {
        let listens = SocketAddr::from((place.host(2 + number), free_port()?));
        let get = Get::new(&format!("leecher{number}"), &content.torrent).listen(listens);
        let known = leechers.iter().map(|leecher| leecher.listens);
        let download = get.peers([seed.address]).peers(known).start(place)?;
        // The first one has all that the seed gives, and each listens, before the next one comes.
        let pieces = if number == 0 { PIECES_BETWEEN } else { 0 };
        place.wait_for("a leecher's start", || has_begun(&download, pieces))?;
        leechers.push(Leecher { listens, download, events: Vec::new() });
    }
    for leecher in &mut leechers {
        leecher.download.finish()?;
        same_bytes(&leecher.download, &content)?;
        leecher.events = leecher.download.events()?;
    }
    leechers.iter().try_for_each(|leecher| stood_still(leecher, &seed))?;
    leechers.iter().try_for_each(|leecher| closed_no_leecher(leecher, &leechers, &seed))
}

fn has_begun(download: &Download, pieces: usize) -> Result<bool> {
    download.ensure_running()?;
    // Its log may not be there yet.
    let events = download.events().unwrap_or_default();
    let count = |name: &str| events.iter().filter(|event| event.name == name).count();
    Ok(count("started") > 0 && count("piece") >= pieces)
}

/// Without a standstill and without another leecher nothing would be shown.
fn stood_still(leecher: &Leecher, seed: &Peer) -> Result<()> {
    let met = leecher.all("peer_ready").any(|event| event.peer != Some(seed.address));
    ensure!(met, "{} met no other leecher", leecher.listens);
    let pieces: Vec<u64> = leecher.all("piece").map(|event| event.time_ms).collect();
    let longest =
        pieces.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default();
    in_time!(
        longest >= 20_000,
        "{} stood still for {longest} ms at most, not for 20 s",
        leecher.listens
    );
    Ok(())
}

/// No policy closed a leecher that had announced a piece, as long as one of the two was not done.
fn closed_no_leecher(by: &Leecher, leechers: &[Leecher], seed: &Peer) -> Result<()> {
    let evicted = by
        .all("peer_closed")
        .filter(|event| event.peer != Some(seed.address) && !event.text("policy").is_empty());
    for event in evicted {
        let whom = whom(event, by, leechers)
            .with_context(|| format!("closed somebody unknown: {}", event.fields))?;
        // Two that are done part as soon as they know it of each other.
        if by.is_done(by.at(event)) && whom.is_done(by.at(event)) {
            continue;
        }
        let first_piece = whom.all("piece").next().map(|piece| whom.at(piece));
        let had_announced = first_piece.is_some_and(|at| at < by.at(event));
        ensure!(!had_announced, "{} closed {}: {}", by.listens, whom.listens, event.fields);
    }
    Ok(())
}

/// Who was closed: it listens at that address, or it dialed and logs the same close from its side.
fn whom<'a>(closed: &Event, by: &Leecher, leechers: &'a [Leecher]) -> Option<&'a Leecher> {
    let at = by.at(closed);
    let apart = |other: Instant| {
        at.saturating_duration_since(other).max(other.saturating_duration_since(at))
    };
    leechers.iter().find(|leecher| closed.peer == Some(leecher.listens)).or_else(|| {
        leechers.iter().find(|leecher| {
            let mut closes =
                leecher.all("peer_closed").filter(|event| event.peer == Some(by.listens));
            closes.any(|event| apart(leecher.at(event)) <= LOG_SKEW)
        })
    })
}
