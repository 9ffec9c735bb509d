//! Nothing but a magnet link: the metadata from other clients, and to them; liars and mutes beside an honest peer.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::assertions::same_bytes;
use super::clients::Client;
use super::download::{Download, Get};
use super::late::in_time;
use super::payload::{Maker, Payload};
use super::peers::{Link, Metadata, Peer};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::torrent::{Content, hex};
use super::tracker::Tracker;
use super::wire::Message;

/// From its start to the first piece of a magnet link with a seed.
const FIRST_PIECE: Duration = Duration::from_secs(5);
/// Liars and mutes may cost an honest peer so much time.
const BAR: Duration = Duration::from_secs(5);
/// They are there so long before the honest peer says that it has the metadata.
const AHEAD: Duration = Duration::from_millis(500);
/// Metadata of three blocks.
const PIECES: usize = 2_400;
const PIECE: usize = 1024;

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for client in Client::ALL {
        let name = format!("magnet/by-peer/{}", client.name());
        let scenario = Scenario::new(name, move |place| by_peer(place, client));
        let scenario = scenario.needing([client.tool()]);
        // It looks only every ten seconds whom it unchokes.
        let waits = client == Client::Transmission;
        scenarios.push(if waits { scenario.waiting(60) } else { scenario });
    }
    for (name, scheme) in [("magnet/by-tracker", "http"), ("magnet/udp", "udp")] {
        let scenario = Scenario::new(name, move |place| by_tracker(place, scheme));
        scenarios.push(scenario.needing([Client::Libtorrent.tool(), Tool::Opentracker]));
    }
    scenarios.push(Scenario::new("magnet/choice", choice).needing([Client::Libtorrent.tool()]));
    for client in [Client::Aria2, Client::Libtorrent] {
        let name = format!("magnet/gives/{}", client.name());
        let scenario = Scenario::new(name, move |place| gives(place, client));
        scenarios.push(scenario.needing([client.tool(), Tool::Opentracker]));
    }
    let companies: [(&str, &'static [Metadata]); 4] = [
        ("liar", &[Metadata::Lies]),
        ("mute", &[Metadata::Mute]),
        ("empty", &[Metadata::Empty]),
        (
            "all",
            &[
                Metadata::Lies,
                Metadata::Lies,
                Metadata::Lies,
                Metadata::Mute,
                Metadata::Mute,
                Metadata::Mute,
                Metadata::Mute,
                Metadata::Empty,
            ],
        ),
    ];
    for (name, others) in companies {
        let run = move |place: &Place| beside(place, others);
        scenarios.push(Scenario::new(format!("magnet/beside/{name}"), run));
    }
    scenarios
}

/// The link names a client that has all.
fn by_peer(place: &Place, client: Client) -> Result<()> {
    let payload = Payload::multi(place)?;
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
    let seed = client.start(place, &torrent, &payload.folder, None)?;
    seed.wait_until_complete(place)?;
    // Some say that they are complete before they listen.
    place.wait_for("the seed to listen", || {
        Ok(std::net::TcpStream::connect(seed.address).is_ok())
    })?;
    let link = tracker.magnet_with_peer(seed.address);
    let get = Get::new("get", Path::new(&link)).start(place)?;
    get.finish()?;
    let first = first_piece(&get)?;
    println!("     first piece after {first:.2?}");
    let bar = if client == Client::Transmission { 4 * FIRST_PIECE } else { FIRST_PIECE };
    in_time!(first < bar, "the first piece came after {first:.2?}");
    payload.compare(&get.output, true)
}

