//! Peers that a hasty rule would lose, side by side: all of them are there at the end, and gave what they had.
//!
//! Each has pieces of its own, so that none of them becomes useless by another, and the last piece is
//! nobody's, so that the download runs on.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Scenario;
use super::download::Get;
use super::peers::{Link, Peer, Served};
use super::place::Place;
use super::seed_rules::{BITFIELD_TIMEOUT, NO_INTEREST};
use super::torrent::{BLOCK, Content};
use super::wire::Message;

/// When all must still be there: behind every timer of 60 s.
const END: Duration = Duration::from_secs(66);
/// The super-seeding peer shows a piece so long after it saw our HAVE of the last one.
const SHOWS: Duration = Duration::from_secs(7);

/// Who has which pieces.
const LATE_HAVE: u32 = 0;
const SHOWN: std::ops::Range<u32> = 1..9;
const SLOW: std::ops::Range<u32> = 9..16;
const LATE_BITFIELD: u32 = 16;
const ON_AND_OFF: [u32; 3] = [17, 18, 19];
const CHOKED: u32 = 20;
const NOBODYS: u32 = 21;

pub(super) fn scenarios() -> Vec<Scenario> {
    ["standard", "balanced"]
        .into_iter()
        .map(|preset| {
            let name = format!("no-wrong-eviction/{preset}");
            Scenario::new(name, move |place| run(place, preset)).waiting(90)
        })
        .collect()
}

type Script = fn(&mut Link) -> Result<()>;

fn run(place: &Place, preset: &str) -> Result<()> {
    let content = Content::new(place, (NOBODYS as usize + 1) * 2 * BLOCK, 2 * BLOCK)?;
    let scripts: [(&str, Script); 6] = [
        ("its first HAVE comes at 0.8 of the grace", late_have),
        ("super-seeding", super_seeding),
        ("a HAVE every 0.8 of the grace", slow),
        ("its bitfield comes at 0.8 of the timeout", late_bitfield),
        ("useless, then useful again, twice", on_and_off),
        ("useful, and chokes us all the time", choking),
    ];
    let mut peers = Vec::new();
    for ((what, script), number) in scripts.into_iter().zip(1..) {
        peers.push((what, Peer::listening(place.host(number), &content, script)?));
    }
    let get = Get::new("get", &content.torrent).peers(peers.iter().map(|(_, peer)| peer.address));
    let get = get.option("--evict", &format!("preset={preset}")).start(place)?;
    place.wait_until(get.started + END, || get.ensure_running())?;
    for (what, peer) in &peers {
        let visits = peer.visits();
        ensure!(visits.len() == 1, "{what}: {} connections", visits.len());
        let closed = visits[0].closed_at.map(|at| at.saturating_duration_since(visits[0].ready_at));
        ensure!(closed.is_none(), "{what}: closed after {closed:.1?}");
    }
    let events = get.events()?;
    for piece in 0..CHOKED {
        let came =
            events.iter().any(|event| event.name == "piece" && event.fields["piece"] == piece);
        ensure!(came, "piece {piece} was not fetched");
    }
    get.interrupt()
}

/// Serves for a while; true if we were not closed.
fn serve_for(link: &mut Link, time: Duration) -> Result<bool> {
    Ok(link.serve_until(Instant::now() + time, |_| false)? != Served::Closed)
}

fn late_have(link: &mut Link) -> Result<()> {
    link.announce(|_| false)?;
    if serve_for(link, NO_INTEREST * 4 / 5)? && link.say(Message::Have(LATE_HAVE))? {
        link.serve()?;
    }
    Ok(())
}

fn super_seeding(link: &mut Link) -> Result<()> {
    for piece in SHOWN {
        link.say(Message::Have(piece))?;
        let patience = Instant::now() + END;
        let seen = |message: &Message| *message == Message::Have(piece);
        if link.serve_until(patience, seen)? != Served::Told || !serve_for(link, SHOWS)? {
            return Ok(());
        }
    }
    link.serve()
}

fn slow(link: &mut Link) -> Result<()> {
    for piece in SLOW {
        if !serve_for(link, NO_INTEREST * 4 / 5)? || !link.say(Message::Have(piece))? {
            return Ok(());
        }
    }
    link.serve()
}

fn late_bitfield(link: &mut Link) -> Result<()> {
    if serve_for(link, BITFIELD_TIMEOUT * 4 / 5)?
        && link.announce(|piece| piece == LATE_BITFIELD)?
    {
        link.serve()?;
    }
    Ok(())
}

fn on_and_off(link: &mut Link) -> Result<()> {
    let [at_first, later, at_last] = ON_AND_OFF;
    link.announce(|piece| piece == at_first)?;
    for piece in [later, at_last] {
        // It has given all by then, and is useless for most of the grace.
        if !serve_for(link, Duration::from_secs(25))? || !link.say(Message::Have(piece))? {
            return Ok(());
        }
    }
    link.serve()
}

fn choking(link: &mut Link) -> Result<()> {
    link.generous = false;
    link.announce(|piece| piece == CHOKED)?;
    while serve_for(link, Duration::from_secs(20))? && link.say(Message::KeepAlive)? {}
    Ok(())
}
