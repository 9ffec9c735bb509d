//! Torrents made by other tools, seeded by other clients, found by a tracker and by address.

use anyhow::Result;

use super::Scenario;
use super::clients::Client;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::Place;
use super::tools::Tool;
use super::tracker::Tracker;

const SEEDS: [&[Client]; 4] = [
    &[Client::Aria2],
    &[Client::Transmission],
    &[Client::Libtorrent],
    &[Client::Aria2, Client::Transmission, Client::Libtorrent],
];

const MAKERS: [Maker; 3] = [Maker::Mktorrent, Maker::Transmission, Maker::Libtorrent];

/// How a scenario's payload looks and how its seeds are found.
#[derive(Clone, Copy)]
struct Case {
    multi: bool,
    tracker: bool,
    seeds: &'static [Client],
    maker: Maker,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut makers = MAKERS.into_iter().cycle();
    let mut scenarios = Vec::new();
    for multi in [false, true] {
        for tracker in [false, true] {
            for (seeds, maker) in SEEDS.into_iter().zip(makers.by_ref()) {
                scenarios.push(scenario(Case { multi, tracker, seeds, maker }));
            }
        }
    }
    scenarios
}

fn scenario(case: Case) -> Scenario {
    let who = match case.seeds {
        [one] => one.name(),
        _ => "all-together",
    };
    let files = if case.multi { "multi-file" } else { "single-file" };
    let found = if case.tracker { "by-tracker" } else { "by-peer" };
    let tools = case.seeds.iter().map(|seed| seed.tool()).chain(case.maker.tool());
    let tracker = case.tracker.then_some(Tool::Opentracker);
    Scenario::new(format!("real-clients/{files}/{who}/{found}"), move |place| run(place, case))
        .needing(tools.chain(tracker))
}

fn run(place: &Place, case: Case) -> Result<()> {
    let payload = if case.multi { Payload::multi(place)? } else { Payload::single(place)? };
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, case.maker)?;
    if case.tracker {
        tracker.start(place)?;
    }
    let seeds = case.seeds.iter().map(|seed| seed.start(place, &torrent, &payload.folder, None));
    let seeds = seeds.collect::<Result<Vec<_>>>()?;
    seeds.iter().try_for_each(|seed| seed.wait_until_complete(place))?;
    let mut get = Get::new("get", &torrent);
    if case.tracker {
        tracker.wait_for_peers(place, (seeds.len(), 0))?;
        get = get.with_tracker();
    } else {
        get = get.peers(seeds.iter().map(|seed| seed.address));
    }
    let download = get.start(place)?;
    download.finish()?;
    payload.compare(&download.output, case.maker.keeps_empty_files())
}
