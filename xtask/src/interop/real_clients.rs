//! Torrents made by other tools, seeded by other clients, found by a tracker and by address.

use std::fs;

use anyhow::{Context, Result};

use super::Scenario;
use super::clients::Client;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::Place;
use super::tools::Tool;
use super::torrent::info_hash;
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
    let tools = case.seeds.iter().map(|seed| seed.tool()).chain([case.maker.tool()]);
    let tracker = case.tracker.then_some(Tool::Opentracker);
    Scenario::new(format!("real-clients/{files}/{who}/{found}"), move |place| run(place, case))
        .needing(tools.chain(tracker))
}

fn run(place: &Place, case: Case) -> Result<()> {
    let payload = if case.multi { Payload::multi(place)? } else { Payload::single(place)? };
    let tracker = Tracker::new(place)?;
    let torrent = case.maker.make(place, &payload, &tracker.announce())?;
    let info_hash = info_hash(&fs::read(&torrent)?).context("the torrent has no info")?;
    if case.tracker {
        tracker.start(place, &info_hash)?;
    }
    let seeds = case.seeds.iter().map(|seed| seed.seed(place, &torrent, &payload.folder));
    let seeds = seeds.collect::<Result<Vec<_>>>()?;
    let mut get = Get::new("get", &torrent);
    if case.tracker {
        tracker.wait_for_seeds(place, &info_hash, seeds.len())?;
        get = get.with_tracker();
    } else {
        get = get.peers(seeds);
    }
    let download = get.start(place)?;
    download.finish()?;
    payload.compare(&download.output, case.maker)
}
