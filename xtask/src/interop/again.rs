//! When an address is dialed again: one whose peer was useless hardly, one whose peer was good soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::announcer::Announcer;
use super::assertions::{EARLY, LATE, closed_visit, same_bytes};
use super::download::Get;
use super::events::Event;
use super::late::in_time;
use super::peers::{Link, Peer, Served};
use super::place::Place;
use super::seed_rules::content;
use super::torrent::{BLOCK, Content};
use super::wire::Message;

/// After its eviction an address is not dialed for so long ...
const ALONE: Duration = Duration::from_secs(60);
/// ... and once at the most within so long.
const WATCHED: Duration = Duration::from_secs(185);
/// A second run is watched for so long.
const RESTARTED: Duration = Duration::from_secs(10);
/// Waits before each dial of a good peer that was lost.
const WAITS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// The download is complete so soon after the good peer is back.
const SOON: Duration = Duration::from_secs(10);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("again/evicted", evicted).waiting(205),
        Scenario::new("again/evicted-before-a-restart", evicted_before).waiting(60),
        Scenario::new("again/lost", lost).waiting(45),
    ]
}

/// An empty peer and a mute one, which listen on: the first is watched for 185 s after its eviction, the
/// second one to the same end.
fn evicted(place: &Place) -> Result<()> {
    let content = content(place)?;
    let empty = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| false)?;
        link.serve()
    })?;
    let mute = Peer::listening(place.host(2), &content, |link| link.serve())?;
    let peers = [empty.address, mute.address];
    let get = Get::new("get", &content.torrent).peers(peers).start(place)?;
    let evicted_at = |peer: &Peer| peer.visits().first().and_then(|visit| visit.closed_at);
    place.wait_for("the first eviction", || {
        get.ensure_running()?;
        Ok(evicted_at(&empty).is_some())
    })?;
    let end = evicted_at(&empty).context("no eviction")? + WATCHED;
    place.wait_until(end, || get.ensure_running())?;
    for (what, peer) in [("empty", &empty), ("mute", &mute)] {
        let evicted =
            evicted_at(peer).with_context(|| format!("the {what} peer is still there"))?;
        let dials: Vec<Duration> = peer.dials().iter().skip(1).map(|at| *at - evicted).collect();
        println!("     {what}: dialed again {dials:.3?} after its eviction");
        ensure!(dials.len() <= 1, "the {what} peer was dialed again after {dials:.3?}");
        let early = dials.iter().any(|wait| *wait + EARLY < ALONE);
        in_time!(!early, "the {what} peer was dialed again after {dials:.3?}");
    }
    get.interrupt()
}

/// What is known of an address outlives the program: who was evicted is not dialed by the next run either,
/// and who was not is dialed at once.
fn evicted_before(place: &Place) -> Result<()> {
    let announcer = Announcer::start(place.host(254))?;
    let content = Content::tracked(place, 32 * BLOCK, 2 * BLOCK, &announcer.url())?;
    let empty = Peer::listening(place.host(1), &content, |link| {
        link.announce(|_| false)?;
        link.serve()
    })?;
    let choking = Peer::listening(place.host(2), &content, |link| {
        link.generous = false;
        link.announce(|_| true)?;
        link.serve()
    })?;
    announcer.name([empty.address, choking.address]);
    let first = Get::new("get", &content.torrent).with_tracker().start(place)?;
    closed_visit(place, &first, &empty)?;
    first.interrupt()?;
    let second = Get::new("get", &content.torrent).with_tracker().start(place)?;
    place.wait_until(second.started + RESTARTED, || second.ensure_running())?;
    let dials = (empty.dials().len(), choking.dials().len());
    ensure!(dials == (1, 2), "dials of the evicted peer and of the other, two runs: {dials:?}");
    second.interrupt()
}

/// A seed that a tracker named gives half of it, goes, and comes back just after it was dialed in vain for
/// the third time.
fn lost(place: &Place) -> Result<()> {
    let announcer = Announcer::start(place.host(254))?;
    let content = Content::tracked(place, 32 * BLOCK, 2 * BLOCK, &announcer.url())?;
    let half = content.pieces() / 2;
    let gone = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&gone);
    let seed = Peer::listening(place.host(1), &content, move |link: &mut Link| {
        link.announce(|piece| piece < half)?;
        let patience = Instant::now() + Duration::from_secs(20);
        let mut left = half;
        let is_last = |message: &Message| {
            left -= u32::from(matches!(message, Message::Have(_)));
            left == 0
        };
        let served = link.serve_until(patience, is_last)?;
        ensure!(served == Served::Told, "half of it was not fetched: {served:?}");
        // It still has what we need when it goes.
        link.say(Message::Have(half))?;
        flag.store(true, Ordering::Relaxed);
        Ok(())
    })?;
    let address = seed.address;
    announcer.name([address]);
    let get = Get::new("get", &content.torrent).with_tracker().start(place)?;
    place.wait_for("half of the download", || Ok(gone.load(Ordering::Relaxed)))?;
    drop(seed);
    let in_vain = || {
        get.ensure_running()?;
        let failed = get.events()?.iter().filter(|event| event.name == "dial_failed").count();
        Ok(failed >= WAITS.len())
    };
    place.wait_for("dials in vain", in_vain)?;
    let back = Instant::now();
    let seed = Peer::listening_at(address, &content, |link| {
        link.announce(|_| true)?;
        link.serve()
    })?;
    get.finish()?;
    let took = back.elapsed();
    same_bytes(&get, &content)?;
    let events = get.events()?;
    let is_mark = |event: &&Event| ["peer_closed", "dial_failed"].contains(&event.name.as_str());
    let marks: Vec<u64> = events.iter().filter(is_mark).map(|event| event.time_ms).collect();
    let waits: Vec<Duration> =
        marks.windows(2).map(|pair| Duration::from_millis(pair[1] - pair[0])).collect();
    println!(
        "     dialed again after {:.2?}, done {took:.2?} after its return",
        &waits[..WAITS.len()]
    );
    for (wait, due) in waits.iter().zip(WAITS) {
        let right = *wait + EARLY >= due && *wait <= due + LATE;
        in_time!(right, "dialed again after {wait:.3?}, due after {due:?}");
    }
    ensure!(seed.visits().len() == 1, "it came {} times", seed.visits().len());
    in_time!(took <= SOON, "complete {took:.2?} after its return, not within {SOON:?}");
    Ok(())
}
