//! The three rules with their default timers again, with peers that never stop to talk: no word of it is
//! about a piece, so no deadline moves.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Scenario;
use super::assertions::{closed_by_rule, closed_visit, told_not_interested};
use super::download::Get;
use super::peers::{Link, Peer, Served};
use super::place::Place;
use super::seed_rules::{BITFIELD_TIMEOUT, NO_INTEREST, content, gone_at_the_first_check};
use super::wire::Message;

/// How often the peers say something.
const TICK: Duration = Duration::from_secs(1);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("deadlines/mute-but-for-chatter", mute).waiting(75),
        Scenario::new("deadlines/empty-with-chatter", empty).waiting(30),
        Scenario::new("deadlines/useless-later-with-chatter", useless_later).waiting(85),
    ]
}

/// Keep-alives each second; choke and interest to and fro, ports and unknown extensions, each as often as
/// is no flood yet.
fn chatter(link: &mut Link) -> Result<()> {
    let flips = [Message::Unchoke, Message::Interested, Message::Choke, Message::NotInterested];
    let odd = [
        Message::Other(9, vec![0x1a, 0xe1]),
        Message::Other(20, b"\x4dd3:key5:valuee".to_vec()),
        Message::Other(20, b"\0d1:md9:x_unknowni77eee".to_vec()),
        Message::Other(77, b"nobody knows this one".to_vec()),
    ];
    link.generous = false;
    for tick in 0_usize.. {
        let mut words = vec![Message::KeepAlive];
        if tick % 2 == 0 {
            words.push(flips[tick / 2 % flips.len()].clone());
        } else {
            words.push(odd[tick / 2 % odd.len()].clone());
        }
        for word in words {
            if !link.say(word)? {
                return Ok(());
            }
        }
        if link.serve_until(Instant::now() + TICK, |_| false)? == Served::Closed {
            break;
        }
    }
    Ok(())
}

/// It talks all the time and does not say what it has: it goes after 60 s.
fn mute(place: &Place) -> Result<()> {
    let content = content(place)?;
    let peer = Peer::talkative(place.host(1), &content, chatter)?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let visit = closed_visit(place, &download, &peer)?;
    let due = (visit.ready_at, BITFIELD_TIMEOUT);
    closed_by_rule(place, &visit, due, "bitfield-timeout", &download)?;
    download.interrupt()
}

/// It has nothing and says much: it goes after 10 s.
fn empty(place: &Place) -> Result<()> {
    let content = content(place)?;
    let peer = Peer::talkative(place.host(1), &content, |link| {
        link.announce(|_| false)?;
        chatter(link)
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let visit = closed_visit(place, &download, &peer)?;
    let announced = visit.first_said(|message| matches!(message, Message::Bitfield(_)));
    let announced = announced.context("no bitfield")?;
    told_not_interested(&visit, announced)?;
    closed_by_rule(place, &visit, (announced, NO_INTEREST), "no-interest", &download)?;
    download.interrupt()
}

/// It gives all that it has and talks on: it goes at the check of 60 s.
fn useless_later(place: &Place) -> Result<()> {
    let content = content(place)?;
    let last = content.pieces() - 1;
    let peer = Peer::talkative(place.host(1), &content, move |link| {
        link.announce(|piece| piece != last)?;
        let patience = Instant::now() + Duration::from_secs(20);
        link.serve_until(patience, |message| *message == Message::NotInterested)?;
        chatter(link)
    })?;
    let download = Get::new("get", &content.torrent).peers([peer.address]).start(place)?;
    let visit = closed_visit(place, &download, &peer)?;
    gone_at_the_first_check(place, &visit, &content, &download)?;
    download.interrupt()
}
