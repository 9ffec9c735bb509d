//! A tracker that everybody asks over UDP.

use anyhow::{Result, ensure};

use super::Scenario;
use super::clients::Client;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::Place;
use super::tools::Tool;
use super::tracker::Tracker;

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |client: Client| {
        let name = format!("tracker/udp/{}", client.name());
        let scenario = Scenario::new(name, move |place| run(place, client));
        let scenario = scenario.needing([client.tool(), Tool::Opentracker]);
        // Transmission takes its time before it announces.
        if client == Client::Transmission { scenario.waiting(90) } else { scenario }
    };
    [Client::Libtorrent, Client::Transmission].map(scenario).into()
}

fn run(place: &Place, client: Client) -> Result<()> {
    let payload = Payload::single(place)?;
    let (tracker, torrent) = Tracker::asked_over("udp", place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let seed = client.start(place, &torrent, &payload.folder, None)?;
    seed.wait_until_complete(place)?;
    tracker.wait_for_peers(place, (1, 0))?;
    let download = Get::new("get", &torrent).with_tracker().start(place)?;
    download.finish()?;
    let events = download.events()?;
    let replied = events
        .iter()
        .any(|event| event.name == "source_replied" && event.text("source").starts_with("udp://"));
    ensure!(replied, "no reply of the tracker among the events");
    payload.compare(&download.output, client.makes_empty_files())
}
