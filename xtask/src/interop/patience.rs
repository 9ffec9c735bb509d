//! Peers that are of use, only not now: none of them may be lost.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Scenario;
use super::assertions::same_bytes;
use super::download::Get;
use super::peers::{Peer, Served};
use super::place::Place;
use super::torrent::{BLOCK, Content};
use super::wire::Message;

/// How long the choking peer chokes, and how often it says that it is still there.
const CHOKES_FOR: Duration = Duration::from_secs(150);
const KEEP_ALIVE: Duration = Duration::from_secs(50);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("patience/choked-for-minutes", choked_for_minutes).waiting(170),
        super::slow_seed::scenario(),
        Scenario::new("patience/super-seed", super_seed),
    ]
}

/// A seed that chokes us for 150 s is kept on one connection all the time, then serves everything.
fn choked_for_minutes(place: &Place) -> Result<()> {
    let content = Content::new(place, 20 * BLOCK + 77, 2 * BLOCK)?;
    let peer = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| true)?;
        link.generous = false;
        let unchokes_at = Instant::now() + CHOKES_FOR;
        loop {
            let until = unchokes_at.min(Instant::now() + KEEP_ALIVE);
            if link.serve_until(until, |_| false)? == Served::Closed {
                return Ok(());
            }
            if until == unchokes_at {
                break;
            }
            link.say(Message::KeepAlive)?;
        }
        link.say(Message::Unchoke)?;
        link.generous = true;
        link.serve()
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let took = download.finish()?;
    same_bytes(&download, &content)?;
    ensure!(took >= CHOKES_FOR, "complete after {took:.1?}, while we choked");
    ensure!(peer.visits().len() == 1, "it came {} times", peer.visits().len());
    Ok(())
}

/// A peer that shows one piece at a time, the next when it sees our HAVE of the last.
fn super_seed(place: &Place) -> Result<()> {
    let content = Content::new(place, 48 * BLOCK - 123, 2 * BLOCK)?;
    let pieces = content.pieces();
    let peer = Peer::listening(place.host(1), &content, move |link| {
        for piece in 0..pieces {
            // A while of nothing new now and then: the peer is not useless for it.
            let pause = Duration::from_millis(if piece % 8 == 5 { 1_500 } else { 0 });
            link.serve_until(Instant::now() + pause, |_| false)?;
            link.say(Message::Have(piece))?;
            let patience = Instant::now() + Duration::from_secs(30);
            if link.serve_until(patience, |message| *message == Message::Have(piece))?
                != Served::Told
            {
                return Ok(());
            }
        }
        link.serve()
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    download.finish()?;
    same_bytes(&download, &content)?;
    ensure!(peer.visits().len() == 1, "it came {} times", peer.visits().len());
    Ok(())
}
