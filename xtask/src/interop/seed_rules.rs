//! The three rules with their default timers, timed by the peers that they are about.
//!
//! One piece stays unavailable in each scenario, so that the download runs on.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::assertions::{closed_by_rule, closed_visit, told_not_interested};
use super::download::Get;
use super::peers::{Peer, Served, Visit};
use super::place::{Place, free_port};
use super::torrent::{BLOCK, Content};
use super::wire::Message;

const PIECE: usize = 2 * BLOCK;
/// bitfield-timeout
pub(super) const BITFIELD_TIMEOUT: Duration = Duration::from_secs(60);
/// The grace of no-interest.
pub(super) const NO_INTEREST: Duration = Duration::from_secs(10);
/// The period and the grace of health.
const HEALTH: Duration = Duration::from_secs(30);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("seed-rules/mute", mute).waiting(75),
        Scenario::new("seed-rules/empty", empty).waiting(25),
        Scenario::new("seed-rules/useless-dials-in", useless_dials_in).waiting(85),
        Scenario::new("seed-rules/useless-later", useless_later).waiting(110),
        Scenario::new("seed-rules/have-in-the-grace", have_in_the_grace).waiting(30),
    ]
}

pub(super) fn content(place: &Place) -> Result<std::sync::Arc<Content>> {
    Content::new(place, 8 * PIECE - 1_000, PIECE)
}

/// A peer that says nothing goes after 60 s.
fn mute(place: &Place) -> Result<()> {
    let content = content(place)?;
    let peer = Peer::listening(place.host(1), &content, |link| link.serve())?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let visit = closed_visit(place, &download, &peer)?;
    closed_by_rule(
        place,
        &visit,
        (visit.ready_at, BITFIELD_TIMEOUT),
        "bitfield-timeout",
        &download,
    )?;
    download.interrupt()
}

/// A peer that has nothing is told so at once and goes after 10 s.
fn empty(place: &Place) -> Result<()> {
    let content = content(place)?;
    let peer = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| false)?;
        link.serve()
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let visit = closed_visit(place, &download, &peer)?;
    let announced = visit
        .first_said(|message| matches!(message, Message::Bitfield(_)))
        .context("no bitfield")?;
    told_not_interested(&visit, announced)?;
    closed_by_rule(place, &visit, (announced, NO_INTEREST), "no-interest", &download)?;
    download.interrupt()
}

/// A peer that dials in after 7 s, gives all it has and is useless then: its checks count from its own connection.
fn useless_dials_in(place: &Place) -> Result<()> {
    let content = content(place)?;
    let listen = SocketAddr::from((place.host(1), free_port()?));
    let download = Get::new("get", &content.torrent).listen(listen).start(place)?;
    let due = download.started + Duration::from_secs(7);
    place.wait_for("the time to dial", || Ok(Instant::now() >= due))?;
    let last = content.pieces() - 1;
    let peer = Peer::dialing(listen, &content, move |link| {
        link.announce(|piece| piece != last)?;
        link.serve()
    })?;
    let visit = closed_visit(place, &download, &peer)?;
    gone_at_the_first_check(place, &visit, &content, &download)?;
    download.interrupt()
}

/// A peer that chokes us for 31 s first: useless since 31 s, gone at the check of 90 s.
fn useless_later(place: &Place) -> Result<()> {
    let content = content(place)?;
    let last = content.pieces() - 1;
    let peer = Peer::listening(place.host(1), &content, move |link| {
        link.announce(|piece| piece != last)?;
        link.generous = false;
        let patience = Instant::now() + Duration::from_secs(31);
        if link.serve_until(patience, |_| false)? == Served::TimeUp && link.say(Message::Unchoke)? {
            link.generous = true;
            link.serve()?;
        }
        Ok(())
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let visit = closed_visit(place, &download, &peer)?;
    gone_at_the_first_check(place, &visit, &content, &download)?;
    download.interrupt()
}

/// Useless with its last block; gone at the first multiple of 30 s of its connection that is 30 s later or more.
pub(super) fn gone_at_the_first_check(
    place: &Place,
    visit: &Visit,
    content: &Content,
    download: &super::download::Download,
) -> Result<()> {
    let blocks =
        visit.said.iter().filter(|(_, message)| matches!(message, Message::Piece { .. })).count();
    let expected = (content.pieces() as usize - 1) * (PIECE / BLOCK);
    ensure!(blocks >= expected, "asked for {blocks} blocks only, of {expected}");
    let useless_at = visit.last_block().context("no block was asked for")?;
    told_not_interested(visit, useless_at)?;
    let useless_for = useless_at.saturating_duration_since(visit.ready_at) + HEALTH;
    let checks = useless_for.as_nanos().div_ceil(HEALTH.as_nanos());
    let due = HEALTH * u32::try_from(checks)?;
    closed_by_rule(place, visit, (visit.ready_at, due), "health", download)
}

/// A HAVE of a needed piece after 5 s of the 10 s: the peer stays, and the piece is fetched from it.
fn have_in_the_grace(place: &Place) -> Result<()> {
    const PIECE_LATER: u32 = 3;
    let content = content(place)?;
    let peer = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| false)?;
        let half = Instant::now() + NO_INTEREST / 2;
        if link.serve_until(half, |_| false)? == Served::TimeUp
            && link.say(Message::Have(PIECE_LATER))?
        {
            link.serve()?;
        }
        Ok(())
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let until = download.started + NO_INTEREST + Duration::from_secs(5);
    place.wait_for("the grace and some more", || {
        download.ensure_running()?;
        Ok(Instant::now() >= until)
    })?;
    let visit = peer.first_visit()?;
    ensure!(visit.closed_at.is_none(), "closed although it announced a needed piece");
    let events = download.events()?;
    let fetched =
        events.iter().any(|event| event.name == "piece" && event.fields["piece"] == PIECE_LATER);
    ensure!(fetched, "piece {PIECE_LATER} was not fetched");
    let about = |name: &str| {
        events.iter().any(|event| {
            event.name == name
                && event.peer == Some(visit.address)
                && event.text("policy") == "no-interest"
        })
    };
    ensure!(about("evict_scheduled"), "no evict_scheduled by no-interest in the event log");
    ensure!(about("evict_pardoned"), "no evict_pardoned by no-interest in the event log");
    download.interrupt()
}
