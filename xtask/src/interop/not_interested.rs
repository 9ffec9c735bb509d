//! Whoever has become useless is told so at once, whatever made it so.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Scenario;
use super::assertions::{AT_ONCE, told_not_interested};
use super::download::{Download, Get};
use super::late::in_time;
use super::peers::{Peer, Visit};
use super::place::{Place, free_port};
use super::seed_rules::content;
use super::wire::Message;

/// The pieces that the choking peer has; a seed brings them, but never the last piece of all.
const SHARED: u32 = 3;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("not-interested/at-once", at_once)]
}

fn at_once(place: &Place) -> Result<()> {
    let content = content(place)?;
    let last = content.pieces() - 1;
    // It also sees every HAVE of ours.
    let empty = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| false)?;
        link.serve()
    })?;
    let choking = Peer::listening(place.host(2), &content, |link| {
        link.generous = false;
        link.announce(|piece| piece < SHARED)?;
        link.serve()
    })?;
    let seed = Peer::listening(place.host(3), &content, move |link| {
        // The others have said what they have by then.
        link.serve_until(Instant::now() + Duration::from_secs(1), |_| false)?;
        link.announce(|piece| piece != last)?;
        link.serve()
    })?;
    let listen = (place.host(4), free_port()?).into();
    let peers = [empty.address, choking.address, seed.address];
    let get = Get::new("get", &content.torrent).peers(peers).listen(listen).start(place)?;

    let announced = told(place, &get, &empty)?.1;
    let is_bitfield = |message: &Message| matches!(message, Message::Bitfield(_));
    let visit = empty.first_visit()?;
    let empty_at = visit.first_said(is_bitfield).context("no bitfield")?;
    print_delay("an empty bitfield", empty_at, announced);
    told_not_interested(&visit, empty_at)?;

    let (visit, at) = told(place, &get, &choking)?;
    let haves = || {
        let witness = empty.first_visit()?;
        let have = |piece| witness.first_heard(|message| *message == Message::Have(piece));
        Ok((0..SHARED).map(have).collect::<Option<Vec<_>>>())
    };
    place.wait_for("our HAVE of each piece", || haves().map(|all| all.is_some()))?;
    let had_all = haves()?.into_iter().flatten().max().context("no HAVE")?;
    print_delay("our HAVE of its last piece", had_all, at);
    // The one may read its NOT_INTERESTED before the other one reads that HAVE.
    told_not_interested(&visit, had_all.min(at))?;
    in_time!(at <= had_all + AT_ONCE, "told NOT_INTERESTED later than {AT_ONCE:?}");

    place.wait_for("all that the seed gives", || {
        let count = get.events()?.iter().filter(|event| event.name == "piece").count();
        Ok(count == last as usize)
    })?;
    let owns_ours = Peer::dialing(listen, &content, move |link| {
        link.announce(|piece| piece != last)?;
        link.serve()
    })?;
    let says_ours = Peer::dialing(listen, &content, |link| {
        link.say(Message::Have(0))?;
        link.serve()
    })?;
    for (what, peer) in [("a bitfield of what we have", owns_ours), ("such a HAVE", says_ours)] {
        let (visit, at) = told(place, &get, &peer)?;
        let is_word = |message: &Message| is_bitfield(message) || *message == Message::Have(0);
        let said = visit.first_said(is_word).context("it said nothing")?;
        print_delay(what, said, at);
        told_not_interested(&visit, said)?;
    }
    get.interrupt()
}

/// The first visit, and when it was told NOT_INTERESTED.
fn told(place: &Place, download: &Download, peer: &Peer) -> Result<(Visit, Instant)> {
    let find = || {
        let visit = peer.visits().into_iter().next()?;
        let at = visit.first_heard(|message| *message == Message::NotInterested)?;
        Some((visit, at))
    };
    place.wait_for("NOT_INTERESTED", || {
        download.ensure_running()?;
        Ok(find().is_some())
    })?;
    find().context("no visit")
}

fn print_delay(what: &str, from: Instant, told: Instant) {
    let delay = told.saturating_duration_since(from);
    println!("     NOT_INTERESTED {:.1} ms after {what}", delay.as_secs_f64() * 1e3);
}
