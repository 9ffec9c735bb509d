//! We know one peer, it knows the seed (BEP 11).

use anyhow::{Result, ensure};

use super::Scenario;
use super::clients::Client;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::Place;
use super::tools::Tool;
use super::tracker::Tracker;

/// Bytes a second that the seed sends, so that nobody is complete before he has heard of anybody.
const LIMIT_UP: u64 = 100 << 10;

pub(super) fn scenarios() -> Vec<Scenario> {
    let needs = [Client::Aria2.tool(), Client::Libtorrent.tool(), Tool::Opentracker];
    vec![Scenario::new("pex/libtorrent-tells", told).needing(needs).waiting(120)]
}

/// libtorrent has found aria2 by the tracker, which we do not ask.
fn told(place: &Place) -> Result<()> {
    let payload = Payload::single(place)?;
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let seed = Client::Aria2.start(place, &torrent, &payload.folder, Some(LIMIT_UP))?;
    seed.wait_until_complete(place)?;
    tracker.wait_for_peers(place, (1, 0))?;
    let folder = place.folder("leech")?;
    let leech = Client::Libtorrent.start(place, &torrent, &folder, None)?;
    tracker.wait_for_peers(place, (1, 1))?;
    let get = Get::new("get", &torrent).peers([leech.address]).with_pex().start(place)?;
    get.finish()?;
    payload.compare(&get.output, true)?;
    let events = get.events()?;
    let met = events.iter().any(|event| {
        event.name == "peer_connected"
            && event.peer == Some(seed.address)
            && event.text("source") == "pex"
    });
    ensure!(met, "nobody told of the seed");
    Ok(())
}