/// The link names a tracker, which knows a seed.
fn by_tracker(place: &Place, scheme: &'static str) -> Result<()> {
    let payload = Payload::multi(place)?;
    let (tracker, torrent) = Tracker::asked_over(scheme, place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let seed = Client::Libtorrent.start(place, &torrent, &payload.folder, None)?;
    seed.wait_until_complete(place)?;
    tracker.wait_for_peers(place, (1, 0))?;
    let get = Get::new("get", Path::new(&tracker.magnet())).with_tracker().start(place)?;
    get.finish()?;
    let first = first_piece(&get)?;
    println!("     first piece after {first:.2?}");
    in_time!(first < FIRST_PIECE, "the first piece came after {first:.2?}");
    payload.compare(&get.output, true)
}

/// The link asks for one file; later the person asks for more, and then for all.
fn choice(place: &Place) -> Result<()> {
    let payload = Payload::multi(place)?;
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
    let seed = Client::Libtorrent.start(place, &torrent, &payload.folder, None)?;
    seed.wait_until_complete(place)?;
    let (link, output) = (tracker.magnet_with_peer(seed.address), place.folder("download")?);
    let get = |name: &str, link: &str, option: &str| -> Result<()> {
        let get = Get::new(name, Path::new(link)).into(&output).switch("--no-state");
        get.switch(option).start(place)?.finish()?;
        Ok(())
    };
    let last = |path: &str| path == "z last.bin";
    get("of-link", &format!("{link}&so=5"), "--sequential")?;
    payload.compare_chosen(&output, last)?;
    get("of-person", &format!("{link}&so=5"), "--files=nested/**")?;
    payload.compare_chosen(&output, |path| last(path) || path.starts_with("nested/"))?;
    get("all", &link, "--allocate=full")?;
    payload.compare(&output, true)
}

fn first_piece(get: &Download) -> Result<Duration> {
    let events = get.events()?;
    let piece = events.iter().find(|event| event.name == "piece").context("no piece")?;
    Ok(Duration::from_millis(piece.time_ms))
}

/// A client with nothing but the link gets everything from `ccbt seed`.
fn gives(place: &Place, client: Client) -> Result<()> {
    let payload = Payload::multi(place)?;
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let listen: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
    let _seed = Seed::start(place, &torrent, &payload.folder, listen, &[])?;
    tracker.wait_for_peers(place, (1, 0))?;
    let output = place.folder("download")?;
    let leech = client.start(place, Path::new(&tracker.magnet()), &output, None)?;
    leech.wait_until_complete(place)?;
    leech.stop()?;
    payload.compare(&output, client.makes_empty_files())
}

/// What these cost a download beside an honest peer, until the metadata is known.
fn beside(place: &Place, others: &'static [Metadata]) -> Result<()> {
    let content = Content::new(place, PIECES * PIECE - 77, PIECE)?;
    let alone = fetch(place, "alone", &content, &[])?;
    let with = fetch(place, "beside", &content, others)?;
    println!("     without {alone:.2?}, with {with:.2?}");
    in_time!(with <= alone + BAR, "known after {with:.2?}, without them after {alone:.2?}");
    Ok(())
}

fn fetch(
    place: &Place,
    name: &str,
    content: &Arc<Content>,
    others: &'static [Metadata],
) -> Result<Duration> {
    // One that is alone with us is asked in any case.
    let (asked, awaited) = (Arc::new(AtomicUsize::new(0)), usize::from(others.len() == 1));
    let seen = Arc::clone(&asked);
    let honest = Peer::talkative(place.host(1), content, move |link: &mut Link| {
        link.serve_until(Instant::now() + AHEAD, |_| false)?;
        while seen.load(Ordering::Relaxed) < awaited {
            link.serve_until(Instant::now() + AHEAD, |_| false)?;
        }
        link.announce(|_| true)?;
        link.offer_metadata(Metadata::Gives)?;
        link.serve()
    })?;
    let others = (100..).zip(others).map(|(number, way)| {
        let asked = Arc::clone(&asked);
        let script = move |link: &mut Link| {
            link.offer_metadata(*way)?;
            let is_request =
                |message: &Message| matches!(message, Message::Other(20, text) if text.first().is_some_and(|id| *id != 0));
            let day = Instant::now() + Duration::from_secs(86_400);
            link.serve_until(day, is_request)?;
            asked.fetch_add(1, Ordering::Relaxed);
            link.serve()
        };
        Ok((*way, Peer::talkative(place.host(number), content, script)?))
    });
    let others = others.collect::<Result<Vec<_>>>()?;
    let link = format!("magnet:?xt=urn:btih:{}", hex(&content.info_hash));
    let peers = others.iter().map(|(_, peer)| peer.address).chain([honest.address]);
    let get = Get::new(name, Path::new(&link)).peers(peers).start(place)?;
    get.finish()?;
    same_bytes(&get, content)?;
    let events = get.events()?;
    let known = events.iter().find(|event| event.name == "metadata").context("no metadata")?;
    for (way, peer) in &others {
        let closed = events
            .iter()
            .find(|event| event.name == "peer_closed" && event.peer == Some(peer.address));
        let reason = closed.map(|event| event.text("reason")).unwrap_or_default();
        let expected = match way {
            Metadata::Lies => "sent-bad-metadata",
            Metadata::Empty => "broke-protocol",
            Metadata::Mute | Metadata::Gives => continue,
        };
        // Of many not everybody is asked.
        let unasked = others.len() > 1 && reason == "closed-by-us";
        ensure!(
            reason == expected || unasked,
            "{way:?} at {} was closed for {reason:?}",
            peer.address
        );
    }
    let blamed = events.iter().any(|event| {
        event.peer == Some(honest.address) && event.text("reason").starts_with("sent-bad")
    });
    ensure!(!blamed, "the honest peer was blamed");
    Ok(Duration::from_millis(known.time_ms))
}
