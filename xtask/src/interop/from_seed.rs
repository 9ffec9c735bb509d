//! Torrents made by `ccbt create`, downloaded by other clients from `ccbt seed`, found by a tracker only.

use std::net::Ipv4Addr;

use anyhow::Result;

use super::Scenario;
use super::clients::Client;
use super::payload::{Maker, Payload};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::tracker::Tracker;

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for multi in [false, true] {
        for client in Client::ALL {
            let files = if multi { "multi-file" } else { "single-file" };
            let name = format!("from-seed/{files}/{}", client.name());
            let scenario = Scenario::new(name, move |place| run(place, client, multi));
            let scenario = scenario.needing([client.tool(), Tool::Opentracker]);
            // A client that is dialed looks only every ten seconds whom it may ask for something.
            scenarios.push(if client.dials_loopback() { scenario } else { scenario.waiting(60) });
        }
    }
    scenarios
}

fn run(place: &Place, client: Client, multi: bool) -> Result<()> {
    let payload = if multi { Payload::multi(place)? } else { Payload::single(place)? };
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let output = place.folder("download")?;
    let seed = || -> Result<Seed> {
        let listen = (Ipv4Addr::LOCALHOST, free_port()?).into();
        Seed::start(place, &torrent, &payload.folder, listen, &[])
    };
    let leech = || client.start(place, &torrent, &output, None);
    // Who comes later learns of the other from the tracker, and dials it.
    let leech = if client.dials_loopback() {
        seed()?;
        tracker.wait_for_peers(place, (1, 0))?;
        leech()?
    } else {
        let leech = leech()?;
        tracker.wait_for_peers(place, (0, 1))?;
        seed()?;
        leech
    };
    leech.wait_until_complete(place)?;
    leech.stop()?;
    payload.compare(&output, client.makes_empty_files())
}
